// lstm.go — LSTM, opset 7, 14, 22: long short-term memory with peepholes, one or both directions.
// Source: Hochreiter and Schmidhuber 1997; gates in the standard's order i, o, f, c.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var lstmActivations = []string{"Sigmoid", "Tanh", "Tanh"}

var lstmOp = op.Def{Name: "LSTM", Since: 7,
	Attrs: recurrent.With(op.Attributes{"input_forget": op.OneOf(0)}),
	Shape: cellShape(4, lstmActivations...), Eval: lstmEval, FeaturesLast: true, MACs: cellMACs(4),
	Parts: cellParts(4, lstmParts, lstmActivations...), Whole: alwaysWhole, Steps: true, Fused: true}

func lstmEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return cellEval(c, 4, x, lstmStep[float32], lstmActivations)
	case []float64:
		return cellEval(c, 4, x, lstmStep[float64], lstmActivations)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func lstmStep[T float32 | float64](m *cellMemory[T], fromX []T, bias, peephole, _ []T) {
	h, gated, candidate, shown := m.c.hidden, m.acts[0], m.acts[1], m.acts[2]
	peep := func(gate, j int, s float64) float64 {
		if peephole == nil {
			return 0
		}
		return float64(peephole[gate*h+j]) * s
	}
	for b := range m.c.batch {
		x, r := fromX[b*4*h:(b+1)*4*h], m.fromH[b*4*h:(b+1)*4*h]
		for j := range h {
			gate := func(k int) float64 { return float64(x[k*h+j]) + float64(r[k*h+j]) + biasAt(bias, k*h+j) }
			old := float64(m.s[b*h+j])
			i, f := gated(gate(0)+peep(0, j, old)), gated(gate(2)+peep(2, j, old))
			s := f*old + i*candidate(gate(3))
			o := gated(gate(1) + peep(1, j, s))
			m.s[b*h+j], m.h[b*h+j] = T(s), T(o*shown(s))
		}
	}
}
