package infer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

func TestConstantsFold(t *testing.T) {
	s := newSketch()
	x := s.input("x", "N", 2)
	two := s.node("Constant", "two", onnxio.Attrs{"value_float": float32(2)})
	scale := s.node("Mul", "scale", nil, f32("w", []float32{1, 2}, 2), two)
	shift := s.node("Neg", "shift", nil, s.node("Transpose", "turned", nil, f32("b", []float32{3, 4}, 2, 1)))
	y := s.node("Add", "y", nil, s.node("Mul", "scaled", nil, x, scale), shift)
	g := prepare(t, s.graph(y), Options{Batch: 3})
	if got := names(g); got != "scaled y" {
		t.Errorf("nodes %q", got)
	}
	if c := g.Nodes[0].ConstInput(1); c == nil || !slices.Equal(c.F32(), []float32{2, 4}) {
		t.Errorf("the scale is %v", c)
	}
	if c := g.Nodes[1].ConstInput(1); c == nil || !slices.Equal(c.F32(), []float32{-3, -4}) || !slices.Equal(c.Shape, []int{1, 2}) {
		t.Errorf("the shift is %v", c)
	}
	if got := g.Outputs[0].Shape; !slices.Equal(got, []int{3, 2}) {
		t.Errorf("output of shape %v", got)
	}
}

func TestAConstantOutputHasNoNodes(t *testing.T) {
	s := newSketch()
	s.input("x", 1, 2)
	g := prepare(t, s.graph(s.node("Exp", "y", nil, f32("w", []float32{0}, 1))), Options{})
	if len(g.Nodes) != 0 || g.Outputs[0].Const == nil || g.Outputs[0].Const.F32()[0] != 1 {
		t.Errorf("nodes %q, output %v", names(g), g.Outputs[0].Const)
	}
}

// TestShapeArithmeticFolds has the chains that exporters write for view, flatten and reshape. Each ends in one node.
func TestShapeArithmeticFolds(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(s *sketch, x *onnxio.Value) *onnxio.Value
		left  string
		want  func(batch int) []int
	}{
		{"x.view(x.size(0), -1)", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			size := s.node("Gather", "size", onnxio.Attrs{"axis": int64(0)}, s.node("Shape", "shape", nil, x), scalar("zero", 0))
			size = s.node("Unsqueeze", "unsqueezed", nil, size, i64("axes", 0))
			to := s.node("Concat", "to", onnxio.Attrs{"axis": int64(0)}, size, i64("rest", -1))
			return s.node("Reshape", "view", nil, x, to)
		}, "view", func(n int) []int { return []int{n, 24} }},
		{"x.view(x.size(0), x.size(1) * x.size(2), x.size(3))", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			shape := s.node("Shape", "shape", nil, x)
			size := func(i int64) *onnxio.Value {
				name := fmt.Sprint("size", i)
				return s.node("Gather", name, nil, shape, i64(name+" index", i))
			}
			to := s.node("Concat", "to", onnxio.Attrs{"axis": int64(0)}, size(0), s.node("Mul", "product", nil, size(1), size(2)), size(3))
			return s.node("Reshape", "view", nil, x, to)
		}, "view", func(n int) []int { return []int{n, 6, 4} }},
		{"x.flatten(2) by a slice of the shape", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			head := s.node("Slice", "head", nil, s.node("Shape", "shape", nil, x), i64("from", 0), i64("to", 2), i64("axis", 0))
			to := s.node("Concat", "sizes", onnxio.Attrs{"axis": int64(0)}, head, i64("rest", -1))
			return s.node("Reshape", "flat", nil, x, to)
		}, "flat", func(n int) []int { return []int{n, 2, 12} }},
		{"by the number of elements", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			half := s.node("Div", "half", nil, s.node("Size", "size", nil, x), scalar("by", 2))
			to := s.node("Concat", "to", onnxio.Attrs{"axis": int64(0)}, i64("two", 2), s.node("Unsqueeze", "one", nil, half, i64("axes", 0)))
			return s.node("Reshape", "halves", nil, x, to)
		}, "halves", func(n int) []int { return []int{2, 12 * n} }},
		{"a cast there and back", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			shape := s.node("Cast", "floats", onnxio.Attrs{"to": int64(onnxio.Float)}, s.node("Shape", "shape", nil, x))
			shape = s.node("Cast", "integers", onnxio.Attrs{"to": int64(onnxio.Int64)}, s.node("Floor", "floor", nil, shape))
			return s.node("Reshape", "same", nil, s.node("Relu", "relu", nil, x), shape)
		}, "relu same", func(n int) []int { return []int{n, 2, 3, 4} }},
		{"zeros like x", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			zeros := s.node("ConstantOfShape", "zeros", nil, s.node("Shape", "shape", nil, x))
			return s.node("Add", "sum", nil, x, zeros)
		}, "sum", func(n int) []int { return []int{n, 2, 3, 4} }},
		{"the shape of what a node makes", func(s *sketch, x *onnxio.Value) *onnxio.Value {
			turned := s.node("Transpose", "turned", onnxio.Attrs{"perm": []int64{0, 2, 3, 1}}, x)
			shape := s.node("Shape", "shape", nil, turned)
			return s.node("Reshape", "as turned", nil, x, shape)
		}, "as turned", func(n int) []int { return []int{n, 3, 4, 2} }},
	} {
		for _, batch := range []int{1, 5} {
			t.Run(fmt.Sprintf("%s, batch %d", c.name, batch), func(t *testing.T) {
				s := newSketch()
				x := s.input("x", "N", 2, 3, 4)
				g := prepare(t, s.graph(c.build(s, x)), Options{Batch: batch})
				if got := names(g); got != c.left {
					t.Errorf("nodes %q are left, want %q", got, c.left)
				}
				if got := g.Outputs[0].Shape; !slices.Equal(got, c.want(batch)) {
					t.Errorf("shape %v, want %v", got, c.want(batch))
				}
			})
		}
	}
}

