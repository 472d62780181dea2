package operators

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// partCases are nodes of the operators that are written in parts: their gradients are compared with finite differences, and what prune deletes with
// zeros, as those of all operators are. Float32 alone may be what an attribute says, so that the parts compute in float64.
var partCases = func() []gradCase {
	var cs []gradCase
	add := func(c gradCase) { cs = append(cs, c) }
	ms := func(name string, attrs onnxio.Attrs, in func() []*onnxio.Value) {
		add(gradCase{op: name, domain: microsoft, opsets: []int{13, 17, 21}, attrs: attrs, in: in})
	}
	type attrs = onnxio.Attrs
	s := []int{2, 3, 4}
	square := func(shape ...int) *onnxio.Value { return weightsOf(shape...) }
	mask := func(shape ...int) *onnxio.Value { // real numbers, one of them far away
		v := weightsOf(shape...)
		v.Const.F64()[1] = -1e9
		return v
	}
	truth := func(shape ...int) *onnxio.Value {
		v := &onnxio.Tensor{DType: onnxio.Bool, Shape: shape, Data: make([]bool, product(shape))}
		for i := range v.Data.([]bool) {
			v.Data.([]bool)[i] = i%3 != 1
		}
		return fixed(v)
	}
	both := func(shapes [][]int, rest ...*onnxio.Value) func() []*onnxio.Value {
		return func() []*onnxio.Value { return append(vars(shapes...)(), rest...) }
	}

	for _, heads := range [][2]int64{{2, 2}, {4, 2}} {
		q, k := int(heads[0]), int(heads[1])
		shapes := [][]int{{2, 3, 2 * q}, {2, 4, 2 * k}, {2, 4, 3 * k}}
		a := attrs{"q_num_heads": heads[0], "kv_num_heads": heads[1]}
		set := func(name string, v any) attrs {
			b := attrs{name: v}
			for k, x := range a {
				b[k] = x
			}
			return b
		}
		for _, at := range []attrs{a, set("scale", float32(0.3)), set("softcap", float32(1.5)), set("is_causal", int64(1))} {
			add(gradCase{op: "Attention", opsets: []int{23, 24}, attrs: at, in: vars(shapes...)})
		}
		add(gradCase{op: "Attention", opsets: []int{23}, attrs: a, in: both(shapes, mask(3, 4))})
		add(gradCase{op: "Attention", opsets: []int{23}, attrs: a, in: both(shapes, mask(1, q, 3, 4))})
		add(gradCase{op: "Attention", opsets: []int{23}, attrs: a, in: both(shapes, truth(1, 1, 3, 4))})
		add(gradCase{op: "Attention", opsets: []int{23}, outputs: 3, attrs: a, in: func() []*onnxio.Value {
			v := vars(append(shapes[:3:3], []int{2, k, 2, 2}, []int{2, k, 2, 3})...)()
			return append(v[:3:3], nil, v[3], v[4])
		}})
		four := [][]int{{2, q, 3, 2}, {2, k, 4, 2}, {2, k, 4, 3}}
		add(gradCase{op: "Attention", opsets: []int{23, 24}, in: vars(four...)})
		add(gradCase{op: "Attention", opsets: []int{23}, outputs: 4, attrs: attrs{"qk_matmul_output_mode": int64(3)}, in: vars(four...)})
		for _, whole := range []int64{0, 1} {
			add(gradCase{op: "RotaryEmbedding", opsets: []int{23}, attrs: attrs{"num_heads": heads[0], "interleaved": whole},
				in: with([]int{2, 3, 4 * q}, square(2, 3, 2), square(2, 3, 2))})
		}
		add(gradCase{op: "RotaryEmbedding", opsets: []int{23}, attrs: attrs{"rotary_embedding_dim": int64(2)},
			in: with([]int{2, q, 3, 4}, square(5, 1), square(5, 1),
				fixed(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{2, 3}, Data: []int64{0, 1, 4, 2, 2, 3}}))})
		ms("MultiHeadAttention", attrs{"num_heads": int64(k)}, both(shapes3(k)))
		ms("MultiHeadAttention", attrs{"num_heads": int64(k), "unidirectional": int64(1), "scale": float32(0.7)}, both(append(shapes3(k), []int{7 * k})))
		ms("MultiHeadAttention", attrs{"num_heads": int64(k)}, both(shapes3(k), nil, nil, mask(1, 1, 4, 4)))
		ms("MultiHeadAttention", attrs{"num_heads": int64(k)}, both(shapes3(k), nil, nil, mask(2, k, 4, 4)))
		ms("Attention", attrs{"num_heads": int64(q)}, both([][]int{{2, 3, 5}, {5, 6 * q}, {6 * q}}))
		ms("Attention", attrs{"num_heads": int64(q), "unidirectional": int64(1)}, both([][]int{{2, 3, 5}, {5, 6 * q}}))
	}
	for _, axis := range []int64{-1, 1} {
		shape := []int{3, 4}
		if axis == -1 {
			shape = shape[1:]
		}
		add(gradCase{op: "RMSNormalization", opsets: []int{23}, attrs: attrs{"axis": axis}, in: vars(s, shape)})
		add(gradCase{op: "LpNormalization", opsets: []int{7, 13, 22}, attrs: attrs{"axis": axis, "p": int64(2)}, in: vars(s), lo: 0.3, hi: 1.5})
		add(gradCase{op: "LpNormalization", opsets: []int{7, 13, 22}, attrs: attrs{"axis": axis, "p": int64(1)}, in: vars(s), lo: 0.3, hi: 1.5})
	}
	image := []int{2, 4, 5, 5}
	for _, p := range []int64{1, 2, 3} {
		add(gradCase{op: "GlobalLpPool", opsets: []int{7, 13, 22}, attrs: attrs{"p": p}, in: vars(image), lo: 0.3, hi: 1.5})
		add(gradCase{op: "LpPool", opsets: []int{11, 13, 22}, attrs: attrs{"p": p, "kernel_shape": []int64{2, 3}, "strides": []int64{2, 1},
			"pads": []int64{1, 0, 0, 1}}, in: vars(image), lo: 0.3, hi: 1.5})
	}
	add(gradCase{op: "SwiGLU", opsets: []int{28}, attrs: attrs{"alpha": float32(1.3)}, in: vars(s, s)})

	for _, equation := range []string{"bi,ij,jk->bk", "bij,jk,kl", "ab,ab,ab->b", "i,ij,j->", "bhqd,bhkd,bhkv->bhqv", "ab,bc,cd,da->ac"} {
		left, _, _ := strings.Cut(equation, "->")
		var shapes [][]int
		for _, term := range strings.Split(left, ",") {
			var shape []int
			for _, l := range term {
				shape = append(shape, 2+int(l)%3)
			}
			shapes = append(shapes, shape)
		}
		add(gradCase{op: "Einsum", opsets: []int{12, 13}, attrs: attrs{"equation": equation}, in: vars(shapes...)})
	}

	ms("Gelu", nil, vars(s))
	ms("BiasGelu", nil, vars(s, []int{4}))
	ms("FastGelu", nil, vars(s))
	ms("FastGelu", nil, vars(s, []int{4}))
	ms("QuickGelu", attrs{"alpha": float32(1.2)}, vars(s))
	for k := range 4 {
		a, b := []int{2, 3, 4}, []int{2, 4, 5}
		if k&1 == 1 {
			a = []int{2, 4, 3}
		}
		if k&2 == 2 {
			b = []int{2, 5, 4}
		}
		ms("FusedMatMul", attrs{"alpha": float32(0.6), "transA": int64(k & 1), "transB": int64(k >> 1)}, vars(a, b))
		ms("FusedGemm", attrs{"alpha": float32(0.6), "beta": float32(0.4), "transA": int64(k & 1), "transB": int64(k >> 1), "activation": "Tanh"},
			vars(a[1:], b[1:], []int{5}))
	}
	ms("FusedMatMul", attrs{"transB": int64(1)}, vars([]int{4}, []int{2, 5, 4}))
	for _, f := range []string{"", "LeakyRelu", "HardSigmoid", "Sigmoid"} {
		a := attrs{"activation": f}
		if f == "" {
			a = attrs{}
		}
		ms("FusedConv", a, func() []*onnxio.Value {
			v := vars(image, []int{2, 6, 4, 4})()
			return []*onnxio.Value{v[0], square(6, 4, 2, 2), square(6), v[1]}
		})
	}
	ms("FusedConv", attrs{"activation": "Elu", "activation_params": []float32{0.7}, "group": int64(2), "pads": []int64{1, 0, 0, 1}},
		with(image, square(6, 2, 2, 2)))
	ms("SkipLayerNormalization", attrs{"epsilon": float32(1e-5)}, both([][]int{s, s}, square(4)))
	ms("SkipLayerNormalization", nil, func() []*onnxio.Value {
		v := vars(s, s, []int{4})()
		return []*onnxio.Value{v[0], v[1], positive(4), square(4), v[2]}
	})
	ms("SkipSimplifiedLayerNormalization", attrs{"epsilon": float32(1e-5)}, vars(s, s, []int{4}))
	ms("SkipSimplifiedLayerNormalization", nil, vars(s, s, []int{4}, []int{4}))
	ms("MatMulNBits", attrs{"K": int64(6), "N": int64(3), "bits": int64(4), "block_size": int64(16)}, with([]int{2, 6},
		fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{3, 1, 8}, Data: []uint8("shoal prunes networks 24")}), square(3)))
	ms("EmbedLayerNormalization", attrs{"epsilon": float32(1e-3)}, func() []*onnxio.Value {
		v := vars([]int{5, 4}, []int{6, 4})()
		ids := fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{2, 3}, Data: []int32{0, 4, 1, 3, 3, 2}})
		return []*onnxio.Value{ids, nil, v[0], v[1], nil, positive(4), square(4)}
	})

	whole := func(n int64) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{n}})
	}
	for _, flag := range []int64{0, 1} {
		add(gradCase{op: "AffineGrid", opsets: []int{20}, attrs: attrs{"align_corners": flag}, in: with([]int{2, 2, 3}, ints(2, 1, 3, 4))})
		add(gradCase{op: "AffineGrid", opsets: []int{20}, attrs: attrs{"align_corners": flag}, in: with([]int{1, 3, 4}, ints(1, 2, 2, 3, 4))})
		for _, size := range []int{4, 5} {
			add(gradCase{op: "DFT", opsets: []int{20}, attrs: attrs{"onesided": flag}, in: with([]int{2, size, 1}, nil, whole(1))})
			add(gradCase{op: "DFT", opsets: []int{20}, attrs: attrs{"inverse": flag}, in: with([]int{2, size, 2}, nil, whole(1))})
			add(gradCase{op: "DFT", opsets: []int{17}, attrs: attrs{"inverse": flag, "axis": int64(1)}, in: with([]int{2, size, 2})})
		}
		add(gradCase{op: "STFT", opsets: []int{17}, attrs: attrs{"onesided": flag}, in: with([]int{2, 9, 1}, whole(2), square(4))})
		mode := []string{"linear", "circular"}[flag]
		add(gradCase{op: "TensorScatter", opsets: []int{24}, attrs: attrs{"mode": mode}, in: both([][]int{{2, 4, 3}, {2, 2, 3}}, ints(2, 1))})
	}
	for _, name := range []string{"none", "silu", "swish"} {
		v := [][]int{{2, 3, 5}, {2, 3, 2}}
		add(gradCase{op: "CausalConvWithState", opsets: []int{27}, attrs: attrs{"activation": name}, in: func() []*onnxio.Value {
			x := vars(v...)()
			return []*onnxio.Value{x[0], square(3, 1, 3), square(3), x[1]}
		}})
	}
	add(gradCase{op: "CenterCropPad", opsets: []int{18}, attrs: attrs{"axes": []int64{1, 2}}, in: with([]int{2, 5, 4}, ints(3, 7))})
	add(gradCase{op: "Col2Im", opsets: []int{18}, in: with([]int{2, 8, 4}, ints(3, 3), ints(2, 2))})
	add(gradCase{op: "Col2Im", opsets: []int{18}, attrs: attrs{"strides": []int64{2, 1}, "pads": []int64{1, 0, 0, 1}},
		in: with([]int{2, 8, 6}, ints(3, 3), ints(2, 2))})
	add(gradCase{op: "Compress", opsets: []int{9, 13}, attrs: attrs{"axis": int64(1)}, in: with(s, truth(3))})
	add(gradCase{op: "MaxUnpool", opsets: []int{11, 22}, attrs: attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}},
		in: with([]int{1, 1, 2, 2}, fixed(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{1, 1, 2, 2}, Data: []int64{0, 3, 9, 14}}))})
	for _, rule := range []string{"linear", "gated", "delta", "gated_delta"} {
		shapes := [][]int{{1, 2, 8}, {1, 2, 4}, {1, 2, 2}, {1, 2, 1}, {1, 2, 1}}
		add(gradCase{op: "LinearAttention", opsets: []int{27}, lo: 0.1, hi: 0.9,
			attrs: attrs{"q_num_heads": int64(2), "kv_num_heads": int64(1), "update_rule": rule},
			in: func() []*onnxio.Value {
				v := vars(shapes...)()
				in := []*onnxio.Value{v[0], v[1], v[2], nil, nil, nil}
				if rule == "gated" || rule == "gated_delta" {
					in[4] = v[3]
				}
				if rule == "delta" || rule == "gated_delta" {
					in[5] = v[4]
				}
				return present(in)
			}})
	}
	for _, name := range []string{"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"} {
		for _, how := range []string{"none", "sum", "mean"} {
			a := attrs{"reduction": how}
			add(gradCase{op: name, opsets: []int{13, 22}, attrs: a, in: with([]int{3, 4}, ints(0, 3, 2))})
			add(gradCase{op: name, opsets: []int{13}, attrs: attrs{"reduction": how, "ignore_index": int64(3)},
				in: with([]int{3, 4}, ints(0, 3, 2), positive(4))})
			add(gradCase{op: name, opsets: []int{13}, attrs: a, in: with([]int{2, 4, 2},
				fixed(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{2, 2}, Data: []int64{1, 0, 2, 2}}))})
		}
	}

	for _, direction := range []string{"forward", "bidirectional"} {
		dirs := len(direction) / 6
		for name, gates := range map[string]int{"LSTM": 4, "GRU": 3, "RNN": 1} {
			in := [][]int{{3, 2, 4}, {dirs, gates * 2, 4}, {dirs, gates * 2, 2}, {dirs, gates * 4}, {dirs, 2, 2}}
			a := attrs{"direction": direction}
			if name == "GRU" {
				a["linear_before_reset"] = int64(dirs - 1)
			}
			add(gradCase{op: name, opsets: []int{14}, outputs: 2, attrs: a,
				in: func() []*onnxio.Value {
					v := vars(in...)()
					return []*onnxio.Value{v[0], v[1], v[2], v[3], nil, v[4]}
				}})
		}
	}

	ml := func(name string, outputs int, a attrs, in func() []*onnxio.Value) {
		add(gradCase{op: name, domain: "ai.onnx.ml", opsets: []int{13, 21}, outputs: outputs, attrs: a, in: in})
	}
	flat := []int{2, 3}
	ml("ArrayFeatureExtractor", 1, nil, with(flat, ints(2, 0)))
	ml("Scaler", 1, attrs{"offset": []float32{0.5, -0.25, 1}, "scale": []float32{2, -0.5, 1}}, vars(flat))
	for _, norm := range []string{"L1", "L2", "MAX"} {
		add(gradCase{op: "Normalizer", domain: "ai.onnx.ml", opsets: []int{13, 21}, attrs: attrs{"norm": norm},
			in: vars(flat), lo: 0.3, hi: 1.5, apart: true})
	}
	numbers := []float32{0.5, -0.25, 1, 0.125, 0.75, -1, 0.375, -0.625, 0.25}
	ml("LinearRegressor", 1, attrs{"targets": int64(2), "coefficients": numbers[:6], "intercepts": []float32{0.5, 1}}, vars(flat))
	ml("Imputer", 1, attrs{"imputed_value_floats": []float32{0.5, 1, -1}, "replaced_value_float": float32(math.NaN())}, vars(flat))
	for _, kernel := range []string{"LINEAR", "POLY", "RBF", "SIGMOID"} {
		a := attrs{"kernel_type": kernel, "kernel_params": []float32{0.5, 2, 3}, "support_vectors": numbers, "coefficients": numbers[:3],
			"rho": []float32{0.5}, "n_supports": int64(3)}
		ml("SVMRegressor", 1, a, vars(flat))
		a = maps.Clone(a)
		delete(a, "n_supports")
		a["classlabels_ints"], a["vectors_per_class"], a["coefficients"] = []int64{0, 1, 2}, []int64{1, 1, 1}, numbers[:6]
		a["rho"] = []float32{0.1, -0.2, 0.3}
		ml("SVMClassifier", 2, a, vars(flat))
	}
	for _, post := range []string{"NONE", "SOFTMAX", "LOGISTIC"} {
		ml("LinearClassifier", 2, attrs{"classlabels_ints": []int64{0, 1, 2}, "coefficients": numbers, "intercepts": []float32{0, 0.5, -0.5},
			"post_transform": post}, vars(flat))
	}
	return cs
}()

