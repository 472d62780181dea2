package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

// countdown is a context that is cancelled when it has been asked so many times: whoever asks, the interrupt comes in the midst of its work.
type countdown struct {
	context.Context
	left   *atomic.Int64
	cancel context.CancelFunc
}

func newCountdown(n int) *countdown {
	ctx, cancel := context.WithCancel(context.Background())
	c := &countdown{Context: ctx, left: &atomic.Int64{}, cancel: cancel}
	c.left.Store(int64(n))
	return c
}

func (c *countdown) ask() {
	if c.left.Add(-1) <= 0 {
		c.cancel()
	}
}

func (c *countdown) Err() error {
	c.ask()
	return c.Context.Err()
}

func (c *countdown) Done() <-chan struct{} {
	c.ask()
	return c.Context.Done()
}

const tinyStudent = `name: small
input: [1, 28, 28]
layers:
  - {conv: 2, kernel: 4, stride: 4, relu: true}
  - {dense: 10}
`

const tinyStudy = `name: tiny
data:
  train: {from: "fmnist:fmnist", split: test, range: "0:60"}
  test: {from: "fmnist:fmnist", range: "60:70"}
  validation: 0.2
training: {epochs: 1, batch: 16}
teachers: [{name: normal, model: fmnist-conv-ts.onnx}]
students:
  - {name: conv, layers: [{conv: 2, kernel: 4, stride: 4, relu: true}, {dense: 10}]}
techniques:
  - {technique: labels}
`

