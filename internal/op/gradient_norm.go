package op

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// standardised is the gradient through h = (x-mean)/sqrt(variance+epsilon) over the given axes, for g = dL/dh: with r = 1/sqrt(...),
// dx = r*(g - mean(g) - h*mean(g*h)).
func (e *Emitter) standardised(x, g *onnxio.Value, epsilon float64, axes []int) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	count := 1
	for _, a := range axes {
		count *= x.Shape[a]
	}
	mean := func(v *onnxio.Value) *onnxio.Value { return e.MulC(e.ReduceSum(v, axes...), 1/float64(count)) }
	centred := e.Sub(x, mean(x))
	r := e.inverseRoot(e.AddC(mean(e.Mul(centred, centred)), epsilon))
	h := e.Mul(centred, r)
	return e.Mul(r, e.Sub(e.Sub(g, mean(g)), e.Mul(h, mean(e.Mul(g, h)))))
}

// layerNormGradient goes through the scale and the standardisation.
func layerNormGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	if e.wants(n, 1) || e.wants(n, 2) || dy[0] == nil || len(dy) > 1 && slices.ContainsFunc(dy[1:], func(v *onnxio.Value) bool { return v != nil }) {
		return e.refuse(n, "only the gradient of the first output in the first input is known")
	}
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
	if err != nil {
		e.fail(err)
		return nil
	}
	var axes []int
	for i := axis; i < len(x.Shape); i++ {
		axes = append(axes, i)
	}
	g := e.Mul(dy[0], e.Reshape(n.Inputs[1], x.Shape[axis:]...))
	return onlyFirst(e.standardised(x, g, epsilonOf(n), axes))
}

// groupNormGradient is that of InstanceNormalization and GroupNormalization.
func groupNormGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	if e.wants(n, 1) || e.wants(n, 2) {
		return e.refuse(n, "the scale depends on the model's input")
	}
	groups, scales, inner, err := groupNormForm(n, x.Shape)
	if err != nil {
		e.fail(err)
		return nil
	}
	g := e.Mul(e.Reshape(dy[0], x.Shape[0], scales, inner), e.Reshape(n.Inputs[1], scales, 1))
	size := product(x.Shape) / (x.Shape[0] * groups)
	dx := e.standardised(e.Reshape(x, x.Shape[0], groups, size), e.Reshape(g, x.Shape[0], groups, size), epsilonOf(n), []int{2})
	return onlyFirst(e.Reshape(dx, x.Shape...))
}

// lrnGradient: with s = bias + alpha/size * (sum of x*x over the neighbours), y = x*s^-beta and
// dx = dy*s^-beta - 2*alpha*beta/size * x * (sum over the elements that see x of dy*x*s^(-beta-1)).
func lrnGradient(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	size := n.Attrs.Int("size", 1)
	alpha, beta := float64(n.Attrs.Float("alpha", 1e-4)), float64(n.Attrs.Float("beta", 0.75))
	channels := x.Shape[1]
	if !e.fits("LRN's neighbours", 2*float64(channels)*float64(channels)) {
		return nil
	}
	see, back := make([]float64, channels*channels), make([]float64, channels*channels)
	for ch := range channels {
		for k := max(0, ch-(size-1)/2); k <= min(channels-1, ch+size/2); k++ {
			see[ch*channels+k], back[k*channels+ch] = 1, 1
		}
	}
	s := e.AddC(e.MulC(e.alongAxis(e.Mul(x, x), 1, channels, channels, see), alpha/float64(size)), float64(n.Attrs.Float("bias", 1)))
	direct := e.Mul(dy[0], e.Op("Pow", nil, s, e.Scalar(s, -beta)))
	others := e.alongAxis(e.Div(e.Mul(direct, x), s), 1, channels, channels, back)
	return onlyFirst(e.Sub(direct, e.Mul(e.MulC(x, 2*alpha*beta/float64(size)), others)))
}
