package operators

import (
	"math/rand/v2"

	"github.com/shallow-waters/shoal/onnxio"
)

// quantisedCases are nodes of quantised numbers for the tests of Couple faces. Zero points are none of them 0, scales and zero points of filters
// differ, and sums are scaled so that few outputs saturate.
var quantisedCases = func() []gradCase {
	rng := rand.New(rand.NewPCG(16, 10))
	type attrs = onnxio.Attrs
	scale := func(shape ...int) *onnxio.Value {
		t := onnxio.NewTensor(onnxio.Float, shape...)
		for i := range t.Len() {
			t.Data.([]float32)[i] = 0.25 + float32(rng.IntN(8))/16
		}
		return fixed(t)
	}
	one := func(d onnxio.DType, zero float64) *onnxio.Value { return fixed(typed(d, []float64{zero}, []int{})) }
	whole := func(d onnxio.DType, least, most int, shape ...int) *onnxio.Value {
		f := make([]float64, product(shape))
		for i := range f {
			f[i] = float64(least + rng.IntN(most-least+1))
		}
		return fixed(typed(d, f, shape))
	}
	free := func(d onnxio.DType, shape ...int) *onnxio.Value {
		x := variable(shape...)
		x.DType = d
		return x
	}
	var cs []gradCase
	u, i := onnxio.Uint8, onnxio.Int8
	add := func(op, domain string, a attrs, in ...*onnxio.Value) {
		opsets := []int{13, 21}
		cs = append(cs, gradCase{op: op, domain: domain, opsets: opsets, attrs: a, in: func() []*onnxio.Value {
			out := append([]*onnxio.Value{}, in...)
			for k, v := range out {
				if v != nil && v.Const == nil {
					w := *v
					out[k] = &w
				}
			}
			return out
		}})
	}

	for _, d := range []onnxio.DType{u, i} {
		x, xz, ys, yz := free(d, 2, 4, 4, 4), one(d, 3), scale(), one(d, 5)
		for _, group := range []int{1, 2, 4} {
			w := whole(i, -4, 4, 8, 4/group, 3, 3)
			a := attrs{"group": int64(group), "pads": []int64{1, 1, 1, 1}}
			add("QLinearConv", "", a, x, scale(), xz, w, scale(8), whole(i, 1, 3, 8), ys, yz, whole(onnxio.Int32, -20, 20, 8))
			add("QLinearConv", "", a, x, scale(1), xz, w, scale(), one(i, -2), ys, yz)
		}
		m := whole(i, -4, 4, 4, 5)
		add("QLinearMatMul", "", nil, free(d, 3, 4), scale(), xz, m, scale(5), whole(i, 1, 3, 5), ys, yz)
		add("QLinearMatMul", "", nil, free(d, 2, 3, 4), scale(3), whole(d, 1, 5, 3), free(i, 2, 4, 5), scale(), one(i, 2), ys, yz)
		add("QLinearMatMul", "", nil, free(d, 4), scale(1), xz, m, scale(1), one(i, 2), ys, yz)
		for k := range int64(4) {
			b, sizeA, sizeB := attrs{"transA": k & 1, "transB": k >> 1, "alpha": float32(0.5)}, []int{3, 4}, []int{4, 5}
			if k&1 == 1 {
				sizeA = []int{4, 3}
			}
			if k>>1 == 1 {
				sizeB = []int{5, 4}
			}
			w := whole(i, -4, 4, sizeB...)
			add("QGemm", microsoft, b, free(d, sizeA...), scale(), xz, w, scale(5), whole(i, 1, 3, 5), whole(onnxio.Int32, -20, 20, 5), ys, yz)
			add("QGemm", microsoft, b, free(d, sizeA...), scale(), xz, w, scale(), one(i, 2))
		}
	}

	// between the sums
	all, channel := []int{2, 4, 4, 4}, []int{4, 1, 1}
	for _, d := range []onnxio.DType{u, i} {
		xs, xz, ys, yz := scale(), one(d, 3), scale(), one(d, 5)
		for _, name := range []string{"QLinearAdd", "QLinearMul"} {
			add(name, microsoft, nil, free(d, all...), xs, xz, free(d, all...), scale(), one(d, 2), ys, yz)
			add(name, microsoft, nil, free(d, all...), xs, xz, whole(d, 0, 9, channel...), scale(), one(d, 2), ys, yz)
			add(name, microsoft, nil, free(d, channel...), xs, xz, free(d, all...), scale(1), one(d, 2), ys, yz)
		}
		add("QLinearSigmoid", microsoft, nil, free(d, all...), xs, xz, fixed(onnxio.FromFloat32([]float32{1.0 / 64})), yz)
		add("QLinearLeakyRelu", microsoft, attrs{"alpha": float32(0.5)}, free(d, all...), xs, xz, ys, yz)
		add("QLinearGlobalAveragePool", microsoft, attrs{"channels_last": int64(0)}, free(d, all...), xs, xz, ys, yz)
		for _, counted := range []int64{0, 1} {
			add("QLinearAveragePool", microsoft, attrs{"kernel_shape": []int64{2, 2}, "pads": []int64{1, 1, 0, 0}, "count_include_pad": counted},
				free(d, all...), xs, xz, ys, yz)
		}
		for axis := range int64(3) {
			add("QLinearConcat", microsoft, attrs{"axis": axis}, ys, yz, free(d, 2, 3, 4), xs, xz, free(d, 2, 3, 4), scale(), one(d, 2),
				whole(d, 0, 9, 2, 3, 4), scale(), one(d, 1))
		}
	}

	// sums whose zero points are given, and those that quantise by their own range
	for _, d := range []onnxio.DType{u, i} {
		for _, group := range []int{1, 2, 4} {
			w := whole(i, -4, 4, 8, 4/group, 3, 3)
			a := attrs{"group": int64(group), "pads": []int64{1, 0, 0, 1}}
			add("ConvInteger", "", a, free(d, 2, 4, 4, 4), w, one(d, 3), whole(i, 1, 3, 8))
			add("ConvInteger", "", a, free(d, 2, 4, 4, 4), w)
		}
		m := whole(i, -4, 4, 4, 5)
		add("MatMulInteger", "", nil, free(d, 3, 4), m, one(d, 3), whole(i, 1, 3, 5))
		add("MatMulInteger", "", nil, free(d, 2, 3, 4), free(i, 2, 4, 5), whole(d, 1, 5, 3), one(i, 2))
		add("MatMulInteger", "", nil, free(d, 4), m, one(d, 3))
		for _, opset := range []int64{11, 13} {
			for axis := range int64(3) {
				add("QLinearSoftmax", microsoft, attrs{"axis": axis - 1, "opset": opset}, free(d, 2, 3, 4), scale(), one(d, 3),
					fixed(onnxio.FromFloat32([]float32{1.0 / 256})), one(d, 5))
			}
		}
		x := free(onnxio.Float, 2, 3, 4)
		add("DynamicQuantizeMatMul", microsoft, nil, x, whole(d, 0, 9, 4, 5), scale(5), whole(d, 1, 3, 5), scale(5))
		add("DynamicQuantizeMatMul", microsoft, nil, x, whole(d, 0, 4, 4, 5), scale())
		add("MatMulIntegerToFloat", microsoft, nil, free(d, 2, 3, 4), whole(d, 0, 9, 4, 5), scale(), scale(5), one(d, 3), whole(d, 1, 3, 5), scale(5))
		add("MatMulIntegerToFloat", microsoft, nil, free(d, 3, 4), whole(d, 0, 4, 4, 5), scale(), scale(), one(d, 3))
	}
	for _, shape := range [][]int{{2, 3, 4}, {5}} {
		cs = append(cs, gradCase{op: "DynamicQuantizeLinear", opsets: []int{13, 21}, outputs: 3, in: func() []*onnxio.Value {
			x := variable(shape...)
			x.DType = onnxio.Float
			return []*onnxio.Value{x}
		}})
	}

	// few bits: four blocks of 16, the last of which is not whole, and two blocks in a byte of zero points
	for _, bits := range []int{2, 4, 8} {
		line, a := 16*bits/8, attrs{"N": int64(6), "K": int64(60), "bits": int64(bits), "block_size": int64(16)}
		w, of := whole(u, 0, 255, 6, 4, line), (4*bits+7)/8
		for _, x := range [][]int{{2, 3, 60}, {3, 60}} {
			add("MatMulNBits", microsoft, a, free(onnxio.Double, x...), w, scale(6, 4))
			add("MatMulNBits", microsoft, a, free(onnxio.Double, x...), w, scale(6, 4), whole(u, 0, 255, 6, of), nil, scale(6))
			add("MatMulNBits", microsoft, a, free(onnxio.Double, x...), w, scale(24), whole(u, 0, 255, 6*of))
			add("MatMulNBits", microsoft, a, free(onnxio.Double, x...), w, scale(6, 4), scale(6, 4))
		}
	}
	return cs
}()
