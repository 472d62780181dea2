// sign.go — Sign, opset 9, 13: -1, 0 or 1.

package op

func init() {
	exact := func(x float64) (float64, float64) { return signOf(x), signOf(x) }
	Register(Def{
		Name: "Sign", Since: 9, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(signOf),
		Interval: elementInterval(rising(exact)),
		Linear:   lines(flatLines(rising(exact)), 0, "exact"),
	})
}

func signOf(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
