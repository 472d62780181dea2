package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// averageGradient spreads dy over each window, divided by how many elements its mean is of.
func averageGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	g, err := poolOf(n)
	if err != nil {
		e.Fail(err)
		return nil
	}
	if n.Op == "GlobalAveragePool" {
		return onlyFirst(e.Expand(e.MulC(dy[0], 1/float64(g.h*g.w)), x.Shape...))
	}
	share := make([]float64, g.oh*g.ow)
	for i, c := range g.counts(includesPads(n)) {
		share[i] = 1 / float64(c)
	}
	q := g.images()
	d := e.Mul(e.Reshape(dy[0], q.n, 1, g.oh, g.ow), e.Reals(x, share, 1, 1, g.oh, g.ow))
	if g.sh == g.kh && g.sw == g.kw && g.oh*g.kh == g.h && g.ow*g.kw == g.w && g.top+g.left == 0 { // every element is in one window
		d = e.Expand(e.Reshape(d, q.n, g.oh, 1, g.ow, 1), q.n, g.oh, g.kh, g.ow, g.kw)
		return onlyFirst(e.Reshape(d, x.Shape...))
	}
	return onlyFirst(e.Reshape(adjoint(e, q, 1, d, e.Filled(x, 1, 1, 1, g.kh, g.kw)), x.Shape...))
}
