package verify

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// steps are operators between a convolution of c channels, whose values lie channels-last, and a dense layer.
var steps = []struct {
	name string
	make func(b *builder, x *onnxio.Value, c int) *onnxio.Value
}{
	{"Max per channel", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Max", nil, x, b.weights(1, c, 1, 1))
	}},
	{"Min per channel", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Min", nil, b.weights(1, 1, c, 1, 1), x)
	}},
	{"Div per channel", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Div", nil, b.weights(1, c, 1, 1), b.node("Exp", nil, x))
	}},
	{"PRelu per channel", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("PRelu", nil, x, b.weights(1, c, 1, 1))
	}},
	{"PRelu", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("PRelu", nil, x, b.weights(1, 1))
	}},
	{"Swish", single("Swish", onnxio.Attrs{"alpha": float32(1.5)})},
	{"Swish, turned", single("Swish", onnxio.Attrs{"alpha": float32(-1)})},
	{"Gelu", single("Gelu", nil)},
	{"Gelu tanh", single("Gelu", onnxio.Attrs{"approximate": "tanh"})},
	{"Mish", single("Mish", nil)},
	{"HardSwish", single("HardSwish", nil)},
	{"HardSigmoid", single("HardSigmoid", nil)},
	{"Elu", single("Elu", onnxio.Attrs{"alpha": float32(1.3)})},
	{"Selu", single("Selu", nil)},
	{"Celu", single("Celu", onnxio.Attrs{"alpha": float32(0.4)})},
	{"Softplus", single("Softplus", nil)},
	{"Softsign", single("Softsign", nil)},
	{"ThresholdedRelu", single("ThresholdedRelu", onnxio.Attrs{"alpha": float32(0.25)})},
	{"Ceil", single("Ceil", nil)},
	{"Round", single("Round", nil)},
	{"Atan", single("Atan", nil)},
	{"Sinh", single("Sinh", nil)},
	{"Cosh", single("Cosh", nil)},
	{"Asinh", single("Asinh", nil)},
	{"Acosh of Cosh", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("Acosh", nil, b.node("Add", nil, b.node("Cosh", nil, x), b.node("Cosh", nil, x)))
	}},
	{"Tan, Asin, Acos and Atanh of half a Softsign", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		h := b.node("Softsign", nil, x)
		h = b.node("Mul", nil, h, &onnxio.Value{Name: "half", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0.5})})
		y := b.node("Add", nil, b.node("Tan", nil, h), b.node("Asin", nil, h))
		return b.node("Sub", nil, b.node("Add", nil, y, b.node("Acos", nil, h)), b.node("Atanh", nil, h))
	}},
	{"Mean", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Mean", nil, x, b.weights(1, c, 1, 1), b.node("Relu", nil, x), b.weights(1, 1))
	}},
	{"Where and comparisons", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		less := b.node("Less", nil, x, b.weights(1, c, 1, 1))
		more := b.node("Not", nil, b.node("GreaterOrEqual", nil, x, b.weights(1, 1)))
		return b.node("Where", nil, b.node("Xor", nil, less, more), x, b.weights(1, c, 1, 1))
	}},
	{"Mod", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Mod", onnxio.Attrs{"fmod": int64(1)}, x, b.weights(1, c, 1, 1))
	}},
	{"ReduceMax", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceMax", nil, x, fixedInts(1))
	}},
	{"ReduceMin", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceMin", nil, x, fixedInts(2, 3))
	}},
	{"ReduceL1", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceL1", nil, x, fixedInts(1))
	}},
	{"ReduceL2", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceL2", nil, x, fixedInts(3))
	}},
	{"ReduceSumSquare", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceSumSquare", nil, x, fixedInts(1, 2))
	}},
	{"ReduceProd", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceProd", nil, x, fixedInts(2))
	}},
	{"ReduceLogSumExp", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceLogSumExp", nil, x, fixedInts(1))
	}},
	{"ReduceLogSum", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("ReduceLogSum", nil, b.node("Exp", nil, x), fixedInts(1))
	}},
	{"LayerNormalization", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("LayerNormalization", onnxio.Attrs{"epsilon": float32(0.1)}, x, b.weights(1, 3), b.weights(1, 3))
	}},
	{"InstanceNormalization", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("InstanceNormalization", onnxio.Attrs{"epsilon": float32(0.1)}, x, b.weights(1, c), b.weights(1, c))
	}},
	{"GroupNormalization", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("GroupNormalization", onnxio.Attrs{"epsilon": float32(0.1), "num_groups": int64(1)}, x, b.weights(1, c), b.weights(1, c))
	}},
	{"MeanVarianceNormalization", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		// Channels shifted apart, so that no variance reaches 0.
		shift := &onnxio.Value{Name: "shift", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0, 30, 60}, 1, 3, 1, 1)}
		return b.node("MeanVarianceNormalization", onnxio.Attrs{"axes": []int64{1}}, b.node("Add", nil, x, shift))
	}},
	{"LogSoftmax", single("LogSoftmax", onnxio.Attrs{"axis": int64(1)})},
	{"LRN", single("LRN", onnxio.Attrs{"size": int64(2), "alpha": float32(0.5)})},
	{"Einsum with weights", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Einsum", onnxio.Attrs{"equation": "bchw,cwd->bdhc"}, x, b.weights(0.5, c, 3, 2))
	}},
	{"Einsum of two variables", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Einsum", onnxio.Attrs{"equation": "bchw,bdhw->bcd"}, x, b.node("Relu", nil, x))
	}},
	{"TopK", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("TopK", onnxio.Attrs{"axis": int64(1)}, x, fixedInts(2))
	}},
	{"TopK, values and places", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		y := b.node("TopK", onnxio.Attrs{"axis": int64(1)}, x, fixedInts(2))
		places := &onnxio.Value{Name: "places", DType: onnxio.Int64, Producer: y.Producer}
		y.Producer.Outputs = append(y.Producer.Outputs, places)
		return b.node("Add", nil, y, b.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, places))
	}},
	{"ArgMax", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		return b.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, b.node("ArgMax", onnxio.Attrs{"axis": int64(2)}, x))
	}},
	{"QuantizeLinear and back", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		scale := &onnxio.Value{Name: "scale", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0.07, 0.05, 0.03}, 3)}
		zero := &onnxio.Value{Name: "zero", DType: onnxio.Int8, Const: &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{3}, Data: []int8{0, 3, -5}}}
		return b.node("DequantizeLinear", nil, b.node("QuantizeLinear", nil, x, scale, zero), scale, zero)
	}},
	{"DynamicQuantizeLinear and back", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		y := b.node("DynamicQuantizeLinear", nil, x)
		y.DType = onnxio.Uint8
		scale := &onnxio.Value{Name: "scale", DType: onnxio.Float, Producer: y.Producer}
		zero := &onnxio.Value{Name: "zero", DType: onnxio.Uint8, Producer: y.Producer}
		y.Producer.Outputs = append(y.Producer.Outputs, scale, zero)
		return b.node("DequantizeLinear", nil, y, scale, zero)
	}},
	{"MatMulInteger", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		scale := &onnxio.Value{Name: "scale", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{0.05})}
		zero := &onnxio.Value{Name: "zero", DType: onnxio.Int8, Const: &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{}, Data: []int8{3}}}
		w := &onnxio.Value{Name: "w8", DType: onnxio.Int8, Const: &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{3, 2}, Data: []int8{1, -2, 3, 0, 2, -1}}}
		y := b.node("QuantizeLinear", nil, x, scale, zero)
		return b.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, b.node("MatMulInteger", nil, y, w, zero))
	}},
	{"CumSum, Shrink and Hardmax", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		y := b.node("Shrink", onnxio.Attrs{"bias": float32(0.1), "lambd": float32(0.2)}, b.node("CumSum", nil, x, fixedInts(2)))
		return b.node("Add", nil, y, b.node("Hardmax", onnxio.Attrs{"axis": int64(1)}, x))
	}},
	{"attention", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		x = b.node("Reshape", nil, x, fixedInts(1, int64(c), -1))
		tokens := b.node("Transpose", onnxio.Attrs{"perm": []int64{0, 2, 1}}, x)
		q, k := b.node("MatMul", nil, tokens, b.weights(0.6, c, 2)), b.node("MatMul", nil, tokens, b.weights(0.6, c, 2))
		scores := b.node("MatMul", nil, q, b.node("Transpose", onnxio.Attrs{"perm": []int64{0, 2, 1}}, k))
		scores = b.node("Mul", nil, scores, b.weights(0.7, 1))
		weights := b.node("Softmax", onnxio.Attrs{"axis": int64(-1)}, scores)
		return b.node("MatMul", nil, weights, b.node("MatMul", nil, tokens, b.weights(0.6, c, c)))
	}},
	{"Gemm of two variables", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		m := b.node("Reshape", nil, x, fixedInts(int64(c), -1))
		return b.node("Reshape", nil, b.node("Gemm", onnxio.Attrs{"transB": int64(1), "alpha": float32(0.3)}, m, m), fixedInts(1, -1))
	}},
	{"If on data", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.branch(b.node("Relu", nil, x))
	}},
	{"a Loop of three turns", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		body := &builder{g: &onnxio.Graph{}, rng: b.rng, n: 1000}
		turn, on, h := &onnxio.Value{Name: "turn"}, &onnxio.Value{Name: "on"}, &onnxio.Value{Name: "h"}
		y := body.node("Tanh", nil, body.node("Add", nil, body.node("Mul", nil, h, body.weights(1, c, 1, 1)), x))
		y = body.branch(body.node("Add", nil, y, body.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, turn)))
		body.g.Inputs, body.g.Outputs = []*onnxio.Value{turn, on, h}, []*onnxio.Value{body.node("Identity", nil, on), y}
		times := fixedInts(3)
		times.Name, times.Const.Shape = "times", []int{}
		return b.node("Loop", onnxio.Attrs{"body": body.g}, times, nil, x)
	}},
	{"a Scan from the end", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		body := &builder{g: &onnxio.Graph{}, rng: b.rng, n: 1000}
		h, row := &onnxio.Value{Name: "h"}, &onnxio.Value{Name: "row"}
		y := body.node("Sigmoid", nil, body.node("Add", nil, body.node("Mul", nil, h, body.weights(1, 1)), row))
		body.g.Inputs, body.g.Outputs = []*onnxio.Value{h, row}, []*onnxio.Value{y, body.node("Neg", nil, y)}
		start := b.node("ReduceMax", nil, x, fixedInts(2))
		start = b.node("Reshape", nil, start, fixedInts(1, int64(c), -1))
		last := b.node("Scan", onnxio.Attrs{"body": body.g, "num_scan_inputs": int64(1), "scan_input_axes": []int64{2}, "scan_input_directions": []int64{1},
			"scan_output_axes": []int64{2}}, start, x)
		all := &onnxio.Value{Name: "all", Producer: last.Producer}
		last.Producer.Outputs = append(last.Producer.Outputs, all)
		return b.node("Add", nil, all, b.node("Unsqueeze", nil, last, fixedInts(2)))
	}},
	{"Reciprocal", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("Reciprocal", nil, b.node("Exp", nil, x))
	}},
}

