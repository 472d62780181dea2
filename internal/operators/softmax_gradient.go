package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// softmaxGradient is the Gradient face of Softmax, dx = y*(dy - sum(dy*y)), and of LogSoftmax, dx = dy - exp(y)*sum(dy), with sums over
// the axes that the softmax is over.
func softmaxGradient(log bool) op.GradientFunc {
	return func(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		y := n.Outputs[0]
		rank, def := len(y.Shape), -1
		if n.Opset < 13 {
			def = 1
		}
		axis := n.Attrs.Int("axis", def)
		if axis < 0 {
			axis += rank
		}
		axes := []int{axis}
		if n.Opset < 13 {
			axes = nil
			for i := axis; i < rank; i++ {
				axes = append(axes, i)
			}
		}
		if log {
			return onlyFirst(e.Sub(dy[0], e.Mul(e.Op("Exp", nil, y), e.ReduceSum(dy[0], axes...))))
		}
		return onlyFirst(e.Mul(y, e.Sub(dy[0], e.ReduceSum(e.Mul(dy[0], y), axes...))))
	}
}
