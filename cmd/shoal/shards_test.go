package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial/record"
)

// shardedLines are questions about samples that are cut into shards, on models and data of writeSketches.
var shardedLines = map[string]string{
	"certify":      "certify difference.onnx --data npz:points.npz --eps 0.04,0.2,0.1",
	"certify part": "certify difference.onnx --data npz:points.npz --range 1:4 --eps 0.1",
	"radius":       "radius difference.onnx --data npz:points.npz --max-eps 0.5 --tol 1/50",
	"attack":       "attack difference.onnx --data npz:points.npz --engine go --eps 0.2,0.1 --method pgd --steps 4 --batch 2",
	"compare":      "compare difference.onnx softmax.onnx --engine go --data npz:points.npz --batch 2",
	"random":       "compare difference.onnx softmax.onnx --engine go --samples 7 --batch 2",
}

// shardsOf runs n shards of a line to their ends, those of skip not at all, and gives the files of records.
func shardsOf(t *testing.T, line, name string, n int) (files []string) {
	t.Helper()
	for i := range n {
		file := fmt.Sprintf("%s-%d.jsonl", name, i)
		os.Remove(file)
		args := append(strings.Fields(line), "--shard", fmt.Sprintf("%d/%d", i, n), "--records", file)
		code, out, words := shoal(t, args...)
		if code != 0 || !strings.HasPrefix(out, fmt.Sprintf("shard %d/%d: ", i, n)) {
			t.Fatalf("%v: exit %d, %s, %s", args, code, out, words)
		}
		files = append(files, file)
	}
	return files
}

func mergeOf(t *testing.T, to string, files []string) {
	t.Helper()
	if code, _, words := shoal(t, append([]string{"merge", "-o", to}, files...)...); code != 0 {
		t.Fatalf("merge %v: exit %d, %s", files, code, words)
	}
}

