package operators

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// gradCase is a node whose gradient is compared with finite differences.
type gradCase struct {
	op      string
	domain  string
	opsets  []int // nil means 7 or what the operator needs, 13 and 21
	attrs   onnxio.Attrs
	outputs int // 0 means 1
	in      func() []*onnxio.Value
	lo, hi  float64 // of the variables; both 0 means [-1.5, 1.5]
	// apart keeps the variables' elements away from each other, where an extreme must not change under a small step.
	apart bool
}

func vars(shapes ...[]int) func() []*onnxio.Value {
	return func() []*onnxio.Value {
		var out []*onnxio.Value
		for i, s := range shapes {
			v := variable(s...)
			v.Name = fmt.Sprint("x", i)
			out = append(out, v)
		}
		return out
	}
}

func with(shape []int, rest ...*onnxio.Value) func() []*onnxio.Value {
	return func() []*onnxio.Value { return append([]*onnxio.Value{variable(shape...)}, rest...) }
}

func weightsOf(shape ...int) *onnxio.Value {
	rng := rand.New(rand.NewPCG(uint64(len(shape)), uint64(product(shape))))
	return floats(randoms(rng, product(shape)), shape...)
}

func positive(shape ...int) *onnxio.Value {
	v := weightsOf(shape...)
	for i, x := range v.Const.F64() {
		v.Const.F64()[i] = math.Abs(x) + 0.5
	}
	return v
}

func axesAttr(axes ...int64) onnxio.Attrs { return onnxio.Attrs{"axes": axes} }

var imageShape = []int{2, 4, 5, 6}

