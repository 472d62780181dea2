package verify

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// own appends a node of another domain, whose operators are versions 1 and later of its own.
func (m *mixer) own(domain, name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return m.ofDomain(domain, name, 1, attrs, in...)[0]
}

func (m *mixer) ms(name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return m.own("com.microsoft", name, attrs, in...)
}

func (m *mixer) ml(name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return m.own("ai.onnx.ml", name, attrs, in...)
}

// shaped is a dense layer whose neurons lie in a shape.
func (m *mixer) shaped(x *onnxio.Value, shape ...int) *onnxio.Value {
	if m.bare {
		return m.input(shape...)
	}
	to := make([]int64, len(shape))
	for i, s := range shape {
		to[i] = int64(s)
	}
	return m.add("Reshape", nil, m.gemm(x, onnxio.NumElements(shape)), m.ints(to...))
}

// quantised is x in 8 bits, with the scale and zero point of it.
func (m *mixer) quantised(x *onnxio.Value) (q, scale, zero *onnxio.Value) {
	scale, zero = m.grid()
	return m.add("QuantizeLinear", nil, m.tame(x), scale, zero), scale, zero
}

func (m *mixer) grid() (scale, zero *onnxio.Value) {
	return m.scalar(m.number(0.01, 0.1)), m.constant(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{}, Data: []uint8{uint8(100 + m.rng.IntN(50))}})
}

// real turns a quantised value back.
func (m *mixer) real(q, scale, zero *onnxio.Value) *onnxio.Value {
	return m.add("DequantizeLinear", nil, q, scale, zero)
}

func (m *mixer) bit() int64 { return int64(m.rng.IntN(2)) }

// wholes are constants of whole numbers below n.
func (m *mixer) wholes(n, count int) *onnxio.Value {
	v := make([]int64, count)
	for i := range v {
		v[i] = int64(m.rng.IntN(n))
	}
	return m.ints(v...)
}

// partLayers are operators that are written in others.
func partLayers() []layer {
	all := append(standardParts(), volumeParts()...)
	return append(append(all, microsoftParts()...), learnerParts()...)
}

// cell draws a recurrent operator of so many gates, which engines run whole.
func cell(name string, gates int, more func(m *mixer, n onnxio.Attrs)) layer {
	return layer{name, 14, func(m *mixer, x *onnxio.Value) *onnxio.Value {
		const hidden = 2
		direction, dirs := []string{"forward", "reverse", "bidirectional"}[m.rng.IntN(3)], 1
		if direction == "bidirectional" {
			dirs = 2
		}
		a := onnxio.Attrs{"direction": direction, "hidden_size": int64(hidden)}
		more(m, a)
		in := []*onnxio.Value{m.shaped(x, 3, 1, 2), m.floats(0.7, dirs, gates*hidden, 2), m.floats(0.7, dirs, gates*hidden, hidden),
			m.floats(0.3, dirs, 2*gates*hidden)}
		if m.coin() {
			in = append(in, nil, m.shaped(x, dirs, 1, hidden))
		}
		return m.add(name, a, in...)
	}}
}

