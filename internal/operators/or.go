// or.go — Or, opset 7: y is true where an input is, with broadcasting.

package operators

var orOp = logical("Or", func(a, b bool) bool { return a || b })