var gradCases = func() []gradCase {
	s := []int{2, 3, 4}
	var cs []gradCase
	add := func(c gradCase) { cs = append(cs, c) }
	for _, op := range []string{"Abs", "Asinh", "Atan", "Cos", "Cosh", "Elu", "Erf", "Exp", "HardSigmoid", "HardSwish",
		"LeakyRelu", "Mish", "Neg", "Relu", "Selu",
		"Sigmoid", "Sin", "Sinh", "Softplus", "Softsign", "Swish", "Tan", "Tanh", "Identity", "Gelu", "Celu", "Dropout",
		"Hardmax", "Floor", "Ceil", "Round", "Sign"} {
		c := gradCase{op: op, in: vars(s)}
		if op == "Tan" {
			c.lo, c.hi = -1.2, 1.2
		}
		if op == "HardSwish" || op == "HardSigmoid" {
			c.lo, c.hi = -5, 5
		}
		add(c)
	}
	add(gradCase{op: "Gelu", attrs: onnxio.Attrs{"approximate": "tanh"}, in: vars(s)})
	add(gradCase{op: "Elu", attrs: onnxio.Attrs{"alpha": float32(0.3)}, in: vars(s)})
	add(gradCase{op: "Celu", attrs: onnxio.Attrs{"alpha": float32(0.3)}, in: vars(s)})
	add(gradCase{op: "Swish", attrs: onnxio.Attrs{"alpha": float32(1.7)}, in: vars(s)})
	for _, op := range []string{"Acos", "Asin", "Atanh"} {
		add(gradCase{op: op, in: vars(s), lo: -0.8, hi: 0.8})
	}
	for _, op := range []string{"Log", "Sqrt", "Reciprocal"} {
		add(gradCase{op: op, in: vars(s), lo: 0.3, hi: 3})
	}
	add(gradCase{op: "Acosh", in: vars(s), lo: 1.2, hi: 3})
	add(gradCase{op: "ThresholdedRelu", attrs: onnxio.Attrs{"alpha": float32(0.3)}, in: vars(s)})
	add(gradCase{op: "Clip", opsets: []int{7}, attrs: onnxio.Attrs{"min": float32(-0.5), "max": float32(0.7)}, in: vars(s)})
	add(gradCase{op: "Clip", opsets: []int{11, 13}, in: with(s, floats([]float64{-0.5}), floats([]float64{0.7}))})
	add(gradCase{op: "Clip", opsets: []int{11, 13}, in: with(s, nil, floats([]float64{0.7}))})
	add(gradCase{op: "PRelu", in: vars(s, []int{3, 1})})
	add(gradCase{op: "PRelu", in: with(s, positive(4))})
	for _, op := range []string{"Add", "Sub", "Mul"} {
		add(gradCase{op: op, in: vars(s, s)})
		add(gradCase{op: op, in: vars(s, []int{3, 1})})
		add(gradCase{op: op, in: vars([]int{3, 1}, s)})
		add(gradCase{op: op, in: with(s, weightsOf(4))})
		add(gradCase{op: op, in: func() []*onnxio.Value { v := variable(3); return []*onnxio.Value{v, v} }})
	}
	add(gradCase{op: "Div", in: vars(s, []int{3, 1}), lo: 0.5, hi: 2})
	add(gradCase{op: "Div", in: func() []*onnxio.Value { return []*onnxio.Value{weightsOf(4), variable(s...)} }, lo: 0.5, hi: 2})
	for _, op := range []string{"Sum", "Mean"} {
		add(gradCase{op: op, opsets: []int{8, 13, 21}, in: vars(s, []int{4}, []int{3, 1})})
	}
	for _, op := range []string{"Max", "Min"} {
		add(gradCase{op: op, opsets: []int{8, 13, 21}, in: vars(s, []int{4}, []int{3, 1}), apart: true})
		add(gradCase{op: op, opsets: []int{8, 13, 21}, in: with(s, weightsOf(4))})
	}
	add(gradCase{op: "Mod", opsets: []int{10, 13}, attrs: onnxio.Attrs{"fmod": int64(1)}, in: with(s, positive(4))})
	add(gradCase{op: "Pow", in: vars(s, []int{4}), lo: 0.5, hi: 2})
	add(gradCase{op: "Pow", in: with(s, floats([]float64{2}))})
	add(gradCase{op: "Pow", in: with(s, floats([]float64{3}))})
	add(gradCase{op: "Pow", opsets: []int{13}, in: with(s, ints(3))})
	mask := fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{3, 1}, Data: []bool{true, false, true}})
	add(gradCase{op: "Where", in: func() []*onnxio.Value {
		return []*onnxio.Value{mask, variable(s...), {Name: "b", DType: onnxio.Double, Shape: []int{4}}}
	}})
	add(gradCase{op: "Cast", attrs: onnxio.Attrs{"to": int64(onnxio.Double)}, in: vars(s)})
	add(gradCase{op: "Reshape", in: with(s, ints(4, 6))})
	add(gradCase{op: "Flatten", attrs: onnxio.Attrs{"axis": int64(2)}, in: vars(s)})
	add(gradCase{op: "Squeeze", opsets: []int{7, 11}, attrs: axesAttr(1), in: vars([]int{2, 1, 3})})
	add(gradCase{op: "Squeeze", opsets: []int{13}, in: with([]int{2, 1, 3}, ints(1))})
	add(gradCase{op: "Unsqueeze", opsets: []int{7, 11}, attrs: axesAttr(1), in: vars(s)})
	add(gradCase{op: "Unsqueeze", opsets: []int{13}, in: with(s, ints(1))})
	add(gradCase{op: "Transpose", attrs: onnxio.Attrs{"perm": []int64{2, 0, 1}}, in: vars(s)})
	add(gradCase{op: "Concat", attrs: onnxio.Attrs{"axis": int64(1)}, in: vars(s, []int{2, 1, 4}, s)})
	add(gradCase{op: "Concat", attrs: onnxio.Attrs{"axis": int64(-1)}, in: func() []*onnxio.Value { v := variable(2, 2); return []*onnxio.Value{v, v} }})
	add(gradCase{op: "Split", opsets: []int{7, 11}, attrs: onnxio.Attrs{"axis": int64(2), "split": []int64{1, 3}}, outputs: 2, in: vars(s)})
	add(gradCase{op: "Split", opsets: []int{13}, attrs: onnxio.Attrs{"axis": int64(2)}, outputs: 2, in: with(s, ints(1, 3))})
	add(gradCase{op: "Pad", opsets: []int{7}, attrs: onnxio.Attrs{"pads": []int64{0, 1, 0, 2, 0, 1}}, in: vars(s)})
	add(gradCase{op: "Pad", opsets: []int{11, 13, 21}, in: with(s, ints(0, 1, 0, 2, 0, 1))})
	add(gradCase{op: "Pad", opsets: []int{16}, in: with(s, ints(0, -1, 0, 2, 0, -1))})
	for _, mode := range []string{"reflect", "edge"} {
		add(gradCase{op: "Pad", opsets: []int{16}, attrs: onnxio.Attrs{"mode": mode}, in: with(s, ints(0, 1, 0, 1, 0, 2))})
	}
	add(gradCase{op: "Slice", opsets: []int{7}, attrs: onnxio.Attrs{"starts": []int64{1}, "ends": []int64{3}, "axes": []int64{2}}, in: vars(s)})
	add(gradCase{op: "Slice", opsets: []int{10, 13}, in: with(s, ints(1, 0), ints(-1, 2), ints(2, 1))})
	add(gradCase{op: "Slice", opsets: []int{16}, in: with(s, ints(-1), ints(-100), ints(2), ints(-2))})
	add(gradCase{op: "Slice", opsets: []int{11}, in: with(s, ints(0), ints(4), ints(2), ints(2))})
	add(gradCase{op: "Expand", opsets: []int{8, 13}, in: with([]int{3, 1}, ints(2, 3, 4))})
	add(gradCase{op: "Tile", in: with(s, ints(1, 2, 3))})
	for _, mode := range []string{"DCR", "CRD"} {
		add(gradCase{op: "DepthToSpace", opsets: []int{11, 13}, attrs: onnxio.Attrs{"blocksize": int64(2), "mode": mode}, in: vars([]int{2, 8, 2, 3})})
	}
	add(gradCase{op: "SpaceToDepth", opsets: []int{28}, attrs: onnxio.Attrs{"blocksize": int64(2), "mode": "CRD"}, in: vars([]int{2, 3, 4, 6})})
	add(gradCase{op: "SpaceToDepth", attrs: onnxio.Attrs{"blocksize": int64(2)}, in: vars([]int{2, 3, 4, 6})})
	add(gradCase{op: "Gather", attrs: onnxio.Attrs{"axis": int64(1)}, in: with(s, ints(0, 2, 2, -1))})
	add(gradCase{op: "Gather", attrs: onnxio.Attrs{"axis": int64(2)}, in: with(s, ints(3, 3, 0))})
	add(gradCase{op: "Gather", attrs: onnxio.Attrs{"axis": int64(2)}, in: with(s, fixed(onnxio.FromInt64([]int64{-1})))})
	add(gradCase{op: "Gather", in: with(s, fixed(onnxio.FromInt64([]int64{1, 0, 1, 1}, 2, 2)))})
	add(gradCase{op: "GatherElements", opsets: []int{16}, attrs: onnxio.Attrs{"axis": int64(1)},
		in: with([]int{2, 3}, fixed(onnxio.FromInt64([]int64{0, 0, 2, 1}, 2, 2)))})
	add(gradCase{op: "GatherElements", opsets: []int{11}, attrs: onnxio.Attrs{"axis": int64(1)},
		in: with([]int{2, 3}, fixed(onnxio.FromInt64([]int64{0, 2, 2, 1}, 2, 2)))})
	add(gradCase{op: "GatherND", opsets: []int{12, 16}, in: with(s, fixed(onnxio.FromInt64([]int64{0, 1, 1, 2}, 2, 2)))})
	add(gradCase{op: "Trilu", attrs: onnxio.Attrs{"upper": int64(0)}, in: vars([]int{2, 3, 4})})
	add(gradCase{op: "ScatterElements", opsets: []int{11, 16}, attrs: onnxio.Attrs{"axis": int64(1)}, in: func() []*onnxio.Value {
		return []*onnxio.Value{variable(2, 3), fixed(onnxio.FromInt64([]int64{0, 2, 2, 1}, 2, 2)), {Name: "u", DType: onnxio.Double, Shape: []int{2, 2}}}
	}})
	add(gradCase{op: "ScatterND", opsets: []int{11, 16}, in: func() []*onnxio.Value {
		return []*onnxio.Value{variable(4, 3), fixed(onnxio.FromInt64([]int64{3, 1}, 2, 1)), {Name: "u", DType: onnxio.Double, Shape: []int{2, 3}}}
	}})
	for _, op := range []string{"Softmax", "LogSoftmax"} {
		add(gradCase{op: op, in: vars(s)})
		add(gradCase{op: op, attrs: onnxio.Attrs{"axis": int64(1)}, in: vars(s)})
	}
	for _, op := range []string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
		"ReduceSumSquare", "ReduceProd"} {
		lo, hi := -1.5, 1.5
		if op == "ReduceLogSum" {
			lo, hi = 0.5, 2
		}
		for _, keep := range []int64{0, 1} {
			old, new := 11, 18
			if op == "ReduceSum" {
				new = 13
			}
			add(gradCase{op: op, opsets: []int{7, old}, attrs: onnxio.Attrs{"axes": []int64{0, 2}, "keepdims": keep},
				in: vars(s), lo: lo, hi: hi, apart: true})
			add(gradCase{op: op, opsets: []int{new, 21}, attrs: onnxio.Attrs{"keepdims": keep}, in: with(s, ints(1, -1)), lo: lo, hi: hi, apart: true})
		}
		add(gradCase{op: op, attrs: onnxio.Attrs{}, in: vars([]int{2, 3}), lo: lo, hi: hi, apart: true})
	}
	for _, ta := range []int64{0, 1} {
		for _, tb := range []int64{0, 1} {
			shape := func(t int64, r, c int) []int {
				if t == 1 {
					return []int{c, r}
				}
				return []int{r, c}
			}
			at := onnxio.Attrs{"transA": ta, "transB": tb, "alpha": float32(0.5), "beta": float32(1.5)}
			add(gradCase{op: "Gemm", attrs: at, in: vars(shape(ta, 2, 3), shape(tb, 3, 4), []int{4})})
			add(gradCase{op: "Gemm", attrs: at, in: with(shape(ta, 2, 3), weightsOf(shape(tb, 3, 4)...), weightsOf(1))})
		}
	}
	for _, p := range [][2][]int{{{2, 3}, {3, 4}}, {{5, 2, 3}, {3, 4}}, {{2, 3}, {5, 3, 4}}, {{5, 1, 2, 3}, {2, 3, 4}},
		{{3}, {3, 4}}, {{2, 3}, {3}}, {{3}, {3}}} {
		add(gradCase{op: "MatMul", in: vars(p[0], p[1])})
		add(gradCase{op: "MatMul", in: with(p[0], weightsOf(p[1]...))})
	}
	add(gradCase{op: "BatchNormalization", in: with(imageShape, weightsOf(4), weightsOf(4), weightsOf(4), positive(4))})
	add(gradCase{op: "BatchNormalization", in: with([]int{2, 4}, weightsOf(4), weightsOf(4), weightsOf(4), positive(4))})
	ints64 := func(v ...int64) []int64 { return v }
	for _, at := range []onnxio.Attrs{
		{}, {"pads": ints64(1, 1, 1, 1)}, {"strides": ints64(2, 2)}, {"strides": ints64(2, 3), "pads": ints64(1, 0, 2, 1)}, {"dilations": ints64(2, 1)},
		{"auto_pad": "SAME_UPPER", "strides": ints64(2, 2)}, {"auto_pad": "SAME_LOWER"}, {"strides": ints64(3, 3)}, {"pads": ints64(3, 3, 3, 3)},
	} {
		add(gradCase{op: "Conv", attrs: at, in: with(imageShape, weightsOf(3, 4, 3, 2), weightsOf(3))})
		grouped := onnxio.Attrs{"group": int64(2)}
		depthwise := onnxio.Attrs{"group": int64(4)}
		for k, v := range at {
			grouped[k], depthwise[k] = v, v
		}
		add(gradCase{op: "Conv", attrs: grouped, in: with(imageShape, weightsOf(6, 2, 3, 2))})
		add(gradCase{op: "Conv", attrs: depthwise, in: with(imageShape, weightsOf(8, 1, 3, 2))})
	}
	add(gradCase{op: "Conv", attrs: onnxio.Attrs{"strides": ints64(4, 4)}, in: with([]int{1, 1, 6, 6}, weightsOf(2, 1, 1, 1))})
	add(gradCase{op: "Conv", attrs: onnxio.Attrs{"strides": ints64(2), "pads": ints64(1, 1)}, in: with([]int{2, 3, 8}, weightsOf(4, 3, 3))})
	add(gradCase{op: "Conv", in: with([]int{2, 3, 8}, weightsOf(4, 3, 3))})
	for _, at := range []onnxio.Attrs{
		{}, {"strides": ints64(2, 2)}, {"strides": ints64(2, 2), "output_padding": ints64(1, 1)}, {"strides": ints64(2, 2), "pads": ints64(1, 1, 1, 1)},
		{"dilations": ints64(2, 2)}, {"strides": ints64(3, 2), "output_shape": ints64(13, 11)}, {"auto_pad": "SAME_UPPER", "strides": ints64(2, 2)},
	} {
		add(gradCase{op: "ConvTranspose", attrs: at, in: with(imageShape, weightsOf(4, 3, 3, 2), weightsOf(3))})
		grouped := onnxio.Attrs{"group": int64(2)}
		for k, v := range at {
			grouped[k] = v
		}
		add(gradCase{op: "ConvTranspose", attrs: grouped, in: with(imageShape, weightsOf(4, 3, 3, 2))})
	}
	for _, at := range []onnxio.Attrs{
		{"kernel_shape": ints64(2, 2), "strides": ints64(2, 2)}, {"kernel_shape": ints64(3, 3), "strides": ints64(2, 2), "pads": ints64(1, 1, 1, 1)},
		{"kernel_shape": ints64(3, 2)}, {"kernel_shape": ints64(2, 2), "strides": ints64(2, 2), "ceil_mode": int64(1)},
		{"kernel_shape": ints64(3, 3), "strides": ints64(2, 2), "ceil_mode": int64(1)},
		{"kernel_shape": ints64(2, 2), "strides": ints64(3, 3)}, {"kernel_shape": ints64(3, 3), "auto_pad": "SAME_UPPER", "strides": ints64(2, 2)},
	} {
		for _, op := range []string{"MaxPool", "AveragePool"} {
			opsets := []int{10, 13, 21}
			if op == "AveragePool" && at["ceil_mode"] == nil {
				with := onnxio.Attrs{"count_include_pad": int64(1)}
				for k, v := range at {
					with[k] = v
				}
				add(gradCase{op: op, opsets: opsets, attrs: with, in: vars([]int{2, 2, 5, 7})})
			}
			add(gradCase{op: op, opsets: opsets, attrs: at, in: vars([]int{2, 2, 5, 7}), apart: true})
		}
	}
	add(gradCase{op: "MaxPool", opsets: []int{10, 13}, attrs: onnxio.Attrs{"kernel_shape": ints64(2, 2), "dilations": ints64(2, 2)},
		in: vars([]int{2, 2, 5, 7}), apart: true})
	add(gradCase{op: "MaxPool", attrs: onnxio.Attrs{"kernel_shape": ints64(3)}, in: vars([]int{2, 2, 9}), apart: true})
	add(gradCase{op: "AveragePool", attrs: onnxio.Attrs{"kernel_shape": ints64(3), "strides": ints64(2)}, in: vars([]int{2, 2, 9})})
	add(gradCase{op: "GlobalMaxPool", in: vars(imageShape), apart: true})
	add(gradCase{op: "GlobalAveragePool", in: vars(imageShape)})
	add(gradCase{op: "LayerNormalization", in: with(s, weightsOf(4), weightsOf(4))})
	add(gradCase{op: "LayerNormalization", attrs: onnxio.Attrs{"axis": int64(1)}, in: with(s, weightsOf(3, 4))})
	add(gradCase{op: "InstanceNormalization", in: with(imageShape, weightsOf(4), weightsOf(4))})
	add(gradCase{op: "GroupNormalization", opsets: []int{18}, attrs: onnxio.Attrs{"num_groups": int64(2)},
		in: with(imageShape, weightsOf(2), weightsOf(2))})
	add(gradCase{op: "GroupNormalization", opsets: []int{21}, attrs: onnxio.Attrs{"num_groups": int64(2)},
		in: with(imageShape, weightsOf(4), weightsOf(4))})
	add(gradCase{op: "MeanVarianceNormalization", in: vars(imageShape)})
	add(gradCase{op: "MeanVarianceNormalization", attrs: axesAttr(1, 2), in: vars(s)})
	add(gradCase{op: "Shrink", attrs: onnxio.Attrs{"bias": float32(0.2), "lambd": float32(0.7)}, in: vars(s)})
	add(gradCase{op: "CastLike", opsets: []int{15, 21}, in: with(s, floats([]float64{0}))})
	for _, at := range []onnxio.Attrs{{}, {"exclusive": int64(1)}, {"reverse": int64(1)}, {"exclusive": int64(1), "reverse": int64(1)}} {
		add(gradCase{op: "CumSum", opsets: []int{11, 14}, attrs: at, in: with(s, fixed(onnxio.FromInt64([]int64{1})))})
	}
	add(gradCase{op: "ReverseSequence", opsets: []int{10}, attrs: onnxio.Attrs{"batch_axis": int64(1), "time_axis": int64(0)},
		in: with([]int{4, 3}, ints(1, 4, 2))})
	add(gradCase{op: "LRN", attrs: onnxio.Attrs{"size": int64(3), "alpha": float32(0.5)}, in: vars(imageShape)})
	add(gradCase{op: "LRN", attrs: onnxio.Attrs{"size": int64(2), "alpha": float32(0.5), "bias": float32(2)}, in: vars([]int{2, 5})})
	add(gradCase{op: "TopK", opsets: []int{11, 21}, attrs: onnxio.Attrs{"axis": int64(1)}, outputs: 2, in: with(s, ints(2)), apart: true})
	for _, mode := range []string{"nearest", "linear", "cubic"} {
		scales := fixed(onnxio.FromFloat32([]float32{1, 1, 2, 1.5}, 4))
		add(gradCase{op: "Resize", opsets: []int{11, 13, 19}, attrs: onnxio.Attrs{"mode": mode}, in: with(imageShape, nil, scales)})
		for _, policy := range []string{"not_larger", "not_smaller"} {
			a := onnxio.Attrs{"mode": mode, "keep_aspect_ratio_policy": policy, "axes": []int64{3, -2}}
			add(gradCase{op: "Resize", opsets: []int{18, 19}, attrs: a, in: with(imageShape, nil, nil, ints(7, 5))})
			smooth := maps.Clone(a)
			smooth["antialias"] = int64(1)
			add(gradCase{op: "Resize", opsets: []int{18, 19}, attrs: smooth, in: with(imageShape, nil, nil, ints(3, 2))})
		}
	}
	add(gradCase{op: "Upsample", opsets: []int{9}, attrs: onnxio.Attrs{"mode": "linear"},
		in: with(imageShape, fixed(onnxio.FromFloat32([]float32{1, 1, 2, 2}, 4)))})
	for _, q := range []struct {
		eq string
		in [][]int
	}{
		{"ij,jk->ik", [][]int{{2, 3}, {3, 4}}}, {"bij,bkj->bik", [][]int{{2, 3, 4}, {2, 5, 4}}}, {"...ij,...jk->...ik", [][]int{{2, 2, 3}, {2, 3, 4}}},
		{"ij->ji", [][]int{{2, 3}}}, {"ijk->i", [][]int{{2, 3, 4}}}, {"ij,kl->ik", [][]int{{2, 3}, {4, 2}}}, {"ij,j", [][]int{{2, 3}, {3}}},
		{"i,j->ij", [][]int{{2}, {3}}},
	} {
		add(gradCase{op: "Einsum", attrs: onnxio.Attrs{"equation": q.eq}, in: vars(q.in...)})
	}
	return cs
}()

