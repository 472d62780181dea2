package operators

import (
	"math"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestEvalTables runs operators on small constants, also twice without allocating (see run), and in float32 where they are floats.
func TestEvalTables(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	boolean := func(v ...bool) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{len(v)}, Data: v})
	}
	i8 := func(v ...int8) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{len(v)}, Data: v})
	}
	u8 := func(v ...uint8) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{len(v)}, Data: v})
	}
	x := func(v ...float64) *onnxio.Value { return floats(v, len(v)) }
	square := floats([]float64{1, -2, 3, 4, -1, -5}, 2, 3)
	for _, c := range []struct {
		n    *onnxio.Node
		want []float64
	}{
		{node(t, "Swish", 24, nil, x(-inf, 0, 2, inf)), []float64{0, 0, 2 / (1 + math.Exp(-2)), inf}},
		{node(t, "Swish", 24, onnxio.Attrs{"alpha": float32(-2)}, x(1, inf)), []float64{1 / (1 + math.Exp(2)), 0}},
		{node(t, "Gelu", 20, nil, x(-inf, -1, 1, inf)), []float64{0, -0.15865525393145705, 0.8413447460685429, inf}},
		{node(t, "Gelu", 20, onnxio.Attrs{"approximate": "tanh"}, x(-inf, -1, 1)), []float64{0, -0.15880800939172324, 0.8411919906082768}},
		{node(t, "Mish", 18, nil, x(-inf, -1, 1, 800)), []float64{0, -0.30340146137410895, 0.8650983882673103, 800}},
		{node(t, "HardSwish", 14, nil, x(-4, -1.5, 1, 5)), []float64{0, -0.375, 2.0 / 3, 5}},
		{node(t, "HardSigmoid", 13, nil, x(-5, 0, 5)), []float64{0, 0.5, 1}},
		{node(t, "Elu", 13, onnxio.Attrs{"alpha": float32(2)}, x(-1, 0, 3)), []float64{2 * math.Expm1(-1), 0, 3}},
		{node(t, "Selu", 13, onnxio.Attrs{"alpha": float32(2), "gamma": float32(3)}, x(-1, 3)), []float64{6 * math.Expm1(-1), 9}},
		{node(t, "Celu", 12, onnxio.Attrs{"alpha": float32(2)}, x(-1, 3)), []float64{2 * math.Expm1(-0.5), 3}},
		{node(t, "Softplus", 13, nil, x(-800, 0, 800)), []float64{0, math.Ln2, 800}},
		{node(t, "Softsign", 13, nil, x(-1, 3)), []float64{-0.5, 0.75}},
		{node(t, "ThresholdedRelu", 10, nil, x(-1, 1, 1.5)), []float64{0, 0, 1.5}},
		{node(t, "PRelu", 16, nil, floats([]float64{-1, 2, -3, 4}, 2, 2), x(2, 10)), []float64{-2, 2, -6, 4}},
		{node(t, "Reciprocal", 13, nil, x(-4, 0)), []float64{-0.25, inf}},
		{node(t, "Sign", 13, nil, i8(-5, 0, 3)), []float64{-1, 0, 1}},
		{node(t, "Sign", 13, nil, x(-0.5, 0, 3)), []float64{-1, 0, 1}},
		{node(t, "Ceil", 13, nil, x(-1.5, 1.5)), []float64{-1, 2}},
		{node(t, "Round", 11, nil, x(0.5, 1.5, -2.5, 2.6)), []float64{0, 2, -2, 3}},
		{node(t, "Tan", 13, nil, x(0.5)), []float64{math.Tan(0.5)}},
		{node(t, "Asin", 13, nil, x(-1, 0.5, 2)), []float64{-math.Pi / 2, math.Pi / 6, nan}},
		{node(t, "Acos", 13, nil, x(-1, 0.5, 2)), []float64{math.Pi, math.Pi / 3, nan}},
		{node(t, "Atan", 13, nil, x(1, inf)), []float64{math.Pi / 4, math.Pi / 2}},
		{node(t, "Sinh", 13, nil, x(0, 1)), []float64{0, math.Sinh(1)}},
		{node(t, "Cosh", 13, nil, x(0, 1)), []float64{1, math.Cosh(1)}},
		{node(t, "Asinh", 13, nil, x(0, 1)), []float64{0, math.Asinh(1)}},
		{node(t, "Acosh", 13, nil, x(1, 2)), []float64{0, math.Acosh(2)}},
		{node(t, "Atanh", 13, nil, x(0, 0.5)), []float64{0, math.Atanh(0.5)}},
		{node(t, "Mean", 13, nil, x(1, 2), x(4), x(7, 9)), []float64{4, 5}},
		{node(t, "Mean", 13, nil, x(1, 2)), []float64{1, 2}},
		{node(t, "Less", 13, nil, x(1, 2, nan), x(2)), []float64{1, 0, 0}},
		{node(t, "Greater", 13, nil, x(1, 3), x(2)), []float64{0, 1}},
		{node(t, "LessOrEqual", 16, nil, i8(1, 2, 3), i8(2)), []float64{1, 1, 0}},
		{node(t, "GreaterOrEqual", 16, nil, u8(2), u8(1, 2, 3)), []float64{1, 1, 0}},
		{node(t, "And", 7, nil, boolean(true, false), boolean(true)), []float64{1, 0}},
		{node(t, "Or", 7, nil, boolean(true, false), boolean(false)), []float64{1, 0}},
		{node(t, "Xor", 7, nil, boolean(true, false), boolean(true)), []float64{0, 1}},
		{node(t, "Not", 7, nil, boolean(true, false)), []float64{0, 1}},
		{node(t, "IsNaN", 13, nil, x(1, nan, inf)), []float64{0, 1, 0}},
		{node(t, "IsInf", 10, nil, x(1, nan, inf, -inf)), []float64{0, 0, 1, 1}},
		{node(t, "IsInf", 10, onnxio.Attrs{"detect_negative": int64(0)}, x(inf, -inf)), []float64{1, 0}},
		{node(t, "Mod", 13, nil, i8(-4, 7, 5, 4, -7, 8), i8(2, -3, 8, -2, 3, 5)), []float64{0, -2, 5, 0, 2, 3}},
		{node(t, "Mod", 13, onnxio.Attrs{"fmod": int64(1)}, i8(-4, 7, 5, 4, -7, 8), i8(2, -3, 8, -2, 3, 5)), []float64{0, 1, 5, 0, -1, 3}},
		{node(t, "Mod", 13, onnxio.Attrs{"fmod": int64(1)}, x(-4.5, 7.5), x(2, -3)), []float64{-0.5, 1.5}},
		{node(t, "BitShift", 11, onnxio.Attrs{"direction": "LEFT"}, u8(16, 4, 255), u8(1, 2, 9)), []float64{32, 16, 0}},
		{node(t, "BitShift", 11, onnxio.Attrs{"direction": "RIGHT"}, u8(16, 4, 255), u8(1)), []float64{8, 2, 127}},
		{node(t, "CumSum", 14, nil, square, ints(1)), []float64{1, -1, 2, 4, 3, -2}},
		{node(t, "CumSum", 14, onnxio.Attrs{"exclusive": int64(1)}, square, ints(0)), []float64{0, 0, 0, 1, -2, 3}},
		{node(t, "CumSum", 14, onnxio.Attrs{"reverse": int64(1)}, square, ints(-1)), []float64{2, 1, 3, -2, -6, -5}},
		{node(t, "CumSum", 14, onnxio.Attrs{"exclusive": int64(1), "reverse": int64(1)}, x(1, 2, 3), ints(0)), []float64{5, 3, 0}},
		{node(t, "OneHot", 11, nil, ints(0, -1, 2, 3, -4), ints(3), ints(5, 7)), []float64{7, 5, 5, 5, 5, 7, 5, 5, 7, 5, 5, 5, 5, 5, 5}},
		{node(t, "OneHot", 9, onnxio.Attrs{"axis": int64(0)}, ints(0, -1), ints(2), x(0, 1)), []float64{1, 0, 0, 0}},
		{node(t, "CastLike", 15, nil, x(1.5, -1.5), ints(0)), []float64{1, -1}},
		{node(t, "CastLike", 15, nil, ints(3, 0), boolean(true)), []float64{1, 0}},
		{node(t, "EyeLike", 9, onnxio.Attrs{"k": int64(1)}, square), []float64{0, 1, 0, 0, 0, 1}},
		{node(t, "EyeLike", 9, onnxio.Attrs{"k": int64(-2), "dtype": int64(onnxio.Int32)}, square), []float64{0, 0, 0, 0, 0, 0}},
		{node(t, "Hardmax", 13, nil, floats([]float64{1, 3, 3, -2, -5, -1}, 2, 3)), []float64{0, 1, 0, 0, 0, 1}},
		{node(t, "Hardmax", 11, onnxio.Attrs{"axis": int64(0)}, square), []float64{0, 0, 0, 1, 0, 0}},
		{node(t, "Shrink", 9, nil, x(-2, -0.5, 0.25, 0.5, 3)), []float64{-2, 0, 0, 0, 3}},
		{node(t, "Shrink", 9, onnxio.Attrs{"bias": float32(1.5), "lambd": float32(1)}, x(-2, -1, 1, 3)), []float64{-0.5, 0, 0, 1.5}},
		{node(t, "Shrink", 9, onnxio.Attrs{"lambd": float32(2)}, i8(-3, 2, 5)), []float64{-3, 0, 5}},
		{node(t, "ReverseSequence", 10, nil, floats([]float64{1, 2, 3, 4, 5, 6}, 3, 2), ints(3, 2)), []float64{5, 4, 3, 2, 1, 6}},
		{node(t, "ReverseSequence", 10, onnxio.Attrs{"batch_axis": int64(0), "time_axis": int64(1)}, square, ints(2, 0)), []float64{-2, 1, 3, 4, -1, -5}},
		{node(t, "MeanVarianceNormalization", 13, onnxio.Attrs{"axes": []int64{1}}, floats([]float64{1, 3, -2, -6}, 2, 2)),
			[]float64{-1 / (1 + float64(float32(1e-9))), 1 / (1 + float64(float32(1e-9))), 2 / (2 + float64(float32(1e-9))),
				-2 / (2 + float64(float32(1e-9)))}},
		{node(t, "ReduceMax", 18, nil, square, ints(0)), []float64{4, -1, 3}},
		{node(t, "ReduceMax", 13, onnxio.Attrs{"axes": []int64{-1}, "keepdims": int64(0)}, square), []float64{3, 4}},
		{node(t, "ReduceMax", 20, nil, boolean(true, false)), []float64{1}},
		{node(t, "ReduceMax", 18, nil, floats(nil, 0, 2), ints(0)), []float64{-inf, -inf}},
		{node(t, "ReduceMin", 13, nil, i8(3, -5, 2)), []float64{-5}},
		{node(t, "ReduceMin", 18, onnxio.Attrs{"noop_with_empty_axes": int64(1)}, x(3, 1)), []float64{3, 1}},
		{node(t, "ReduceMin", 18, nil, x(3, nan)), []float64{nan}},
		{node(t, "ReduceMin", 20, nil, boolean(true, false)), []float64{0}},
		{node(t, "ReduceProd", 18, nil, square, ints(1)), []float64{-6, 20}},
		{node(t, "ReduceProd", 13, nil, ints(3, -5, 2)), []float64{-30}},
		{node(t, "ReduceL1", 18, nil, square, ints(1)), []float64{6, 10}},
		{node(t, "ReduceL1", 13, nil, ints(3, -5, 2)), []float64{10}},
		{node(t, "ReduceL2", 18, nil, square, ints(0)), []float64{math.Sqrt(17), math.Sqrt(5), math.Sqrt(34)}},
		{node(t, "ReduceL2", 13, nil, ints(3, -4)), []float64{5}},
		{node(t, "ReduceSumSquare", 13, onnxio.Attrs{"axes": []int64{0}}, square), []float64{17, 5, 34}},
		{node(t, "ReduceSumSquare", 18, onnxio.Attrs{"noop_with_empty_axes": int64(1)}, x(3, 1)), []float64{9, 1}},
		{node(t, "ReduceLogSum", 18, nil, x(1, 2, 5)), []float64{math.Log(8)}},
		{node(t, "ReduceLogSumExp", 18, nil, square, ints(0)), []float64{4 + math.Log1p(math.Exp(-3)), -1 + math.Log1p(math.Exp(-1)),
			3 + math.Log1p(math.Exp(-8))}},
		{node(t, "ReduceLogSumExp", 13, nil, x(1000, 1000)), []float64{1000 + math.Ln2}},
		{node(t, "ReduceLogSumExp", 13, nil, x(-inf, -inf)), []float64{-inf}},
	} {
		equal := func(tol float64) func(a, b float64) bool {
			return func(a, b float64) bool {
				return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tol*math.Abs(b)
			}
		}
		if got := run(t, c.n)[0]; !slices.EqualFunc(got, c.want, equal(1e-14)) {
			t.Errorf("%s %v: %v, want %v", c.n.Op, c.n.Attrs, got, c.want)
		}
		if c.n.Outputs[0].DType != onnxio.Double {
			continue
		}
		single := &op.Call{Node: c.n, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Float, c.n.Outputs[0].Shape...)}, Work: new(op.Workspace)}
		for _, v := range c.n.Inputs {
			if v.DType != onnxio.Double {
				single.In = append(single.In, v.Const)
				continue
			}
			in := onnxio.NewTensor(onnxio.Float, v.Shape...)
			if err := copyData(in, v.Const); err != nil {
				t.Fatal(err)
			}
			single.In = append(single.In, in)
		}
		if err := known[c.n.Op].Eval(single); err != nil {
			t.Fatal(err)
		}
		if got, _ := single.Out[0].Float64s(); !slices.EqualFunc(got, c.want, equal(1e-6)) {
			t.Errorf("%s %v in float32: %v, want %v", c.n.Op, c.n.Attrs, got, c.want)
		}
	}
}