func standardParts() []layer {
	return []layer{
		cell("LSTM", 4, func(*mixer, onnxio.Attrs) {}), cell("RNN", 1, func(m *mixer, a onnxio.Attrs) {
			if a["direction"] != "bidirectional" {
				a["activations"] = []string{[]string{"Relu", "Tanh", "Softsign"}[m.rng.IntN(3)]}
			}
		}),
		cell("GRU", 3, func(m *mixer, a onnxio.Attrs) { a["linear_before_reset"] = m.bit() }),
		{"RMSNormalization", 23, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			axis := 1 + m.rng.IntN(len(x.Shape)-1)
			return m.add("RMSNormalization", onnxio.Attrs{"axis": int64(axis), "epsilon": m.number(0.01, 0.5)}, x, m.floats(1, x.Shape[axis:]...))
		}},
		{"LpNormalization", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.rng.IntN(3) > 0 {
				x = m.positive(x)
			}
			return m.add("LpNormalization", onnxio.Attrs{"axis": m.pick(x), "p": 1 + m.bit()}, x)
		}},
		{"LpPool", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("LpPool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "p": []int64{1, 2, 4}[m.rng.IntN(3)],
				"pads": []int64{0, m.bit(), m.bit(), 0}}, m.image(x))
		}},
		{"GlobalLpPool", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("GlobalLpPool", onnxio.Attrs{"p": []int64{1, 2, 4}[m.rng.IntN(3)]}, m.image(x))
		}},
		{"Attention", 23, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			attrs := onnxio.Attrs{"is_causal": m.bit(), "q_num_heads": int64(2), "kv_num_heads": 1 + m.bit()}
			if m.coin() {
				attrs["softcap"] = m.number(0.5, 3)
			}
			if m.coin() {
				attrs["scale"] = m.number(0.1, 1.5)
			}
			kv := int(attrs["kv_num_heads"].(int64)) * 4
			in := []*onnxio.Value{m.shaped(x, 1, 3, 8), m.shaped(x, 1, 2, kv), m.shaped(x, 1, 2, kv)} // heads of 4, whose root float32 holds
			if m.coin() {
				in = append(in, m.floats(1, 3, 2))
			}
			return m.add("Attention", attrs, in...)
		}},
		{"RotaryEmbedding", 23, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("RotaryEmbedding", onnxio.Attrs{"num_heads": int64(2), "interleaved": m.bit()}, m.shaped(x, 1, 3, 8), m.floats(1, 1, 3, 2),
				m.floats(1, 1, 3, 2))
		}},
		{"Einsum of three", 12, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Einsum", onnxio.Attrs{"equation": "ab,bc,cad->ad"}, m.shaped(x, 1, 3), m.shaped(x, 3, 2), m.floats(1, 2, 1, 2))
		}},
		{"SwiGLU", 28, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("SwiGLU", onnxio.Attrs{"alpha": m.number(0.3, 2)}, x, m.other(x))
		}},
		{"TensorScatter", 24, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			mode := []string{"linear", "circular"}[m.rng.IntN(2)]
			return m.add("TensorScatter", onnxio.Attrs{"mode": mode}, m.shaped(x, 1, 4, 2), m.shaped(x, 1, 2, 2), m.ints(int64(m.rng.IntN(3))))
		}},
		{"CausalConvWithState", 27, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			in := []*onnxio.Value{m.shaped(x, 1, 2, 4), m.floats(0.7, 2, 1, 3), m.floats(0.3, 2)}
			if m.coin() {
				in = append(in, m.shaped(x, 1, 2, 2))
			}
			return m.add("CausalConvWithState", onnxio.Attrs{"activation": []string{"none", "silu", "swish"}[m.rng.IntN(3)]}, in...)
		}},
		{"LinearAttention", 27, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			rule := []string{"linear", "gated", "delta", "gated_delta"}[m.rng.IntN(4)]
			in := []*onnxio.Value{m.shaped(x, 1, 2, 8), m.shaped(x, 1, 2, 4), m.shaped(x, 1, 2, 2), nil, nil, nil}
			if rule == "gated" || rule == "gated_delta" {
				in[4] = m.add("Neg", nil, m.positive(m.shaped(x, 1, 2, 1)))
			}
			if rule == "delta" || rule == "gated_delta" {
				in[5] = m.add("Sigmoid", nil, m.shaped(x, 1, 2, 1))
			}
			for len(in) > 3 && in[len(in)-1] == nil {
				in = in[:len(in)-1]
			}
			return m.add("LinearAttention", onnxio.Attrs{"q_num_heads": int64(2), "kv_num_heads": int64(1), "update_rule": rule}, in...)
		}},
		// Of transforms of other lengths, and other roots, the bounds are about the sines and exponents that float32 holds (docs/soundness.md).
		{"DFT", 20, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			y := m.add("DFT", onnxio.Attrs{"onesided": m.bit()}, m.shaped(x, 1, []int{2, 4}[m.rng.IntN(2)], 1), nil,
				m.constant(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{1}}))
			if y.Producer.Attrs["onesided"].(int64) == 0 && m.coin() {
				y = m.add("DFT", onnxio.Attrs{"inverse": int64(1)}, y, nil, m.constant(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{1}}))
			}
			return y
		}},
		{"STFT", 17, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("STFT", onnxio.Attrs{"onesided": m.bit()}, m.shaped(x, 1, 8, 1),
				m.constant(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{2}}), m.floats(1, 4))
		}},
		{"AffineGrid", 20, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("AffineGrid", onnxio.Attrs{"align_corners": m.bit()}, m.shaped(x, 1, 2, 3), m.ints(1, 1, 2, 3))
		}},
		{"CenterCropPad", 18, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("CenterCropPad", onnxio.Attrs{"axes": []int64{2, 3}}, m.image(x), m.ints(int64(1+m.rng.IntN(4)), int64(1+m.rng.IntN(4))))
		}},
		{"Col2Im", 18, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Col2Im", onnxio.Attrs{"strides": []int64{1, 1}}, m.shaped(x, 1, 8, 4), m.ints(3, 3), m.ints(2, 2))
		}},
		{"MaxUnpool", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			at := m.ints(0, 3, 9, 14)
			at.Const.Shape, at.Shape = []int{1, 1, 2, 2}, []int{1, 1, 2, 2}
			return m.add("MaxUnpool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, m.shaped(x, 1, 1, 2, 2), at)
		}},
		{"Compress", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.flat(x)
			keep := make([]bool, x.Shape[1])
			for i := range keep {
				keep[i] = i == 0 || m.coin()
			}
			return m.add("Compress", onnxio.Attrs{"axis": int64(1)}, x, m.constant(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{len(keep)}, Data: keep}))
		}},
		{"NegativeLogLikelihoodLoss", 13, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.loss("NegativeLogLikelihoodLoss", x) }},
		{"SoftmaxCrossEntropyLoss", 13, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.loss("SoftmaxCrossEntropyLoss", x) }},
	}
}

