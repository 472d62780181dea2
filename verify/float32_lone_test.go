package verify

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// lone is one operator, or a short chain in which errors hide, on inputs of the graph: nothing before it makes numbers mild.
type lone struct {
	name  string
	since int
	limit float64 // largest magnitude of inputs; 0 for float32's
	make  func(m *mixer) *onnxio.Value
}

// input adds an input to the graph.
func (m *mixer) input(shape ...int) *onnxio.Value {
	v := &onnxio.Value{Name: fmt.Sprintf("x%d", len(m.g.Inputs)), DType: onnxio.Float, HasShape: true, Shape: shape}
	for _, d := range shape {
		v.Dims = append(v.Dims, onnxio.Dim{Size: d})
	}
	m.g.Inputs = append(m.g.Inputs, v)
	return v
}

// list, matrix and picture are inputs of one, two and three axes behind the batch.
func (m *mixer) list() *onnxio.Value   { return m.input(1, 1+m.rng.IntN(8)) }
func (m *mixer) matrix() *onnxio.Value { return m.input(1, 1+m.rng.IntN(4), 1+m.rng.IntN(5)) }
func (m *mixer) picture() *onnxio.Value {
	return m.input(1, 1+m.rng.IntN(4), 2+m.rng.IntN(3), 2+m.rng.IntN(3))
}

// any is one of them.
func (m *mixer) any() *onnxio.Value {
	return []func() *onnxio.Value{m.list, m.matrix, m.picture}[m.rng.IntN(3)]()
}

// wild are weights of one kind: mild, of any scale, with zeros, whole, subnormal, near the end of the range.
func (m *mixer) wild(shape ...int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Float, shape...)
	mode, scale := m.rng.IntN(9), math.Exp2(-12+24*m.rng.Float64())
	for i := range t.F32() {
		w := m.rng.NormFloat64()
		switch mode {
		case 3:
			w *= scale
		case 4:
			w *= float64(m.rng.IntN(2))
		case 5:
			w = math.Round(2 * w)
		case 6:
			w = logUniform(m.rng, -12, 12)
		case 7:
			w = logUniform(m.rng, -149, -30)
		case 8:
			w = logUniform(m.rng, 30, 127)
		}
		t.F32()[i] = float32(w)
	}
	return m.constant(t)
}

// fit is a constant that broadcasts to x: of its shape, of its last axis, or one number.
func (m *mixer) fit(x *onnxio.Value) *onnxio.Value {
	switch m.rng.IntN(3) {
	case 0:
		return m.wild(x.Shape...)
	case 1:
		return m.wild(x.Shape[len(x.Shape)-1])
	}
	return m.wild(1)
}

// variance is positive, at times 0 or tiny.
func (m *mixer) variance(c int) *onnxio.Value {
	v := m.wild(c)
	mode := m.rng.IntN(4)
	for i, f := range v.Const.F32() {
		f = min(float32(math.Abs(float64(f))), 1e30)
		switch mode {
		case 0:
			f *= 1e-12
		case 1:
			f = 0
		}
		v.Const.F32()[i] = f
	}
	return v
}

func (m *mixer) epsilon() float32 { return []float32{1e-5, 1e-3, 1e-8, 1e-12, 0.1}[m.rng.IntN(5)] }

func (m *mixer) batchnorm(x *onnxio.Value) *onnxio.Value {
	c := x.Shape[1]
	return m.add("BatchNormalization", onnxio.Attrs{"epsilon": m.epsilon()}, x, m.wild(c), m.wild(c), m.wild(c), m.variance(c))
}

func (m *mixer) conv(x *onnxio.Value) *onnxio.Value {
	c, groups := x.Shape[1], 1
	if m.rng.IntN(3) == 0 {
		groups = c
	}
	axes := len(x.Shape) - 2
	out := groups * (1 + m.rng.IntN(3))
	w := []int{out, c / groups}
	var kernel, dilations, strides []int64
	pads := make([]int64, 2*axes)
	for d := range axes {
		k, dilation := 1+m.rng.IntN(x.Shape[2+d]), 1
		if m.rng.IntN(4) == 0 && 2*(k-1) < x.Shape[2+d] {
			dilation = 2
		}
		w = append(w, k)
		kernel, dilations, strides = append(kernel, int64(k)), append(dilations, int64(dilation)), append(strides, int64(1+m.rng.IntN(2)))
		pads[d], pads[axes+d] = int64(m.rng.IntN(2)), int64(m.rng.IntN(2))
	}
	in := []*onnxio.Value{x, m.wild(w...)}
	if m.coin() {
		in = append(in, m.wild(out))
	}
	return m.add("Conv", onnxio.Attrs{"kernel_shape": kernel, "group": int64(groups), "pads": pads, "strides": strides, "dilations": dilations}, in...)
}

