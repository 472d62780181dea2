// gru.go — GRU, opset 7, 14, 22: gated recurrent units, both forms of the reset, one or both directions.
// Source: Cho et al. 2014; gates in the standard's order z, r, h.

package operators

import (
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
)

var gruActivations = []string{"Sigmoid", "Tanh"}

var gruOp = op.Def{Name: "GRU", Since: 7,
	Attrs: recurrent.With(op.Attributes{"linear_before_reset": op.Boolean}),
	Shape: cellShape(3, gruActivations...), Eval: gruEval, FeaturesLast: true, MACs: cellMACs(3),
	Parts: cellParts(3, gruParts, gruActivations...), Whole: alwaysWhole, Steps: true, Fused: true}

func gruEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return cellEval(c, 3, x, gruStep[float32], gruActivations)
	case []float64:
		return cellEval(c, 3, x, gruStep[float64], gruActivations)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func gruStep[T float32 | float64](m *cellMemory[T], fromX []T, bias, _, r []T) {
	h, gated, candidate := m.c.hidden, m.acts[0], m.acts[1]
	single := func(i int) float64 { // the bias of R alone
		if bias == nil {
			return 0
		}
		return float64(bias[len(bias)/2+i])
	}
	own := func(i int) float64 {
		if bias == nil {
			return 0
		}
		return float64(bias[i])
	}
	if !m.c.reset { // the reset comes before the product with R
		for b := range m.c.batch {
			x, g := fromX[b*3*h:(b+1)*3*h], m.fromH[b*3*h:(b+1)*3*h]
			for j := range h {
				m.s[b*h+j] = T(gated(float64(x[h+j])+float64(g[h+j])+biasAt(bias, h+j)) * float64(m.h[b*h+j]))
			}
		}
		// The first two gates' rows of R have been used; the last one's product is of the reset state.
		kernel.Gemm(false, true, m.c.batch, h, h, m.s, h, r[2*h*h:], h, m.fromH[2*h:], 3*h, false, &m.work)
	}
	for b := range m.c.batch {
		x, g := fromX[b*3*h:(b+1)*3*h], m.fromH[b*3*h:(b+1)*3*h]
		for j := range h {
			z := gated(float64(x[j]) + float64(g[j]) + biasAt(bias, j))
			from := float64(g[2*h+j]) + single(2*h+j)
			if m.c.reset {
				from *= gated(float64(x[h+j]) + float64(g[h+j]) + biasAt(bias, h+j))
			}
			n := candidate(float64(x[2*h+j]) + own(2*h+j) + from)
			m.h[b*h+j] = T((1-z)*n + z*float64(m.h[b*h+j]))
		}
	}
}
