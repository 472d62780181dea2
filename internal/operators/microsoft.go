// microsoft.go — Attention, BiasGelu, DynamicQuantizeMatMul, EmbedLayerNormalization, FastGelu, FusedConv, FusedGemm, FusedMatMul, Gelu,
// MatMulIntegerToFloat, MatMulNBits, MultiHeadAttention, QGemm, QLinearAdd, QLinearAveragePool, QLinearConcat, QLinearGlobalAveragePool,
// QLinearLeakyRelu, QLinearMul, QLinearSigmoid, QLinearSoftmax, QuickGelu, SkipLayerNormalization and SkipSimplifiedLayerNormalization, opset 1: of
// com.microsoft, which onnxruntime's optimiser and quantiser bring into files.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// The operators that onnxruntime's optimiser and quantiser bring into files (domain com.microsoft), written in those of the standard. The file keeps
// them.

const microsoft = "com.microsoft"

// coupled is an operator of which prune knows what goes together.
func coupled(d op.Def, couple op.CoupleFunc, adapt op.AdaptFunc) op.Def {
	d.Couple, d.Adapt = couple, adapt
	return d
}

// ofImages is an operator whose features lie along axis 1, as those of images do.
func ofImages(d op.Def) op.Def {
	d.FeaturesLast = false
	return d
}

// ofMicrosoft is such an operator.
func ofMicrosoft(name string, least int, attrs op.Attributes, parts func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value) op.Def {
	return op.Def{Name: name, Domain: microsoft, Since: 1, Least: least, Fused: true, FeaturesLast: true, Attrs: attrs, Parts: parts}
}

