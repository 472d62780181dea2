package verify

import (
	"github.com/shallow-waters/shoal/onnxio"
)

// layer draws one operator with what it needs before it. x has a batch of 1 and one to three more axes. since is the lowest opset at which
// the layer can be written.
type layer struct {
	name  string
	since int
	make  func(m *mixer, x *onnxio.Value) *onnxio.Value
}

// plainly lists operators of one input and no attributes that take any number.
func plainly(since int, names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, since, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add(name, nil, x) }})
	}
	return out
}

// tamely lists operators of one input that grow fast, or are defined on [-1, 1].
func tamely(since int, names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, since, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add(name, nil, m.add("Mul", nil, m.tame(x), m.scalar(0.9)))
		}})
	}
	return out
}

// onPositive lists operators of one input that want it above 0.
func onPositive(names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, 7, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add(name, nil, m.positive(x)) }})
	}
	return out
}

// reductions take one or two axes, kept or not.
func reductions(names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, 8, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			since := 18
			switch name {
			case "ReduceSum":
				since = 13
			case "ReduceLogSum":
				x = m.positive(x)
			case "ReduceProd":
				x = m.tame(x)
			}
			attrs := onnxio.Attrs{"keepdims": int64(1)}
			if len(x.Shape) == 4 && m.coin() {
				attrs["keepdims"] = int64(0)
				return m.over(name, since, x, attrs, 2, -1)
			}
			return m.over(name, since, x, attrs, m.pick(x))
		}})
	}
	return out
}

// pairs take two variables of a shape, or a variable and a constant on either side.
func pairs(since int, names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, since, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			y := m.other(x)
			switch m.rng.IntN(5) {
			case 0:
				y = m.floats(1, x.Shape[len(x.Shape)-1])
			case 1:
				x, y = y, x
			case 2:
				y = m.over("ReduceMean", 18, y, nil, -1)
			}
			if name == "Div" {
				if y.Const != nil {
					x, y = y, x
				}
				y = m.positive(y)
			}
			if m.coin() && (name == "Max" || name == "Min" || name == "Mean" || name == "Sum") {
				return m.add(name, nil, x, y, m.floats(1, 1))
			}
			return m.add(name, nil, x, y)
		}})
	}
	return out
}

// truths combine two comparisons.
func truths(names ...string) []layer {
	var out []layer
	for _, name := range names {
		out = append(out, layer{name, 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add(name, nil, m.add("Greater", nil, x, m.floats(0.5, 1)), m.add("Less", nil, x, m.other(x)))
		}})
	}
	return out
}

// withAlpha lists activations with the attribute alpha between lo and hi.
func withAlpha(name string, since int, lo, hi float64) layer {
	return layer{name, since, func(m *mixer, x *onnxio.Value) *onnxio.Value {
		return m.add(name, onnxio.Attrs{"alpha": m.number(lo, hi)}, x)
	}}
}

func layers() []layer { return append(wholeLayers(), partLayers()...) }

