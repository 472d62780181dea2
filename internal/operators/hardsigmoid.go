// hardsigmoid.go — HardSigmoid, opset 6, 22: y = max(0, min(1, alpha*x + beta)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var hardSigmoidOp = op.Def{
	Name: "HardSigmoid", Since: 6,
	Attrs:    op.Attributes{"alpha": op.AnyValue, "beta": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: hardSigmoidEval, Gradient: hardSigmoidGradient, Interval: hardSigmoidInterval, Linear: hardSigmoidLinear,
	Couple: coupleElementwise,
}

func hardSigmoidOf(n *onnxio.Node) (alpha, beta float64) {
	return float64(n.Attrs.Float("alpha", 0.2)), float64(n.Attrs.Float("beta", 0.5))
}

func hardSigmoidEval(c *op.Call) error {
	alpha, beta := hardSigmoidOf(c.Node)
	return eachFloat(c, func(x, alpha, beta float64) float64 { return max(0, min(1, alpha*x+beta)) }, alpha, beta)
}

// ramp brackets alpha*x + beta.
func ramp(alpha, beta float64) relax.Curve {
	return relax.Curve{
		F: func(x float64) (float64, float64) {
			return sound.AddDown(sound.MulDown(alpha, x), beta), sound.AddUp(sound.MulUp(alpha, x), beta)
		},
		D: func(float64) (float64, float64) { return alpha, alpha },
	}
}

// hardSigmoidBounds is the range: the function rises or falls as alpha says.
func hardSigmoidBounds(alpha, beta float64) func(l, u float64) (lo, hi float64) {
	f := ramp(alpha, beta).F
	return func(l, u float64) (float64, float64) {
		ll, lh := f(l)
		ul, uh := f(u)
		return max(0, min(1, ll, ul)), max(0, min(1, max(lh, uh)))
	}
}

func hardSigmoidInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	alpha, beta := hardSigmoidOf(n)
	if !sound.Finite(alpha) || !sound.Finite(beta) {
		return nil, op.Unsupported(n, "Interval", "alpha or beta is not a finite number")
	}
	return elementInterval(hardSigmoidBounds(alpha, beta))(n, in)
}

// hardSigmoidLinear: two levels and a ramp between; the kinks are quotients, which float64 only encloses.
func hardSigmoidLinear(n *onnxio.Node) (*op.Linear, error) {
	alpha, beta := hardSigmoidOf(n)
	if !sound.Finite(alpha) || !sound.Finite(beta) {
		return nil, op.Unsupported(n, "Linear", "alpha or beta is not a finite number")
	}
	r := ramp(alpha, beta)
	clipped := relax.Curve{F: func(x float64) (float64, float64) {
		lo, hi := r.F(x)
		return max(0, min(1, lo)), max(0, min(1, hi))
	}, D: r.D}
	// kink encloses where the ramp has the value y.
	kink := func(y float64) (a, b float64) {
		p, q := sound.AddDown(y, -beta)/alpha, sound.AddUp(y, -beta)/alpha
		return sound.Down(min(p, q)), sound.Up(max(p, q))
	}
	var pieces *relax.Pieced
	switch gentle, steep, inf := min(0, alpha), max(0, alpha), math.Inf(1); {
	case alpha == 0:
		pieces = relax.NewPieced(0, relax.NewPart(relax.Level(max(0, min(1, beta))), relax.Convex, inf, 0))
	default:
		first, last := 0.0, 1.0
		if alpha < 0 {
			first, last = last, first
		}
		a, b := kink(first)
		c, d := kink(last)
		if b < c {
			pieces = relax.NewPieced(gentle, relax.NewPart(relax.Level(first), relax.Convex, a, 0), relax.NewPart(clipped, relax.Unsure, b, steep),
				relax.NewPart(r, relax.Convex, c, 0),
				relax.NewPart(clipped, relax.Unsure, d, steep), relax.NewPart(relax.Level(last), relax.Convex, inf, 0))
		} else { // the ramp is narrower than its ends are known
			pieces = relax.NewPieced(gentle, relax.NewPart(relax.Level(first), relax.Convex, a, 0), relax.NewPart(clipped, relax.Unsure, d, steep),
				relax.NewPart(relax.Level(last), relax.Convex, inf, 0))
		}
	}
	return &op.Linear{Lines: pieces.Lines(hardSigmoidBounds(alpha, beta)), Family: pieces, Execution: op.Within(0, (1+2*math.Abs(beta))*0x1p-22,
		"two roundings of numbers up to 1 + |beta|")}, nil
}

// hardSigmoidGradient: alpha where 0 < y < 1, else 0.
var hardSigmoidGradient = derivative(func(e *op.Emitter, n *onnxio.Node, _, y *onnxio.Value) *onnxio.Value {
	alpha, _ := hardSigmoidOf(n)
	inside := e.Op("And", nil, e.GreaterC(y, 0), e.Greater(e.Scalar(y, 1), y))
	return e.Where(inside, e.Scalar(y, alpha), e.Scalar(y, 0))
})