// branch is an If on whether a value's sum is positive, with branches that read it by name.
func (b *builder) branch(x *onnxio.Value) *onnxio.Value {
	zero := b.weights(0, 1)
	zero.Const.Shape = []int{}
	cond := b.node("Greater", nil, b.node("ReduceSum", onnxio.Attrs{"keepdims": int64(0)}, x), zero)
	side := func(from int, op string) *onnxio.Graph {
		s := &builder{g: &onnxio.Graph{}, rng: b.rng, n: b.n + from}
		s.g.Outputs = []*onnxio.Value{s.node(op, nil, s.node("Mul", nil, x, s.weights(1, 1)))}
		return s.g
	}
	return b.node("If", onnxio.Attrs{"then_branch": side(2000, "Tanh"), "else_branch": side(2000, "Neg")}, cond)
}

// newest makes a graph's nodes of opset 24, and leaves types to the operators: some give whole numbers or truth values.
func newest(g *onnxio.Graph) {
	for _, n := range g.Nodes {
		n.Opset = 24
		for _, v := range n.Outputs {
			v.DType = onnxio.Undefined
		}
		for _, a := range n.Attrs {
			if inner, ok := a.(*onnxio.Graph); ok {
				newest(inner)
			}
		}
	}
}

func fixedInts(v ...int64) *onnxio.Value {
	return &onnxio.Value{Name: "axes", DType: onnxio.Int64, Const: onnxio.FromInt64(v, len(v))}
}