func (m *mixer) wildGemm(x *onnxio.Value, n int) *onnxio.Value {
	return m.add("Gemm", onnxio.Attrs{"transB": int64(1)}, m.flat(x), m.wild(n, onnxio.NumElements(x.Shape)), m.wild(n))
}

func unaries(since int, limit float64, names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, since, limit, func(m *mixer) *onnxio.Value { return m.add(name, nil, m.any()) }})
	}
	return out
}

// twos are operators of two operands: two inputs, or an input and a constant on either side, with broadcasting.
func twos(since int, names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, since, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			var y *onnxio.Value
			kind := m.rng.IntN(4)
			if name == "PRelu" && kind == 1 { // the slope is never the wider one
				kind = 2
			}
			switch kind {
			case 0:
				y = m.fit(x)
			case 1:
				x, y = m.fit(x), x
			case 2:
				y = m.input(x.Shape...)
			default:
				y = m.input(1, x.Shape[len(x.Shape)-1])
			}
			var attrs onnxio.Attrs
			if name == "Mod" {
				attrs = onnxio.Attrs{"fmod": int64(1)}
			}
			return m.add(name, attrs, x, y)
		}})
	}
	return out
}

// several take one to four operands.
func several(since int, names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, since, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			in := []*onnxio.Value{x}
			for range m.rng.IntN(4) {
				if m.coin() {
					in = append(in, m.fit(x))
				} else {
					in = append(in, m.input(x.Shape...))
				}
			}
			return m.add(name, nil, in...)
		}})
	}
	return out
}

func folds(names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, 11, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			since := 18
			if name == "ReduceSum" {
				since = 13
			}
			axes := []int64{int64(1 + m.rng.IntN(len(x.Shape)-1))}
			if len(x.Shape) == 4 && m.coin() {
				axes = []int64{2, 3}
			}
			return m.over(name, since, x, onnxio.Attrs{"keepdims": int64(m.rng.IntN(2))}, axes...)
		}})
	}
	return out
}

func logical(names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, 9, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			y := m.input(x.Shape...)
			return m.add(name, nil, m.add("Greater", nil, x, y), m.add("Less", nil, x, m.fit(x)))
		}})
	}
	return out
}

// overAxis are operators along one axis.
func overAxis(names ...string) []lone {
	var out []lone
	for _, name := range names {
		out = append(out, lone{name, 9, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			attrs := onnxio.Attrs{"axis": m.from11(x)}
			if (name == "ArgMax" || name == "ArgMin") && m.opset >= 12 {
				attrs["select_last_index"] = int64(m.rng.IntN(2))
			}
			return m.add(name, attrs, x)
		}})
	}
	return out
}

func withNumbers(name string, since int, draw func(m *mixer) onnxio.Attrs) lone {
	return lone{name, since, 0, func(m *mixer) *onnxio.Value { return m.add(name, draw(m), m.any()) }}
}

// byLayer is the layer of that name of the mixed networks, on an input of the graph: operators that move elements.
func byLayer(l layer) lone {
	return lone{l.name, l.since, 0, func(m *mixer) *onnxio.Value { return m.float(l.make(m, m.any())) }}
}