var microsoftOps = []op.Def{
	coupled(ofMicrosoft("Gelu", 1, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(geluParts(e, n.Input(0)))
	}), coupleElementwise, nil),
	coupled(ofMicrosoft("BiasGelu", 2, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(geluParts(e, e.Add(n.Input(0), n.Input(1))))
	}), coupleElementwise, nil),
	coupled(ofMicrosoft("FastGelu", 1, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(geluTanhParts(e, plus(e, n.Input(0), n.Input(1))))
	}), coupleElementwise, nil),
	coupled(ofMicrosoft("QuickGelu", 1, op.Attributes{"alpha": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(swish(e, n.Input(0), float64(n.Attrs.Float("alpha", 1.702))))
	}), coupleElementwise, nil),
	coupled(ofMicrosoft("FusedMatMul", 2, op.Attributes{"alpha": op.AnyValue, "transA": op.Boolean, "transB": op.Boolean, "transBatchA": op.OneOf(0),
		"transBatchB": op.OneOf(0)}, fusedMatMulParts), coupleFusedMatMul, nil),
	coupled(ofMicrosoft("FusedGemm", 2, op.Attributes{"alpha": op.AnyValue, "beta": op.AnyValue, "transA": op.Boolean, "transB": op.Boolean,
		"activation":       op.AnyValue,
		"activation_alpha": op.AnyValue, "activation_beta": op.AnyValue, "activation_gamma": op.AnyValue}, fusedGemmParts), coupleGemm, nil),
	coupled(ofImages(ofMicrosoft("FusedConv", 2, windowed.With(op.Attributes{"group": op.AnyValue, "activation": op.AnyValue,
		"activation_params": op.AnyValue}), fusedConvParts)), coupleFusedConv, adaptGroups),
	coupled(ofMicrosoft("SkipLayerNormalization", 3, op.Attributes{"epsilon": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x := plus(e, plus(e, n.Input(0), n.Input(1)), n.Input(4))
		return []*onnxio.Value{layerNormal(e, x, n.Input(2), n.Input(3), float64(n.Attrs.Float("epsilon", 1e-12))), nil, nil, x}
	}), coupleSkipNormal, nil),
	coupled(ofMicrosoft("SkipSimplifiedLayerNormalization", 3, op.Attributes{"epsilon": op.AnyValue}, skipRMSParts), coupleSkipNormal, nil),
	ofMicrosoft("EmbedLayerNormalization", 1, op.Attributes{"epsilon": op.AnyValue,
		"mask_index_type": op.NoEffect /* of an output that is not made */}, embedParts),
	coupled(ofMicrosoft("Attention", 2, op.Attributes{"num_heads": op.AnyValue, "unidirectional": op.Boolean, "scale": op.AnyValue,
		"mask_filter_value": op.AnyValue}, joinedAttentionParts), coupleJoinedAttention, adaptJoinedAttention),
	coupled(ofMicrosoft("MultiHeadAttention", 3, op.Attributes{"num_heads": op.AnyValue, "unidirectional": op.Boolean, "scale": op.AnyValue,
		"mask_filter_value": op.AnyValue}, multiHeadParts), coupleMultiHead, adaptMultiHead),
	matMulNBits,
	coupled(ofMicrosoft("DynamicQuantizeMatMul", 3, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		q := e.Outputs("DynamicQuantizeLinear", 3, nil, n.Input(0))
		y := castTo(e, e.Op("MatMulInteger", nil, q[0], n.Input(1), q[2], n.Input(3)), onnxio.Float)
		return one(plus(e, e.Mul(y, e.Mul(q[1], n.Input(2))), n.Input(4)))
	}), coupleDynamicMatMul, nil),
	dynamicQuantizeLSTM,
	coupled(ofMicrosoft("MatMulIntegerToFloat", 4, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		in := present([]*onnxio.Value{n.Input(0), n.Input(1), n.Input(4), n.Input(5)})
		y := castTo(e, e.Op("MatMulInteger", nil, in...), onnxio.Float)
		return one(plus(e, e.Mul(y, e.Mul(n.Input(2), n.Input(3))), n.Input(6)))
	}), coupleMatMulIntegerToFloat, nil),
	quantisedPair("QLinearAdd", "Add"), quantisedPair("QLinearMul", "Mul"),
	coupled(quantisedOne("QLinearSigmoid", nil, func(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value {
		return e.Op("Sigmoid", nil, x)
	}), coupleQuantisedOne(coupleElementwise), nil),
	coupled(quantisedOne("QLinearLeakyRelu", op.Attributes{"alpha": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value {
		return e.Op("LeakyRelu", onnxio.Attrs{"alpha": n.Attrs.Float("alpha", 0.01)}, x)
	}), coupleQuantisedOne(coupleElementwise), nil),
	coupled(quantisedOne("QLinearSoftmax", op.Attributes{"axis": op.AnyValue, "opset": op.AnyValue}, quantisedSoftmax), coupleQLinearSoftmax, nil),
	coupled(quantisedOne("QLinearGlobalAveragePool", op.Attributes{"channels_last": op.OneOf(0)},
		func(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value {
			return e.Op("GlobalAveragePool", nil, x)
		}), coupleQuantisedOne(coupleImage), nil),
	coupled(quantisedOne("QLinearAveragePool", windowed.With(op.Attributes{"ceil_mode": op.Boolean, "count_include_pad": op.Boolean,
		"channels_last": op.OneOf(0)}),
		func(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value {
			a := onnxio.Attrs{}
			for k, v := range n.Attrs {
				if k != "channels_last" {
					a[k] = v
				}
			}
			return e.Op("AveragePool", a, x)
		}), coupleQuantisedOne(coupleImage), nil),
	coupled(ofImages(ofMicrosoft("QLinearConcat", 5, op.Attributes{"axis": op.AnyValue}, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		var in []*onnxio.Value
		for i := 2; i+2 < len(n.Inputs); i += 3 {
			in = append(in, dequantised(e, n, i))
		}
		if len(in) == 0 {
			return refuseParts(e, n, "it has nothing to join")
		}
		return one(quantisedBy(e, e.Op("Concat", onnxio.Attrs{"axis": int64(n.Attrs.Int("axis", 0))}, in...), n.Input(0), n.Input(1)))
	})), coupleQLinearConcat, nil),
	coupled(ofMicrosoft("QGemm", 5, op.Attributes{"alpha": op.AnyValue, "transA": op.Boolean, "transB": op.Boolean}, qGemmParts),
		coupleQGemm, nil),
}

// plus is a + b, or a where there is no b.
func plus(e *op.Emitter, a, b *onnxio.Value) *onnxio.Value {
	if b == nil || e.Err != nil {
		return a
	}
	return e.Add(a, b)
}

// layerNormal is a LayerNormalization over the last axis.
func layerNormal(e *op.Emitter, x, scale, shift *onnxio.Value, epsilon float64) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	if e.Opset >= 17 && scale != nil {
		in := []*onnxio.Value{x, scale}
		if shift != nil {
			in = append(in, shift)
		}
		return e.Op("LayerNormalization", onnxio.Attrs{"axis": int64(-1), "epsilon": float32(epsilon)}, in...)
	}
	last := []int{len(x.Shape) - 1}
	d := e.Sub(x, meanOver(e, x, last))
	y := e.Div(d, e.Op("Sqrt", nil, e.AddC(meanOver(e, e.Mul(d, d), last), epsilon)))
	if scale != nil {
		y = e.Mul(y, scale)
	}
	return plus(e, y, shift)
}

func skipRMSParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := plus(e, plus(e, n.Input(0), n.Input(1)), n.Input(3))
	if e.Err != nil {
		return nil
	}
	return []*onnxio.Value{e.Mul(rmsNormal(e, x, len(x.Shape)-1, float64(n.Attrs.Float("epsilon", 1e-12))), n.Input(2)), nil, nil, x}
}

