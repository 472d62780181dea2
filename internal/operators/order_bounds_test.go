package operators

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestOrderAndQuantisationBoundsHold samples operators whose Eval is exact: all outputs in their boxes, the first also within its forms.
func TestOrderAndQuantisationBoundsHold(t *testing.T) {
	x := variable(2, 4)
	f32 := func(v ...float32) *onnxio.Value { return fixed(onnxio.FromFloat32(v, len(v))) }
	u8 := func(v ...uint8) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{len(v)}, Data: v})
	}
	i8 := func(v ...int8) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{len(v)}, Data: v})
	}
	single := &onnxio.Value{Name: "x", DType: onnxio.Float, Shape: []int{2, 4}}
	q8 := &onnxio.Value{Name: "q", DType: onnxio.Int8, Shape: []int{2, 4}}
	scale := &onnxio.Value{Name: "s", DType: onnxio.Float, Shape: []int{}}
	// 8-bit operands: three variable images, and weights.
	image := &onnxio.Value{Name: "x", DType: onnxio.Int8, Shape: []int{1, 2, 3, 3}}
	kernels := fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{2, 2, 2, 2},
		Data: []uint8{1, 2, 3, 255, 0, 7, 9, 1, 200, 3, 4, 5, 6, 128, 127, 9}})
	matrix := fixed(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{4, 2}, Data: []int8{1, -2, 3, 100, -128, 7, 9, 127}})
	bias := fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{2}, Data: []int32{500, -70}})
	pads := onnxio.Attrs{"pads": []int64{1, 0, 0, 1}, "strides": []int64{2, 1}}
	other := &onnxio.Value{Name: "q", DType: onnxio.Int8, Shape: []int{4, 2}}
	for _, c := range []struct {
		n     *onnxio.Node
		slack float64 // of Eval's own rounding
	}{
		{node(t, "MatMulInteger", 10, nil, q8, matrix), 0},
		{node(t, "MatMulInteger", 10, nil, q8, matrix, i8(3, -4), i8(5, 1)), 0},
		{node(t, "MatMulInteger", 10, nil, q8, other, i8(3), i8(-5)), 0},
		{node(t, "ConvInteger", 10, pads, image, kernels, i8(3), u8(100)), 0},
		{node(t, "ConvInteger", 10, pads, image, kernels, i8(-3), u8(100, 7)), 0},
		{node(t, "QLinearMatMul", 10, nil, q8, f32(0.1), i8(3), matrix, f32(0.02, 0.3), i8(5, 0), f32(0.7), u8(128)), 0},
		{node(t, "QLinearMatMul", 21, nil, q8, f32(0.1, 0.25), i8(3, 0), other, f32(0.5), i8(5), f32(7), i8(-9)), 0},
		{node(t, "QLinearMatMul", 10, nil, q8, scale, i8(3), matrix, f32(0.5), i8(5), f32(7), i8(-9)), 0},
		{node(t, "QLinearConv", 10, pads, image, f32(0.1), i8(3), kernels, f32(0.02, 0.3), u8(100, 0), f32(5), u8(3), bias), 0},
		{node(t, "QLinearConv", 10, nil, image, f32(0.1), i8(3), kernels, f32(0.02), u8(100), f32(2), i8(0)), 0},
		{nodeWith(t, "DynamicQuantizeLinear", 11, nil, 3, single), 0},
		{nodeWith(t, "DynamicQuantizeLinear", 11, nil, 3, x), 0},
		{nodeWith(t, "TopK", 11, nil, 2, x, ints(2)), 0},
		{nodeWith(t, "TopK", 11, onnxio.Attrs{"largest": int64(0), "axis": int64(0)}, 2, x, ints(1)), 0},
		{nodeWith(t, "TopK", 11, onnxio.Attrs{"sorted": int64(0)}, 2, x, ints(3)), 0},
		{nodeWith(t, "TopK", 11, onnxio.Attrs{"largest": int64(0)}, 2, x, ints(4)), 0},
		{nodeWith(t, "TopK", 7, onnxio.Attrs{"k": int64(2)}, 2, x), 0},
		{node(t, "ArgMax", 13, onnxio.Attrs{"axis": int64(1)}, x), 0},
		{node(t, "ArgMin", 13, onnxio.Attrs{"axis": int64(-1), "select_last_index": int64(1)}, x), 0},
		{node(t, "ArgMin", 13, nil, x), 0},
		{node(t, "Hardmax", 13, onnxio.Attrs{"axis": int64(0)}, x), 0},
		{node(t, "Hardmax", 11, onnxio.Attrs{"axis": int64(1)}, variable(2, 2, 2)), 0},
		{node(t, "OneHot", 11, nil, x, ints(3), floats([]float64{-1, 2}, 2)), 0},
		{node(t, "OneHot", 9, onnxio.Attrs{"axis": int64(0)}, x, ints(2), floats([]float64{3, 2}, 2)), 0},
		{node(t, "OneHot", 11, onnxio.Attrs{"axis": int64(1)}, x, ints(2), variable(2)), 0},
		{node(t, "EyeLike", 9, onnxio.Attrs{"k": int64(-1)}, x), 0},
		{node(t, "CastLike", 15, nil, x, ints(1)), 0},
		{node(t, "QuantizeLinear", 13, nil, x, floats([]float64{0.25})), 0},
		{node(t, "QuantizeLinear", 13, nil, single, f32(0.3), u8(128)), 0},
		{node(t, "QuantizeLinear", 13, nil, single, f32(0.03, 1, 0.5, 7), i8(0, 1, -100, 127)), 0},
		{node(t, "QuantizeLinear", 13, nil, single, f32(-0.3), i8(3)), 0},
		{node(t, "QuantizeLinear", 13, nil, single, scale), 0},
		{node(t, "DequantizeLinear", 13, nil, q8, scale, i8(-4)), 2e-7},
	} {
		t.Run(fmt.Sprint(c.n.Op, c.n.Attrs), func(t *testing.T) {
			d, _ := Lookup(c.n)
			l, err := d.Linear(c.n)
			if err != nil {
				t.Fatal(err)
			}
			var varying []int
			for i, v := range c.n.Inputs {
				if v.Const == nil {
					varying = append(varying, i)
				}
			}
			rng := rand.New(rand.NewPCG(95, 96))
			for round := range rounds(300) {
				boxes := randomBoxes(rng, c.n)
				if round%2 == 0 {
					boxes = scaledBoxes(rng, c.n)
				}
				for i, v := range c.n.Inputs { // what the type can hold
					for j := range boxes[i].Lower {
						if v.Const == nil && v.DType == onnxio.Int8 {
							a, b := float64(rng.IntN(256)-128), float64(rng.IntN(256)-128)
							boxes[i].Lower[j], boxes[i].Upper[j] = min(a, b), max(a, b)
						} else if v.Const == nil && v.DType == onnxio.Float {
							boxes[i].Lower[j], boxes[i].Upper[j] = float64(float32(boxes[i].Lower[j])), float64(float32(boxes[i].Upper[j]))
						}
						if v.Const == nil && round%5 == 0 && j > 0 { // equals
							boxes[i].Lower[j], boxes[i].Upper[j] = boxes[i].Lower[0], boxes[i].Upper[0]
						}
					}
				}
				out, err := d.Interval(c.n, boxes)
				if err != nil {
					t.Fatal(err)
				}
				r, err := l.Relax(relax.SlopeAdaptive, boxes)
				if err != nil {
					t.Fatal(err)
				}
				for range 15 {
					p := pointIn(rng, c.n, boxes)
					for k := range p {
						for j := range p[k] {
							switch c.n.Inputs[varying[k]].DType {
							case onnxio.Int8:
								p[k][j] = math.Round(p[k][j])
							case onnxio.Float:
								p[k][j] = min(max(float64(float32(p[k][j])), boxes[varying[k]].Lower[j]), boxes[varying[k]].Upper[j])
							}
						}
					}
					if strings.Contains(c.n.Op, "uantizeLinear") && len(p) > 1 && p[1][0] == 0 {
						continue
					}
					for o, got := range run(t, c.n, p...) {
						for i, y := range got {
							e := c.slack * math.Abs(y)
							if !(out[o].Lower[i] <= y+e && y-e <= out[o].Upper[i]) {
								t.Fatalf("output %d[%d] = %v outside [%v, %v] at %v in %v", o, i, y, out[o].Lower[i], out[o].Upper[i], p, boxes)
							}
							if o > 0 {
								continue
							}
							all := everyInput(c.n, boxes, p)
							if !math.IsInf(r.Lower.Const[i], 0) && form(&r.Lower, i, all).Cmp(bigFloat(y+e)) > 0 ||
								!math.IsInf(r.Upper.Const[i], 0) && form(&r.Upper, i, all).Cmp(bigFloat(y-e)) < 0 {
								t.Fatalf("output %d = %v outside its forms at %v in %v", i, y, p, boxes)
							}
						}
					}
				}
			}
		})
	}
	n := node(t, "DequantizeLinear", 13, onnxio.Attrs{"axis": int64(1)}, q8, f32(0.5, 0.25, 2, 3), i8(1, 2, 3, 4))
	d, _ := Lookup(n)
	l, err := d.Linear(n)
	if err != nil || l.Maps[0] == nil {
		t.Fatalf("%+v, %v", l, err)
	}
	q := []float64{1, 2, 3, 4, -128, 127, 0, 9}
	got := applyMap(t, l.Maps[0], q)
	for i, y := range run(t, n, q)[0] {
		if got[i]+l.Bias[i] != y {
			t.Errorf("element %d: %v by the map, %v by Eval", i, got[i]+l.Bias[i], y)
		}
	}
}

// TestDecidedOrderIsKnown: where boxes do not meet, places and elements are exact.
func TestDecidedOrderIsKnown(t *testing.T) {
	n := nodeWith(t, "TopK", 11, nil, 2, variable(1, 3), ints(2))
	d, _ := Lookup(n)
	box := []relax.Box{{Lower: []float64{1, 5, 3}, Upper: []float64{2, 6, 4}}, {Lower: []float64{2}, Upper: []float64{2}}}
	out, err := d.Interval(n, box)
	if err != nil || out[1].Lower[0] != 1 || out[1].Upper[0] != 1 || out[1].Lower[1] != 2 || out[1].Upper[1] != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	l, _ := d.Linear(n)
	r, err := l.Relax(relax.SlopeAdaptive, box)
	if err != nil || len(r.Lower.Coef) != 2 || r.Lower.Index[0] != 1 || r.Upper.Index[1] != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	n = node(t, "ArgMax", 13, onnxio.Attrs{"axis": int64(1)}, variable(1, 3))
	d, _ = Lookup(n)
	if out, err = d.Interval(n, box[:1]); err != nil || out[0].Lower[0] != 1 || out[0].Upper[0] != 1 {
		t.Fatalf("%v, %v", out, err)
	}
}
