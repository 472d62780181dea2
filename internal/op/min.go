// min.go — Min, opset 6, 8 (broadcasting), 12, 13: the minimum of any number of inputs.

package op

func init() {
	Register(Def{
		Name: "Min", Since: 6, AnyOrder: true,
		Shape:    broadcastType,
		Eval:     variadicEval(ordering(false)),
		Gradient: extremeGradient(false),
		Interval: extremeInterval(false),
		Linear:   extremeLinear(false),
		Couple:   coupleElementwise,
	})
}
