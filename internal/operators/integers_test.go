package operators

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestIntegerProductsAgainstFloats compares integer products and convolutions with MatMul and Conv of the operands less their zero points.
func TestIntegerProductsAgainstFloats(t *testing.T) {
	rng := rand.New(rand.NewPCG(101, 102))
	bytes := func(signed bool, shape ...int) (*onnxio.Value, []float64) {
		v := make([]float64, product(shape))
		d := onnxio.Uint8
		if signed {
			d = onnxio.Int8
		}
		x := onnxio.NewTensor(d, shape...)
		for i := range v {
			v[i] = float64(rng.IntN(256))
			if signed {
				v[i] -= 128
			}
		}
		if err := convertData(x.Data, v); err != nil {
			t.Fatal(err)
		}
		return fixed(x), v
	}
	for i := range 60 {
		signed := i%2 == 0
		groups, cg, m := 1+i%2, 1+rng.IntN(2), 2*(1+rng.IntN(2))
		conv := i%3 > 0
		sa, sb := []int{1 + rng.IntN(3), 2, 3}, []int{3, 4}
		attrs := onnxio.Attrs(nil)
		lines := 4
		if conv {
			sa, sb, lines = []int{2, cg * groups, 4, 5}, []int{m, cg, 2, 3}, m
			attrs = onnxio.Attrs{"group": int64(groups), "pads": []int64{1, 0, 0, 2}, "strides": []int64{1 + int64(i%2), 1},
				"dilations": []int64{1, 1 + int64(i%2)}}
		}
		a, da := bytes(signed, sa...)
		b, db := bytes(!signed, sb...)
		za, va := bytes(signed)
		zb, vb := bytes(!signed, lines)
		for k := range da {
			da[k] -= va[0]
		}
		for k := range db {
			if conv {
				db[k] -= vb[k/(len(db)/m)]
			} else {
				db[k] -= vb[k%lines]
			}
		}
		name, plain := "MatMulInteger", "MatMul"
		if conv {
			name, plain = "ConvInteger", "Conv"
		}
		want := run(t, node(t, plain, 11, attrs, variable(sa...), variable(sb...)), da, db)[0]
		near(t, name, run(t, node(t, name, 10, attrs, a, b, za, zb))[0], want)

		// The quantized kinds scale, round and saturate these sums.
		xs, ws, ys := 0.1, randoms(rng, lines), 40*(1+rng.Float64())
		for k := range ws {
			ws[k] = math.Abs(ws[k])
		}
		zero, vz := bytes(signed)
		inputs := []*onnxio.Value{a, floats([]float64{xs}), za, b, floats(ws, lines), zb, floats([]float64{ys}), zero}
		bias := make([]float64, lines)
		quantized := "QLinearMatMul"
		if conv {
			quantized = "QLinearConv"
			d := onnxio.NewTensor(onnxio.Int32, lines)
			for k := range bias {
				bias[k] = float64(rng.IntN(2000) - 1000)
				d.Data.([]int32)[k] = int32(bias[k])
			}
			inputs = append(inputs, fixed(d))
		}
		n := node(t, quantized, 10, attrs, inputs...)
		least, most := 0.0, 255.0
		if signed {
			least, most = -128, 127
		}
		area := product(n.Outputs[0].Shape[2:])
		for k, y := range run(t, n)[0] {
			line := k % lines
			if conv {
				line = k / area % lines
			}
			exact := (want[k] + bias[line]) * xs * ws[line] / ys
			if r := math.Abs(exact - math.Floor(exact) - 0.5); r < 1e-9 {
				continue // a half
			}
			if w := min(max(math.Round(exact)+vz[0], least), most); y != w {
				t.Fatalf("%s: output %d is %v, want %v", quantized, k, y, w)
			}
		}
	}
}

func TestDynamicQuantizeLinear(t *testing.T) {
	for _, c := range []struct {
		x           []float64
		scale, zero float64
		y           []float64
	}{
		{[]float64{0, 2.55, -2.55 * 0}, 0.01, 0, []float64{0, 255, 0}},
		{[]float64{-1, 1.55}, 0.01, 100, []float64{0, 255}},
		{[]float64{1, 2, 5.1}, 0.02, 0, []float64{50, 100, 255}},
		{[]float64{-5.1, -2.55}, 0.02, 255, []float64{0, 128}}, // -127.5 goes to -128, or to -127 by rounding
		{[]float64{0, 0}, 1, 0, []float64{0, 0}},
	} {
		out := run(t, nodeWith(t, "DynamicQuantizeLinear", 11, nil, 3, floats(c.x, len(c.x))))
		if math.Abs(out[1][0]-c.scale) > 1e-9 || out[2][0] != c.zero {
			t.Errorf("%v: scale %v, zero point %v", c.x, out[1], out[2])
		}
		for i, y := range out[0] {
			if math.Abs(y-c.y[i]) > 0 && !(c.zero == 255 && math.Abs(y-c.y[i]) <= 1) {
				t.Errorf("%v: %v", c.x, out[0])
			}
		}
	}
}