// turned swaps the last two axes.
func turned(e *op.Emitter, v *onnxio.Value, turn bool) *onnxio.Value {
	if !turn || e.Err != nil || len(v.Shape) < 2 {
		return v
	}
	perm := lastAxes(0, len(v.Shape))
	k := len(perm)
	perm[k-1], perm[k-2] = perm[k-2], perm[k-1]
	return e.Transpose(v, perm...)
}

func fusedMatMulParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	y := e.Op("MatMul", nil, turned(e, n.Input(0), n.Attrs.Int("transA", 0) == 1), turned(e, n.Input(1), n.Attrs.Int("transB", 0) == 1))
	if a := n.Attrs.Float("alpha", 1); a != 1 {
		y = e.MulC(y, float64(a))
	}
	return one(y)
}

func fusedGemmParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	a := onnxio.Attrs{}
	for _, k := range []string{"alpha", "beta", "transA", "transB"} {
		if v, ok := n.Attrs[k]; ok {
			a[k] = v
		}
	}
	var params []float32
	for _, k := range []string{"activation_alpha", "activation_beta", "activation_gamma"} {
		if n.Attrs.Has(k) {
			params = append(params, n.Attrs.Float(k, 0))
		}
	}
	return one(activated(e, n, e.Op("Gemm", a, present(n.Inputs)...), params))
}

// present leaves out inputs at the end that are not there.
func present(in []*onnxio.Value) []*onnxio.Value {
	for len(in) > 0 && in[len(in)-1] == nil {
		in = in[:len(in)-1]
	}
	return in
}

func fusedConvParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	a := onnxio.Attrs{}
	for k, v := range n.Attrs {
		if k != "activation" && k != "activation_params" {
			a[k] = v
		}
	}
	params, _ := n.Attrs["activation_params"].([]float32)
	y := e.Op("Conv", a, present(n.Inputs[:min(3, len(n.Inputs))])...)
	return one(activated(e, n, plus(e, y, n.Input(3)), params))
}