// odd are all operators, one that says nothing twice, and one without a shape.
var odd = operators.Table().With(op.Def{
	Name: "Dice", Domain: "test", Since: 1, NoFold: true,
	Shape: func(n *onnxio.Node) ([]op.Type, error) {
		return []op.Type{{DType: onnxio.Float, Shape: n.Inputs[0].Shape}}, nil
	},
	Eval: func(*op.Call) error { return fmt.Errorf("it was folded") },
}, op.Def{
	Name: "Blind", Domain: "test", Since: 1,
	Eval: func(*op.Call) error { return nil },
})

func TestWhatDoesNotFold(t *testing.T) {
	s := newSketch()
	s.input("x", 1)
	dice := s.node("Dice", "dice", nil, ramp("w", 2))
	s.g.Nodes[0].Domain = "test"
	huge := s.node("ConstantOfShape", "huge", nil, i64("size", 1<<13, 1<<14)) // half a gigabyte
	g := prepare(t, s.graph(dice, huge), Options{table: odd})
	if got := names(g); got != "dice huge" {
		t.Errorf("nodes %q", got)
	}
	if g.Outputs[1].Const != nil || !slices.Equal(g.Outputs[1].Shape, []int{1 << 13, 1 << 14}) {
		t.Errorf("a constant of half a gigabyte was made, or its shape is lost: %v", g.Outputs[1].Shape)
	}
}

func TestFloat64WidensTheGraph(t *testing.T) {
	s := newSketch()
	x := s.input("x", "N", 2)
	third := s.node("Div", "third", nil, f32("one", []float32{1}, 1), f32("three", []float32{3}, 1))
	cast := s.node("Cast", "cast", onnxio.Attrs{"to": int64(onnxio.Float)}, x)
	shape := s.node("Shape", "shape", nil, x)
	g := prepare(t, s.graph(s.node("Mul", "y", nil, cast, third), shape), Options{Float64: true})
	if g.Inputs[0].DType != onnxio.Double || g.Outputs[0].DType != onnxio.Double || g.Outputs[1].DType != onnxio.Int64 {
		t.Errorf("input %v, outputs %v and %v", g.Inputs[0].DType, g.Outputs[0].DType, g.Outputs[1].DType)
	}
	if got := names(g); got != "y" {
		t.Errorf("nodes %q: the cast to float32 does nothing in a float64 graph", got)
	}
	if c := g.Nodes[0].ConstInput(1); c == nil || c.DType != onnxio.Double || c.F64()[0] != 1.0/3 {
		t.Errorf("a third was folded to %v", c)
	}
}
