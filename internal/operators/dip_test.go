package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// swishTruth, geluTruth, geluTanhTruth and mishTruth are the functions in high precision.
func swishTruth(alpha float64) func(x float64) *big.Float {
	return func(x float64) *big.Float { return mul(wide(x), logistic(mul(wide(alpha), wide(x)))) }
}

func geluTruth(x float64) *big.Float { P, _ := normal(wide(x)); return mul(wide(x), P) }

// geluW is sqrt(2/pi)*(x + 0.044715*x^3).
func geluW(x *big.Float) *big.Float {
	b := quo(wide(44715), wide(1e6))
	return mul(root(quo(wide(2), bigPi)), add(x, mul(b, mul(x, mul(x, x)))))
}

func geluTanhTruth(x float64) *big.Float {
	return mul(wide(x), logistic(mul(wide(2), geluW(wide(x)))))
}

func mishTruth(x float64) *big.Float {
	t := exp(wide(x))
	n := mul(t, add(t, wide(2)))
	return mul(wide(x), quo(n, add(n, wide(2))))
}

// TestDipConstants proves the places of inflection points and minima: the deciding terms have opposite signs DipMargin to the left and
// to the right, and the definitions' comments show that they change their sign once.
func TestDipConstants(t *testing.T) {
	one, two := wide(1), wide(2)
	for _, c := range []struct {
		name  string
		d     *relax.Dip
		truth func(x float64) *big.Float
		bend  func(x *big.Float) *big.Float // the sign of the second derivative
		slope func(x *big.Float) *big.Float // the sign of the first
	}{
		{"Swish", &swishDip, swishTruth(1),
			func(x *big.Float) *big.Float { return sub(two, mul(x, hyperbolicTangent(quo(x, two)))) },
			func(x *big.Float) *big.Float { return add(add(one, x), exp(x)) }},
		{"Gelu", &geluDip, geluTruth,
			func(x *big.Float) *big.Float { return sub(two, mul(x, x)) },
			func(x *big.Float) *big.Float { P, p := normal(x); return add(P, mul(x, p)) }},
		{"Gelu tanh", &geluTanhDip, geluTanhTruth,
			func(x *big.Float) *big.Float {
				v := mul(quo(wide(3*44715), wide(1e6)), mul(x, x))
				c := root(quo(two, bigPi))
				v1 := add(one, v)
				return sub(add(one, mul(two, v)), mul(mul(c, x), mul(mul(v1, v1), hyperbolicTangent(geluW(x)))))
			},
			// With s(w) = 1/(1+exp(-w)): s + x*w'*s*(1-s) has the sign of 1 + exp(w) + x*w', for w = 2*geluW.
			func(x *big.Float) *big.Float {
				v := mul(quo(wide(3*44715), wide(1e6)), mul(x, x))
				xw := mul(mul(two, root(quo(two, bigPi))), mul(x, add(one, v)))
				return add(add(one, exp(mul(two, geluW(x)))), xw)
			}},
		{"Mish", &mishDip, mishTruth,
			func(x *big.Float) *big.Float {
				t := exp(x)
				t2 := mul(t, t)
				t3 := mul(t2, t)
				p := add(add(t3, mul(wide(3), t2)), add(mul(wide(4), t), two))
				q := sub(add(mul(two, t3), mul(wide(3), t2)), add(mul(two, t), two))
				return sub(mul(two, p), mul(x, q))
			},
			// T + x*T', times (t*t+2t+2)^2/t.
			func(x *big.Float) *big.Float {
				t := exp(x)
				n := add(mul(t, add(t, two)), two)
				return add(mul(add(t, two), n), mul(mul(wide(4), x), add(t, one)))
			}},
	} {
		at := func(x, rel float64) *big.Float { return mul(wide(x), add(one, wide(rel))) }
		for i, x := range []float64{c.d.First, c.d.Second} {
			lo, hi := c.bend(at(x, -relax.DipMargin)), c.bend(at(x, relax.DipMargin))
			if lo.Sign()*hi.Sign() != -1 {
				t.Errorf("%s: inflection point %d is not at %v: %.3g, %.3g", c.name, i, x, lo, hi)
			}
			if in := c.bend(at(x, -0.01)); in.Sign() != 1 { // towards 0 for both
				t.Errorf("%s: not convex between the inflection points", c.name)
			}
			a, b := relax.Around(x)
			for _, y := range []float64{a, x, b} {
				if lo, hi := c.d.D(y); !(lo > relax.GentlestDip+1e-3) || !(hi < relax.SteepestDip-1e-3) {
					t.Errorf("%s: slope in [%v, %v] at an inflection point", c.name, lo, hi)
				}
			}
		}
		if lo, hi := c.slope(at(c.d.Bottom, relax.DipMargin)), c.slope(at(c.d.Bottom, -relax.DipMargin)); lo.Sign() != -1 || hi.Sign() != 1 {
			t.Errorf("%s: the minimum is not at %v: %.3g, %.3g", c.name, c.d.Bottom, lo, hi)
		}
		// The curve is over its tangent at the bottom, of a slope under 1e-14, and the true place is within DipMargin.
		y := c.truth(c.d.Bottom)
		if room := sub(y, wide(c.d.Least)); room.Cmp(wide(1e-25)) < 0 || room.Cmp(wide(relax.DipMargin/1000)) > 0 {
			t.Errorf("%s: the minimum is %.5g over %v", c.name, room, c.d.Least)
		}
		if lo, hi := c.d.D(c.d.Bottom); !(lo > -1e-13 && hi < 1e-13) {
			t.Errorf("%s: slope [%v, %v] at the bottom", c.name, lo, hi)
		}
	}
}

