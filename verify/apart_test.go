package verify

import "github.com/shallow-waters/shoal/onnxio"

// apart are steps of operators that are written in others: what they compute and what is bounded are the same nodes, and the sampled points show that
// nothing is lost on the way.
var apart = []struct {
	name string
	make func(b *builder, x *onnxio.Value, c int) *onnxio.Value
}{
	{"RMSNormalization", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("RMSNormalization", onnxio.Attrs{"axis": int64(2), "epsilon": float32(0.1)}, x, b.weights(1, 3))
	}},
	{"LpNormalization", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("LpNormalization", onnxio.Attrs{"axis": int64(1), "p": int64(1)}, b.node("Exp", nil, x))
	}},
	{"Attention", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("Attention", onnxio.Attrs{"is_causal": int64(1), "softcap": float32(2)}, x, x, x)
	}},
	{"Attention with a mask", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		mask := &onnxio.Value{Name: "mask", DType: onnxio.Bool, Const: &onnxio.Tensor{DType: onnxio.Bool, Shape: []int{3, 3},
			Data: []bool{true, false, true, false, false, false, true, true, false}}}
		return b.node("Attention", nil, x, x, b.node("Relu", nil, x), mask)
	}},
	{"RotaryEmbedding", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("RotaryEmbedding", onnxio.Attrs{"rotary_embedding_dim": int64(2)}, x, b.weights(1, 1, 3, 1), b.weights(1, 1, 3, 1))
	}},
	{"LpPool and GlobalLpPool", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		y := b.node("LpPool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "p": int64(1)}, x)
		return b.node("Add", nil, y, b.node("GlobalLpPool", onnxio.Attrs{"p": int64(2)}, b.node("Exp", nil, x)))
	}},
	{"Conv of volumes", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		v := b.node("Reshape", nil, x, fixedInts(1, 1, 3, 3, 3))
		y := b.node("Conv", onnxio.Attrs{"pads": []int64{1, 0, 1, 0, 1, 0}, "strides": []int64{2, 1, 1}}, v, b.weights(0.6, 2, 1, 2, 2, 2),
			b.weights(0.3, 2))
		return b.node("Reshape", nil, y, fixedInts(1, -1))
	}},
	{"ConvTranspose of volumes", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		v := b.node("Reshape", nil, x, fixedInts(1, 1, 3, 3, 3))
		y := b.node("ConvTranspose", onnxio.Attrs{"pads": []int64{1, 0, 0, 0, 1, 0}, "strides": []int64{2, 1, 1}}, v, b.weights(0.6, 1, 2, 2, 2, 2),
			b.weights(0.3, 2))
		return b.node("Reshape", nil, y, fixedInts(1, -1))
	}},
	{"pools of volumes", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		v := b.node("Reshape", nil, x, fixedInts(1, 1, 3, 3, 3))
		k := onnxio.Attrs{"kernel_shape": []int64{2, 2, 2}, "pads": []int64{1, 0, 1, 0, 1, 0}}
		y := b.node("Add", nil, b.node("MaxPool", k, v), b.node("AveragePool", k, v))
		return b.node("Reshape", nil, y, fixedInts(1, -1))
	}},
	{"DFT", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		y := b.node("DFT", nil, b.node("Reshape", nil, x, fixedInts(1, 3, 9, 1)))
		return b.node("Reshape", nil, y, fixedInts(1, -1))
	}},
	{"CenterCropPad", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		return b.node("CenterCropPad", onnxio.Attrs{"axes": []int64{2, 3}}, x, fixedInts(2, 5))
	}},
	{"TensorScatter", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		at := &onnxio.Value{Name: "at", DType: onnxio.Int64, Const: onnxio.FromInt64([]int64{2}, 1)}
		return b.node("TensorScatter", onnxio.Attrs{"mode": "circular"}, b.weights(1, 1, 3, 4, 3), x, at)
	}},
	{"com.microsoft", func(b *builder, x *onnxio.Value, c int) *onnxio.Value {
		own := func(name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
			y := b.node(name, attrs, in...)
			y.Producer.Domain = "com.microsoft"
			return y
		}
		y := own("FusedConv", onnxio.Attrs{"kernel_shape": []int64{1, 1}, "activation": "LeakyRelu", "activation_params": []float32{0.2}}, x,
			b.weights(0.7, c, c, 1, 1), b.weights(0.3, c))
		y = own("QuickGelu", nil, own("BiasGelu", nil, y, b.weights(0.3, 3)))
		y = own("SkipLayerNormalization", onnxio.Attrs{"epsilon": float32(0.1)}, y, x, b.weights(1, 3), b.weights(1, 3))
		return own("FusedMatMul", onnxio.Attrs{"alpha": float32(0.5), "transB": int64(1)}, own("FastGelu", nil, y), b.weights(0.7, 2, 3))
	}},
	{"ai.onnx.ml", func(b *builder, x *onnxio.Value, _ int) *onnxio.Value {
		own := func(name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
			y := b.node(name, attrs, in...)
			y.Producer.Domain = "ai.onnx.ml"
			return y
		}
		y := own("Scaler", onnxio.Attrs{"offset": []float32{0.1}, "scale": []float32{2}}, b.node("Reshape", nil, x, fixedInts(3, 9)))
		trees := own("TreeEnsembleRegressor", onnxio.Attrs{"n_targets": int64(1), "nodes_treeids": []int64{0, 0, 0, 1, 1, 1},
			"nodes_nodeids":    []int64{0, 1, 2, 0, 1, 2},
			"nodes_featureids": []int64{0, 0, 0, 4, 0, 0}, "nodes_modes": []string{"BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"},
			"nodes_values": []float32{0.2, 0, 0, -0.3, 0, 0}, "nodes_truenodeids": []int64{1, 0, 0, 1, 0, 0}, "nodes_falsenodeids": []int64{2, 0, 0, 2, 0, 0},
			"target_treeids": []int64{0, 0, 1, 1}, "target_nodeids": []int64{1, 2, 1, 2}, "target_ids": []int64{0, 0, 0, 0},
			"target_weights": []float32{0.3, -1.5, 2, 0.25}}, y)
		trees = b.node("Add", nil, trees, own("TreeEnsemble", onnxio.Attrs{"tree_roots": []int64{0},
			"nodes_modes":  &onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{1}, Data: []uint8{3}},
			"nodes_splits": onnxio.FromFloat32([]float32{0.1}, 1), "nodes_featureids": []int64{1}, "nodes_truenodeids": []int64{0},
			"nodes_falsenodeids": []int64{1}, "nodes_trueleafs": []int64{1},
			"nodes_falseleafs": []int64{1}, "leaf_targetids": []int64{0, 0}, "leaf_weights": onnxio.FromFloat32([]float32{3, 4}, 2),
			"n_targets": int64(1)}, y))
		y = own("LinearRegressor", onnxio.Attrs{"targets": int64(2),
			"coefficients": []float32{1, 2, 0, -1, 0.5, 0, 0, 3, 1, 0, 1, -1, 0, 0, 0.5, 0.25, 0, 2}, "intercepts": []float32{0.5, -0.5}},
			own("Normalizer", onnxio.Attrs{"norm": "L2"}, b.node("Exp", nil, y)))
		return b.node("Reshape", nil, b.node("Concat", onnxio.Attrs{"axis": int64(1)}, y, trees), fixedInts(1, -1))
	}},
}
