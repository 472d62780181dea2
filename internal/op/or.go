// or.go — Or, opset 7: y is true where an input is, with broadcasting.

package op

func init() { Register(logical("Or", func(a, b bool) bool { return a || b })) }
