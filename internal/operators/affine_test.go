package operators

import (
	"math"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestMapsAgreeWithEval compares Linear with Eval for every affine operator, in the forms of old and new opsets.
func TestMapsAgreeWithEval(t *testing.T) {
	seq := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(i%7) - 2.5
		}
		return v
	}
	a := func(kv ...any) onnxio.Attrs {
		m := onnxio.Attrs{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	x := variable(2, 3, 4)
	both := variable(3)
	cases := map[string]*onnxio.Node{
		"add two":            node(t, "Add", 14, nil, x, variable(2, 3, 4)),
		"add broadcast":      node(t, "Add", 7, nil, x, variable(3, 1)),
		"add wider":          node(t, "Add", 14, nil, variable(4), variable(2, 1, 1, 4)),
		"add itself":         node(t, "Add", 14, nil, both, both),
		"add constant":       node(t, "Add", 14, nil, x, floats(seq(4), 4)),
		"add wider constant": node(t, "Add", 14, nil, variable(1, 4), floats(seq(12), 3, 4)),
		"constant add":       node(t, "Add", 14, nil, floats(seq(4), 4), x),
		"sub two":            node(t, "Sub", 14, nil, x, variable(2, 3, 4)),
		"sub broadcast":      node(t, "Sub", 14, nil, variable(4), x),
		"sub constant":       node(t, "Sub", 14, nil, x, floats(seq(3), 3, 1)),
		"constant sub":       node(t, "Sub", 14, nil, floats([]float64{1}), x),
		"mean of two":        node(t, "Mean", 13, nil, x, variable(4)),
		"mean of five":       node(t, "Mean", 13, nil, x, floats(seq(3), 3, 1), variable(4), floats(seq(4), 4), floats([]float64{0.1})),
		"sum of three":       node(t, "Sum", 13, nil, x, variable(4), floats(seq(3), 3, 1)),
		"neg":                node(t, "Neg", 13, nil, x),
		"mul constant":       node(t, "Mul", 14, nil, x, floats(seq(24), 2, 3, 4)),
		"mul scalar":         node(t, "Mul", 14, nil, floats([]float64{-3}), x),
		"mul wider constant": node(t, "Mul", 14, nil, variable(4), floats(seq(12), 3, 4)),
		"div constant":       node(t, "Div", 14, nil, x, floats(seq(4), 4)),
		"identity":           node(t, "Identity", 13, nil, x),
		"dropout":            node(t, "Dropout", 7, a("ratio", float32(0.5)), x),
		"dropout 13":         node(t, "Dropout", 13, nil, x, floats([]float64{0.5})),
		"flatten":            node(t, "Flatten", 13, a("axis", int64(-1)), x),
		"reshape":            node(t, "Reshape", 14, nil, x, ints(4, -1)),
		"squeeze 11":         node(t, "Squeeze", 11, a("axes", []int64{0, -1}), variable(1, 3, 1)),
		"squeeze 13":         node(t, "Squeeze", 13, nil, variable(1, 3, 1), ints(2)),
		"unsqueeze 11":       node(t, "Unsqueeze", 11, a("axes", []int64{0, -1}), x),
		"unsqueeze 13":       node(t, "Unsqueeze", 13, nil, x, ints(1)),
		"transpose":          node(t, "Transpose", 13, a("perm", []int64{1, 2, 0}), x),
		"transpose default":  node(t, "Transpose", 13, nil, x),
		"transpose identity": node(t, "Transpose", 13, a("perm", []int64{0, 1}), variable(1, 7)),
		"transpose large":    node(t, "Transpose", 13, a("perm", []int64{0, 2, 1}), variable(2, 37, 19)),
		"concat":             node(t, "Concat", 13, a("axis", int64(1)), x, variable(2, 1, 4), floats(seq(16), 2, 2, 4)),
		"concat itself":      node(t, "Concat", 13, a("axis", int64(-1)), both, both),
		"split 11":           nodeWith(t, "Split", 11, a("axis", int64(2), "split", []int64{1, 3}), 2, x),
		"split 11 equal":     nodeWith(t, "Split", 11, a("axis", int64(2)), 2, x),
		"split 13":           nodeWith(t, "Split", 13, a("axis", int64(1)), 3, x, ints(1, 0, 2)),
		"split 18":           nodeWith(t, "Split", 18, a("axis", int64(-1), "num_outputs", int64(3)), 3, x),
		"slice 7":            node(t, "Slice", 7, a("starts", []int64{1, -3}, "ends", []int64{2, 100}, "axes", []int64{0, 2}), x),
		"slice 13":           node(t, "Slice", 13, nil, x, ints(-1, 3), ints(-10, 0), ints(1, 2), ints(-1, -2)),
		"slice empty":        node(t, "Slice", 13, nil, x, ints(2), ints(1), ints(2)),
		"gather":             node(t, "Gather", 13, a("axis", int64(1)), x, fixed(onnxio.FromInt64([]int64{2, -3, 0, 0}, 2, 2))),
		"gather scalar":      node(t, "Gather", 13, a("axis", int64(-1)), x, fixed(onnxio.FromInt64([]int64{1}))),
		"pad 10":             node(t, "Pad", 10, a("pads", []int64{0, 1, -1, 0, 0, 2}, "value", float32(1.5)), x),
		"pad 13":             node(t, "Pad", 13, nil, x, ints(0, 1, 2, 1, 0, -3), floats([]float64{-2})),
		"pad 13 zero":        node(t, "Pad", 13, nil, x, ints(0, 1, 2, 1, 0, 3)),
		"pad 18 axes":        node(t, "Pad", 18, nil, x, ints(2, 1), nil, ints(-1)),
		"pad reflect":        node(t, "Pad", 13, a("mode", "reflect"), x, ints(0, 2, 3, 0, 1, 2)),
		"pad edge":           node(t, "Pad", 13, a("mode", "edge"), x, ints(1, 2, -1, 0, 1, 5)),
		"pad wrap":           node(t, "Pad", 19, a("mode", "wrap"), x, ints(1, 2, 0, 0, 4, 5)),
		"expand":             node(t, "Expand", 13, nil, variable(3, 1), ints(2, 1, 4)),
		"where": node(t, "Where", 16, nil, fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{4}, Data: []bool{true, false, true, false}}),
			x, variable(3, 1)),
		"where constant": node(t, "Where", 9, nil, fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{3, 1}, Data: []bool{true, false, true}}),
			x, floats([]float64{7})),
		"reduce sum 11":       node(t, "ReduceSum", 11, a("axes", []int64{1}, "keepdims", int64(0)), x),
		"reduce sum all":      node(t, "ReduceSum", 13, nil, x),
		"reduce sum 13":       node(t, "ReduceSum", 13, nil, x, ints(0, -1)),
		"reduce sum noop":     node(t, "ReduceSum", 13, a("noop_with_empty_axes", int64(1)), x, ints()),
		"reduce mean 13":      node(t, "ReduceMean", 13, a("axes", []int64{-2, 0}), x),
		"reduce mean 18":      node(t, "ReduceMean", 18, a("keepdims", int64(0)), x, ints(2)),
		"cast":                node(t, "Cast", 13, a("to", int64(onnxio.Double)), x),
		"pow one":             node(t, "Pow", 13, nil, x, floats([]float64{1})),
		"reduce mean of ones": node(t, "ReduceMean", 13, a("axes", []int64{1}), variable(4, 1, 3)),
	}
	for name, n := range cases {
		t.Run(name, func(t *testing.T) { checkAffine(t, n) })
	}
}