// activated applies the activation that a node names, with its parameters in the order of the operator's.
func activated(e *op.Emitter, n *onnxio.Node, x *onnxio.Value, params []float32) *onnxio.Value {
	at := func(i int, def float32) float32 {
		if i < len(params) {
			return params[i]
		}
		return def
	}
	switch name := n.Attrs.String("activation", ""); name {
	case "":
		return x
	case "Relu", "Tanh", "Sigmoid", "HardSwish", "Softplus", "Softsign":
		return e.Op(name, nil, x)
	case "LeakyRelu":
		return e.Op(name, onnxio.Attrs{"alpha": at(0, 0.01)}, x)
	case "Elu":
		return e.Op(name, onnxio.Attrs{"alpha": at(0, 1)}, x)
	case "HardSigmoid":
		return e.Op(name, onnxio.Attrs{"alpha": at(0, 0.2), "beta": at(1, 0.5)}, x)
	case "Clip":
		lo, hi := at(0, -math.MaxFloat32), at(1, math.MaxFloat32)
		if e.Opset < 11 {
			return e.Op(name, onnxio.Attrs{"min": lo, "max": hi}, x)
		}
		return e.Op(name, nil, x, e.Scalar(x, float64(lo)), e.Scalar(x, float64(hi)))
	default:
		e.Fail(op.Refuse(n, "activation %q", name))
		return x
	}
}

func embedParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	ids, words, places := n.Input(0), n.Input(2), n.Input(3)
	if ids == nil || words == nil || places == nil || len(ids.Shape) != 2 {
		return refuseParts(e, n, "an input is missing")
	}
	x := e.Op("Gather", nil, words, ids)
	if at := n.Input(8); at != nil {
		x = e.Add(x, e.Op("Gather", nil, places, at))
	} else {
		x = e.Add(x, e.Slice(places, 0, 0, ids.Shape[1]))
	}
	if seg := n.Input(1); seg != nil && n.Input(4) != nil {
		x = e.Add(x, e.Op("Gather", nil, n.Input(4), seg))
	}
	return []*onnxio.Value{layerNormal(e, x, n.Input(5), n.Input(6), float64(n.Attrs.Float("epsilon", 1e-12))), nil, x}
}

// joinedAttentionParts has one matrix for queries, keys and values.
func joinedAttentionParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, w := n.Input(0), n.Input(1)
	heads := n.Attrs.Int("num_heads", 0)
	if x == nil || w == nil || len(x.Shape) != 3 || len(w.Shape) != 2 || w.Shape[1]%3 != 0 || heads < 1 || n.Input(4) != nil ||
		n.Input(5) != nil || n.Input(6) != nil {
		return refuseParts(e, n, "caches, biases of scores, or sizes that are not alike")
	}
	all := plus(e, e.Op("MatMul", nil, x, w), n.Input(2))
	size := w.Shape[1] / 3
	return attentionOf(e, n, e.Slice(all, 2, 0, size), e.Slice(all, 2, size, 2*size), e.Slice(all, 2, 2*size, 3*size), n.Input(3), heads)
}

func multiHeadParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	q, k, v := n.Input(0), n.Input(1), n.Input(2)
	heads := n.Attrs.Int("num_heads", 0)
	if q == nil || k == nil || v == nil || len(q.Shape) != 3 || len(k.Shape) != 3 || len(v.Shape) != 3 || heads < 1 || n.Input(6) != nil ||
		n.Input(7) != nil {
		return refuseParts(e, n, "packed or cached keys and values")
	}
	if b := n.Input(3); b != nil {
		d, dv := q.Shape[2], v.Shape[2]
		q, k, v = e.Add(q, e.Slice(b, 0, 0, d)), e.Add(k, e.Slice(b, 0, d, 2*d)), e.Add(v, e.Slice(b, 0, 2*d, 2*d+dv))
	}
	if n.Input(5) != nil && n.Input(4) != nil {
		return refuseParts(e, n, "a mask and a bias of scores together")
	}
	return attentionOf(e, n, q, k, v, cmpNil(n.Input(5), n.Input(4)), heads)
}

