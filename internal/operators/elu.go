// elu.go — Elu, opset 6, 22: y = x where x >= 0, else alpha * (exp(x) - 1). alpha may be any number.

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var eluOp = op.Def{
	Name: "Elu", Since: 6,
	Attrs:    op.Attributes{"alpha": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: func(c *op.Call) error { return eachFloat(c, eluAt, eluAlpha(c.Node), 1) },
	Gradient: eluGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		return elementInterval(eluOf(n).bounds)(n, in)
	},
	Linear: func(n *onnxio.Node) (*op.Linear, error) { return eluOf(n).linear(n) },
	Couple: coupleElementwise,
}

func eluAlpha(n *onnxio.Node) float64 { return float64(n.Attrs.Float("alpha", 1)) }

func eluOf(n *onnxio.Node) expKink { return expKink{eluAlpha(n), 1, 1} }

func eluAt(x, a, k float64) float64 {
	if x < 0 {
		return a * math.Expm1(x)
	}
	return k * x
}

// expKink is y = k*x where x >= 0, else a * (exp(x/t) - 1), t > 0: Elu, Selu and Celu.
type expKink struct{ a, t, k float64 }

// left brackets the part below 0. math.Expm1 claims less than 1 ulp; the quotient's half ulp is not enlarged by it, but |x/t| times
// by the derivative. Below -700 that is under 1e-304 times its value at 0.
func (e expKink) left() relax.Curve {
	q := e.a / e.t
	return relax.Curve{
		F: func(x float64) (float64, float64) { return relax.Widen(e.a*math.Expm1(x/e.t), 16*0x1p-52) },
		D: func(x float64) (float64, float64) {
			z := x / e.t
			if z < -700 {
				v := sound.MulUp(sound.Up(math.Abs(q)), 1e-304)
				return -v, v
			}
			return relax.Widen(q*math.Exp(z), (24-2*z)*0x1p-52)
		},
	}
}

func (e expKink) value(x float64) (lo, hi float64) {
	if x < 0 {
		return e.left().F(x)
	}
	return sound.MulDown(e.k, x), sound.MulUp(e.k, x)
}

// bounds: on each side of 0 the function rises or falls.
func (e expKink) bounds(l, u float64) (lo, hi float64) {
	ll, lh := e.value(l)
	ul, uh := e.value(u)
	lo, hi = min(ll, ul), max(lh, uh)
	if l < 0 && u > 0 {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	return lo, hi
}

// linear counts on executions that take exp(x) - 1 apart, which costs them an ulp of 1.
func (e expKink) linear(n *onnxio.Node) (*op.Linear, error) {
	if !sound.Finite(e.a) || !sound.Finite(e.k) {
		return nil, op.Unsupported(n, "Linear", "an attribute is not a finite number")
	}
	b := relax.Convex
	if e.a < 0 {
		b = relax.Concave
	}
	p := relax.NewPieced(0, relax.NewPart(e.left(), b, 0, 0), relax.NewPart(relax.Straight(e.k), relax.Convex, math.Inf(1), 0))
	return &op.Linear{Lines: p.Lines(e.bounds), Family: p, Execution: op.Within(8, math.Abs(e.a)*0x1p-22,
		"scan of onnxruntime 1.32.0 (CPU), every 1499th float32: at most 2^-24*alpha beyond 4 ulp")}, nil
}

// eluGradient: y+alpha below 0, else 1.
var eluGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value {
	return e.Where(e.Greater(e.Scalar(x, 0), x), e.AddC(y, eluAlpha(n)), e.Scalar(x, 1))
})
