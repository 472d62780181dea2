package operators

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// What the operators that are written in parts share. All of it goes through an emitter: see op.Def.Parts.

// one is a list of one output.
func one(v *onnxio.Value) []*onnxio.Value { return []*onnxio.Value{v} }

// lastAxes are the axes of a rank from one on.
func lastAxes(from, rank int) []int {
	var out []int
	for i := from; i < rank; i++ {
		out = append(out, i)
	}
	return out
}

// meanOver is the mean over axes, which stay with size 1.
func meanOver(e *op.Emitter, v *onnxio.Value, axes []int) *onnxio.Value {
	count := 1
	for _, a := range axes {
		count *= v.Shape[a]
	}
	return e.Div(e.ReduceSum(v, axes...), e.Scalar(v, float64(max(1, count)))) // by a number that float32 holds, which its inverse is not
}

// intsLike makes a constant of like's integer type.
func intsLike(e *op.Emitter, like *onnxio.Value, data []int, shape ...int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Int64, shape...)
	for i, x := range data {
		t.I64()[i] = int64(x)
	}
	return castTo(e, e.Const(t), like.DType)
}

// castTo is a value in another type.
func castTo(e *op.Emitter, v *onnxio.Value, to onnxio.DType) *onnxio.Value {
	if e.Err != nil || v.DType == to {
		return v
	}
	return e.Op("Cast", onnxio.Attrs{"to": int64(to)}, v)
}

// steps are 0, 1, 2 ... along one axis of a shape in which all others are 1.
func steps(e *op.Emitter, n, axis, rank int) *onnxio.Value {
	shape := slices.Repeat([]int{1}, rank)
	shape[axis] = n
	t := onnxio.NewTensor(onnxio.Int64, shape...)
	for i := range t.I64() {
		t.I64()[i] = int64(i)
	}
	return e.Const(t)
}

// both is a and b, or the one that is there.
func both(e *op.Emitter, a, b *onnxio.Value) *onnxio.Value {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return e.Op("And", nil, a, b)
}

// within is a <= b.
func within(e *op.Emitter, a, b *onnxio.Value) *onnxio.Value {
	return e.Op("Not", nil, e.Op("Greater", nil, a, b))
}

// away is what is added to a score that does not count: float32 holds it, and no score of a network comes near it. A softmax of it is less than any
// number that float64 holds, which the outward rounding of bounds covers.
const away = -0x1p100

// softmaxLast is the softmax along the last axis, at every opset.
func softmaxLast(e *op.Emitter, v *onnxio.Value) *onnxio.Value {
	if e.Err != nil {
		return v
	}
	return e.Op("Softmax", onnxio.Attrs{"axis": int64(len(v.Shape) - 1)}, v)
}

// swish is x*sigmoid(alpha*x).
func swish(e *op.Emitter, x *onnxio.Value, alpha float64) *onnxio.Value {
	z := x
	if alpha != 1 {
		z = e.MulC(x, alpha)
	}
	return e.Mul(x, e.Op("Sigmoid", nil, z))
}

// geluParts is the exact form of Gelu in older operators.
func geluParts(e *op.Emitter, x *onnxio.Value) *onnxio.Value {
	if e.Opset >= 20 {
		return e.Op("Gelu", nil, x)
	}
	return e.Mul(x, e.MulC(e.AddC(e.Op("Erf", nil, e.MulC(x, math.Sqrt2/2)), 1), 0.5))
}

// geluTanhParts is the form with tanh.
func geluTanhParts(e *op.Emitter, x *onnxio.Value) *onnxio.Value {
	if e.Opset >= 20 {
		return e.Op("Gelu", onnxio.Attrs{"approximate": "tanh"}, x)
	}
	inner := e.Mul(x, e.AddC(e.MulC(e.Mul(x, x), geluC*geluB), geluC))
	return e.Mul(x, e.MulC(e.AddC(e.Op("Tanh", nil, inner), 1), 0.5))
}

// wants tells whether output k is read.
func wants(n *onnxio.Node, k int) bool { return k < len(n.Outputs) && n.Outputs[k] != nil }

// refuseParts ends the writing of a node's parts.
func refuseParts(e *op.Emitter, n *onnxio.Node, why string) []*onnxio.Value {
	e.Fail(op.Refuse(n, "%s", why))
	return nil
}
