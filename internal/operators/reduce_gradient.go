package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// reducer is what the gradient of a reduction works on: x; y and dy with the reduced axes kept at size 1; the reduced axes and how many
// elements go into one.
type reducer struct {
	x, y, dy *onnxio.Value
	axes     []int
	count    int
}

// reduceGradient is the Gradient face of reductions; slope gives dx, of x's shape or one that broadcasts to it.
func reduceGradient(since int, slope func(e *op.Emitter, r *reducer) *onnxio.Value) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		x := n.Inputs[0]
		axes, err := intList(n, "axes", 1, since)
		if err != nil {
			e.Fail(err)
			return nil
		}
		mask, err := reduceMask(n, axes, len(x.Shape), since)
		if err != nil {
			e.Fail(err)
			return nil
		}
		r := &reducer{x: x, count: 1}
		kept := make([]int, len(x.Shape))
		for i, d := range x.Shape {
			if kept[i] = d; mask[i] {
				kept[i] = 1
				r.axes = append(r.axes, i)
				r.count *= d
			}
		}
		r.y, r.dy = e.Reshape(n.Outputs[0], kept...), e.Reshape(dy[0], kept...)
		return onlyFirst(e.Expand(slope(e, r), x.Shape...))
	}
}

func sumSlope(_ *op.Emitter, r *reducer) *onnxio.Value { return r.dy }

func meanSlope(e *op.Emitter, r *reducer) *onnxio.Value { return e.MulC(r.dy, 1/float64(r.count)) }

func signSlope(e *op.Emitter, r *reducer) *onnxio.Value { return e.Mul(r.dy, e.Sign(r.x)) }

func squareSlope(e *op.Emitter, r *reducer) *onnxio.Value { return e.Mul(e.MulC(r.dy, 2), r.x) }

// normSlope is x/|x|, and 0 at 0.
func normSlope(e *op.Emitter, r *reducer) *onnxio.Value {
	some := e.GreaterC(r.y, 0)
	return e.Mul(e.KeepWhere(some, r.dy), e.Div(r.x, e.Where(some, r.y, e.Scalar(r.y, 1))))
}

func logSumSlope(e *op.Emitter, r *reducer) *onnxio.Value {
	return e.Mul(r.dy, e.Op("Exp", nil, e.Neg(r.y)))
}

func logSumExpSlope(e *op.Emitter, r *reducer) *onnxio.Value {
	return e.Mul(r.dy, e.Op("Exp", nil, e.Sub(r.x, r.y)))
}

// extremeSlope shares dy evenly among the elements that reach the extreme.
func extremeSlope(largest bool) func(e *op.Emitter, r *reducer) *onnxio.Value {
	return func(e *op.Emitter, r *reducer) *onnxio.Value {
		away := e.Greater(r.y, r.x)
		if !largest {
			away = e.Greater(r.x, r.y)
		}
		share := e.Where(away, e.Scalar(r.x, 0), e.Scalar(r.x, 1))
		return e.Mul(share, e.Div(r.dy, e.ReduceSum(share, r.axes...)))
	}
}

// maxProduct limits the factors of a product whose gradient is written out.
const maxProduct = 64

// productSlope is the product of the other factors, made from the products before and behind each, so that zeros do no harm.
func productSlope(e *op.Emitter, r *reducer) *onnxio.Value {
	if r.count > maxProduct {
		e.Fail(op.Unsupported(&onnxio.Node{Op: "ReduceProd", Opset: e.Opset}, "Gradient", "more than 64 factors"))
		return r.x
	}
	// The reduced axes go last, as one.
	reduced := map[int]bool{}
	for _, a := range r.axes {
		reduced[a] = true
	}
	var perm, back []int
	for i := range r.x.Shape {
		if !reduced[i] {
			perm = append(perm, i)
		}
	}
	perm = append(perm, r.axes...)
	back = make([]int, len(perm))
	shape := make([]int, len(perm))
	for i, p := range perm {
		back[p], shape[i] = i, r.x.Shape[p]
	}
	outer := product(r.x.Shape) / max(r.count, 1)
	flat := e.Reshape(e.Transpose(r.x, perm...), outer, r.count)
	if !e.Fits("a node for each factor of ReduceProd", 400*float64(r.count)) {
		return r.x
	}
	factor := make([]*onnxio.Value, r.count)
	for i := range factor {
		factor[i] = e.Slice(flat, 1, i, i+1)
	}
	others := make([]*onnxio.Value, r.count)
	one := e.Filled(r.x, 1, outer, 1)
	run := one
	for i := range factor {
		others[i] = run
		run = e.Mul(run, factor[i])
	}
	run = one
	for i := r.count - 1; i >= 0; i-- {
		others[i] = e.Mul(others[i], run)
		run = e.Mul(run, factor[i])
	}
	return e.Mul(r.dy, e.Transpose(e.Reshape(e.Concat(1, others...), shape...), back...))
}
