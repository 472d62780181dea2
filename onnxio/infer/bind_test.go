package infer

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// shapes are what the inputs of a graph of one Relu each were bound to.
func shapes(t *testing.T, o Options, inputs ...[]any) [][]int {
	t.Helper()
	s := newSketch()
	var outs []*onnxio.Value
	for i, d := range inputs {
		name := string(rune('a' + i))
		outs = append(outs, s.node("Relu", name+" relu", nil, s.input(name, d...)))
	}
	g := prepare(t, s.graph(outs...), o)
	var got [][]int
	for i, v := range g.Inputs {
		got = append(got, v.Shape)
		if !slices.Equal(v.Shape, g.Outputs[i].Shape) {
			t.Errorf("input %v, its Relu %v", v.Shape, g.Outputs[i].Shape)
		}
	}
	return got
}

func TestInputsAreBound(t *testing.T) {
	type in = []any
	for _, c := range []struct {
		name   string
		o      Options
		inputs []in
		want   [][]int
	}{
		{"a named batch is 1", Options{}, []in{{"N", 3}}, [][]int{{1, 3}}},
		{"an unknown batch is 1", Options{}, []in{{"?", 3}}, [][]int{{1, 3}}},
		{"a named batch takes Batch", Options{Batch: 5}, []in{{"N", 3}}, [][]int{{5, 3}}},
		{"an unknown batch takes Batch", Options{Batch: 5}, []in{{"?", 3}}, [][]int{{5, 3}}},
		{"the file's batch stays", Options{Batch: 5}, []in{{2, 3}}, [][]int{{2, 3}}},
		{"every input has the batch", Options{Batch: 4}, []in{{"N", 3}, {"M", 2}, {7}}, [][]int{{4, 3}, {4, 2}, {7}}},
		{"a scalar has none", Options{Batch: 4}, []in{{}}, [][]int{{}}},
		{"a name inside", Options{Dims: map[string]int{"T": 7}}, []in{{"N", "T", 4}}, [][]int{{1, 7, 4}}},
		{"a name in two inputs", Options{Batch: 2, Dims: map[string]int{"T": 7}}, []in{{"N", "T"}, {"N", 3, "T"}}, [][]int{{2, 7}, {2, 3, 7}}},
		{"a name before the batch", Options{Batch: 2, Dims: map[string]int{"T": 7}}, []in{{"T", 3}}, [][]int{{7, 3}}},
		{"the batch's name inside", Options{Batch: 6}, []in{{"N", 2}, {2, "N"}}, [][]int{{6, 2}, {2, 6}}},
		{"a size of 0", Options{Dims: map[string]int{"T": 0}}, []in{{"N", "T"}}, [][]int{{1, 0}}},
		{"names that are not there do nothing", Options{Dims: map[string]int{"H": 9}}, []in{{"N", 3}}, [][]int{{1, 3}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := shapes(t, c.o, c.inputs...)
			if !slices.EqualFunc(got, c.want, slices.Equal[[]int]) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestHalfPrecisionInputsAreReadAsFloat32(t *testing.T) {
	for _, d := range []onnxio.DType{onnxio.Float16, onnxio.BFloat16} {
		s := newSketch()
		x := s.input("x", 1, 2)
		x.DType = d
		if g := prepare(t, s.graph(s.node("Relu", "y", nil, x)), Options{}); g.Inputs[0].DType != onnxio.Float || g.Outputs[0].DType != onnxio.Float {
			t.Errorf("%v: input %v, output %v", d, g.Inputs[0].DType, g.Outputs[0].DType)
		}
	}
}

func TestConstantInputsNeedNoSize(t *testing.T) {
	s := newSketch()
	x := s.input("x", "N", 3)
	w := s.input("w", "A", "B")
	w.Const = ramp("", 3, 2).Const
	g := prepare(t, s.graph(s.node("MatMul", "y", nil, x, w)), Options{})
	if got := g.Outputs[0].Shape; !slices.Equal(got, []int{1, 2}) {
		t.Errorf("%v", got)
	}
}

func TestFixedBatch(t *testing.T) {
	for _, c := range []struct {
		dims []any
		want int
	}{{[]any{"N", 3}, 0}, {[]any{"?", 3}, 0}, {[]any{1, 3}, 1}, {[]any{8, 3}, 8}, {[]any{}, 1}} {
		s := newSketch()
		s.input("w", 9).Const = ramp("", 9).Const // a constant has no batch
		s.input("x", c.dims...)
		if got := FixedBatch(s.g); got != c.want {
			t.Errorf("%v: %d, want %d", c.dims, got, c.want)
		}
	}
}

// TestCastLikeRoundsAsItsTarget: the half precision of the target may be the file's word, or what the nodes before it say.
func TestCastLikeRoundsAsItsTarget(t *testing.T) {
	for _, half := range []onnxio.DType{onnxio.Float16, onnxio.BFloat16} {
		to := onnxio.Attrs{"to": int64(half)}
		for _, c := range []struct {
			name string
			like func(s *sketch, x *onnxio.Value) *onnxio.Value
			want onnxio.DType // Undefined for a refusal
		}{
			{"a cast value", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Cast", "h", to, x) }, half},
			{"behind others", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				h := s.node("Cast", "h", to, x)
				return s.node("Relu", "r", nil, s.node("Add", "a", nil, h, h))
			}, half},
			{"behind a CastLike", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				return s.node("CastLike", "again", nil, x, s.node("Cast", "h", to, x))
			}, half},
			{"made of a weight", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				w := ramp("w", 2)
				w.DType = half
				return s.node("Identity", "same", nil, w)
			}, half},
			{"a Constant", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				k := s.node("Constant", "k", onnxio.Attrs{"value": onnxio.FromFloat32([]float32{1}, 1)})
				k.DType = half
				return k
			}, half},
			{"declared behind an operator that may change it", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				h := s.node("Softsign", "u", nil, s.node("Cast", "h", to, x))
				h.DType = half
				return h
			}, half},
			{"not declared there", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				return s.node("Softsign", "u", nil, s.node("Cast", "h", to, x))
			}, onnxio.Undefined},
			{"cast back", func(s *sketch, x *onnxio.Value) *onnxio.Value {
				return s.node("Relu", "r", nil, s.node("Cast", "b", onnxio.Attrs{"to": int64(onnxio.Float)}, s.node("Cast", "h", to, x)))
			}, onnxio.Float},
			{"in float32", func(s *sketch, x *onnxio.Value) *onnxio.Value { return s.node("Softsign", "u", nil, x) }, onnxio.Float},
		} {
			for _, kept := range []bool{false, true} {
				s := newSketch()
				s.opset = 15
				x := s.input("x", 1, 2)
				g := s.graph(s.node("CastLike", "y", nil, x, c.like(s, x)))
				ctx := context.Background()
				if kept { // constants are folded first
					ctx = Once(ctx)
				}
				got, err := Prepare(ctx, g, Options{})
				if (err != nil) != (c.want == onnxio.Undefined) || err != nil && !errors.As(err, new(*onnxio.UnsupportedError)) {
					t.Errorf("%v, %s: error %v", half, c.name, err)
				}
				if err != nil {
					continue
				}
				casts := slices.ContainsFunc(got.Nodes, func(n *onnxio.Node) bool { return n.Outputs[0].Name == "y" && n.Attrs.Int("to", 0) == int(half) })
				if casts != (c.want == half) {
					t.Errorf("%v, %s, constants first %v: rounded %v", half, c.name, kept, casts)
				}
			}
		}
	}
}