// loss is one of three samples of four classes, at classes that are known, some of which may not count.
func (m *mixer) loss(name string, x *onnxio.Value) *onnxio.Value {
	attrs := onnxio.Attrs{"reduction": []string{"none", "sum", "mean"}[m.rng.IntN(3)]}
	if m.coin() {
		attrs["ignore_index"] = int64(m.rng.IntN(4))
	}
	in := []*onnxio.Value{m.shaped(x, 3, 4), m.ints(0, int64(1+m.rng.IntN(3)), 2)}
	if m.coin() {
		w := m.floats(1, 4)
		for i, v := range w.Const.F32() {
			w.Const.F32()[i] = float32(math.Ceil(float64(16*v*v))+4) / 16 // whose sums float32 holds: docs/soundness.md has the others
		}
		in = append(in, w)
	}
	if y := m.add(name, attrs, in...); len(y.Shape) > 0 {
		return m.add("Reshape", nil, y, m.ints(1, 3))
	} else {
		return m.add("Reshape", nil, y, m.ints(1, 1))
	}
}

// volumeParts are windows over three axes.
func volumeParts() []layer {
	pads := func(m *mixer) []int64 { return []int64{m.bit(), 0, m.bit(), 0, m.bit(), 0} }
	pool := func(name string) layer {
		return layer{name + " of volumes", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			attrs := onnxio.Attrs{"kernel_shape": []int64{2, 2, 2}, "pads": pads(m), "strides": []int64{1 + m.bit(), 1, 1}}
			if name == "AveragePool" {
				attrs["count_include_pad"] = m.bit()
			}
			return m.add(name, attrs, m.shaped(x, 1, 1, 2, 3, 2))
		}}
	}
	return []layer{
		pool("MaxPool"), pool("AveragePool"),
		{"Conv of volumes", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Conv", onnxio.Attrs{"pads": pads(m), "strides": []int64{1, 1 + m.bit(), 1}}, m.shaped(x, 1, 2, 2, 2, 2),
				m.floats(0.5, 2, 2, 2, 2, 1), m.floats(0.3, 2))
		}},
		{"ConvTranspose of volumes", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("ConvTranspose", onnxio.Attrs{"strides": []int64{1 + m.bit(), 1, 1}}, m.shaped(x, 1, 1, 2, 2, 2),
				m.floats(0.5, 1, 2, 2, 1, 2), m.floats(0.3, 2))
		}},
	}
}

