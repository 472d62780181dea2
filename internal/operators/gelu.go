// gelu.go — Gelu, opset 20: y = x/2 * (1 + erf(x/sqrt(2))), or with approximate "tanh" y = x/2 * (1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))).

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var geluOp = op.Def{
	Name: "Gelu", Since: 20,
	Attrs:    op.Attributes{"approximate": op.OneOf("none", "tanh")},
	AnyOrder: true,
	Shape:    geluShape, Eval: geluEval,
	Gradient: geluGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		return elementInterval(geluOf(n).Bounds)(n, in)
	},
	Linear: func(n *onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: geluOf(n).Lines(), Family: geluOf(n).Pieces(), Execution: op.Within(8, 0x1p-18, dipSource)}, nil
	},
	Couple: coupleElementwise,
}

func geluShape(n *onnxio.Node) ([]op.Type, error) {
	if a := n.Attrs.String("approximate", "none"); a != "none" && a != "tanh" {
		return nil, fmt.Errorf("approximate is %q where none or tanh is needed", a)
	}
	return sameShape(n)
}

func geluTanh(n *onnxio.Node) bool { return n.Attrs.String("approximate", "none") == "tanh" }

func geluOf(n *onnxio.Node) *relax.Dip {
	if geluTanh(n) {
		return &geluTanhDip
	}
	return &geluDip
}

func geluEval(c *op.Call) error {
	if geluTanh(c.Node) {
		return geluTanhRun(c)
	}
	return geluRun(c)
}

var (
	geluRun     = float64Only(gelu)
	geluTanhRun = float64Only(func(x float64) float64 {
		if math.IsInf(x, -1) {
			return 0
		}
		return x * sigmoid(geluArg(x))
	})
)

// gelu uses 1 + erf(t) = erfc(-t), without cancellation.
func gelu(x float64) float64 {
	if math.IsInf(x, -1) {
		return 0
	}
	return x / 2 * math.Erfc(-x/math.Sqrt2)
}

// geluDip is the exact form, x*P(x) with P the normal distribution. Its second derivative is p(x)*(2 - x*x), with p the density.
var geluDip = relax.Dip{Curve: geluCurve, First: -math.Sqrt2, Second: math.Sqrt2, Bottom: -0.7517915246935645, Least: -0.16997120747990369}

// geluCurve brackets x*P(x) and P(x) + x*p(x). erfc(t) is allowed 8 ulp (its comments claim less than 1), and the rounding of its
// argument costs a relative 2*t*t = x*x ulps below 0; p's exponent costs x*x/2. Below -37.5, where these become subnormal,
// everything is under 1e-300 and falls.
var geluCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		if x < -37.5 {
			return -1e-300, 0
		}
		m := min(x, 0)
		return relax.Widen(gelu(x), (16+2*m*m)*0x1p-52)
	},
	D: func(x float64) (float64, float64) {
		if x < -37.5 {
			return -1e-300, 1e-300
		}
		m := min(x, 0)
		a := math.Abs(x)
		if a > 40 {
			a = 40 // p is 0 in float64, and nearly so in truth
		}
		p := math.Exp(-a*a/2) / (math.Sqrt2 * math.SqrtPi)
		P := math.Erfc(-x/math.Sqrt2) / 2
		return relax.Brackets(P+math.Copysign(a, x)*p, (P*(16+2*m*m)+a*p*(16+a*a))*0x1p-52)
	},
}

// geluTanhDip is the tanh form, x*s(w) with s the sigmoid and w = 2*c*(x + b*x^3), c = sqrt(2/pi), b = 0.044715.
//
// With v = 3*b*x*x, the second derivative has the sign of 1 + 2*v - c*x*(1+v)^2*tanh(w/2). Divided by 1 + 2*v the last term is
// c * x*tanh(w/2) * (1 + v*v/(1+2*v)), a product of even factors that rise from x = 0 on: there is one inflection point on each
// side, convex between.
var geluTanhDip = relax.Dip{Curve: geluTanhCurve, First: -1.4185040087908283, Second: 1.4185040087908283, Bottom: -0.7524614220710163,
	Least: -0.17004075057125412}

const (
	geluC = math.Sqrt2 / math.SqrtPi
	geluB = 0.044715
)

// geluArg is w.
func geluArg(x float64) float64 { return 2 * geluC * (x + geluB*x*x*x) }

// geluTanhCurve brackets x*s(w) and s(w) + x*w'*s(w)*s(-w) as swishCurve does; w has no cancellation and is within 8 ulp, w' too.
// Beyond |w| = 700 the function is x or 0 but for less than 1e-290, since |x*w'| <= 3*|w|.
var geluTanhCurve = relax.Curve{
	F: func(x float64) (float64, float64) {
		w := geluArg(x)
		if w < -700 {
			return -1e-290, 0
		}
		return relax.Widen(x*sigmoid(w), (24+16*max(0, -w))*0x1p-52)
	},
	D: func(x float64) (float64, float64) {
		w := geluArg(x)
		switch {
		case w < -700:
			return -1e-290, 1e-290
		case w > 700:
			return sound.Down(1), sound.Up(1)
		}
		s, r, a := sigmoid(w), sigmoid(-w), math.Abs(w)
		xw := x * 2 * geluC * (1 + 3*geluB*x*x)
		return relax.Brackets(s+xw*s*r, (24*s+s*r*(48*math.Abs(xw)+16*a*(1+math.Abs(xw))))*0x1p-52)
	},
}

// geluGradient: the normal distribution plus x times its density, or the derivative of the tanh form.
var geluGradient = derivative(func(e *op.Emitter, n *onnxio.Node, x, _ *onnxio.Value) *onnxio.Value {
	square := e.Mul(x, x)
	if geluTanh(n) {
		const s, c = 0.7978845608028654, 0.044715
		t := e.Op("Tanh", nil, e.Mul(x, e.AddC(e.MulC(square, s*c), s)))
		slope := e.Mul(e.MinusSquare(t), e.AddC(e.MulC(square, 3*s*c), s))
		return e.MulC(e.Add(e.AddC(t, 1), e.Mul(x, slope)), 0.5)
	}
	density := e.MulC(e.Op("Exp", nil, e.MulC(square, -0.5)), 1/math.Sqrt(2*math.Pi))
	return e.Add(e.MulC(e.AddC(e.Op("Erf", nil, e.MulC(x, math.Sqrt2/2)), 1), 0.5), e.Mul(x, density))
})