func lones() []lone {
	var all []lone
	all = append(all, unaries(9, 0, "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh",
		"Erf", "Exp", "Floor", "HardSigmoid",
		"Identity", "IsNaN", "Log", "Neg", "Reciprocal", "Relu", "Selu", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh",
		"Dropout", "Flatten")...)
	all = append(all, unaries(10, 0, "IsInf")...)
	all = append(all, unaries(11, 0, "Round")...)
	all = append(all, unaries(14, 0, "HardSwish")...)
	all = append(all, unaries(18, 0, "Mish")...)
	all = append(all, twos(9, "Add", "Sub", "Mul", "Div", "Greater", "Less", "PRelu")...)
	all = append(all, twos(11, "Equal", "Mod")...)
	all = append(all, twos(12, "GreaterOrEqual", "LessOrEqual")...)
	all = append(all, several(9, "Max", "Min", "Mean", "Sum")...)
	all = append(all, folds("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
		"ReduceSumSquare")...)
	all = append(all, logical("And", "Or", "Xor")...)
	all = append(all, overAxis("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin")...)
	all = append(all, lonelyNumbers()...)
	all = append(all, lonelyNorms()...)
	all = append(all, lonelySums()...)
	all = append(all, chains()...)
	for _, l := range movingLayers() {
		all = append(all, byLayer(l))
	}
	for _, l := range quantizedLayers() {
		all = append(all, byLayer(l))
	}
	for _, l := range append(standardParts(), volumeParts()...) {
		if def, err := operators.Lookup(&onnxio.Node{Op: l.name, Opset: l.since}); err != nil || !def.Fused { // of the others nothing is said
			all = append(all, lone{l.name, l.since, 0, func(m *mixer) *onnxio.Value {
				m.bare = true
				return m.float(l.make(m, m.any()))
			}})
		}
	}
	for _, l := range layers() {
		switch l.name {
		case "TopK", "OneHot", "EyeLike", "CastLike", "Not", "Where":
			all = append(all, byLayer(l))
		}
	}
	return all
}

// lonelyNumbers have attributes or constants that are numbers.
func lonelyNumbers() []lone {
	alpha := func(lo, hi float64) func(m *mixer) onnxio.Attrs {
		return func(m *mixer) onnxio.Attrs { return onnxio.Attrs{"alpha": m.number(lo, hi)} }
	}
	return []lone{
		withNumbers("Celu", 12, alpha(0.05, 4)),
		withNumbers("Elu", 9, alpha(-1, 4)),
		withNumbers("LeakyRelu", 9, alpha(-2, 2)),
		withNumbers("ThresholdedRelu", 10, alpha(-1, 1)),
		withNumbers("Swish", 24, alpha(-2, 2)),
		withNumbers("HardSigmoid", 9, func(m *mixer) onnxio.Attrs {
			return onnxio.Attrs{"alpha": m.number(-1, 3), "beta": m.number(-1, 1)}
		}),
		withNumbers("Selu", 9, func(m *mixer) onnxio.Attrs { return onnxio.Attrs{"alpha": m.number(0, 3), "gamma": m.number(0, 3)} }),
		withNumbers("Shrink", 9, func(m *mixer) onnxio.Attrs { return onnxio.Attrs{"lambd": m.number(0, 1), "bias": m.number(-1, 1)} }),
		withNumbers("Gelu", 20, func(m *mixer) onnxio.Attrs {
			return onnxio.Attrs{"approximate": []string{"none", "tanh"}[m.rng.IntN(2)]}
		}),
		{"Clip", 11, 0, func(m *mixer) *onnxio.Value {
			lo := float32(m.rng.NormFloat64())
			bound := func(f float32) *onnxio.Value {
				return m.constant(&onnxio.Tensor{DType: onnxio.Float, Shape: []int{}, Data: []float32{f}})
			}
			return m.add("Clip", nil, m.any(), bound(lo), bound(lo+m.number(0, 3)))
		}},
		{"Pow", 9, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			return m.add("Pow", nil, x, m.scalar([]float32{0, 1, 2, 3, 4, 5, 0.5, 1.5, -0.5, -1, -2, -3, m.number(-4, 4)}[m.rng.IntN(13)]))
		}},
		{"Cast", 9, 0x1p30, func(m *mixer) *onnxio.Value {
			return m.add("Cast", onnxio.Attrs{"to": int64([]onnxio.DType{onnxio.Int32, onnxio.Int64, onnxio.Bool}[m.rng.IntN(3)])}, m.any())
		}},
	}
}

