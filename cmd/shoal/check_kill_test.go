package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

const shardedPolicy = `policy: 1
name: shards
seed: 3
models:
  new: {file: fmnist-conv-dyn-robust.onnx}
  old: {file: fmnist-conv-ts.onnx}
data:
  test: {from: "fmnist:fmnist", range: "0:90"}
require:
  - clean_accuracy:
    at_least: 0.6
    per: class
  - robust_accuracy: {eps: 0.1, attack: pgd, steps: 2}
    at_least: 0.5
  - certified_accuracy: {eps: 0.05, method: interval}
    at_least: 0.9
  - radius: {quantile: 0.5, method: interval}
    at_least: 0.02
  - name: change
    clean_accuracy:
    change: {against: old, direction: higher_is_better, absolute: -0.1, relative: -0.1}
  - equivalent_to: {model: old, delta: 0.1, method: interval}
  - file: {finite_weights: true}
  - size: {bytes: 1000000}
`

// policyRoom is a folder with the policy, its models and data.
func policyRoom(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join("..", "..", "testdata")
	if err := os.CopyFS(filepath.Join(dir, "fmnist"), os.DirFS(filepath.Join(root, "fmnist"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fmnist-conv-dyn-robust.onnx", "fmnist-conv-ts.onnx"} {
		d, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), d, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "shoal.yaml"), []byte(shardedPolicy), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
}

// withoutTimes are the lines of a file of records.
func withoutTimes(t *testing.T, path string) (out []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var doc map[string]any
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatalf("%s: %v: %s", path, err, line)
		}
		timeless(doc)
		out = append(out, doc)
	}
	return out
}

