// swish.go — Swish, opset 24: y = x / (1 + exp(-alpha*x)).

package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var swishOp = op.Def{
	Name: "Swish", Since: 24,
	Attrs:    op.Attributes{"alpha": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: swishEval, Gradient: swishGradient, Interval: swishInterval, Linear: swishLinear,
	Couple: coupleElementwise,
}

// swishAlpha reads alpha; the standard's function takes any number.
func swishAlpha(n *onnxio.Node) (float64, error) {
	alpha := float64(n.Attrs.Float("alpha", 1))
	if !sound.Finite(alpha) {
		return 0, op.Unsupported(n, "Interval", "alpha is not a finite number")
	}
	return alpha, nil
}

func swishEval(c *op.Call) error {
	return eachFloat(c, func(x, alpha, _ float64) float64 {
		if z := alpha * x; math.IsInf(z, -1) {
			return 0 // the limit, where the quotient is Inf/Inf
		}
		return x * sigmoid(alpha*x)
	}, float64(c.Node.Attrs.Float("alpha", 1)), 0)
}

// swishDip is Swish with alpha = 1.
//
// With s = sigmoid(x), the second derivative is s*(1-s)*(2 - x*tanh(x/2)), and x*tanh(x/2) is even and rises from 0 without limit:
// there are two inflection points, convex between, concave outside.
var swishDip = relax.Dip{Curve: swishCurve(1), First: -2.3993572805154675, Second: 2.3993572805154675, Bottom: -1.2784645427610737,
	Least: -0.27846454276107385}

// swishCurve brackets x*s(z) with z = alpha*x, alpha > 0, s the sigmoid, and its derivative s(z) + z*s(z)*s(-z).
//
// z is off by half an ulp, which costs s a relative |z|*s(-z) ulps and s(z)*s(-z)*z an absolute |z|*s*s(-z)*(1+|z|) ulps; all else
// is relative. Under z = -700, where exp overflows, s is under 1e-304 and z*s under 1e-301, and both fall.
func swishCurve(alpha float64) relax.Curve {
	return relax.Curve{
		F: func(x float64) (float64, float64) {
			z := alpha * x
			if z < -700 {
				return -sound.Up(1e-300 / alpha), 0
			}
			return relax.Widen(x*sigmoid(z), (24+2*max(0, -z))*0x1p-52)
		},
		D: func(x float64) (float64, float64) {
			z := alpha * x
			if z < -700 {
				return -1e-300, 1e-300
			}
			s, r, a := sigmoid(z), sigmoid(-z), math.Abs(z)
			if r == 0 {
				a = 0 // z may be infinite; the product tends to 0
			}
			return relax.Brackets(s+math.Copysign(a, z)*s*r, (24*s+a*s*r*(32+2*a))*0x1p-52)
		},
	}
}

// swishBounds is the range for one alpha. For alpha < 0 it is the graph for -alpha turned about the origin.
func swishBounds(alpha float64) func(l, u float64) (lo, hi float64) {
	switch {
	case alpha == 0:
		return rising(relax.Straight(0.5).F)
	case alpha < 0:
		f := swishBounds(-alpha)
		return func(l, u float64) (float64, float64) { lo, hi := f(-u, -l); return -hi, -lo }
	}
	return swishDip.Scaled(alpha, swishCurve(alpha)).Bounds
}

func swishLines(alpha float64) relax.LinesFunc {
	switch {
	case alpha == 0:
		return relax.NewPieced(0, relax.NewPart(relax.Straight(0.5), relax.Convex, math.Inf(1), 0)).Lines(swishBounds(0))
	case alpha < 0:
		f := swishLines(-alpha)
		return func(s relax.Slope, l, u []float64, out *relax.Lines) {
			nl, nu := make([]float64, len(l)), make([]float64, len(l))
			for i := range l {
				nl[i], nu[i] = -u[i], -l[i]
			}
			f(s, nl, nu, out)
			for i := range l {
				out.Set(i, out.UpSlope[i], -out.UpIcept[i], out.LoSlope[i], -out.LoIcept[i])
			}
		}
	}
	return swishDip.Scaled(alpha, swishCurve(alpha)).Lines()
}

func swishInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	alpha, err := swishAlpha(n)
	if err != nil {
		return nil, err
	}
	return elementInterval(swishBounds(alpha))(n, in)
}

// swishLinear counts on executions whose error is that of a sigmoid times x: absolute.
func swishLinear(n *onnxio.Node) (*op.Linear, error) {
	alpha, err := swishAlpha(n)
	if err != nil {
		return nil, err
	}
	abs := 0x1p-17
	if a := math.Abs(alpha); a > 0 && a < 1 {
		abs /= a
	}
	return &op.Linear{Lines: swishLines(alpha), Execution: op.Within(8, abs, dipSource)}, nil
}

// dipSource: Swish was off by at most 2^-19.0 beyond 4 units in the last place, Gelu by 2^-23.5, its tanh form by 2^-20.7, Mish
// by nothing, each for |x| <= 64; further left onnxruntime gives 0, which the true value is nearer to than any of these.
const dipSource = "scan of onnxruntime 1.32.0 (CPU), every 1499th float32, with room"

// swishGradient: s + alpha*y*(1-s) with s = sigmoid(alpha*x).
var swishGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, y *onnxio.Value) *onnxio.Value {
	alpha := float64(n.Attrs.Float("alpha", 1))
	s := e.Op("Sigmoid", nil, e.MulC(x, alpha))
	return e.Add(s, e.Mul(e.MulC(y, alpha), e.Sub(e.Scalar(s, 1), s)))
})
