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

// arcs are the circular and hyperbolic functions, with the domain on which the references serve.
var arcs = []struct {
	name   string
	truth  func(x float64) *big.Float
	lo, hi float64
}{
	{"Tan", func(x float64) *big.Float { return quo(sine(wide(x)), cosine(wide(x))) }, -1.5, 1.5},
	{"Asin", func(x float64) *big.Float { return bigAsin(x) }, -1, 1},
	{"Acos", func(x float64) *big.Float { return sub(quo(bigPi, wide(2)), bigAsin(x)) }, -1, 1},
	{"Atan", func(x float64) *big.Float { return arctan(wide(x)) }, -1e9, 1e9},
	{"Sinh", bigSinh, -200, 200},
	{"Cosh", func(x float64) *big.Float { return quo(add(exp(wide(x)), exp(wide(-x))), wide(2)) }, -200, 200},
	{"Asinh", bigAsinh, -1e9, 1e9},
	{"Acosh", func(x float64) *big.Float {
		return logarithm(add(wide(x), root(mul(sub(wide(x), wide(1)), add(wide(x), wide(1))))))
	}, 1, 1e9},
	{"Atanh", func(x float64) *big.Float {
		if math.Abs(x) < 1e-60 {
			return add(wide(x), quo(mul(wide(x), mul(wide(x), wide(x))), wide(3)))
		}
		return quo(logarithm(quo(add(wide(1), wide(x)), sub(wide(1), wide(x)))), wide(2))
	}, sound.Up(-1), sound.Down(1)},
}

// bigAsin is 2*atan(x/(1 + sqrt(1-x*x))).
func bigAsin(x float64) *big.Float {
	return mul(wide(2), arctan(quo(wide(x), add(wide(1), root(mul(sub(wide(1), wide(x)), add(wide(1), wide(x))))))))
}

func bigSinh(x float64) *big.Float {
	e := expm1(wide(x)) // (e + e/(e+1))/2
	return quo(add(e, quo(e, add(e, wide(1)))), wide(2))
}

// bigAsinh is odd; for small x the logarithm would lose it.
func bigAsinh(x float64) *big.Float {
	switch {
	case x < 0:
		return minus(bigAsinh(-x))
	case x < 1e-60:
		return sub(wide(x), quo(mul(wide(x), mul(wide(x), wide(x))), wide(6)))
	}
	return logarithm(add(wide(x), root(add(wide(1), mul(wide(x), wide(x))))))
}

func arcIntervals(lo, hi float64) [][2]float64 {
	rng := rand.New(rand.NewPCG(27, 28))
	var iv [][2]float64
	for _, v := range someIntervals()[:min(60, 24+rounds(200))] {
		if v[0] >= lo && v[1] <= hi {
			iv = append(iv, v)
		}
	}
	if hi-lo < 10 {
		iv = append(iv, [2]float64{lo, hi}, [2]float64{lo, lo}, [2]float64{hi, hi}, [2]float64{sound.Down(hi), hi},
			[2]float64{lo, sound.Up(lo)}, [2]float64{hi - 1e-9, hi})
		for range 20 {
			a, b := lo+(hi-lo)*rng.Float64(), lo+(hi-lo)*rng.Float64()
			iv = append(iv, [2]float64{min(a, b), max(a, b)})
		}
	}
	iv = append(iv, [2]float64{1, 1}, [2]float64{1, 1.5}, [2]float64{1, 1e6}, [2]float64{1.2, 900}, [2]float64{2, 2.5},
		[2]float64{700, 1000}, [2]float64{1, sound.Up(1)})
	var in [][2]float64
	for _, v := range iv {
		if v[0] >= lo && v[1] <= hi {
			in = append(in, v)
		}
	}
	return in
}

func TestLinesHoldArcs(t *testing.T) {
	for _, c := range arcs {
		n := node(t, c.name, 13, nil, variable(1))
		iv := arcIntervals(c.lo, c.hi)
		checkLines(t, c.name, linesOf(t, n), c.truth, iv)
		checkBox(t, c.name, n, c.truth, iv)
	}
}

// TestArcsAreBracketed checks Go's functions, and that half the margins would do.
func TestArcsAreBracketed(t *testing.T) {
	rng := rand.New(rand.NewPCG(29, 30))
	for _, c := range arcs {
		d := known[c.name]
		n := node(t, c.name, 13, nil, variable(1))
		for k := range rounds(150) {
			x := rng.NormFloat64() * math.Exp(rng.Float64()*10-5)
			if k%3 == 0 && c.hi <= 1.5 { // close to an end
				x = math.Copysign(c.hi-math.Exp(-36*rng.Float64()), x)
			}
			if c.name == "Acosh" {
				x = 1 + math.Abs(x)
			}
			if !(x >= c.lo && x <= c.hi) {
				continue
			}
			y := c.truth(x)
			lo, hi := evalAt(t, d, n, x), evalAt(t, d, n, x)
			half := 4 * 0x1p-52
			lo, hi = lo-half*math.Abs(lo), hi+half*math.Abs(hi)
			if y.Cmp(wide(lo)) < 0 || y.Cmp(wide(hi)) > 0 {
				t.Errorf("%s(%v) = %.20g outside [%v, %v]", c.name, x, y, lo, hi)
			}
		}
	}
}

// TestArcDerivativesAreBracketed compares with quotients of differences of the truth.
func TestArcDerivativesAreBracketed(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	curves := map[string]relax.Curve{"Tan": tanCurve, "Asin": asinCurve, "Acos": acosCurve, "Atan": atanCurve, "Sinh": sinhCurve,
		"Cosh": {F: coshBounds, D: sinhBounds}, "Asinh": asinhCurve, "Acosh": acoshCurve, "Atanh": atanhCurve}
	for _, c := range arcs {
		for range 40 {
			x := math.Round(rng.NormFloat64()*(1<<12)) / (1 << 12)
			if c.name == "Acosh" {
				x = 1.001 + math.Abs(x)
			}
			if !(x > c.lo+1e-3 && x < c.hi-1e-3) {
				continue
			}
			h := math.Ldexp(1, -38)
			slope, _ := quo(sub(c.truth(x+h), c.truth(x-h)), sub(wide(x+h), wide(x-h))).Float64()
			lo, hi := curves[c.name].D(x)
			if err := 1e-15 * (1 + math.Abs(slope)); slope < lo-err || slope > hi+err {
				t.Errorf("%s'(%v) = %v outside [%v, %v]", c.name, x, slope, lo, hi)
			}
		}
	}
}

func TestArcsOnUnboundedBoxes(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range arcs {
		iv := [][2]float64{{-inf, inf}, {0.25, inf}, {1, inf}, {-inf, 3}, {-1e300, 1e300}, {1e299, 1e300}, {-2000, -1000}, {-709, 705}, {1, 1e308}}
		if c.lo == -1.5 { // beyond it only infinities are claimed, and Tan's samples beyond are others
			iv = [][2]float64{{-inf, inf}, {-1.5, 1.5}, {0, 2}}
		}
		checkUnbounded(t, []*onnxio.Node{node(t, c.name, 13, nil, variable(1))}, iv)
	}
}