// wholeLayers are those of operators that are not written in others: what the reference of high precision has.
func wholeLayers() []layer {
	var all []layer
	all = append(all, plainly(9, "Abs", "Asinh", "Atan", "Ceil", "Cos", "Erf", "Floor", "HardSigmoid", "Identity", "IsNaN", "Neg", "Relu",
		"Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign", "Tanh")...)
	all = append(all, plainly(10, "IsInf")...)
	all = append(all, plainly(11, "Round")...)
	all = append(all, plainly(14, "HardSwish")...)
	all = append(all, plainly(18, "Mish")...)
	all = append(all, tamely(9, "Acos", "Asin", "Atanh", "Cosh", "Sinh", "Tan", "Exp")...)
	all = append(all, onPositive("Log", "Reciprocal", "Sqrt")...)
	all = append(all, reductions("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
		"ReduceProd", "ReduceSum", "ReduceSumSquare")...)
	all = append(all, pairs(9, "Add", "Sub", "Mul", "Div", "Max", "Min", "Mean", "Sum", "Greater", "Less")...)
	all = append(all, pairs(11, "Equal")...)
	all = append(all, pairs(12, "GreaterOrEqual", "LessOrEqual")...)
	all = append(all, truths("And", "Or", "Xor")...)
	all = append(all, withAlpha("Celu", 12, 0.3, 2), withAlpha("Elu", 7, -0.5, 2), withAlpha("LeakyRelu", 7, -0.5, 1.5),
		withAlpha("Swish", 24, -1.5, 1.5), withAlpha("ThresholdedRelu", 10, -0.5, 0.5))
	all = append(all, movingLayers()...)
	all = append(all, denseLayers()...)
	all = append(all, quantizedLayers()...)
	return append(all, []layer{
		{"Acosh", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Acosh", nil, m.add("Add", nil, m.positive(x), m.scalar(1)))
		}},
		{"Gelu", 20, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Gelu", onnxio.Attrs{"approximate": []string{"none", "tanh"}[m.rng.IntN(2)]}, x)
		}},
		{"Shrink", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Shrink", onnxio.Attrs{"lambd": m.number(0, 0.8), "bias": m.number(-0.5, 0.5)}, x)
		}},
		{"Clip", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			lo := m.number(-1, 0)
			return m.add("Clip", nil, x, m.constant(&onnxio.Tensor{DType: onnxio.Float, Shape: []int{}, Data: []float32{lo}}),
				m.constant(&onnxio.Tensor{DType: onnxio.Float, Shape: []int{}, Data: []float32{lo + m.number(0, 1.5)}}))
		}},
		{"PRelu", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.rng.IntN(3) == 0 {
				return m.add("PRelu", nil, x, m.other(x))
			}
			return m.add("PRelu", nil, x, m.floats(1, x.Shape[len(x.Shape)-1]))
		}},
		{"Pow", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			if m.coin() {
				return m.add("Pow", nil, m.positive(x), m.scalar(m.number(-2, 3)))
			}
			return m.add("Pow", nil, x, m.scalar(float32(m.rng.IntN(3)+1)))
		}},
		{"Mod", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			y := m.floats(1, x.Shape[len(x.Shape)-1])
			return m.add("Mod", onnxio.Attrs{"fmod": int64(1)}, x, y)
		}},
		{"Not", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Not", nil, m.add("Greater", nil, x, m.other(x)))
		}},
		{"Where", 16, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			cond := m.add([]string{"Greater", "LessOrEqual"}[m.rng.IntN(2)], nil, x, m.floats(0.5, 1))
			y := m.other(x)
			if m.rng.IntN(3) == 0 {
				y = m.floats(1, x.Shape[len(x.Shape)-1])
			}
			if m.coin() {
				x, y = y, x
			}
			return m.add("Where", nil, cond, x, y)
		}},
		{"LayerNormalization", 17, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			s := x.Shape[len(x.Shape)-1]
			in := []*onnxio.Value{x, m.floats(1, s)}
			if m.coin() {
				in = append(in, m.floats(0.3, s))
			}
			return m.add("LayerNormalization", onnxio.Attrs{"epsilon": m.number(0.001, 0.1), "axis": int64(-1)}, in...)
		}},
		{"InstanceNormalization", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			return m.add("InstanceNormalization", onnxio.Attrs{"epsilon": m.number(0.001, 0.1)}, x, m.floats(1, x.Shape[1]), m.floats(0.3, x.Shape[1]))
		}},
		{"GroupNormalization", 18, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			c := x.Shape[1]
			groups := 1
			if c%2 == 0 && m.coin() {
				groups = 2
			}
			s := c
			if m.opset < 21 {
				s = groups
			}
			return m.add("GroupNormalization", onnxio.Attrs{"epsilon": m.number(0.001, 0.1), "num_groups": int64(groups)}, x, m.floats(1, s), m.floats(0.3, s))
		}},
		{"MeanVarianceNormalization", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.image(x)
			// Places far apart, so that no variance reaches 0; at times without.
			if m.rng.IntN(4) > 0 {
				x = m.add("Add", nil, x, m.floats(6, x.Shape...))
			}
			axes := []int64{0, 2, 3}
			if m.coin() {
				axes = []int64{1}
			}
			return m.add("MeanVarianceNormalization", onnxio.Attrs{"axes": axes}, x)
		}},
		{"Softmax", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Softmax", onnxio.Attrs{"axis": m.from11(x)}, x)
		}},
		{"LogSoftmax", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("LogSoftmax", onnxio.Attrs{"axis": m.from11(x)}, x)
		}},
		{"Hardmax", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("Hardmax", onnxio.Attrs{"axis": m.from11(x)}, x)
		}},
		{"LRN", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("LRN", onnxio.Attrs{"size": int64(1 + m.rng.IntN(4)), "alpha": m.number(0.01, 1), "beta": m.number(0.3, 1.2),
				"bias": m.number(0.5, 2)}, m.image(x))
		}},
		{"TopK", 10, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			a := m.from11(x)
			attrs := onnxio.Attrs{"axis": a}
			if m.opset >= 11 {
				attrs["largest"] = int64(m.rng.IntN(2))
			}
			k := m.ints(int64(1 + m.rng.IntN(at(x, a))))
			y := m.outputs("TopK", 2, attrs, x, k)
			switch m.rng.IntN(3) {
			case 0:
				return m.add("Add", nil, y[0], m.float(y[1]))
			case 1: // sorted by what is computed
				if m.opset >= 11 {
					return m.add("GatherElements", onnxio.Attrs{"axis": a}, m.add("Neg", nil, x), y[1])
				}
			}
			return y[0]
		}},
		{"ArgMax", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("ArgMax", onnxio.Attrs{"axis": m.from11(x), "keepdims": int64(1)}, x)
		}},
		{"ArgMin", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("ArgMin", onnxio.Attrs{"axis": m.from11(x), "keepdims": int64(1)}, x)
		}},
		{"OneHot", 11, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			return m.add("OneHot", nil, m.add("ArgMax", onnxio.Attrs{"axis": int64(1), "keepdims": int64(0)}, m.gemm(x, 4)), m.ints(4), m.floats(1, 2))
		}},
		{"Cast", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			to := []onnxio.DType{onnxio.Int32, onnxio.Int64, onnxio.Bool}[m.rng.IntN(3)]
			return m.add("Cast", onnxio.Attrs{"to": int64(to)}, x)
		}},
		{"EyeLike", 9, func(m *mixer, x *onnxio.Value) *onnxio.Value {
			x = m.flat(x)
			return m.add("Add", nil, m.add("EyeLike", nil, x), x)
		}},
		{"CastLike", 15, func(m *mixer, x *onnxio.Value) *onnxio.Value { return m.add("CastLike", nil, x, m.ints(1)) }},
	}...)
}