// cmpNil is the first that is there.
func cmpNil(a, b *onnxio.Value) *onnxio.Value {
	if a != nil {
		return a
	}
	return b
}

// attentionOf has a mask of whole numbers, [batch, keys], 0 for those that do not count, or real numbers that are added to the scores.
func attentionOf(e *op.Emitter, n *onnxio.Node, q, k, v, mask *onnxio.Value, heads int) []*onnxio.Value {
	s := &scores{e: e, q: headed(e, q, heads), k: headed(e, k, heads), scale: float64(n.Attrs.Float("scale", 0)),
		causal: n.Attrs.Int("unidirectional", 0) == 1, left: -1, right: -1}
	if mask != nil && e.Err == nil {
		switch {
		case mask.DType.IsFloat():
			s.mask = mask
		case len(mask.Shape) == 2 && mask.Shape[0] == q.Shape[0] && mask.Shape[1] == k.Shape[1]:
			// What does not count is less by a number that is not infinite.
			off := e.Sub(castTo(e, mask, onnxio.Float), e.Scalar(q, 1))
			s.mask = e.Reshape(e.MulC(off, -float64(n.Attrs.Float("mask_filter_value", -10000))), mask.Shape[0], 1, 1, mask.Shape[1])
		default:
			return refuseParts(e, n, fmt.Sprintf("a mask of shape %v", mask.Shape))
		}
	}
	v = headed(e, v, heads)
	if e.Err != nil {
		return nil
	}
	y, _ := s.attend(v)
	if e.Err != nil {
		return nil
	}
	y = e.Transpose(y, 0, 2, 1, 3)
	return one(e.Reshape(y, y.Shape[0], y.Shape[1], y.Shape[2]*y.Shape[3]))
}

// dequantised are the real numbers of the input at i, whose scale and zero point follow it.
func dequantised(e *op.Emitter, n *onnxio.Node, i int) *onnxio.Value {
	return e.Op("DequantizeLinear", nil, present([]*onnxio.Value{n.Input(i), n.Input(i + 1), n.Input(i + 2)})...)
}

func quantisedBy(e *op.Emitter, x, scale, zero *onnxio.Value) *onnxio.Value {
	return e.Op("QuantizeLinear", nil, present([]*onnxio.Value{x, scale, zero})...)
}

func quantisedPair(name, of string) op.Def {
	return coupled(ofImages(ofMicrosoft(name, 7, nil, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(quantisedBy(e, e.Op(of, nil, dequantised(e, n, 0), dequantised(e, n, 3)), n.Input(6), n.Input(7)))
	})), coupleQuantisedPair, nil)
}

func quantisedOne(name string, attrs op.Attributes, f func(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value) op.Def {
	return ofImages(ofMicrosoft(name, 4, attrs, func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(quantisedBy(e, f(e, n, dequantised(e, n, 0)), n.Input(3), n.Input(4)))
	}))
}

// quantisedSoftmax is along an axis, or, of opsets before 13, over all axes from one on.
func quantisedSoftmax(e *op.Emitter, n *onnxio.Node, x *onnxio.Value) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
	if err != nil {
		e.Fail(err)
		return x
	}
	if n.Attrs.Int("opset", 0) >= 13 {
		perm := lastAxes(0, len(x.Shape))
		perm[axis], perm[len(perm)-1] = perm[len(perm)-1], perm[axis]
		return e.Transpose(softmaxLast(e, e.Transpose(x, perm...)), perm...)
	}
	return e.Reshape(softmaxLast(e, e.Reshape(x, product(x.Shape[:axis]), product(x.Shape[axis:]))), x.Shape...)
}

