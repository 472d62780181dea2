package infer

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// manyForms are graphs with all that folding treats in ways of its own: constants of constants, of sizes, in branches, behind outputs.
func manyForms(t *testing.T) map[string]*onnxio.Graph {
	s := newSketch()
	x := s.input("x", "N", 1, 4, 4)
	folded := s.node("Mul", "folded", nil, s.node("Add", "sum", nil, ramp("w", 2, 1, 3, 3), ramp("u", 2, 1, 3, 3)), ramp("v", 1))
	a := s.node("Conv", "conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}}, x, folded)
	to := s.node("Concat", "to", onnxio.Attrs{"axis": int64(0)},
		s.node("Slice", "size", nil, s.node("Shape", "shape", nil, a), i64("from", 0), i64("until", 1)), s.node("Neg", "rest", nil, i64("one", 1)))
	y := s.node("MatMul", "product", nil, s.node("Reshape", "view", nil, a, to), ramp("m", 8, 3))
	s.node("Exp", "dead", nil, folded)
	graphs := map[string]*onnxio.Graph{"sketch": s.graph(y, s.node("Identity", "constant", nil, folded), to)}
	for _, size := range []int{1, 2} { // the branch reads a constant of constants, which nobody else does
		s := newSketch()
		x := s.input("x", "N", size)
		scale := s.node("Add", "scale", nil, ramp("a", 1), ramp("b", 1))
		c := s.node("Equal", "c", nil, s.node("Gather", "d", nil, s.node("Shape", "s", nil, x), i64("one", 1)), i64("size", 1))
		then, other := newSketch(), newSketch()
		attrs := onnxio.Attrs{"then_branch": then.graph(then.node("Mul", "then", nil, x, scale)),
			"else_branch": other.graph(other.node("Neg", "else", nil, x))}
		graphs[fmt.Sprint("branches ", size)] = s.graph(s.node("If", "y", attrs, c))
	}
	files, _ := filepath.Glob("../../testdata/*.onnx")
	if len(files) < 5 {
		t.Fatalf("only %v", files)
	}
	for _, f := range files {
		m, err := onnxio.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		graphs[filepath.Base(f)] = m.Graph
	}
	return graphs
}

// TestOnceGivesWhatPrepareGives compares graph for graph, with constants and producers, whatever was asked before.
func TestOnceGivesWhatPrepareGives(t *testing.T) {
	for name, g := range manyForms(t) {
		t.Run(name, func(t *testing.T) {
			ctx := Once(context.Background())
			for round, o := range []Options{{}, {Batch: 3}, {Batch: 1}, {Batch: 3, Float64: true}, {Float64: true},
				{Batch: 2, Reading: onnxio.ONNXRuntime}, {Batch: 3}} {
				want, before := "", dump(g)
				p, err := Prepare(context.Background(), g, o)
				if err == nil {
					want = dump(p)
				}
				got := ""
				q, again := Prepare(ctx, g, o)
				if again == nil {
					got = dump(q)
					Fuse(q) // of its own: nobody else sees it
				}
				if err != nil || again != nil || got != want {
					t.Errorf("%d, %+v: %v and %v\n%s\n%s", round, o, err, again, want, got)
				}
				if dump(g) != before {
					t.Errorf("%d: the model changed", round)
				}
			}
		})
	}
}

// TestOnceDoesNothingTwice counts the work that is left, and that a graph which was changed is not taken for what it was.
func TestOnceDoesNothingTwice(t *testing.T) {
	var mu sync.Mutex
	var done []Work
	ctx := Once(Watch(context.Background(), func(w Work) {
		mu.Lock()
		done = append(done, w)
		mu.Unlock()
	}))
	if Once(ctx) != ctx {
		t.Error("a question within a question is another one")
	}
	s := newSketch()
	x := s.input("x", "N", 2)
	w := ramp("w", 2, 2)
	y := s.node("MatMul", "y", nil, x, s.node("Add", "sum", nil, w, ramp("u", 2, 2)))
	g := s.graph(y)
	ask := func(g *onnxio.Graph, o Options) *onnxio.Graph {
		t.Helper()
		p, err := Prepare(ctx, g, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	expect := func(want ...Work) {
		t.Helper()
		if !slices.Equal(done, want) {
			t.Errorf("%+v, want %+v", done, want)
		}
		done = nil
	}
	a := ask(g, Options{})
	expect(Work{g, 1, true})
	b := ask(g, Options{Batch: 1})
	expect()
	if a == b || a.Nodes[0] == b.Nodes[0] || a.Nodes[0].Inputs[1].Const != b.Nodes[0].Inputs[1].Const {
		t.Error("copies that are not of their own, or that do not share constants")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			if p, err := Prepare(ctx, g, Options{Batch: 5}); err != nil || p.Outputs[0].Shape[0] != 5 ||
				p.Nodes[0].Inputs[1].Const != a.Nodes[0].Inputs[1].Const {
				t.Errorf("%v", err)
			}
		}()
	}
	all.Wait()
	expect(Work{g, 5, false})
	ask(g, Options{Float64: true})
	expect(Work{g, 1, true})
	ask(g, Options{Batch: 5, Dims: map[string]int{"N": 7}})
	expect(Work{g, 5, false})

	if _, err := Prepare(ctx, g, Options{Batch: -3}); err == nil {
		t.Error("a batch of -3")
	}
	done = nil
	for what, change := range map[string]func(){
		"a constant":    func() { y.Producer.Inputs[1].Producer.Inputs[0] = ramp("w", 2, 2) },
		"a declaration": func() { x.Dims = dims("M", 2) },
		"an operator":   func() { y.Producer.Inputs[1].Producer.Op = "Sub" },
		"an attribute":  func() { y.Producer.Attrs = onnxio.Attrs{"none": int64(1)} },
		"a node":        func() { g.Outputs[0] = s.node("Neg", "minus", nil, y); g.Nodes = s.g.Nodes },
	} {
		change()
		_, err := Prepare(ctx, g, Options{})
		if want := what == "an attribute"; (err != nil) != want || !slices.Equal(done, []Work{{g, 1, true}}) {
			t.Errorf("after a change of %s: %v, %v", what, done, err)
		}
		y.Producer.Attrs = nil
		done = nil
	}
}

// TestOnceForgetsWhatFailed: an end in time is no answer for later.
func TestOnceForgetsWhatFailed(t *testing.T) {
	once := Once(context.Background())
	s := newSketch()
	g := s.graph(s.node("Relu", "y", nil, s.input("x", "N", 2)))
	ended, cancel := context.WithCancel(once)
	cancel()
	if _, err := Prepare(ended, g, Options{}); err == nil {
		t.Error("no time, and no error")
	}
	if _, err := Prepare(once, g, Options{}); err != nil {
		t.Error(err)
	}
}
