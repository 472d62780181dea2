package infer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// branching is what PyTorch makes of a squeeze: If(size == 1) Squeeze else Identity, the condition computed from the shape. The branches read
// a value of the graph around and have a constant of their own.
func branching(size int) *onnxio.Graph {
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: size}}}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	add := func(to *onnxio.Graph, op, out string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: op + "_" + out, Op: op, Opset: 13, Inputs: in, Attrs: attrs}
		v := &onnxio.Value{Name: out, Producer: n}
		n.Outputs = []*onnxio.Value{v}
		to.Nodes = append(to.Nodes, n)
		return v
	}
	constant := func(name string, t *onnxio.Tensor) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: t.DType, Const: t, Shape: t.Shape}
	}
	r := add(g, "Relu", "r", nil, x)
	s := add(g, "Shape", "s", nil, r)
	d := add(g, "Gather", "d", nil, s, constant("one", onnxio.FromInt64([]int64{1})))
	c := add(g, "Equal", "c", nil, d, constant("size", onnxio.FromInt64([]int64{1})))
	then, other := &onnxio.Graph{}, &onnxio.Graph{}
	then.Outputs = []*onnxio.Value{add(then, "Squeeze", "squeezed", nil, r, constant("axis", onnxio.FromInt64([]int64{1}, 1)))}
	neg := add(other, "Neg", "neg", nil, r)
	add(other, "Abs", "unread", nil, neg)
	other.Outputs = []*onnxio.Value{neg}
	g.Outputs = []*onnxio.Value{add(g, "If", "y", onnxio.Attrs{"then_branch": then, "else_branch": other}, c)}
	return g
}

func TestConstantConditionsTakeTheirBranch(t *testing.T) {
	for size, want := range map[int][]float64{1: {1, 2}, 2: {-1, -2, -3, -4}} {
		g := branching(size)
		in := onnxio.FromFloat32([]float32{1, 2, 3, 4}[:2*size], 2, size)
		if got := outputs(t, g, in); len(got) != len(want) || got[len(got)-1] != want[len(want)-1] {
			t.Errorf("size %d: %v, want %v", size, got, want)
		}
		s, err := infer.Simplify(context.Background(), g, infer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Nodes) != 2 {
			t.Errorf("size %d: %d nodes are left", size, len(s.Nodes))
		}
		if got := outputs(t, s, in); got[len(got)-1] != want[len(want)-1] {
			t.Errorf("size %d, simplified: %v", size, got)
		}
	}
}

// TestConditionsOnDataKeepBothBranches: a condition that is not known runs the branch that it takes, where both give one shape; what a branch cannot
// do, or a branch that is not there, is refused.
func TestConditionsOnDataKeepBothBranches(t *testing.T) {
	asked := func(g *onnxio.Graph) *onnxio.Node {
		for _, n := range g.Nodes {
			if n.Op == "If" {
				n.Inputs[0] = &onnxio.Value{Name: "asked", DType: onnxio.Bool, HasShape: true, Dims: []onnxio.Dim{}}
				g.Inputs = append(g.Inputs, n.Inputs[0])
				return n
			}
		}
		return nil
	}
	g := branching(1) // [N] and [N,1]
	asked(g)
	if _, err := infer.Prepare(context.Background(), g, infer.Options{}); err == nil ||
		!strings.Contains(err.Error(), "its branches give shapes [1] and [1 1]") {
		t.Errorf("%v", err)
	}
	g = branching(2)
	n := asked(g)
	then := n.Attrs["then_branch"].(*onnxio.Graph)
	then.Nodes[0].Op, then.Nodes[0].Inputs = "Exp", then.Nodes[0].Inputs[:1]
	p, err := infer.Prepare(context.Background(), g, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.OpenGraph(context.Background(), p, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, yes := range []bool{false, true} {
		out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32([]float32{0, 2}, 1, 2),
			{DType: onnxio.Bool, Shape: []int{}, Data: []bool{yes}}})
		if err != nil {
			t.Fatal(err)
		}
		if f := out[0].F32(); yes && f[0] != 1 || !yes && f[1] != -2 {
			t.Errorf("condition %v: %v", yes, f)
		}
	}
	g = branching(2)
	delete(g.Nodes[len(g.Nodes)-1].Attrs, "else_branch")
	if _, err := infer.Prepare(context.Background(), g, infer.Options{}); err == nil || !strings.Contains(err.Error(), "else_branch") {
		t.Errorf("%v", err)
	}
}

// TestUnknownAttributesOfBranchesAreRefused: an If is no operator with a definition, and is looked at all the same.
func TestUnknownAttributesOfBranchesAreRefused(t *testing.T) {
	g := branching(1)
	g.Nodes[len(g.Nodes)-1].Attrs["of_tomorrow"] = int64(1)
	if _, err := infer.Prepare(context.Background(), g, infer.Options{}); err == nil || !strings.Contains(err.Error(), `attribute "of_tomorrow"`) {
		t.Errorf("an If with an attribute of tomorrow: %v", err)
	}
}
