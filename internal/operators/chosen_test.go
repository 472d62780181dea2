package operators

import (
	"math"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestEvalOfWholeNumbers runs operators on bits, places, windows, labels and trees, on examples worked out by hand or printed in the standard.
func TestEvalOfWholeNumbers(t *testing.T) {
	i32 := func(v ...int32) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{len(v)}, Data: v})
	}
	tree := onnxio.Attrs{"nodes_treeids": []int64{0, 0, 0}, "nodes_nodeids": []int64{0, 1, 2}, "nodes_featureids": []int64{1, 0, 0},
		"nodes_modes":  []string{"BRANCH_LEQ", "LEAF", "LEAF"},
		"nodes_values": []float32{0.5, 0, 0}, "nodes_truenodeids": []int64{1, 0, 0}, "nodes_falsenodeids": []int64{2, 0, 0}}
	with := func(a, b onnxio.Attrs) onnxio.Attrs {
		out := onnxio.Attrs{}
		for _, m := range []onnxio.Attrs{a, b} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	bytes := func(v ...uint8) *onnxio.Tensor {
		return &onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{len(v)}, Data: v}
	}
	reals := func(v ...float32) *onnxio.Tensor { return onnxio.FromFloat32(v, len(v)) }
	points := fixed(onnxio.FromFloat32([]float32{0, 0.5, 0, 0.6}, 2, 2))
	for _, c := range []struct {
		op    string
		attrs onnxio.Attrs
		in    []*onnxio.Value
		want  [][]float64
	}{
		{"BitwiseAnd", nil, []*onnxio.Value{i32(12, -1), i32(10)}, [][]float64{{8, 10}}},
		{"BitwiseOr", nil, []*onnxio.Value{i32(12, 1), i32(10)}, [][]float64{{14, 11}}},
		{"BitwiseXor", nil, []*onnxio.Value{i32(12, -1), i32(10)}, [][]float64{{6, -11}}},
		{"BitwiseNot", nil, []*onnxio.Value{i32(0, -6)}, [][]float64{{-1, 5}}},
		{"BitCast", onnxio.Attrs{"to": int64(onnxio.Float)}, []*onnxio.Value{i32(0x3f800000)}, [][]float64{{1}}},
		{"CumProd", onnxio.Attrs{"exclusive": int64(1)}, []*onnxio.Value{i32(1, 2, 3), fixed(onnxio.FromInt64([]int64{0}))}, [][]float64{{1, 1, 2}}},
		{"Det", nil, []*onnxio.Value{floats([]float64{0, 2, 3, 4}, 2, 2)}, [][]float64{{-6}}},
		{"NonZero", nil, []*onnxio.Value{floats([]float64{1, 0, 1, 1}, 2, 2)}, [][]float64{{0, 1, 1, 0, 0, 1}}},
		{"Unique", onnxio.Attrs{"sorted": int64(0)}, []*onnxio.Value{floats([]float64{2, 1, 1, 3, 4, 3}, 6)},
			[][]float64{{2, 1, 3, 4}, {0, 1, 3, 4}, {0, 1, 1, 2, 3, 2}, {1, 2, 2, 1}}},
		{"Unique", onnxio.Attrs{"axis": int64(0)}, []*onnxio.Value{floats([]float64{1, 0, 0, 1, 0, 0, 2, 3, 4}, 3, 3)},
			[][]float64{{1, 0, 0, 2, 3, 4}, {0, 2}, {0, 0, 1}, {2, 1}}},
		{"HannWindow", nil, []*onnxio.Value{ints(4)}, [][]float64{{0, 0.5, 1, 0.5}}},
		{"HammingWindow", nil, []*onnxio.Value{ints(2)}, [][]float64{{2.0 / 23, 1}}},
		{"BlackmanWindow", nil, []*onnxio.Value{ints(2)}, [][]float64{{0, 1}}},
		{"Scatter", nil, []*onnxio.Value{floats([]float64{1, 2, 3}, 3), ints(2), floats([]float64{9}, 1)}, [][]float64{{1, 2, 9}}},
		{"NonMaxSuppression", nil, []*onnxio.Value{fixed(onnxio.FromFloat32([]float32{0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, 10, 1, 11}, 1, 3, 4)),
			fixed(onnxio.FromFloat32([]float32{0.9, 0.75, 0.6}, 1, 1, 3)), ints(3), fixed(reals(0.5))}, [][]float64{{0, 0, 0, 0, 0, 2}}},
		{"LabelEncoder", onnxio.Attrs{"keys_int64s": []int64{7, 8, 7}, "values_floats": []float32{1, 2, 3}, "default_float": float32(-5)},
			[]*onnxio.Value{ints(7, 8, 9)}, [][]float64{{3, 2, -5}}},
		{"TreeEnsembleRegressor", with(tree, onnxio.Attrs{"target_treeids": []int64{0, 0}, "target_nodeids": []int64{1, 2},
			"target_ids": []int64{0, 0}, "target_weights": []float32{3, 4},
			"base_values": []float32{0.25}}), []*onnxio.Value{points}, [][]float64{{3.25, 4.25}}},
		{"TreeEnsembleClassifier", with(tree, onnxio.Attrs{"class_treeids": []int64{0, 0}, "class_nodeids": []int64{1, 2},
			"class_ids": []int64{0, 1}, "class_weights": []float32{1, 1},
			"classlabels_int64s": []int64{5, 6}}), []*onnxio.Value{points}, [][]float64{{5, 6}, {1, 0, 0, 1}}},
		{"TreeEnsemble", onnxio.Attrs{"tree_roots": []int64{0}, "nodes_modes": fixed(bytes(0)).Const, "nodes_splits": reals(0.5),
			"nodes_featureids": []int64{1}, "nodes_truenodeids": []int64{0},
			"nodes_falsenodeids": []int64{1}, "nodes_trueleafs": []int64{1}, "nodes_falseleafs": []int64{1}, "leaf_targetids": []int64{0, 0},
			"leaf_weights": reals(3, 4), "n_targets": int64(1)},
			[]*onnxio.Value{points}, [][]float64{{3, 4}}},
	} {
		d := anywhere(c.op)
		n := &onnxio.Node{Name: "n", Op: c.op, Domain: d.Domain, Opset: max(d.Since, 28), Attrs: c.attrs, Inputs: c.in}
		if d.Domain != "" {
			n.Opset = d.Since
		}
		types, err := d.Shape(n)
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		call := &op.Call{Node: n, Work: new(op.Workspace)}
		for _, v := range c.in {
			call.In = append(call.In, v.Const)
		}
		for _, ty := range types {
			call.Out = append(call.Out, onnxio.NewTensor(ty.DType, ty.Shape...))
		}
		if err := d.Eval(call); err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		for k, want := range c.want {
			if got, _ := call.Out[k].Float64s(); !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-6 }) {
				t.Errorf("%s: output %d is %v, want %v", c.op, k, got, want)
			}
		}
	}
}