// TestMergedIsSingle: what shards come to is what one run comes to, for every number of shards, more than there are samples too. The merged file has
// every answer, and the run that reads it asks none.
func TestMergedIsSingle(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	for name, line := range shardedLines {
		whole := documentOf(t, append([]string{"shoal"}, strings.Fields(line+" --json")...))
		kept := append([]string{"shoal"}, strings.Fields(line+" --json --records one.jsonl")...)
		if got := documentOf(t, kept); !reflect.DeepEqual(got, whole) {
			t.Errorf("%s with --records:\n%v\nwithout\n%v", name, got, whole)
		}
		mergeOf(t, "single.jsonl", []string{"one.jsonl"})
		single := withoutTimes(t, "single.jsonl")
		os.Remove("one.jsonl")
		counts := []int{2, 3, 9}
		if testing.Short() {
			counts = counts[1:2]
		}
		for _, n := range counts {
			mergeOf(t, "merged.jsonl", shardsOf(t, line, "shard", n))
			if got := withoutTimes(t, "merged.jsonl"); !reflect.DeepEqual(got, single) {
				t.Errorf("%s, %d shards: records\n%v\nof one run\n%v", name, n, got, single)
			}
			before, err := os.ReadFile("merged.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"shoal"}, strings.Fields(line+" --json --records merged.jsonl")...)
			if got := documentOf(t, args); !reflect.DeepEqual(got, whole) {
				t.Errorf("%s, %d shards:\n%v\none run\n%v", name, n, got, whole)
			}
			if now, _ := os.ReadFile("merged.jsonl"); !bytes.Equal(now, before) {
				t.Errorf("%s, %d shards: something was asked again", name, n)
			}
		}
	}
}

// TestFewSamplesAreDealtOut counts what each shard of four samples has answered where nobody says how many go together: as many as the others. What
// is merged goes on with the same, and says what one run says.
func TestFewSamplesAreDealtOut(t *testing.T) {
	t.Chdir(t.TempDir())
	err := writeSketches(".")
	if err == nil {
		err = os.WriteFile("shoal.yaml", []byte("policy: 1\nconfidence: none\nmodels: {m: {file: difference.onnx}}\ndata: {d: {from: \"npz:points.npz\"}}\n"+
			"require: [{clean_accuracy: {}, at_least: 0.1}, {robust_accuracy: {eps: 0.1, attack: fgsm}, at_least: 0.1}]\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	for line, keys := range map[string]int{
		"attack difference.onnx --data npz:points.npz --engine go --eps 0.2,0.1 --method pgd --steps 4": 2,
		"compare difference.onnx softmax.onnx --engine go --data npz:points.npz":                        1,
		"check": 2,
	} {
		whole := documentOf(t, append([]string{"shoal"}, strings.Fields(line+" --json")...))
		for _, n := range []int{2, 4} {
			files := shardsOf(t, line, "few", n)
			for i, file := range files {
				if _, answers, err := record.Read(file); err != nil || len(answers) != 4/n*keys {
					t.Errorf("%s: shard %d of %d has %d answers, want %d (%v)", line, i, n, len(answers), 4/n*keys, err)
				}
			}
			mergeOf(t, "merged.jsonl", files)
			before, err := os.ReadFile("merged.jsonl")
			if err != nil {
				t.Fatal(err)
			}
			if got := documentOf(t, append([]string{"shoal"}, strings.Fields(line+" --json --records merged.jsonl")...)); !reflect.DeepEqual(got, whole) {
				t.Errorf("%s, %d shards:\n%v\none run\n%v", line, n, got, whole)
			}
			if now, _ := os.ReadFile("merged.jsonl"); !bytes.Equal(now, before) {
				t.Errorf("%s, %d shards: something was asked again", line, n)
			}
		}
	}
}

// TestCutShardsComeToTheSame interrupts shards at random places, cuts the ends of their files off now and then, and goes on: what is merged is what
// shards that nobody touched come to.
func TestCutShardsComeToTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	const seed = 17
	rng := rand.New(rand.NewPCG(seed, 0))
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for name, line := range shardedLines {
		mergeOf(t, "whole.jsonl", shardsOf(t, line, "whole", 2))
		whole := withoutTimes(t, "whole.jsonl")
		cuts := 0
		for round := range rounds {
			var files []string
			for i := range 2 {
				file := fmt.Sprintf("cut-%d.jsonl", i)
				os.Remove(file)
				files = append(files, file)
				args := append([]string{"shoal"}, strings.Fields(fmt.Sprintf("%s --shard %d/2 --records %s", line, i, file))...)
				for n := 1 + rng.IntN(20); ; n += 1 + rng.IntN(40) {
					var out, words bytes.Buffer
					ctx := newCountdown(n)
					code := run(ctx, args, &out, &words)
					ctx.cancel()
					if code == 0 {
						break
					}
					if code != exitInterrupted {
						t.Fatalf("%s, seed %d, round %d: exit %d, %s", line, seed, round, code, words.String())
					}
					cuts++
					if text, err := os.ReadFile(file); err == nil && rng.IntN(2) == 0 {
						head := bytes.IndexByte(text, '\n') + 1
						if err := os.WriteFile(file, text[:head+rng.IntN(len(text)-head+1)], 0o644); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			mergeOf(t, "cut.jsonl", files)
			if got := withoutTimes(t, "cut.jsonl"); !reflect.DeepEqual(got, whole) {
				t.Errorf("%s, seed %d, round %d:\n%v\nwhole\n%v", name, seed, round, got, whole)
			}
		}
		if cuts < rounds {
			t.Errorf("%s, seed %d: %d cuts in %d rounds", name, seed, cuts, rounds)
		}
	}
}

// TestWrongMergesOfSamplesAreRefused: gaps, overlaps, other radii, samples, batches, settings and models, other builds, records of --resume, each
// with nothing written.
func TestWrongMergesOfSamplesAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	const line = "attack difference.onnx --data npz:points.npz --engine go --eps 0.1,0.2 --method pgd --steps 4 --batch 1"
	shardsOf(t, line, "s", 3)
	change := func(from, to, name string) {
		t.Helper()
		shardsOf(t, strings.Replace(line, from, to, 1), name, 3)
	}
	change("0.1,0.2", "0.1,0.3", "eps")
	change("--engine go", "--engine go --range 0:3", "range")
	change("--batch 1", "--batch 2", "batch")
	change("--steps 4", "--steps 5", "steps")
	change("difference.onnx", "softmax.onnx", "model")
	text, err := os.ReadFile("s-2.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"cut.jsonl": string(text[:len(text)-10]), "build.jsonl": otherBuild(t, string(text))} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, words := shoal(t, append(strings.Fields(line), "--resume", "resume.jsonl")...); code != 0 {
		t.Fatalf("exit %d, %s", code, words)
	}
	for files, want := range map[string]string{
		"s-0.jsonl s-2.jsonl":                     "are in none of the files",
		"s-0.jsonl s-1.jsonl cut.jsonl":           "are in none of the files (1 are missing in all)",
		"s-0.jsonl s-1.jsonl s-2.jsonl s-1.jsonl": "is in s-1.jsonl and in s-1.jsonl: the shards overlap",
		"s-0.jsonl s-1.jsonl eps-2.jsonl":         "eps-2.jsonl holds records of something else than s-0.jsonl: other settings",
		"s-0.jsonl s-1.jsonl range-2.jsonl":       "range-2.jsonl holds records of something else than s-0.jsonl: other settings",
		"s-0.jsonl s-1.jsonl batch-2.jsonl":       "batch-2.jsonl holds records of something else than s-0.jsonl: other settings",
		"s-0.jsonl s-1.jsonl steps-2.jsonl":       "steps-2.jsonl holds records of something else than s-0.jsonl: other settings",
		"s-0.jsonl s-1.jsonl model-2.jsonl":       "model-2.jsonl holds records of something else than s-0.jsonl: other model",
		"s-0.jsonl s-1.jsonl build.jsonl":         "build.jsonl holds records of something else than s-0.jsonl: other version of shoal",
		"resume.jsonl":                            "resume.jsonl holds records of no whole run",
	} {
		code, out, words := shoal(t, append([]string{"merge", "-o", "merged.jsonl"}, strings.Fields(files)...)...)
		if code == 0 || out != "" || !strings.Contains(words, want) {
			t.Errorf("merge %s: exit %d, %q, %s", files, code, out, words)
		}
		if _, err := os.Stat("merged.jsonl"); err == nil {
			t.Fatalf("merge %s wrote something", files)
		}
	}
	mergeOf(t, "merged.jsonl", []string{"s-2.jsonl", "s-0.jsonl", "s-1.jsonl"})
	for _, other := range []string{strings.Replace(line, "0.1,0.2", "0.1", 1), strings.Replace(line, "--steps 4", "--steps 5", 1)} {
		if code, _, words := shoal(t, append(strings.Fields(other), "--records", "merged.jsonl")...); code != exitUsage ||
			!strings.Contains(words, "--records merged.jsonl holds records of something else") {
			t.Errorf("%s: exit %d, %s", other, code, words)
		}
	}
}

// TestShardsOfTheEnvironment: a Slurm array's task is its shard for questions about samples as it is for policies.
func TestShardsOfTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "4",
		"SLURM_ARRAY_TASK_COUNT": "2"} {
		t.Setenv(name, value)
	}
	for name, line := range shardedLines {
		files := shardsOf(t, line, "said", 2)
		os.Remove("auto.jsonl")
		args := append(strings.Fields(line), "--shard", "auto", "--records", "auto.jsonl")
		if code, out, words := shoal(t, args...); code != 0 || !strings.HasPrefix(out, "shard 1/2: ") {
			t.Fatalf("%s: exit %d, %s, %s", name, code, out, words)
		}
		if got, want := withoutTimes(t, "auto.jsonl"), withoutTimes(t, files[1]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, want)
		}
	}
}