// microsoftParts are onnxruntime's own operators.
func microsoftParts() []layer {
	one := func(name string, attrs func(m *mixer) onnxio.Attrs) layer {
		return layer{name, 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			var a onnxio.Attrs
			if attrs != nil {
				a = attrs(m)
			}
			return m.ms(name, a, x)
		}}
	}
	quantised := func(name string, attrs onnxio.Attrs, image bool) layer {
		return layer{name, 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if image {
				x = m.image(x)
			}
			q, s, z := m.quantised(x)
			t, y := m.grid()
			return m.real(m.ms(name, attrs, q, s, z, t, y), t, y)
		}}
	}
	pair := func(name string) layer {
		return layer{name, 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a, s, z := m.quantised(x)
			b, r, y := m.quantised(m.other(x))
			t, u := m.grid()
			if name == "QLinearConcat" {
				return m.real(m.ms(name, onnxio.Attrs{"axis": m.pick(x)}, t, u, a, s, z, b, r, y), t, u)
			}
			return m.real(m.ms(name, nil, a, s, z, b, r, y, t, u), t, u)
		}}
	}
	return []layer{
		one("Gelu", nil), one("FastGelu", nil), one("QuickGelu", func(m *mixer) onnxio.Attrs { return onnxio.Attrs{"alpha": m.number(0.5, 2)} }),
		{"BiasGelu", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("BiasGelu", nil, x, m.floats(1, x.Shape[len(x.Shape)-1]))
		}},
		{"FusedMatMul", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("FusedMatMul", onnxio.Attrs{"alpha": m.number(-2, 2), "transB": int64(1)}, m.shaped(x, 1, 2, 3), m.shaped(x, 1, 2, 3))
		}},
		{"FusedGemm", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("FusedGemm", onnxio.Attrs{"activation": "LeakyRelu", "activation_alpha": m.number(0, 1), "alpha": m.number(-2, 2),
				"beta": m.number(-1, 1)},
				m.shaped(x, 1, 3), m.floats(1, 3, 4), m.floats(1, 4))
		}},
		{"FusedConv", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			name := []string{"Relu", "Tanh", "Sigmoid", "LeakyRelu", "Clip", "HardSigmoid"}[m.rng.IntN(6)]
			attrs := onnxio.Attrs{"kernel_shape": []int64{1, 2}, "activation": name}
			switch name {
			case "Clip":
				attrs["activation_params"] = []float32{-0.3, 0.4}
			case "LeakyRelu", "HardSigmoid":
				attrs["activation_params"] = []float32{0.3, 0.4}[:map[string]int{"LeakyRelu": 1, "HardSigmoid": 2}[name]]
			}
			return m.ms("FusedConv", attrs, x, m.floats(0.7, 2, x.Shape[1], 1, 2), m.floats(0.3, 2))
		}},
		{"SkipLayerNormalization", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("SkipLayerNormalization", onnxio.Attrs{"epsilon": m.number(0.01, 0.5)}, m.shaped(x, 1, 2, 3), m.shaped(x, 1, 2, 3),
				m.floats(1, 3), m.floats(1, 3), m.floats(1, 3))
		}},
		{"SkipSimplifiedLayerNormalization", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("SkipSimplifiedLayerNormalization", onnxio.Attrs{"epsilon": m.number(0.01, 0.5)}, m.shaped(x, 1, 2, 3), m.shaped(x, 1, 2, 3),
				m.floats(1, 3))
		}},
		{"com.microsoft.Attention", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("Attention", onnxio.Attrs{"num_heads": int64(2), "unidirectional": m.bit()}, m.shaped(x, 1, 2, 8), m.floats(0.5, 8, 24),
				m.floats(0.3, 24))
		}},
		{"MultiHeadAttention", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ms("MultiHeadAttention", onnxio.Attrs{"num_heads": int64(2), "scale": m.number(0.1, 1)}, m.shaped(x, 1, 2, 4),
				m.shaped(x, 1, 3, 4), m.shaped(x, 1, 3, 4))
		}},
		{"MatMulNBits", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			w := onnxio.NewTensor(onnxio.Uint8, 3, 1, 8) // with scales whose products are no other numbers in float32, in which constants are folded
			for i := range w.Data.([]uint8) {
				w.Data.([]uint8)[i] = uint8(m.rng.IntN(256))
			}
			return m.ms("MatMulNBits", onnxio.Attrs{"K": int64(6), "N": int64(3), "bits": int64(4), "block_size": int64(16)}, m.shaped(x, 1, 6),
				m.constant(w), m.constant(onnxio.FromFloat32([]float32{0.125, 0.0625, 0.25}, 3)))
		}},
		{"DynamicQuantizeMatMul", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			w := onnxio.NewTensor(onnxio.Int8, 4, 3)
			for i := range w.Data.([]int8) {
				w.Data.([]int8)[i] = int8(m.rng.IntN(21) - 10)
			}
			return m.ms("DynamicQuantizeMatMul", nil, m.shaped(x, 1, 4), m.constant(w), m.scalar(0.05), nil, m.floats(1, 3))
		}},
		{"MatMulIntegerToFloat", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a, s, z := m.quantised(m.shaped(x, 1, 4))
			return m.ms("MatMulIntegerToFloat", nil, a, m.int8s(4, 3), s, m.constant(onnxio.FromFloat32([]float32{0.125, 0.0625, 0.25}, 3)), z,
				m.constant(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{3}, Data: []int8{0, -1, 2}}), m.floats(1, 3))
		}},
		{"DynamicQuantizeLSTM", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			in := []*onnxio.Value{m.shaped(x, 2, 1, 3), m.int8s(1, 3, 8), m.int8s(1, 2, 8), m.floats(0.5, 1, 16), nil, nil, nil, nil,
				m.constant(onnxio.FromFloat32([]float32{0.1}, 1)), nil, m.constant(onnxio.FromFloat32([]float32{0.15}, 1))}
			return m.ms("DynamicQuantizeLSTM", onnxio.Attrs{"hidden_size": int64(2)}, in...)
		}},
		pair("QLinearAdd"), pair("QLinearMul"), pair("QLinearConcat"),
		quantised("QLinearSigmoid", nil, false), quantised("QLinearLeakyRelu", onnxio.Attrs{"alpha": float32(0.2)}, false),
		quantised("QLinearSoftmax", onnxio.Attrs{"axis": int64(-1), "opset": int64(13)}, false), quantised("QLinearGlobalAveragePool", nil, true),
		quantised("QLinearAveragePool", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, true),
		{"QGemm", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a, s, z := m.quantised(m.shaped(x, 1, 4))
			w := onnxio.NewTensor(onnxio.Int8, 4, 3)
			for i := range w.Data.([]int8) {
				w.Data.([]int8)[i] = int8(m.rng.IntN(41) - 20)
			}
			zero := m.constant(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{}, Data: []int8{1}})
			scale, shape := m.scalar(m.number(0.001, 0.05)), m.rng.IntN(4)
			if shape > 0 { // a scale for each column, and a bias of any size, which with its scales is no float32
				scale = m.floats(0.05, 3)
				for i, v := range scale.Const.F32() {
					scale.Const.F32()[i] = v*v + 0.001
				}
				zero = m.constant(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{3}, Data: []int8{0, -1, 3}})
			}
			most := []int{30, 30_000, 2_000_000_000, 1 << 25}[shape]
			c := m.constant(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{3}, Data: []int32{int32(m.rng.IntN(most) - most/2), int32(m.rng.IntN(most)), 7}})
			return m.ms("QGemm", onnxio.Attrs{"alpha": m.number(-2, 2)}, a, s, z, m.constant(w), scale, zero, c)
		}},
	}
}