// TestMapsArePlain wants the cheapest kind of map.
func TestMapsArePlain(t *testing.T) {
	x := variable(2, 3)
	identity := []*onnxio.Node{
		node(t, "Add", 14, nil, x, floats([]float64{1, 2, 3}, 3)),
		node(t, "Transpose", 13, onnxio.Attrs{"perm": []int64{1, 0, 2}}, variable(1, 3, 2)),
		node(t, "Slice", 13, nil, x, ints(0), ints(1000), ints(1)),
		node(t, "Expand", 13, nil, x, ints(1, 2, 3)),
	}
	for _, n := range identity {
		if l := checkAffine(t, n); l != nil {
			if _, ok := l.Maps[0].(*affine.Identity); !ok {
				t.Errorf("%s: %T", n.Op, l.Maps[0])
			}
		}
	}
	l := checkAffine(t, node(t, "Mul", 14, nil, x, floats([]float64{1, 2, 3}, 3)))
	if _, ok := l.Maps[0].(*affine.Diag); !ok {
		t.Errorf("Mul: %T", l.Maps[0])
	}
}

// TestReciprocalsSayTheirError: exact for powers of two, RelErr otherwise.
func TestReciprocalsSayTheirError(t *testing.T) {
	x := variable(2, 3)
	for _, c := range []struct {
		n    *onnxio.Node
		want float64
	}{
		{node(t, "Div", 14, nil, x, floats([]float64{2, -4, 0.5}, 3)), 0},
		{node(t, "Div", 14, nil, x, floats([]float64{2, 3, 0.5}, 3)), sound.Unit},
		{node(t, "ReduceMean", 13, onnxio.Attrs{"axes": []int64{0}}, x), 0},
		{node(t, "ReduceMean", 13, onnxio.Attrs{"axes": []int64{1}}, x), sound.Unit},
	} {
		if l := checkAffine(t, c.n); l.RelErr != c.want {
			t.Errorf("%s: RelErr %v, want %v", c.n.Op, l.RelErr, c.want)
		}
	}
	d, _ := Lookup(&onnxio.Node{Op: "Div", Opset: 14})
	for _, bad := range []float64{0, math.Inf(1), math.NaN(), 5e-324} {
		if _, err := d.Linear(node(t, "Div", 14, nil, x, floats([]float64{bad}))); err == nil {
			t.Errorf("a map for a division by %v", bad)
		}
	}
}
