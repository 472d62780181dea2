package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestCutAndResumedIsTheSame interrupts questions with --resume at random places, over and over, cuts the end of the file off now and then as a dying
// machine does, and goes on: the report in the end is that of a run in one piece, but for times.
func TestCutAndResumedIsTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, 0))
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	for name, line := range map[string]string{
		"certify": "certify difference.onnx --data npz:points.npz --eps 0.04,0.2,0.1",
		"radius":  "radius difference.onnx --data npz:points.npz --max-eps 0.5 --tol 1/50",
		"attack":  "attack difference.onnx --data npz:points.npz --engine go --eps 0.2,0.1 --method pgd --steps 4 --batch 1",
		"compare": "compare difference.onnx softmax.onnx --engine go --data npz:points.npz --batch 1",
		"random":  "compare difference.onnx softmax.onnx --engine go --samples 7 --batch 2",
	} {
		args := append([]string{"shoal"}, strings.Fields(line+" --json")...)
		whole := documentOf(t, args)
		for round := range rounds {
			file := name + ".records"
			os.Remove(file)
			args := append(args[:len(args):len(args)], "--resume", file)
			cuts := 0
			for n := 1; ; n += 1 + rng.IntN(40) {
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
				if text, err := os.ReadFile(file); err == nil && rng.IntN(3) == 0 {
					head := bytes.IndexByte(text, '\n') + 1
					if err := os.WriteFile(file, text[:head+rng.IntN(len(text)-head+1)], 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := documentOf(t, args); !reflect.DeepEqual(got, whole) {
				t.Errorf("%s, seed %d, round %d, %d cuts:\n%v\nwhole\n%v", line, seed, round, cuts, got, whole)
			}
			if cuts == 0 {
				t.Errorf("%s, seed %d, round %d: it was never cut", line, seed, round)
			}
		}
	}
}

// documentOf is what a command prints, without times.
func documentOf(t *testing.T, args []string) any {
	t.Helper()
	code, out, words := shoal(t, args[1:]...)
	var doc any
	if err := json.Unmarshal([]byte(out), &doc); code != 0 || err != nil {
		t.Fatalf("%v: exit %d, %v, %s", args, code, err, words)
	}
	timeless(doc)
	return doc
}

// timeless takes the times out of a document, how deep they may be.
func timeless(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "seconds")
		for _, x := range v {
			timeless(x)
		}
	case []any:
		for _, x := range v {
			timeless(x)
		}
	}
}
