// xor.go — Xor, opset 7: y is true where one of two inputs is, but not both, with broadcasting.

package operators

var xorOp = logical("Xor", func(a, b bool) bool { return a != b })
