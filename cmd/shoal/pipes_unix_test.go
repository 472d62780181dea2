//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPipesAndDevicesAreRefusedAtOnce puts a pipe that nobody writes to, and a device without an end, in the place of everything that a
// command reads.
func TestPipesAndDevicesAreRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := writeSketches(dir); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo("pipe", 0o644); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"pipe.onnx", "pipe.yaml", "w.bin", filepath.Join("pics", "a", "x.png"), filepath.Join("cifar", "test_batch.bin"),
		filepath.Join("idx", "t10k-images-idx3-ubyte"), filepath.Join("idx", "t10k-labels-idx1-ubyte"), "zero.onnx"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, "pipe")
		if name == "zero.onnx" {
			to = "/dev/zero"
		}
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, place := range []string{"pipe", "w.bin", "/dev/zero", "../" + filepath.Base(dir) + "/pipe"} {
		m := &modelSketch{opset: 13}
		m.input("x", 1, 2)
		m.external("w", place, 2, 2)
		m.node("MatMul", "y", nil, "x", "w")
		m.output("y", 1, 2)
		if err := m.write("external-" + strings.NewReplacer("/", "_", ".", "_").Replace(place) + ".onnx"); err != nil {
			t.Fatal(err)
		}
	}
	externals, _ := filepath.Glob("external-*.onnx")
	if len(externals) != 4 {
		t.Fatal(externals)
	}
	lines := []string{
		"inspect pipe", "inspect pipe.onnx", "inspect /dev/zero", "inspect zero.onnx",
		"certify difference.onnx --vnnlib pipe", "certify difference.onnx --vnnlib /dev/zero",
		"bounds difference.onnx --box pipe --rows pipe", "bounds difference.onnx --box /dev/zero --rows /dev/zero",
		"run difference.onnx --engine go --data npz:pipe", "run difference.onnx --engine go --data npz:/dev/zero",
		"run difference.onnx --engine go --data cifar10:pipe", "run difference.onnx --engine go --data cifar10:cifar",
		"run difference.onnx --engine go --data svhn:/dev/zero", "run difference.onnx --engine go --data images:pics",
		"run difference.onnx --engine go --data images:pipe",
		"run difference.onnx --engine go --data mnist:idx", "run difference.onnx --engine go --data mnist:/dev/zero",
		"compare difference.onnx pipe", "study pipe.yaml -o new",
		"distill --student pipe.yaml --data fmnist:/dev/zero --technique labels -o new.onnx",
		"distill --teacher pipe --student small-fmnist-8-16 --data npz:points.npz -o new.onnx",
		"prune pipe --ratio 0.5 -o new.onnx", "prune difference.onnx --plan pipe -o new.onnx",
	}
	for _, e := range externals {
		lines = append(lines, "inspect "+e, "certify "+e+" --data npz:points.npz --eps 0.1")
	}
	for _, line := range lines {
		start := processorTime()
		code, _, said := shoal(t, strings.Fields(line)...)
		if took := processorTime() - start; code != exitError && code != exitUsage || took > 5*time.Second || !strings.HasPrefix(said, "shoal: ") ||
			strings.Count(said, "\n") > 2 {
			t.Errorf("%s: exit %d after %v, %s", line, code, took, said)
		}
	}
}