func single(name string, attrs onnxio.Attrs) func(*builder, *onnxio.Value, int) *onnxio.Value {
	return func(b *builder, x *onnxio.Value, _ int) *onnxio.Value { return b.node(name, attrs, x) }
}

// TestBoundsContainSampledPointsOfOperators is the adversary for operators that random networks are not made of: convolution, operator,
// dense layer, and no sampled value of a row below its bound in any domain.
func TestBoundsContainSampledPointsOfOperators(t *testing.T) {
	t.Parallel()
	seeds := uint64(6)
	if testing.Short() {
		seeds = 2
	}
	for _, s := range append(slices.Clone(steps), apart...) {
		t.Run(s.name, func(t *testing.T) {
			for seed := range seeds {
				rng := rand.New(rand.NewPCG(seed, 31))
				b, x := newBuilder(rng, 1, 2, 4, 4)
				const c = 3
				y := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, x, b.weights(0.7, c, 2, 2, 2), b.weights(0.5, c))
				y = s.make(b, y, c)
				newest(b.g)
				flat := b.node("Flatten", onnxio.Attrs{"axis": int64(1)}, y)
				b.g.Outputs = []*onnxio.Value{flat}
				probe := openGraph(t, b.g, Options{Threads: 1})
				width := probe.net.Outputs()
				out := b.dense(flat, width, 3)
				b.g.Outputs = []*onnxio.Value{out}
				box := randomBox(rng, 2*4*4)
				rows := [][]float64{{1, 0, 0}, {-0.3, 1, -2}, {0, -1, 1}}
				values := rowValues(t, b.g, samplePoints(rng, box, 60), rows)
				for _, m := range []Method{Interval, Symbolic, FastLin, DeepPoly, Alpha} {
					for _, sem := range []Semantics{Real, Float32} {
						v := openGraph(t, b.g, Options{Method: m, Semantics: sem, Threads: 1})
						res, err := v.Bounds(context.Background(), box, rows, false)
						var u *onnxio.UnsupportedError
						if sem == Float32 && errors.As(err, &u) && strings.Contains(u.Why, "it is a part of ") {
							continue
						}
						if err != nil {
							t.Fatal(err)
						}
						for r, low := range res.Lower {
							if math.IsNaN(low) || math.IsInf(low, 0) {
								t.Fatalf("%s: bound %v", m, low)
							}
							for k, y := range values[r] {
								if y < low-1e-12*(1+math.Abs(y)) { // the sample's own rounding
									t.Fatalf("seed %d %s %s: row %d is %.17g at sample %d, bound %.17g", seed, m, sem, r, y, k, low)
								}
							}
						}
					}
				}
			}
		})
	}
}
