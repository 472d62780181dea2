// mish.go — Mish, opset 18, 22: y = x * tanh(ln(1 + exp(x))).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var mishOp = op.Def{
	Name: "Mish", Since: 18, AnyOrder: true,
	Shape: sameShape, Eval: float64Only(mish),
	Gradient: mishGradient,
	Interval: elementInterval(mishDip.Bounds),
	Linear:   pieced(mishDip.Pieces(), mishDip.Bounds, 16, 0x1p-17, dipSource),
	Couple:   coupleElementwise,
}

// mishGate is tanh(ln(1+t)) = (t*t + 2*t) / (t*t + 2*t + 2) with t = exp(x), where nothing cancels.
func mishGate(x float64) float64 {
	t := math.Exp(x)
	return 1 / (1 + 2/(t*(t+2)))
}

func mish(x float64) float64 {
	if math.IsInf(x, -1) {
		return 0
	}
	return x * mishGate(x)
}

// mishDip: with t = exp(x), the second derivative has the sign of
//
//	h = 2*p - x*q,  p = t^3 + 3t^2 + 4t + 2,  q = 2t^3 + 3t^2 - 2t - 2.
//
// q has one positive root r (one change of signs, Descartes), 0.88 < r < 0.9, where h = 2*p > 0. Elsewhere h = 0 means 2*p/q = ln t. The
// derivative of p/q is (-3t^4 - 20t^3 - 36t^2 - 24t - 4)/q^2 < 0, so 2*p/q - ln t falls from +Inf to -Inf on (0, r) and again on
// (r, Inf), and has one root on each side: two inflection points, convex between, concave outside.
var mishDip = relax.Dip{Curve: mishCurve, First: -2.256376396360793, Second: 1.4905711794854284, Bottom: -1.1924312145154952,
	Least: -0.30884341301725045}

// mishCurve brackets x*T and T + x*T' with the gate T and T' = 4t(t+1)/(t*t + 2t + 2)^2. exp's margin enters T and T' at most four times
// enlarged. Beyond 350 the slope is 1 but for less than 1e-290, and below -700 all is smaller than 1e-300.
var mishCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		if x < -700 {
			return -1e-300, 0
		}
		return relax.Widen(mish(x), 40*0x1p-52)
	},
	D: func(x float64) (float64, float64) {
		switch {
		case x < -700:
			return -1e-300, 1e-300
		case x > 350:
			return sound.Down(1), sound.Up(1)
		}
		t := math.Exp(x)
		n := t*(t+2) + 2
		T, xT := mishGate(x), x*(4*t/n)*((t+1)/n)
		return relax.Brackets(T+xT, (T+math.Abs(xT))*64*0x1p-52)
	},
}

// mishGradient: t + x*(1-t*t)*sigmoid(x) with t = tanh(ln(1+exp(x))).
var mishGradient = derivative(func(e *op.Emitter, _ *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	t := e.Op("Tanh", nil, e.Op("Softplus", nil, x))
	return e.Add(t, e.Mul(e.Mul(x, e.MinusSquare(t)), e.Op("Sigmoid", nil, x)))
})