// lonelyNorms divide by what they compute from their inputs.
func lonelyNorms() []lone {
	affine := func(m *mixer, x *onnxio.Value, n int) []*onnxio.Value {
		return []*onnxio.Value{x, m.wild(n), m.wild(n)}
	}
	return []lone{
		{"BatchNormalization", 9, 0, func(m *mixer) *onnxio.Value { return m.batchnorm(m.any()) }},
		{"LayerNormalization", 17, 0, func(m *mixer) *onnxio.Value {
			x := m.any()
			return m.add("LayerNormalization", onnxio.Attrs{"epsilon": m.epsilon(), "axis": int64(-1)}, affine(m, x, x.Shape[len(x.Shape)-1])...)
		}},
		{"InstanceNormalization", 9, 0, func(m *mixer) *onnxio.Value {
			x := m.picture()
			return m.add("InstanceNormalization", onnxio.Attrs{"epsilon": m.epsilon()}, affine(m, x, x.Shape[1])...)
		}},
		{"GroupNormalization", 21, 0, func(m *mixer) *onnxio.Value {
			x := m.picture()
			groups := []int{1, x.Shape[1]}[m.rng.IntN(2)]
			return m.add("GroupNormalization", onnxio.Attrs{"epsilon": m.epsilon(), "num_groups": int64(groups)}, affine(m, x, x.Shape[1])...)
		}},
		{"MeanVarianceNormalization", 9, 0, func(m *mixer) *onnxio.Value {
			return m.add("MeanVarianceNormalization", onnxio.Attrs{"axes": [][]int64{{0, 2, 3}, {1}}[m.rng.IntN(2)]}, m.picture())
		}},
		{"LRN", 9, 0, func(m *mixer) *onnxio.Value {
			return m.add("LRN", onnxio.Attrs{"size": int64(1 + 2*m.rng.IntN(3)), "alpha": m.number(0.0001, 2), "beta": m.number(0.3, 1.2),
				"bias": m.number(0.1, 2)}, m.picture())
		}},
	}
}

// lonelySums are sums of products, and windows.
func lonelySums() []lone {
	window := func(name string, attr ...string) lone {
		return lone{name, 11, 0, func(m *mixer) *onnxio.Value {
			x := m.picture()
			attrs := onnxio.Attrs{"kernel_shape": []int64{2, 2}, "pads": []int64{int64(m.rng.IntN(2)), 0, 0, int64(m.rng.IntN(2))},
				"strides": []int64{int64(1 + m.rng.IntN(3)), 1}, "ceil_mode": int64(m.rng.IntN(2))}
			for _, a := range attr {
				attrs[a] = int64(m.rng.IntN(2))
			}
			return m.add(name, attrs, x)
		}}
	}
	return []lone{
		{"Conv", 9, 0, func(m *mixer) *onnxio.Value {
			if m.rng.IntN(4) == 0 {
				return m.conv(m.input(1, 1+m.rng.IntN(3), 2+m.rng.IntN(6)))
			}
			return m.conv(m.picture())
		}},
		{"ConvTranspose", 9, 0, func(m *mixer) *onnxio.Value {
			x := m.picture()
			groups, strides := []int{1, x.Shape[1]}[m.rng.IntN(2)], []int64{int64(1 + m.rng.IntN(3)), int64(1 + m.rng.IntN(2))}
			attrs := onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": strides, "group": int64(groups),
				"dilations": []int64{int64(1 + m.rng.IntN(2)), 1}, "pads": []int64{int64(m.rng.IntN(2)), 0, 0, int64(m.rng.IntN(2))},
				"output_padding": []int64{m.rng.Int64N(strides[0]), m.rng.Int64N(strides[1])}}
			out := 1 + m.rng.IntN(2)
			return m.add("ConvTranspose", attrs, x, m.wild(x.Shape[1], out, 2, 2), m.wild(out*groups))
		}},
		{"Gemm", 11, 0, func(m *mixer) *onnxio.Value {
			if m.coin() {
				return m.wildGemm(m.list(), 1+m.rng.IntN(4))
			}
			attrs := onnxio.Attrs{"alpha": m.number(-2, 2), "beta": m.number(-2, 2), "transB": int64(1)}
			return m.add("Gemm", attrs, m.input(2, 3), m.input(2, 3), m.wild(2))
		}},
		{"MatMul", 9, 0, func(m *mixer) *onnxio.Value {
			x := m.matrix()
			k := x.Shape[2]
			if m.coin() {
				return m.add("MatMul", nil, x, m.wild(k, 2))
			}
			return m.add("MatMul", nil, x, m.input(1, k, 2))
		}},
		{"Einsum", 12, 0, func(m *mixer) *onnxio.Value {
			switch m.rng.IntN(4) {
			case 0:
				return m.add("Einsum", onnxio.Attrs{"equation": "bij,jk->bki"}, m.input(1, 2, 3), m.wild(3, 2))
			case 1:
				return m.add("Einsum", onnxio.Attrs{"equation": "bij,bkj->bik"}, m.input(1, 2, 3), m.input(1, 2, 3))
			case 2:
				return m.add("Einsum", onnxio.Attrs{"equation": "...i,...i->...i"}, m.input(1, 2, 3), m.input(1, 2, 3))
			}
			return m.add("Einsum", onnxio.Attrs{"equation": "bij->bj"}, m.input(1, 2, 3))
		}},
		{"CumSum", 11, 0, func(m *mixer) *onnxio.Value {
			axis := m.constant(&onnxio.Tensor{DType: onnxio.Int64, Shape: []int{}, Data: []int64{1}})
			return m.add("CumSum", onnxio.Attrs{"exclusive": int64(m.rng.IntN(2)), "reverse": int64(m.rng.IntN(2))}, m.any(), axis)
		}},
		window("AveragePool", "count_include_pad"),
		window("MaxPool"),
		{"GlobalAveragePool", 9, 0, func(m *mixer) *onnxio.Value { return m.add("GlobalAveragePool", nil, m.picture()) }},
		{"GlobalMaxPool", 9, 0, func(m *mixer) *onnxio.Value { return m.add("GlobalMaxPool", nil, m.picture()) }},
	}
}

