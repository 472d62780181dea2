//go:build cgo

package attack

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
)

// library is the onnxruntime that the tests use.
func library(t *testing.T) string {
	t.Helper()
	found, err := ortlib.Find(ortlib.Request{Given: os.Getenv("SHOAL_ONNXRUNTIME"), Python: true})
	if err == nil && len(found) > 0 {
		return found[0].Path
	}
	if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatal("SHOAL_REQUIRE asks for onnxruntime, which is missing")
	}
	t.Skip("onnxruntime is missing; shoal runtime install gets it")
	return ""
}

// runtimeTolerance is how far float32 gradients of two engines may be from each other, relative to the largest element.
const runtimeTolerance = 2e-3

// compareEngines runs a gradient graph on the Go engine and on another one, on the same random input.
func compareEngines(t *testing.T, path, name, lib string) {
	t.Helper()
	m, err := onnxio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Gradient(m.Graph, Loss{Kind: Linear}, GradientOptions{Batch: 2, Portable: name == "ort:webgpu"})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	model, err := onnxio.NewModel(g, "shoal")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ctx := context.Background()
	a, err := engine.OpenGraph(ctx, g, engine.Options{Threads: 1})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer a.Close()
	b, err := engine.Open(ctx, model, engine.Options{Engine: name, Library: lib, Threads: 1})
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	defer b.Close()
	rng := rand.New(rand.NewPCG(8, 8))
	var in []*onnxio.Tensor
	for _, p := range a.Inputs() {
		x := onnxio.NewTensor(p.DType, p.Shape...)
		for i := range x.Len() {
			v := rng.Float64()
			if p.Name == WeightsInput {
				v = float64(i % 2)
			}
			if d := x.F32(); d != nil {
				d[i] = float32(v)
			} else {
				x.F64()[i] = v
			}
		}
		in = append(in, x)
	}
	ya, err := a.Run(ctx, in)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	yb, err := b.Run(ctx, in)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	for k := range ya {
		u, _ := ya[k].Float64s()
		v, _ := yb[k].Float64s()
		most, far := 0.0, 0.0
		for i := range u {
			most, far = max(most, math.Abs(u[i])), max(far, math.Abs(u[i]-v[i]))
		}
		if !(far <= runtimeTolerance*max(most, 1e-4)) {
			t.Errorf("%s: output %d differs by %v of %v", path, k, far, most)
		}
	}
}

func TestORTRunsGradientGraphs(t *testing.T) {
	lib := library(t)
	for _, f := range networks(t, "../testdata/*.onnx") {
		compareEngines(t, f, "ort:cpu", lib)
	}
}

func TestORTRunsGradientsOfPublicNetworks(t *testing.T) {
	lib := library(t)
	needShared(t)
	if testing.Short() {
		t.Skip("long: all networks of the public benchmark")
	}
	for _, f := range publicNetworks(t) {
		compareEngines(t, f, "ort:cpu", lib)
	}
}

// TestWebGPURunsGradients needs a library with WebGPU and a Vulkan driver, such as SwiftShader.
func TestWebGPURunsGradients(t *testing.T) {
	lib := library(t)
	has, err := engine.ORTProviders(lib)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(has, " "), "webgpu") || os.Getenv("VK_DRIVER_FILES") == "" {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "webgpu") {
			t.Fatalf("SHOAL_REQUIRE asks for webgpu; the library has %v", has)
		}
		t.Skip("no WebGPU here")
	}
	for _, f := range []string{"fmnist-mlp-ts", "fmnist-conv-ts", "fmnist-conv-dyn-robust", "cifar-residual-dyn"} {
		compareEngines(t, filepath.Join("../testdata", f+".onnx"), "ort:webgpu", lib)
	}
}