// machine adds two support vectors of three features, and a kernel.
func (m *mixer) machine(a onnxio.Attrs) onnxio.Attrs {
	a["kernel_type"], a["support_vectors"] = []string{"LINEAR", "POLY", "RBF", "SIGMOID"}[m.rng.IntN(4)], slices.Clone(m.weights(1, 6).Const.F32())
	a["kernel_params"] = []float32{m.number(0.1, 1), m.number(-0.5, 0.5), float32(2 + m.rng.IntN(2))}
	return a
}

// learnerParts are those of ai.onnx.ml.
func learnerParts() []layer {
	return []layer{
		{"Scaler", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ml("Scaler", onnxio.Attrs{"offset": []float32{m.number(-1, 1)}, "scale": []float32{m.number(-2, 2)}}, x)
		}},
		{"Normalizer", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.rng.IntN(3) > 0 {
				x = m.positive(x)
			}
			return m.ml("Normalizer", onnxio.Attrs{"norm": []string{"L1", "L2", "MAX"}[m.rng.IntN(3)]}, m.flat(x))
		}},
		{"Binarizer", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ml("Binarizer", onnxio.Attrs{"threshold": m.number(-0.5, 0.5)}, x)
		}},
		{"ArrayFeatureExtractor", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.flat(x)
			return m.ml("ArrayFeatureExtractor", nil, x, m.wholes(x.Shape[1], 3))
		}},
		{"LinearRegressor", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.shaped(x, 1, 3)
			return m.ml("LinearRegressor", onnxio.Attrs{"targets": int64(2), "coefficients": slices.Clone(m.weights(1, 6).Const.F32()),
				"intercepts": []float32{0.5, m.number(-1, 1)}}, x)
		}},
		{"LinearClassifier", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			out := m.ofDomain("ai.onnx.ml", "LinearClassifier", 2, onnxio.Attrs{"classlabels_ints": []int64{0, 1, 2},
				"coefficients": slices.Clone(m.weights(1, 9).Const.F32()),
				"intercepts":   []float32{0, 0.5, -0.5}, "post_transform": []string{"NONE", "SOFTMAX", "LOGISTIC"}[m.rng.IntN(3)]}, m.shaped(x, 1, 3))
			return out[1]
		}},
		{"SVMRegressor", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ml("SVMRegressor", m.machine(onnxio.Attrs{"n_supports": int64(2), "coefficients": slices.Clone(m.weights(1, 2).Const.F32()),
				"rho": []float32{m.number(-1, 1)}}), m.shaped(x, 1, 3))
		}},
		{"SVMClassifier", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a := onnxio.Attrs{"classlabels_ints": []int64{5, 6, 7}, "vectors_per_class": []int64{1, 0, 1}, "rho": []float32{0.1, m.number(-1, 1), 0},
				"coefficients": slices.Clone(m.weights(1, 4).Const.F32())}
			return m.ofDomain("ai.onnx.ml", "SVMClassifier", 2, m.machine(a), m.shaped(x, 1, 3))[1]
		}},
		{"Imputer", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			was := []float32{float32(math.NaN()), 0, float32(math.Inf(1))}[m.rng.IntN(3)]
			return m.ml("Imputer", onnxio.Attrs{"imputed_value_floats": []float32{m.number(-1, 1)}, "replaced_value_float": was}, x)
		}},
		{"OneHotEncoder", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.ml("OneHotEncoder", onnxio.Attrs{"cats_int64s": []int64{0, 1, -1}}, m.add("Floor", nil, x))
		}},
		{"TreeEnsembleRegressor", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			s := func() float32 { return m.number(-0.6, 0.6) }
			return m.ml("TreeEnsembleRegressor", onnxio.Attrs{"n_targets": int64(1), "nodes_treeids": []int64{0, 0, 0, 1, 1, 1},
				"nodes_nodeids":    []int64{0, 1, 2, 0, 1, 2},
				"nodes_featureids": []int64{0, 0, 0, int64(m.rng.IntN(4)), 0, 0},
				"nodes_modes":      []string{"BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LT", "LEAF", "LEAF"},
				"nodes_values":     []float32{s(), 0, 0, s(), 0, 0}, "nodes_truenodeids": []int64{1, 0, 0, 1, 0, 0},
				"nodes_falsenodeids": []int64{2, 0, 0, 2, 0, 0},
				"target_treeids":     []int64{0, 0, 1, 1}, "target_nodeids": []int64{1, 2, 1, 2}, "target_ids": []int64{0, 0, 0, 0},
				"target_weights": []float32{s(), s(), s(), s()}}, m.shaped(x, 1, 4))
		}},
		{"TreeEnsembleClassifier", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			s := func() float32 { return m.number(-0.6, 0.6) }
			out := m.ofDomain("ai.onnx.ml", "TreeEnsembleClassifier", 2, onnxio.Attrs{"classlabels_int64s": []int64{7, -2, 5},
				"nodes_treeids": []int64{0, 0, 0, 1, 1, 1}, "nodes_nodeids": []int64{0, 1, 2, 0, 1, 2},
				"nodes_featureids": []int64{0, 0, 0, int64(m.rng.IntN(4)), 0, 0},
				"nodes_modes":      []string{"BRANCH_GT", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"},
				"nodes_values":     []float32{s(), 0, 0, s(), 0, 0}, "nodes_truenodeids": []int64{1, 0, 0, 1, 0, 0},
				"nodes_falsenodeids": []int64{2, 0, 0, 2, 0, 0},
				"class_treeids":      []int64{0, 0, 1, 1, 1}, "class_nodeids": []int64{1, 2, 1, 2, 2}, "class_ids": []int64{0, 1, 2, 0, 1},
				"class_weights":  []float32{s(), s(), s(), s(), s()},
				"post_transform": []string{"NONE", "SOFTMAX", "LOGISTIC"}[m.rng.IntN(3)]}, m.shaped(x, 1, 4))
			return out[1]
		}},
		{"TreeEnsemble", 21, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			y := m.ofDomain("ai.onnx.ml", "TreeEnsemble", 1, onnxio.Attrs{"tree_roots": []int64{0},
				"nodes_modes":  &onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{1}, Data: []uint8{uint8(m.rng.IntN(4))}},
				"nodes_splits": onnxio.FromFloat32([]float32{m.number(-0.5, 0.5)}, 1), "nodes_featureids": []int64{1}, "nodes_truenodeids": []int64{0},
				"nodes_falsenodeids": []int64{1},
				"nodes_trueleafs":    []int64{1}, "nodes_falseleafs": []int64{1}, "leaf_targetids": []int64{0, 0},
				"leaf_weights": onnxio.FromFloat32([]float32{float32(math.Pi), m.number(-3, 3)}, 2), "n_targets": int64(1)}, m.shaped(x, 1, 4))
			return y[0]
		}},
	}
}