// inSteps are operators in parts whose derivatives are zero or none: they round to whole numbers.
var inSteps = []string{"ai.onnx.ml.Binarizer", "ai.onnx.ml.OneHotEncoder", "com.microsoft.DynamicQuantizeLSTM", "com.microsoft.DynamicQuantizeMatMul",
	"com.microsoft.MatMulIntegerToFloat", "com.microsoft.QGemm", "com.microsoft.QLinearAdd",
	"com.microsoft.QLinearAveragePool", "com.microsoft.QLinearConcat", "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearLeakyRelu",
	"com.microsoft.QLinearMul", "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearSoftmax"}

// shapes3 are queries, keys and values of heads of two features, and three for the values.
func shapes3(heads int) [][]int {
	return [][]int{{2, 4, 2 * heads}, {2, 4, 2 * heads}, {2, 4, 3 * heads}}
}

// def is the operator of a case.
func (c gradCase) def() *op.Def {
	for _, d := range All() {
		if d.Name == c.op && d.Domain == c.domain {
			return d
		}
	}
	return nil
}

// written is a case's node, and what it is computed by: itself or its parts.
func (c gradCase) written(t *testing.T, opset int) (*onnxio.Node, []*onnxio.Node) {
	t.Helper()
	n := &onnxio.Node{Name: "n", Op: c.op, Domain: c.domain, Opset: opset, Attrs: c.attrs, Inputs: c.in()}
	if c.domain != "" {
		n.Opset = 1
	}
	if n.Attrs == nil {
		n.Attrs = onnxio.Attrs{}
	}
	return n, made(t, n, max(c.outputs, 1), opset)
}

