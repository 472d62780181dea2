package verify

import (
	"github.com/shallow-waters/shoal/onnxio"
)

// denseLayers draws sums of products, of weights and of two variables, and windows.
func denseLayers() []layer {
	return []layer{
		{"Conv", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			return m.add("Conv", onnxio.Attrs{"kernel_shape": []int64{2, 1}, "group": int64(x.Shape[1])}, x, m.floats(0.8, x.Shape[1], 1, 2, 1))
		}},
		{"ConvTranspose", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			return m.add("ConvTranspose", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 1}}, x,
				m.floats(0.5, x.Shape[1], 2, 2, 2), m.floats(0.3, 2))
		}},
		{"BatchNormalization", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			c := x.Shape[1]
			variance := m.floats(1, c)
			for i, v := range variance.Const.F32() {
				variance.Const.F32()[i] = v*v + 0.5
			}
			return m.add("BatchNormalization", nil, x, m.floats(1, c), m.floats(0.3, c), m.floats(0.3, c), variance)
		}},
		{"Gemm", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.coin() {
				return m.gemm(x, 4)
			}
			a, b := m.add("Reshape", nil, m.gemm(x, 6), m.ints(2, 3)), m.add("Reshape", nil, m.gemm(x, 6), m.ints(2, 3))
			y := m.add("Gemm", onnxio.Attrs{"transB": int64(1), "alpha": m.number(-1, 1), "beta": m.number(0, 1)}, a, b, m.floats(1, 2))
			return m.flat(y)
		}},
		{"MatMul", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.rng.IntN(3) == 0 {
				return m.add("MatMul", nil, x, m.floats(0.6, x.Shape[len(x.Shape)-1], 3))
			}
			a, b := m.add("Reshape", nil, m.gemm(x, 6), m.ints(1, 2, 3)), m.add("Reshape", nil, m.gemm(x, 6), m.ints(1, 3, 2))
			if m.coin() {
				a = m.add("Softmax", onnxio.Attrs{"axis": int64(2)}, a)
			}
			return m.add("MatMul", nil, a, b)
		}},
		{"Einsum", 12, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a := m.add("Reshape", nil, m.gemm(x, 6), m.ints(1, 2, 3))
			b := m.add("Reshape", nil, m.gemm(x, 6), m.ints(1, 2, 3))
			switch m.rng.IntN(4) {
			case 0:
				return m.add("Einsum", onnxio.Attrs{"equation": "bij,jk->bki"}, a, m.floats(0.6, 3, 2))
			case 1:
				return m.add("Einsum", onnxio.Attrs{"equation": "bij,bkj->bik"}, a, b)
			case 2:
				return m.add("Einsum", onnxio.Attrs{"equation": "...i,...i->...i"}, a, b)
			}
			return m.add("Einsum", onnxio.Attrs{"equation": "bij->bj"}, a)
		}},
		{"AveragePool", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("AveragePool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "pads": []int64{1, 0, 0, 1}, "count_include_pad": int64(m.rng.IntN(2))},
				m.image(x))
		}},
		{"MaxPool", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("MaxPool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "pads": []int64{1, 0, 0, 1}}, m.image(x))
		}},
		{"GlobalAveragePool", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("GlobalAveragePool", nil, m.image(x)) }},
		{"GlobalMaxPool", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("GlobalMaxPool", nil, m.image(x)) }},
	}
}

// quantizedLayers draws 8-bit arithmetic.
func quantizedLayers() []layer {
	quantize := func(m *mixer, x *onnxio.Value) (q, scale, zero *onnxio.Value) {
		scale = m.constant(&onnxio.Tensor{DType: onnxio.Float, Shape: []int{}, Data: []float32{m.number(0.02, 0.3)}})
		zero = m.constant(&onnxio.Tensor{DType: onnxio.Int8, Shape: []int{}, Data: []int8{int8(m.rng.IntN(11) - 5)}})
		return m.add("QuantizeLinear", nil, x, scale, zero), scale, zero
	}
	return []layer{
		{"QuantizeLinear", 13, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			q, scale, zero := quantize(m, x)
			return m.add("DequantizeLinear", nil, q, scale, zero)
		}},
		{"DynamicQuantizeLinear", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			y := m.outputs("DynamicQuantizeLinear", 3, nil, x)
			return m.add("DequantizeLinear", nil, y...)
		}},
		{"MatMulInteger", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			q, _, zero := quantize(m, x)
			y := m.float(m.add("MatMulInteger", nil, q, m.int8s(x.Shape[len(x.Shape)-1], 2), zero))
			return m.add("Mul", nil, y, m.scalar(0.02))
		}},
		{"ConvInteger", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			q, _, zero := quantize(m, x)
			y := m.float(m.add("ConvInteger", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, q, m.int8s(2, x.Shape[1], 2, 2), zero))
			return m.add("Mul", nil, y, m.scalar(0.02))
		}},
		{"QLinearMatMul", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			q, scale, zero := quantize(m, x)
			y := m.add("QLinearMatMul", nil, q, scale, zero, m.int8s(x.Shape[len(x.Shape)-1], 2), scale, zero, scale, zero)
			return m.add("DequantizeLinear", nil, y, scale, zero)
		}},
		{"QLinearConv", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			q, scale, zero := quantize(m, x)
			y := m.add("QLinearConv", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, q, scale, zero, m.int8s(2, x.Shape[1], 2, 2), scale, zero, scale, zero)
			return m.add("DequantizeLinear", nil, y, scale, zero)
		}},
	}
}
