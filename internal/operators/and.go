// and.go — And, opset 7: y is true where both inputs are, with broadcasting.

package operators

var andOp = logical("And", func(a, b bool) bool { return a && b })