// made gives a node its outputs, and the nodes that compute them in float64: itself, or its parts in the standard's operators of an opset.
func made(t *testing.T, n *onnxio.Node, outputs, opset int) []*onnxio.Node {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	n.Outputs = make([]*onnxio.Value, outputs)
	for i := range n.Outputs {
		n.Outputs[i] = &onnxio.Value{Name: fmt.Sprint("y", i)}
	}
	if !d.Apart(n) && !d.Steps {
		types, err := d.Shape(n)
		if err != nil {
			t.Fatalf("%s: %v", n.Op, err)
		}
		for i, v := range n.Outputs {
			v.DType, v.Shape, v.Producer = types[i].DType, types[i].Shape, n
		}
		return []*onnxio.Node{n}
	}
	e := op.NewEmitter(context.Background(), Table(), &onnxio.Graph{Inputs: others(n.Inputs, 0), Nodes: []*onnxio.Node{n}}, "part")
	e.Opset = opset
	nodes, err := e.WriteParts(d, n)
	if err != nil {
		t.Fatal(err)
	}
	wide := func(v *onnxio.Value) {
		if v == nil {
			return
		}
		if v.DType == onnxio.Float {
			v.DType = onnxio.Double
		}
		if v.Const != nil && v.Const.DType == onnxio.Float {
			f, _ := v.Const.Float64s()
			v.Const = onnxio.FromFloat64(f, v.Const.Shape...)
		}
	}
	for _, p := range nodes {
		for _, v := range p.Inputs {
			wide(v)
		}
		for _, v := range p.Outputs {
			if v.Shape == nil && p.Op == "Identity" {
				v.Shape, v.DType = p.Inputs[0].Shape, p.Inputs[0].DType
			}
			wide(v)
		}
	}
	return nodes
}

// TestGradientsOfPartsAgreeWithFiniteDifferences does so for every operator that is written in parts and computes real numbers from real numbers.
func TestGradientsOfPartsAgreeWithFiniteDifferences(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range partCases {
		tested[op.Key(c.domain, c.op)] = true
		for _, o := range c.opsets {
			t.Run(op.Key(c.domain, c.op), func(t *testing.T) { checkGradient(t, c, o, false) })
		}
	}
	for _, d := range All() {
		if d.Parts != nil && d.Gradient == nil && !tested[op.Key(d.Domain, d.Name)] && !slices.Contains(inSteps, op.Key(d.Domain, d.Name)) {
			t.Errorf("%s has no case", op.Key(d.Domain, d.Name))
		}
	}
}
