package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// onlyFirst is the result of a Gradient face with a gradient for input 0 alone.
func onlyFirst(dx *onnxio.Value) []*onnxio.Value { return []*onnxio.Value{dx} }

// zeroGradient is the Gradient face of operators that are constant almost everywhere.
func zeroGradient(*op.Emitter, *onnxio.Node, []*onnxio.Value) []*onnxio.Value { return nil }

// stepGradient is that of roundings: zero, or what an estimator that passes straight through them takes.
func stepGradient(e *op.Emitter, _ *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if e.Straight {
		return onlyFirst(dy[0])
	}
	return nil
}

// signGradient is stepGradient within [-1, 1], where Sign is like its input.
func signGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if e.Straight {
		x := n.Inputs[0]
		return onlyFirst(e.Mul(dy[0], e.Sub(e.Scalar(x, 1), e.Mask(e.GreaterC(e.Op("Abs", nil, x), 1), x))))
	}
	return nil
}

// derivative is the Gradient face of y = f(x) taken element by element: dx = dy * d(x, y).
func derivative(d func(e *op.Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		return onlyFirst(e.Mul(dy[0], d(e, n, n.Inputs[0], n.Outputs[0])))
	}
}

// sameGradient passes dy on, in the input's shape.
func sameGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Reshape(dy[0], n.Inputs[0].Shape...))
}

// movedGradient is the Gradient face of operators that only move elements of input 0: its Eval moves the elements' numbers, and the
// gradient goes back by scattering to them. Elements that go to several places collect a sum, which needs opset 16.
func movedGradient(eval func(*op.Call) error) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		if e.Err != nil {
			return nil
		}
		in := make([]*onnxio.Tensor, len(n.Inputs))
		for i, v := range n.Inputs {
			if v != nil && i > 0 {
				if v.Const == nil {
					return e.Refuse(n, "input "+v.Name+" is not constant")
				}
				in[i] = v.Const
			}
		}
		x := n.Inputs[0]
		in[0] = onnxio.NewTensor(onnxio.Int32, x.Shape...)
		for i, d := 0, in[0].Data.([]int32); i < len(d); i++ {
			d[i] = int32(i + 1)
		}
		out, err := evalOn(n, eval, in, onnxio.Int32)
		if err != nil {
			e.Fail(err)
			return nil
		}
		var dx *onnxio.Value
		for k, t := range out {
			if t == nil || dy[k] == nil {
				continue
			}
			part := e.Scatter(t.Data.([]int32), dy[k], x.Shape)
			if dx != nil {
				part = e.Add(dx, part)
			}
			dx = part
		}
		return onlyFirst(dx)
	}
}
