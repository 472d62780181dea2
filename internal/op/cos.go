// cos.go — Cos, opset 7, 22: y = cos(x).

package op

import "math"

func init() {
	Register(Def{
		Name: "Cos", Since: 7, AnyOrder: true,
		Shape: sameShape, Eval: float64Only(math.Cos),
		Interval: elementInterval(cosRange),
		Linear:   lines(flatLines(cosRange), 4, waveSource),
	})
}

func cosRange(l, u float64) (lo, hi float64) { return waveRange(math.Cos, -math.Pi, l, u) }