// TestKilledShardsComeToTheSame kills shards of a policy, as a machine that dies does, at random moments, cuts the ends of their records off now and
// then, and runs them again. What is merged in the end is what shards that nobody touched come to, and its outcome is that of one run.
func TestKilledShardsComeToTheSame(t *testing.T) {
	if _, err := exec.LookPath("shoal"); err != nil {
		t.Skip("the test binary is not in PATH")
	}
	policyRoom(t)
	shards := func(n int, name string) (lines [][]string) {
		for i := range n {
			lines = append(lines, []string{"check", "shoal.yaml", "--shard", fmt.Sprintf("%d/%d", i, n), "--records", fmt.Sprintf("%s-%d.jsonl", name, i)})
		}
		return lines
	}
	merge := func(n int, name string) {
		t.Helper()
		args := []string{"merge", "-o", name + ".jsonl"}
		for i := range n {
			args = append(args, fmt.Sprintf("%s-%d.jsonl", name, i))
		}
		if out, err := exec.Command("shoal", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	document := func(args ...string) string {
		t.Helper()
		var words bytes.Buffer
		c := exec.Command("shoal", append([]string{"check", "shoal.yaml", "--json"}, args...)...)
		c.Stderr = &words
		out, err := c.Output()
		if c.ProcessState.ExitCode() != exitThreshold {
			t.Fatalf("%v: %v\n%s", args, err, words.String())
		}
		return string(out)
	}
	var took time.Duration
	for _, line := range shards(2, "whole") {
		start := time.Now()
		if out, err := exec.Command("shoal", line...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", line, err, out)
		}
		took = max(took, time.Since(start))
	}
	merge(2, "whole")
	whole, outcome := withoutTimes(t, "whole.jsonl"), document()
	if got := document("--records", "whole.jsonl"); got != outcome {
		t.Errorf("one run:\n%s\nshards:\n%s", outcome, got)
	}
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 0))
	rounds := 10
	if testing.Short() {
		rounds = 4
	}
	if n, err := strconv.Atoi(os.Getenv("SHOAL_KILL_ROUNDS")); err == nil { // 100 take six minutes
		rounds = n
	}
	killed := 0
	for round := range rounds {
		for i, line := range shards(2, "cut") {
			os.Remove(line[len(line)-1])
			for try := 0; ; try++ {
				c, start := exec.Command("shoal", line...), time.Now()
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				if try < 4 {
					time.AfterFunc(time.Duration(rng.Int64N(int64(took))), func() { _ = c.Process.Kill() })
				}
				err := c.Wait()
				if err == nil {
					if try == 0 { // it outlived its end: the machine is faster than it was
						took = time.Since(start)
					}
					break
				}
				if try >= 4 {
					t.Fatalf("seed %d, round %d, shard %d: %v", seed, round, i, err)
				}
				killed++
				if text, err := os.ReadFile(line[len(line)-1]); err == nil && rng.IntN(3) == 0 {
					head := bytes.IndexByte(text, '\n') + 1
					if err := os.WriteFile(line[len(line)-1], text[:head+rng.IntN(len(text)-head+1)], 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		merge(2, "cut")
		if got := withoutTimes(t, "cut.jsonl"); !reflect.DeepEqual(got, whole) {
			t.Fatalf("seed %d, round %d: the merged records are others", seed, round)
		}
	}
	t.Logf("%d processes killed in %d rounds", killed, rounds)
	if killed < rounds {
		t.Errorf("only %d processes were killed in %d rounds", killed, rounds)
	}
}

// TestWrongMergesAreRefused: gaps, overlaps, other plans and other builds, each with nothing written.
func TestWrongMergesAreRefused(t *testing.T) {
	policyRoom(t)
	check := func(args ...string) {
		t.Helper()
		if code, _, words := shoal(t, append([]string{"check"}, args...)...); code != 0 {
			t.Fatalf("%v: exit %d, %s", args, code, words)
		}
	}
	small := strings.Split(shardedPolicy, "  - radius")[0]
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("small.yaml", small)
	write("other.yaml", strings.Replace(small, "seed: 3", "seed: 4", 1))
	for i := range 3 {
		check("small.yaml", "--shard", fmt.Sprintf("%d/3", i), "--records", fmt.Sprintf("%d.jsonl", i))
	}
	check("other.yaml", "--shard", "2/3", "--records", "other.jsonl")
	text, err := os.ReadFile("2.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	write("cut.jsonl", string(text[:len(text)-10]))
	// Another build: its plan says so, and has the hash that goes with it.
	write("build.jsonl", otherBuild(t, string(text)))
	write("notes.jsonl", "dear diary\n")
	for line, want := range map[string]string{
		"0.jsonl 1.jsonl":                       "are in none of the files",
		"0.jsonl 1.jsonl cut.jsonl":             "are in none of the files (1 are missing in all)",
		"0.jsonl 1.jsonl 2.jsonl 2.jsonl":       "is in 2.jsonl and in 2.jsonl: the shards overlap",
		"0.jsonl 1.jsonl other.jsonl":           "other.jsonl holds records of something else than 0.jsonl: other settings",
		"0.jsonl 1.jsonl build.jsonl":           "build.jsonl holds records of something else than 0.jsonl: other version of shoal",
		"0.jsonl 1.jsonl notes.jsonl":           "notes.jsonl is no file of records",
		"0.jsonl 1.jsonl 2.jsonl missing.jsonl": "missing.jsonl",
	} {
		code, out, words := shoal(t, append([]string{"merge", "-o", "merged.jsonl"}, strings.Fields(line)...)...)
		if code == 0 || out != "" || !strings.Contains(words, want) {
			t.Errorf("merge %s: exit %d, %q, %s", line, code, out, words)
		}
		if _, err := os.Stat("merged.jsonl"); err == nil {
			t.Fatalf("merge %s wrote something", line)
		}
	}
	if code, _, words := shoal(t, "merge", "-o", "merged.jsonl", "2.jsonl", "0.jsonl", "1.jsonl"); code != 0 {
		t.Fatalf("exit %d, %s", code, words)
	}
	merged, err := os.ReadFile("merged.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for policy, want := range map[string]int{"small.yaml": exitThreshold, "other.yaml": exitUsage} {
		if code, _, words := shoal(t, "check", policy, "--records", "merged.jsonl"); code != want {
			t.Errorf("%s: exit %d, want %d, %s", policy, code, want, words)
		}
		if now, _ := os.ReadFile("merged.jsonl"); !bytes.Equal(now, merged) {
			t.Errorf("%s: the records were changed", policy)
		}
	}
	if code, _, words := shoal(t, "report", "merged.jsonl", "-o", "report.html"); code != exitThreshold {
		t.Errorf("report: exit %d, %s", code, words)
	}
}
