// identity.go — Identity, opset 1, 13, 14, 16, 19: y = x.

package operators

import "github.com/shallow-waters/shoal/internal/op"

var identityOp = op.Def{Name: "Identity", Since: 1, Copies: always, SameNumbers: true, Zero: op.ZeroKept, Shape: sameShape, Eval: copyEval,
	Gradient: sameGradient, Linear: reshapeLinear, Couple: coupleElementwise}

// copyEval is the Eval face of operators that keep all elements in their order.
func copyEval(c *op.Call) error { return copyData(c.Out[0], c.In[0]) }
