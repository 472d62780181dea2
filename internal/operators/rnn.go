// rnn.go — RNN, opset 7, 14, 22: h = tanh(W x + R h + b), or another activation, one or both directions.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var rnnActivations = []string{"Tanh"}

var rnnOp = op.Def{Name: "RNN", Since: 7,
	Attrs: recurrent,
	Shape: cellShape(1, rnnActivations...), Eval: rnnEval, FeaturesLast: true, MACs: cellMACs(1),
	Parts: cellParts(1, rnnParts, rnnActivations...), Whole: alwaysWhole, Steps: true, Fused: true}

func rnnEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return cellEval(c, 1, x, rnnStep[float32], rnnActivations)
	case []float64:
		return cellEval(c, 1, x, rnnStep[float64], rnnActivations)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func rnnStep[T float32 | float64](m *cellMemory[T], fromX []T, bias, _, _ []T) {
	f := m.acts[0]
	for i := range m.h {
		m.h[i] = T(f(float64(fromX[i]) + float64(m.fromH[i]) + biasAt(bias, i%m.c.hidden)))
	}
}