// gradWork is shared, since packing buffers are large.
var gradWork op.Workspace

// evalNodes runs emitted nodes in float64.
func evalNodes(t *testing.T, nodes []*onnxio.Node, values map[*onnxio.Value]*onnxio.Tensor) {
	t.Helper()
	for _, n := range nodes {
		c := &op.Call{Node: n, Work: &gradWork}
		for _, v := range n.Inputs {
			switch {
			case v == nil:
				c.In = append(c.In, nil)
			case v.Const != nil:
				c.In = append(c.In, v.Const)
			case values[v] == nil:
				t.Fatalf("node %s reads %s, which nobody computed", n.Op, v.Name)
			default:
				c.In = append(c.In, values[v])
			}
		}
		for _, v := range n.Outputs {
			if v == nil {
				c.Out = append(c.Out, nil)
				continue
			}
			values[v] = onnxio.NewTensor(v.DType, v.Shape...)
			c.Out = append(c.Out, values[v])
		}
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Eval(c); err != nil {
			t.Fatalf("%s: %v", n.Op, err)
		}
	}
}

// gradTolerance is what central differences with steps of 1e-6 miss in float64: rounding of 1e-16/1e-6 and a second-order rest, on values
// of a few units.
const gradTolerance = 2e-7

func checkGradient(t *testing.T, c gradCase, opset int, portable bool) {
	rng := rand.New(rand.NewPCG(7, uint64(opset)))
	n, nodes := c.written(t, opset)
	values := map[*onnxio.Value]*onnxio.Tensor{}
	var wrt []*onnxio.Value
	lo, hi := c.lo, c.hi
	if lo == 0 && hi == 0 {
		lo, hi = -1.5, 1.5
	}
	for _, v := range n.Inputs {
		if v == nil || v.Const != nil || values[v] != nil {
			continue
		}
		x := onnxio.NewTensor(onnxio.Double, v.Shape...)
		for i := range x.F64() {
			x.F64()[i] = lo + (hi-lo)*rng.Float64()
		}
		if c.apart {
			for i, k := range rng.Perm(x.Len()) {
				x.F64()[i] = lo + (hi-lo)*(float64(k)+0.1*float64(len(wrt))+0.5)/float64(x.Len()+1)
			}
		}
		values[v] = x
		wrt = append(wrt, v)
	}
	g := &onnxio.Graph{Inputs: wrt, Nodes: nodes, Outputs: n.Outputs}
	e := op.NewEmitter(context.Background(), Table(), g, "g/")
	e.Portable = portable
	seeds := map[*onnxio.Value]*onnxio.Value{}
	for _, y := range n.Outputs {
		if y != nil && y.DType == onnxio.Double {
			w := randoms(rng, product(y.Shape))
			seeds[y] = floats(w, y.Shape...)
		}
	}
	dx, err := op.Backward(e, nodes, seeds, wrt)
	if err != nil {
		t.Fatalf("%s, opset %d, %v: %v", c.op, opset, c.attrs, err)
	}
	loss := func() float64 {
		evalNodes(t, nodes, values)
		sum := 0.0
		for y, w := range seeds {
			for i, v := range values[y].F64() {
				sum += v * w.Const.F64()[i]
			}
		}
		return sum
	}
	loss()
	evalNodes(t, e.Nodes, values)
	for k, v := range wrt {
		x := values[v].F64()
		got := make([]float64, len(x))
		if dx[k] != nil {
			tensor := values[dx[k]]
			if dx[k].Const != nil {
				tensor = dx[k].Const
			}
			got = slices.Clone(tensor.F64())
		}
		for i := range x {
			const h = 1e-6
			at := x[i]
			x[i] = at + h
			up := loss()
			x[i] = at - h
			down := loss()
			x[i] = at
			want := (up - down) / (2 * h)
			if !(math.Abs(got[i]-want) <= gradTolerance*(1+math.Abs(want))) {
				t.Fatalf("%s, opset %d, %v, shapes %v: gradient of input %d, element %d is %v where differences give %v", c.op,
					opset, c.attrs, v.Shape, k, i, got[i], want)
			}
		}
	}
}