// dips are nodes of all forms with their truth.
func dips(t *testing.T) []struct {
	n     *onnxio.Node
	truth func(x float64) *big.Float
} {
	var out []struct {
		n     *onnxio.Node
		truth func(x float64) *big.Float
	}
	add := func(n *onnxio.Node, truth func(x float64) *big.Float) {
		out = append(out, struct {
			n     *onnxio.Node
			truth func(x float64) *big.Float
		}{n, truth})
	}
	for _, alpha := range []float32{1, 1.702, 0.25, -1.5, 0} {
		add(node(t, "Swish", 24, onnxio.Attrs{"alpha": alpha}, variable(1)), swishTruth(float64(alpha)))
	}
	add(node(t, "Gelu", 20, nil, variable(1)), geluTruth)
	add(node(t, "Gelu", 20, onnxio.Attrs{"approximate": "tanh"}, variable(1)), geluTanhTruth)
	add(node(t, "Mish", 18, nil, variable(1)), mishTruth)
	return out
}

// dipIntervals are intervals of all sizes and places where the references are precise, many with ends near the special points.
func dipIntervals() [][2]float64 {
	rng := rand.New(rand.NewPCG(21, 22))
	iv := [][2]float64{{-1, 1}, {0, 0}, {-8, 8}, {-16, -8}, {3, 16}, {-1, sound.Up(-1)}, {-1e-300, 1e-300}, {-1e-9, 1e-12}, {-4, -1}, {-2, 0.5}}
	special := []float64{-2.3993572805154675, -1.2784645427610737, -math.Sqrt2, -0.7517915246935645, 2.3993572805154675, math.Sqrt2,
		-2.256376396360793, 1.4905711794854284, -1.1924312145154952, -0.7524614220710163}
	for _, x := range special {
		w := rng.Float64()
		iv = append(iv, [2]float64{x, x}, [2]float64{x, x + w}, [2]float64{x - w, x}, [2]float64{sound.Down(x), sound.Up(x)}, [2]float64{x - 3*w, x + 2*w})
	}
	for range 25 {
		scale := math.Exp(rng.Float64()*6 - 4)
		a, b := rng.NormFloat64()*scale, rng.NormFloat64()*scale
		a, b = min(max(a, -16), 16), min(max(b, -16), 16)
		iv = append(iv, [2]float64{min(a, b), max(a, b)})
	}
	return iv
}