// TestEvalErrorsOfTables: what the standard excludes is an error.
func TestEvalErrorsOfTables(t *testing.T) {
	x := floats([]float64{1}, 1)
	for _, n := range []*onnxio.Node{
		node(t, "Mod", 13, nil, ints(1), ints(0)),
		node(t, "And", 7, nil, x, x),
		node(t, "Not", 7, nil, x),
		node(t, "IsNaN", 13, nil, ints(1)),
		node(t, "Elu", 7, nil, ints(1)),
	} {
		c := &op.Call{Node: n, Out: []*onnxio.Tensor{onnxio.NewTensor(n.Outputs[0].DType, 1)}, Work: new(op.Workspace)}
		for _, v := range n.Inputs {
			c.In = append(c.In, v.Const)
		}
		if err := known[n.Op].Eval(c); err == nil {
			t.Errorf("%s: no error", n.Op)
		}
	}
}

// TestIntegerModuloIsBounded enumerates small integers.
func TestIntegerModuloIsBounded(t *testing.T) {
	whole := func() *onnxio.Value { return &onnxio.Value{Name: "i", DType: onnxio.Int8, Shape: []int{1}} }
	for _, fmod := range []int64{0, 1} {
		n := node(t, "Mod", 13, onnxio.Attrs{"fmod": fmod}, whole(), whole())
		d := known["Mod"]
		c := &op.Call{Node: n, In: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int8, 1), onnxio.NewTensor(onnxio.Int8, 1)},
			Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int8, 1)}, Work: new(op.Workspace)}
		boxes := [][2]int8{{-7, -3}, {-4, 5}, {0, 2}, {3, 3}, {2, 9}, {-1, 0}, {-3, -3}}
		for _, a := range boxes {
			for _, b := range [][2]int8{{1, 4}, {5, 5}, {-4, -1}, {-6, -5}, {7, 12}, {-1, 2}} {
				out, err := d.Interval(n, []relax.Box{{Lower: []float64{float64(a[0])}, Upper: []float64{float64(a[1])}},
					{Lower: []float64{float64(b[0])}, Upper: []float64{float64(b[1])}}})
				if err != nil {
					t.Fatal(err)
				}
				for x := a[0]; x <= a[1]; x++ {
					for y := b[0]; y <= b[1]; y++ {
						if y == 0 {
							continue
						}
						c.In[0].Data.([]int8)[0], c.In[1].Data.([]int8)[0] = x, y
						if err := d.Eval(c); err != nil {
							t.Fatal(err)
						}
						if r := float64(c.Out[0].Data.([]int8)[0]); r < out[0].Lower[0] || r > out[0].Upper[0] {
							t.Errorf("%d mod %d = %v (fmod %d) outside [%v, %v] for %v and %v", x, y, r, fmod, out[0].Lower[0], out[0].Upper[0], a, b)
						}
					}
				}
			}
		}
	}
}