func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	for _, c := range gradCases {
		opsets := c.opsets
		if opsets == nil {
			since := c.def().Since
			for _, o := range []int{7, 9, 11, 13, 21, 26} {
				if o >= since && !(c.op == "Upsample" || c.op == "Where" && o < 9) {
					opsets = append(opsets, o)
				}
			}
		}
		for _, o := range opsets {
			t.Run(fmt.Sprintf("%s-%d-%v", c.op, o, c.attrs), func(t *testing.T) { checkGradient(t, c, o, false) })
			if c.op == "MaxPool" {
				t.Run(fmt.Sprintf("%s-%d-%v-portable", c.op, o, c.attrs), func(t *testing.T) { checkGradient(t, c, o, true) })
			}
		}
	}
}

// TestEveryGradientIsTested fails for an operator with the face and no case above.
func TestEveryGradientIsTested(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range gradCases {
		tested[c.op] = true
	}
	for _, d := range All() {
		if d.Gradient != nil && !tested[d.Name] {
			t.Errorf("%s has a Gradient and no test", d.Name)
		}
	}
}

func TestTiesOfMaxPool(t *testing.T) {
	for name, c := range map[string]struct {
		stride   int64
		portable bool
		want     []float64
	}{"places": {2, false, []float64{0, 3, 0, 0}}, "tiles": {2, true, []float64{0, 1, 1, 1}}, "overlapping": {1, false, []float64{0, 1, 1, 1}}} {
		n := node(t, "MaxPool", 13, onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{c.stride, c.stride}}, variable(1, 1, 2, 2))
		x := n.Inputs[0]
		e := op.NewEmitter(context.Background(), Table(), &onnxio.Graph{Inputs: []*onnxio.Value{x}, Nodes: []*onnxio.Node{n}}, "g/")
		e.Portable = c.portable
		dx, err := op.Backward(e, []*onnxio.Node{n}, map[*onnxio.Value]*onnxio.Value{n.Outputs[0]: floats([]float64{3}, 1, 1, 1, 1)}, []*onnxio.Value{x})
		if err != nil {
			t.Fatal(err)
		}
		values := map[*onnxio.Value]*onnxio.Tensor{x: onnxio.FromFloat64([]float64{0, 2, 2, 2}, 1, 1, 2, 2)}
		evalNodes(t, append([]*onnxio.Node{n}, e.Nodes...), values)
		if got := values[dx[0]].F64(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v where %v is stated", name, got, c.want)
		}
	}
}

func TestBackwardNamesTheNodeWithoutGradient(t *testing.T) {
	x := variable(1, 2, 3)
	n := &onnxio.Node{Name: "cell", Op: "Mod", Opset: 13, Attrs: onnxio.Attrs{"fmod": int64(1)}, Inputs: []*onnxio.Value{floats([]float64{1}), x},
		Outputs: []*onnxio.Value{{Name: "y", DType: onnxio.Double, Shape: []int{1, 2, 3}}}}
	e := op.NewEmitter(context.Background(), Table(), &onnxio.Graph{Nodes: []*onnxio.Node{n}}, "g/")
	_, err := op.Backward(e, []*onnxio.Node{n}, map[*onnxio.Value]*onnxio.Value{n.Outputs[0]: weightsOf(1, 2, 3)}, []*onnxio.Value{x})
	var u *onnxio.UnsupportedError
	if !errors.As(err, &u) || u.Node != "cell" || u.Face != "Gradient" {
		t.Fatalf("%v", err)
	}
}
