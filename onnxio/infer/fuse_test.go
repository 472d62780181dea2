package infer

import (
	"math"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// ramped is a point of the shape of the graph's input, with both signs.
func ramped(g *onnxio.Graph) *onnxio.Tensor {
	t := onnxio.NewTensor(g.Inputs[0].DType, g.Inputs[0].Shape...)
	for i := range t.Len() {
		v := math.Sin(float64(i))
		if t.DType == onnxio.Double {
			t.F64()[i] = v
		} else {
			t.F32()[i] = float32(v)
		}
	}
	return t
}

func TestFuse(t *testing.T) {
	norm := func(s *sketch, x *onnxio.Value) *onnxio.Value {
		return s.node("BatchNormalization", "norm", onnxio.Attrs{"epsilon": float32(1e-3)}, x, ramp("scale", 2),
			ramp("shift", 2), ramp("mean", 2), ramp("var", 2))
	}
	conv := func(s *sketch, bias bool) *onnxio.Value {
		in := []*onnxio.Value{s.input("x", 1, 1, 4, 4), ramp("w", 2, 1, 3, 3)}
		if bias {
			in = append(in, ramp("b", 2))
		}
		return s.node("Conv", "conv", nil, in...)
	}
	product := func(s *sketch) *onnxio.Value {
		return s.node("MatMul", "product", nil, s.input("x", 2, 3), ramp("w", 3, 4))
	}
	for _, c := range []struct {
		name  string
		build func(s *sketch) []*onnxio.Value
		left  string
	}{
		{"Conv, BatchNormalization", func(s *sketch) []*onnxio.Value { return []*onnxio.Value{norm(s, conv(s, false))} }, "conv"},
		{"Conv with a bias, BatchNormalization", func(s *sketch) []*onnxio.Value { return []*onnxio.Value{norm(s, conv(s, true))} }, "conv"},
		{"Conv read twice", func(s *sketch) []*onnxio.Value {
			x := conv(s, true)
			return []*onnxio.Value{s.node("Add", "sum", nil, norm(s, x), x)}
		}, "conv norm sum"},
		{"Conv that is an output", func(s *sketch) []*onnxio.Value {
			x := conv(s, true)
			return []*onnxio.Value{norm(s, x), x}
		}, "conv norm"},
		{"BatchNormalization behind something else", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{norm(s, s.node("Relu", "relu", nil, conv(s, true)))}
		}, "conv relu norm"},
		{"MatMul, Add", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, product(s), ramp("b", 4))}
		}, "product"},
		{"Add of a row before", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, ramp("b", 1, 4), product(s))}
		}, "product"},
		{"Add of a matrix", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, product(s), ramp("b", 2, 4))}
		}, "product sum"},
		{"Add of a column", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, product(s), ramp("b", 2, 1))}
		}, "product sum"},
		{"Add of a number", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, product(s), ramp("b", 1))}
		}, "product sum"},
		{"Add that makes it larger", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, product(s), ramp("b", 1, 1, 4))}
		}, "product sum"},
		{"MatMul read twice", func(s *sketch) []*onnxio.Value {
			x := product(s)
			return []*onnxio.Value{s.node("Mul", "square", nil, s.node("Add", "sum", nil, x, ramp("b", 4)), x)}
		}, "product sum square"},
		{"MatMul of two variables", func(s *sketch) []*onnxio.Value {
			x := s.input("x", 3, 3)
			return []*onnxio.Value{s.node("Add", "sum", nil, s.node("MatMul", "product", nil, x, x), ramp("b", 3))}
		}, "product sum"},
		{"MatMul of a row of matrices", func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Add", "sum", nil, s.node("MatMul", "product", nil, s.input("x", 2, 2, 3), ramp("w", 3, 4)), ramp("b", 4))}
		}, "product sum"},
	} {
		for _, o := range []Options{{}, {Float64: true}} {
			t.Run(c.name, func(t *testing.T) {
				s := newSketch()
				g := prepare(t, s.graph(c.build(s)...), o)
				point := ramped(g)
				want := at(t, g, point)
				var outputs []string
				for _, v := range g.Outputs {
					outputs = append(outputs, v.Name)
				}
				Fuse(g)
				if got := names(g); got != c.left {
					t.Errorf("nodes %q are left, want %q", got, c.left)
				}
				for k, y := range at(t, g, point) {
					if g.Outputs[k].Name != outputs[k] || g.Outputs[k].Producer == nil {
						t.Errorf("output %d was %q and is %q", k, outputs[k], g.Outputs[k].Name)
					}
					for i, v := range y {
						// A few roundings of float32, or of float64: sums here are below 10.
						tol := 1e-5
						if o.Float64 {
							tol = 1e-13
						}
						if math.Abs(v-want[k][i]) > tol {
							t.Errorf("output %d, element %d: %v, was %v", k, i, v, want[k][i])
						}
					}
				}
			})
		}
	}
}