// chains are short networks in which one operator's error meets another's condition, or which runtimes fuse.
func chains() []lone {
	return []lone{
		{"Conv+BatchNormalization", 9, 0, func(m *mixer) *onnxio.Value { return m.batchnorm(m.conv(m.picture())) }},
		{"Gemm+BatchNormalization+Relu", 11, 0, func(m *mixer) *onnxio.Value {
			return m.add("Relu", nil, m.batchnorm(m.wildGemm(m.list(), 1+m.rng.IntN(4))))
		}},
		{"BatchNormalization+Relu+Gemm", 11, 0, func(m *mixer) *onnxio.Value { return m.wildGemm(m.add("Relu", nil, m.batchnorm(m.list())), 2) }},
		{"Conv+Mul+Add", 11, 0, func(m *mixer) *onnxio.Value {
			y := m.conv(m.picture())
			return m.add("Add", nil, m.add("Mul", nil, y, m.wild(1, y.Shape[1], 1, 1)), m.wild(1, y.Shape[1], 1, 1))
		}},
		{"Gemm+Mul+Sub", 11, 0, func(m *mixer) *onnxio.Value {
			y := m.wildGemm(m.list(), 1+m.rng.IntN(4))
			return m.add("Sub", nil, m.fit(y), m.add("Mul", nil, y, m.fit(y)))
		}},
		{"MatMul+Add", 11, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			return m.add("Add", nil, m.add("MatMul", nil, x, m.wild(x.Shape[1], 3)), m.wild(3))
		}},
		{"MatMul+Add+BatchNormalization", 11, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			return m.batchnorm(m.add("Add", nil, m.add("MatMul", nil, x, m.wild(x.Shape[1], 3)), m.wild(3)))
		}},
		{"Mul+Gemm", 11, 0, func(m *mixer) *onnxio.Value { x := m.list(); return m.wildGemm(m.add("Mul", nil, x, m.fit(x)), 2) }},
		{"Add+Sub", 11, 0, func(m *mixer) *onnxio.Value {
			x, y := m.list(), (*onnxio.Value)(nil)
			y = m.input(x.Shape...)
			return m.add("Sub", nil, m.add("Add", nil, x, y), y)
		}},
		{"Mul+Div", 11, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			y := m.input(x.Shape...)
			return m.add("Div", nil, m.add("Mul", nil, x, y), y)
		}},
		{"Mul+Sub+Sqrt", 11, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			y := m.add("Mul", nil, x, x)
			return m.add("Sqrt", nil, m.add("Relu", nil, m.add("Sub", nil, y, m.add("Mul", nil, x, m.scalar(1.0000001)))))
		}},
		{"Exp+ReduceSum+Div", 13, 0, func(m *mixer) *onnxio.Value {
			e := m.add("Exp", nil, m.list())
			return m.add("Div", nil, e, m.over("ReduceSum", 13, e, onnxio.Attrs{"keepdims": int64(1)}, 1))
		}},
		{"Exp+Log", 11, 0, func(m *mixer) *onnxio.Value { return m.add("Log", nil, m.add("Exp", nil, m.list())) }},
		{"Exp+Mul+Relu", 11, 0, func(m *mixer) *onnxio.Value {
			e := m.add("Exp", nil, m.list())
			return m.add("Relu", nil, m.add("Mul", nil, e, m.fit(e)))
		}},
		{"Softmax+Sub", 13, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			return m.add("Sub", nil, m.add("Softmax", nil, x), m.add("Softmax", nil, m.input(x.Shape...)))
		}},
		{"Sigmoid+Mul", 13, 0, func(m *mixer) *onnxio.Value { x := m.list(); return m.add("Mul", nil, x, m.add("Sigmoid", nil, x)) }},
		{"erf as Gelu", 13, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			y := m.add("Add", nil, m.add("Erf", nil, m.add("Div", nil, x, m.scalar(math.Sqrt2))), m.scalar(1))
			return m.add("Mul", nil, m.add("Mul", nil, x, y), m.scalar(0.5))
		}},
		{"tanh as Gelu", 13, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			y := m.add("Add", nil, x, m.add("Mul", nil, m.add("Pow", nil, x, m.scalar(3)), m.scalar(0.044715)))
			y = m.add("Add", nil, m.add("Tanh", nil, m.add("Mul", nil, y, m.scalar(0.7978846))), m.scalar(1))
			return m.add("Mul", nil, m.add("Mul", nil, x, m.scalar(0.5)), y)
		}},
		{"LayerNormalization from parts", 18, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			d := m.add("Sub", nil, x, m.over("ReduceMean", 18, x, nil, -1))
			v := m.over("ReduceMean", 18, m.add("Pow", nil, d, m.scalar(2)), nil, -1)
			return m.add("Add", nil, m.add("Mul", nil, m.add("Div", nil, d, m.add("Sqrt", nil, m.add("Add", nil, v, m.scalar(m.epsilon())))), m.fit(x)),
				m.fit(x))
		}},
		{"attention", 13, 0, func(m *mixer) *onnxio.Value {
			q, k, v := m.input(1, 2, 3), m.input(1, 2, 3), m.input(1, 2, 3)
			s := m.add("MatMul", nil, q, m.add("Transpose", onnxio.Attrs{"perm": []int64{0, 2, 1}}, k))
			if m.coin() {
				s = m.add("Mul", nil, s, m.scalar(0.57735026))
			}
			return m.add("MatMul", nil, m.add("Softmax", onnxio.Attrs{"axis": int64(-1)}, s), v)
		}},
		{"Relu+ReduceMax+Sub", 13, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			return m.add("Sub", nil, x, m.over("ReduceMax", 18, x, nil, 1))
		}},
		{"Transpose+Conv+Relu+MaxPool", 11, 0, func(m *mixer) *onnxio.Value {
			y := m.add("Relu", nil, m.conv(m.picture()))
			return m.add("GlobalMaxPool", nil, y)
		}},
		{"Concat+Gemm", 11, 0, func(m *mixer) *onnxio.Value {
			x := m.list()
			return m.wildGemm(m.add("Concat", onnxio.Attrs{"axis": int64(1)}, x, m.add("Neg", nil, x)), 2)
		}},
		{"Pad+Conv+Add+Relu", 11, 0, func(m *mixer) *onnxio.Value {
			y := m.conv(m.add("Pad", nil, m.picture(), m.ints(0, 0, 1, 1, 0, 0, 1, 1)))
			return m.add("Relu", nil, m.add("Add", nil, y, m.wild(y.Shape...)))
		}},
	}
}
