package operators

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestRunningSumsAndReversalsAreMaps compares the maps of CumSum and ReverseSequence with Eval.
func TestRunningSumsAndReversalsAreMaps(t *testing.T) {
	for _, exclusive := range []int64{0, 1} {
		for _, reverse := range []int64{0, 1} {
			for axis := range int64(3) {
				checkAffine(t, node(t, "CumSum", 14, onnxio.Attrs{"exclusive": exclusive, "reverse": reverse}, variable(2, 3, 4), ints(axis)))
			}
		}
	}
	checkAffine(t, node(t, "ReverseSequence", 10, nil, variable(4, 2, 3), ints(3, 1)))
	checkAffine(t, node(t, "ReverseSequence", 10, onnxio.Attrs{"batch_axis": int64(0), "time_axis": int64(1)}, variable(2, 4), ints(4, 0)))
}

// TestShrinkBoundsHold: lines and boxes of both pieces, of the gap between them and over the jumps.
func TestShrinkBoundsHold(t *testing.T) {
	for _, c := range []struct{ bias, lambd float32 }{{0, 0.5}, {0.5, 0.5}, {1.5, 1}, {-0.3, 0.2}, {0, 0}} {
		n := node(t, "Shrink", 9, onnxio.Attrs{"bias": c.bias, "lambd": c.lambd}, variable(1))
		truth := func(x float64) *big.Float {
			y := bigFloat(x)
			switch {
			case x < -float64(c.lambd):
				return y.Add(y, bigFloat(float64(c.bias)))
			case x > float64(c.lambd):
				return y.Sub(y, bigFloat(float64(c.bias)))
			}
			return bigFloat(0)
		}
		inside := []float64{float64(c.lambd), -float64(c.lambd), sound.Up(float64(c.lambd)), sound.Down(-float64(c.lambd))}
		checkLines(t, "shrink", linesOf(t, n), truth, someIntervals(), inside...)
		checkBox(t, "shrink", n, truth, someIntervals())
	}
}

// TestRange counts up, down and not at all, in each type.
func TestRange(t *testing.T) {
	for _, c := range []struct{ start, limit, delta any }{
		{1.0, 2.0, 0.375}, {3.0, -3.0, -2.0}, {3.0, 3.0, 1.0}, {float32(0.5), float32(3), float32(1)}, {int64(2), int64(11), int64(4)},
		{int32(2), int32(-5), int32(-3)},
	} {
		var in []*onnxio.Value
		var v []float64
		for _, x := range []any{c.start, c.limit, c.delta} {
			one := onnxio.NewTensor(map[string]onnxio.DType{"float64": onnxio.Double, "float32": onnxio.Float, "int64": onnxio.Int64,
				"int32": onnxio.Int32}[fmt.Sprintf("%T", x)])
			reflect.ValueOf(one.Data).Index(0).Set(reflect.ValueOf(x))
			f, _ := one.Float64s()
			in, v = append(in, fixed(one)), append(v, f[0])
		}
		n := node(t, "Range", 11, nil, in...)
		out := onnxio.NewTensor(n.Outputs[0].DType, n.Outputs[0].Shape...)
		if err := rangeEval(&op.Call{Node: n, In: []*onnxio.Tensor{in[0].Const, in[1].Const, in[2].Const}, Out: []*onnxio.Tensor{out}}); err != nil {
			t.Fatal(err)
		}
		var want []float64
		for x := v[0]; v[2] > 0 && x < v[1] || v[2] < 0 && x > v[1]; x += v[2] {
			want = append(want, x)
		}
		if got, _ := out.Float64s(); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", c, got, want)
		}
	}
}