// TestAnInterruptKeepsWhatIsDone interrupts every command wherever it looks at its context: after 1, 2, 3, 5, 8, ... looks. It ends with 0 if it was
// done by then and else with 130; what is on stdout is whole JSON that says which; a share of nothing is null; and nothing is "0.0 % of 0".
func TestAnInterruptKeepsWhatIsDone(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/fmnist", os.DirFS("../../testdata/fmnist")); err != nil {
		t.Fatal(err)
	}
	d, err := os.ReadFile("../../testdata/fmnist-conv-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	write := func(name string, data []byte) {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("fmnist-conv-ts.onnx", d)
	write("small.yaml", []byte(tinyStudent))
	write("tiny.yaml", []byte(tinyStudy))
	write("tiny-policy.yaml", []byte("policy: 1\nmodels: {m: {file: fmnist-conv-ts.onnx}}\ndata: {d: {from: \"fmnist:fmnist\", range: \"0:3\"}}\nrequire:\n"+
		"  - {clean_accuracy: {}, at_least: 0}\n  - {certified_accuracy: {eps: 0.01, method: interval}, at_least: 0}\n"))
	write("case.json", []byte(`{"lower": [0, 0], "upper": [1, 1], "rows": [[1, -1]]}`))
	write("p.vnnlib", []byte("(declare-const X_0 Real)(declare-const Y_0 Real)(assert (>= X_0 0))(assert (<= X_0 1))(assert (>= Y_0 2))"))
	if err := writeSketches("."); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line    string
		partial bool // prints what it has
	}{
		{"certify difference.onnx --data npz:points.npz --eps 0.1,0.2", true},
		{"certify line.onnx --vnnlib p.vnnlib", true},
		{"radius difference.onnx --data npz:points.npz --max-eps 0.5 --tol 1/10 --plot radii.svg", true},
		{"attack difference.onnx --data npz:points.npz --engine go --eps 0.1,0.2 --method pgd --steps 4 --batch 2 --plot robust.svg --save adv.npz", true},
		{"attack difference.onnx --data npz:points.npz --engine go --eps 0.1 --method apgd-ce --steps 3 --batch 1", true},
		{"run difference.onnx --data npz:points.npz --engine go --batch 1", true},
		{"compare difference.onnx difference.onnx --engine go --data npz:points.npz --batch 1", true},
		{"compare difference.onnx difference.onnx --engine go --samples 5 --batch 2 --certify", true},
		{"bounds difference.onnx --box case.json --rows case.json", false},
		{"distill --student small.yaml --data fmnist:fmnist --split test --range 0:80 --technique labels --epochs 2 --batch 16 -o student.onnx", true},
		{"distill --student small.yaml --data fmnist:fmnist --split test --range 0:80 --technique labels --epochs 2 --batch 16 --validation-share 0 -o last.onnx", true},
		{"sweep --teacher fmnist-conv-ts.onnx --engine go --cache none --student small.yaml --data fmnist:fmnist --split test --range 0:80 --temperatures 1,2 --epochs 1 --batch 16 --plot s.svg -o best.onnx", true},
		{"study tiny.yaml -o out", false},
		{"check tiny-policy.yaml", true},
		{"init fmnist-conv-ts.onnx --data fmnist:fmnist --range 0:3 --method interval --attack fgsm -o policy.yaml", false},
		{"prune difference.onnx --ratio 0.5 --dry-run", false},
		{"simplify difference.onnx -o simple.onnx", false},
		{"convert difference.onnx --opset 17 -o new.onnx", false},
	} {
		cut, whole := 0, 0
		for n, step := 1, 1; n < 100000 && whole == 0; n, step = n+step, n {
			for _, mode := range []string{"--json", ""} {
				args := append([]string{"shoal"}, strings.Fields(c.line)...)
				if mode != "" {
					args = append(args, mode)
				}
				var out, words bytes.Buffer
				ctx := newCountdown(n)
				code := run(ctx, args, &out, &words)
				ctx.cancel()
				told := "shoal " + c.line + " " + mode
				if code != 0 && code != exitInterrupted {
					t.Errorf("%s, cut after %d looks: exit %d, %s", told, n, code, words.String())
				}
				if code == exitInterrupted && !strings.Contains(words.String(), "interrupted") {
					t.Errorf("%s, cut after %d looks: %s", told, n, words.String())
				}
				for _, wrong := range []string{" of 0 images", "over all 0 images", "\n0 samples", "NaN"} {
					if strings.Contains(out.String(), wrong) {
						t.Errorf("%s, cut after %d looks: %s", told, n, out.String())
					}
				}
				if mode == "" {
					continue
				}
				if code == 0 {
					whole++
				} else {
					cut++
				}
				if !c.partial && code != 0 && out.Len() > 0 {
					t.Errorf("%s, cut after %d looks: %s", told, n, out.String())
				}
				if c.partial || code == 0 {
					wholeJSON(t, told, out.Bytes(), code, n)
				}
			}
		}
		if cut == 0 || whole == 0 {
			t.Errorf("%s: %d runs were cut, %d whole", c.line, cut, whole)
		}
	}
}

// wholeJSON fails where a document is none, or does not say that it was cut. Before a command has read what it works on it has nothing to print.
func wholeJSON(t *testing.T, told string, doc []byte, code, n int) {
	t.Helper()
	if len(doc) == 0 && code == exitInterrupted {
		return
	}
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s, cut after %d looks: %v in %s", told, n, err, doc)
		return
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("%s, cut after %d looks: more than a document", told, n)
	}
	interrupted, there := v["interrupted"]
	if sum, ok := v["summary"].(map[string]any); ok && !there {
		interrupted, there = sum["interrupted"]
	}
	if reason, ok := v["reason"].(string); ok && !there {
		interrupted, there = strings.HasPrefix(reason, "interrupted"), true
	}
	if code == exitInterrupted && interrupted != true || code == 0 && interrupted == true {
		t.Errorf("%s, cut after %d looks: exit %d, and the document says interrupted: %v (%v)", told, n, code, interrupted, there)
	}
	if n, ok := v["samples"].(float64); ok && n == 0 && (v["accuracy"] != nil || v["agreement"] != nil) {
		t.Errorf("%s: shares of nothing: %s", told, doc)
	}
}