// qGemmParts is alpha * scale of a * scale of b * (A*B + C) over whole numbers, which onnxruntime wraps around in int32 where they are beyond
// it. Scales are factors of what varies, one by one: neither weights nor biases times their scales are numbers that float32 holds, as which
// constants are folded.
func qGemmParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	attrs := onnxio.Attrs{"transA": int64(n.Attrs.Int("transA", 0)), "transB": int64(n.Attrs.Int("transB", 0))}
	columns := int64(1)
	if n.Attrs.Int("transB", 0) == 1 {
		columns = 0
	}
	var y *onnxio.Value
	if qGemmFits(n) {
		y = e.Op("Gemm", attrs, wholeNumbers(e, n, 0, 1), wholeNumbers(e, n, 3, columns))
		if c := n.Input(6); c != nil {
			for _, part := range halves(e, c, n.Input(1).DType) {
				y = e.Add(y, part)
			}
		}
	} else { // by what is known before the input is
		sum := e.Op("MatMulInteger", nil, present([]*onnxio.Value{turned(e, n.Input(0), attrs.Int("transA", 0) == 1),
			turned(e, n.Input(3), attrs.Int("transB", 0) == 1), n.Input(2), n.Input(5)})...)
		y = castTo(e, plus(e, sum, n.Input(6)), n.Input(1).DType)
	}
	y = e.Mul(e.Mul(y, n.Input(1)), n.Input(4))
	if a := n.Attrs.Float("alpha", 1); a != 1 {
		y = e.MulC(y, float64(a))
	}
	if n.Input(7) == nil {
		return one(y)
	}
	return one(quantisedBy(e, y, n.Input(7), n.Input(8)))
}

// qGemmFits tells that no sum of a node leaves int32, whatever its first input is.
func qGemmFits(n *onnxio.Node) bool {
	b, c := n.Input(3), n.Input(6)
	if len(b.Shape) != 2 {
		return true // which is refused
	}
	depth := b.Shape[n.Attrs.Int("transB", 0)&1]
	most := 255.0
	if b.Const != nil && n.Input(5) != nil && n.Input(5).Const != nil {
		most = mostOf(b.Const) + mostOf(n.Input(5).Const)
	}
	sum := 255 * most * float64(depth)
	switch {
	case c != nil && c.Const == nil:
		return false
	case c != nil:
		sum += mostOf(c.Const)
	}
	return sum <= math.MaxInt32
}

// mostOf is the largest magnitude in a tensor.
func mostOf(t *onnxio.Tensor) float64 {
	m := 0.0
	for i := range t.Len() {
		m = max(m, math.Abs(numberAt(t, i)))
	}
	return m
}

// wholeNumbers are those of the input at i less its zero point, which is one for all or one for each index of an axis.
func wholeNumbers(e *op.Emitter, n *onnxio.Node, i int, axis int64) *onnxio.Value {
	scale, zero := n.Input(i+1), n.Input(i+2)
	var shape []int
	attrs := onnxio.Attrs{}
	if zero != nil && product(zero.Shape) > 1 {
		shape = zero.Shape
		attrs["axis"] = axis
	} else if zero != nil {
		zero = e.Reshape(zero)
	}
	return e.Op("DequantizeLinear", attrs, present([]*onnxio.Value{n.Input(i), e.Filled(scale, 1, shape...), zero})...)
}

// halves are numbers of type d that add up to whole numbers of 32 bits: float32 holds those that are constant exactly, in two parts.
func halves(e *op.Emitter, c *onnxio.Value, d onnxio.DType) []*onnxio.Value {
	if c.Const == nil || e.Err != nil {
		return one(castTo(e, c, d))
	}
	low, high := onnxio.NewTensor(onnxio.Int32, c.Shape...), onnxio.NewTensor(onnxio.Int32, c.Shape...)
	all, ok := c.Const.Data.([]int32)
	if !ok {
		return one(castTo(e, c, d))
	}
	large := false
	for i, v := range all {
		low.Data.([]int32)[i], high.Data.([]int32)[i] = v&0xfff, v&^0xfff
		large = large || v > 1<<24 || v < -1<<24
	}
	if !large {
		return one(castTo(e, c, d))
	}
	return []*onnxio.Value{castTo(e, e.Const(high), d), castTo(e, e.Const(low), d)}
}
