package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// standardised is the gradient through h = (x-mean)/sqrt(variance+epsilon) over the given axes, for g = dL/dh: with r = 1/sqrt(...),
// dx = r*(g - mean(g) - h*mean(g*h)).
func standardised(e *op.Emitter, x, g *onnxio.Value, epsilon float64, axes []int) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	count := 1
	for _, a := range axes {
		count *= x.Shape[a]
	}
	mean := func(v *onnxio.Value) *onnxio.Value { return e.MulC(e.ReduceSum(v, axes...), 1/float64(count)) }
	centred := e.Sub(x, mean(x))
	r := e.InverseRoot(e.AddC(mean(e.Mul(centred, centred)), epsilon))
	h := e.Mul(centred, r)
	return e.Mul(r, e.Sub(e.Sub(g, mean(g)), e.Mul(h, mean(e.Mul(g, h)))))
}
