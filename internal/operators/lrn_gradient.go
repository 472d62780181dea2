package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// lrnGradient: with s = bias + alpha/size * (sum of x*x over the neighbours), y = x*s^-beta and
// dx = dy*s^-beta - 2*alpha*beta/size * x * (sum over the elements that see x of dy*x*s^(-beta-1)).
func lrnGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	size := n.Attrs.Int("size", 1)
	alpha, beta := float64(n.Attrs.Float("alpha", 1e-4)), float64(n.Attrs.Float("beta", 0.75))
	channels := x.Shape[1]
	if !e.Fits("LRN's neighbours", 2*float64(channels)*float64(channels)) {
		return nil
	}
	see, back := make([]float64, channels*channels), make([]float64, channels*channels)
	for ch := range channels {
		for k := max(0, ch-(size-1)/2); k <= min(channels-1, ch+size/2); k++ {
			see[ch*channels+k], back[k*channels+ch] = 1, 1
		}
	}
	s := e.AddC(e.MulC(e.AlongAxis(e.Mul(x, x), 1, channels, channels, see), alpha/float64(size)), float64(n.Attrs.Float("bias", 1)))
	direct := e.Mul(dy[0], e.Op("Pow", nil, s, e.Scalar(s, -beta)))
	others := e.AlongAxis(e.Div(e.Mul(direct, x), s), 1, channels, channels, back)
	return onlyFirst(e.Sub(direct, e.Mul(e.MulC(x, 2*alpha*beta/float64(size)), others)))
}