func TestLinesHoldDips(t *testing.T) {
	for _, c := range dips(t) {
		name := c.n.Op
		iv := dipIntervals()
		checkLines(t, name, linesOf(t, c.n), c.truth, iv, -2.3993572805154675, 2.3993572805154675, -1.2784645427610737)
		checkBox(t, name, c.n, c.truth, iv)
	}
}

// TestDipTails: far out the brackets hold too. Gelu's values at the left are from mpmath, with 50 digits.
func TestDipTails(t *testing.T) {
	far := func(f func(x float64) *big.Float, d *relax.Dip, x float64) {
		t.Helper()
		lo, hi := d.F(x)
		if y := f(x); y.Cmp(wide(lo)) < 0 || y.Cmp(wide(hi)) > 0 {
			t.Errorf("f(%v) = %.5g outside [%v, %v]", x, y, lo, hi)
		}
	}
	for _, x := range []float64{-100, -200, -290, 100, 250} {
		far(swishTruth(1), &swishDip, x)
		far(mishTruth, &mishDip, x)
	}
	for _, x := range []float64{-10, -12.5, 10, 12.5} {
		far(geluTanhTruth, &geluTanhDip, x)
	}
	for x, s := range map[float64]string{
		-8:  "-0.0000000000000049767684594174272988127961380705507379909738231202",
		-12: "-2.1317785344932147972354052022146685108711997210147e-32",
		-20: "-5.5072482372124673901512455617149306656149954695187e-88",
		-30: "-1.4720141781444561178601427769740571415990954824178e-196",
		-37: "-2.1184613523340934243927812428610846128801309098482e-298",
	} {
		lo, hi := geluDip.F(x)
		y, _ := new(big.Float).SetPrec(curvePrec).SetString(s)
		if y.Cmp(wide(lo)) < 0 || y.Cmp(wide(hi)) > 0 || hi-lo > 1e-10*-lo {
			t.Errorf("gelu(%v) = %s outside [%v, %v]", x, s, lo, hi)
		}
	}
	for _, d := range []*relax.Dip{&swishDip, &geluDip, &geluTanhDip, &mishDip} {
		for _, x := range []float64{-701, -800, -1e6, -1e300, -math.MaxFloat64} {
			if lo, hi := d.F(x); !(lo >= -1e-3 && lo < 0 && hi == 0) {
				t.Errorf("f(%v) in [%v, %v]", x, lo, hi)
			}
		}
	}
}

// TestDipDerivativesAreBracketed compares with quotients of differences of the truth, whose error is 2^-100 at most.
func TestDipDerivativesAreBracketed(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	h := math.Ldexp(1, -40)
	check := func(name string, d *relax.Dip, truth func(x float64) *big.Float) {
		for range 60 {
			x := math.Round(rng.NormFloat64()*4*(1<<20)) / (1 << 20) // so that x+h and x-h are exact
			up, down := truth(x+h), truth(x-h)
			slope, _ := quo(sub(up, down), wide(2*h)).Float64()
			lo, hi := d.D(x)
			if err := 0x1p-78; slope < lo-err || slope > hi+err { // h*h/6 times the third derivative, which is under 2
				t.Errorf("%s'(%v) = %v outside [%v, %v]", name, x, slope, lo, hi)
			}
			if hi-lo > 1e-12 {
				t.Errorf("%s'(%v) is only known to %v", name, x, hi-lo)
			}
		}
	}
	check("Swish", &swishDip, swishTruth(1))
	check("Gelu", &geluDip, geluTruth)
	check("Gelu tanh", &geluTanhDip, geluTanhTruth)
	check("Mish", &mishDip, mishTruth)
}
