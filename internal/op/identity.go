// identity.go — Identity, opset 1, 13, 14, 16, 19: y = x.

package op

func init() {
	Register(Def{Name: "Identity", Since: 1, Shape: sameShape, Eval: copyEval, Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleElementwise})
}

// copyEval is the Eval face of operators that keep all elements in their order.
func copyEval(c *Call) error { return copyData(c.Out[0], c.In[0]) }
