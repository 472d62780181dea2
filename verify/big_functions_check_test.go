package verify

import (
	"math"
	"math/big"
	"testing"
)

// TestBigFunctionsAreRight: the reference's functions agree with float64's, and with identities to all their bits.
func TestBigFunctionsAreRight(t *testing.T) {
	near := func(name string, x float64, got *big.Float, want float64) {
		t.Helper()
		if g, _ := got.Float64(); math.Abs(g-want) > 1e-14*math.Abs(want)+0x1p-480 {
			t.Errorf("%s(%v) = %v, want %v", name, x, g, want)
		}
	}
	same := func(name string, x float64, a, b *big.Float) {
		t.Helper()
		d := bigSub(a, b)
		if !small(d, bigSure+max(0, b.MantExp(nil))) {
			t.Errorf("%s at %v: off by 2^%d", name, x, d.MantExp(nil))
		}
	}
	for _, x := range []float64{1e-40, 1e-9, 0.1, 0.5, 0.7, 0.999, 1, 1.5, 2, 3, 7.25, 11, 30, 100.5, 500} {
		for _, s := range []float64{x, -x} {
			b := bigOf(s)
			near("exp", s, bigExp(b), math.Exp(s))
			same("exp(x)exp(-x)", s, bigMul(bigExp(b), bigExp(bigNeg(b))), bigOf(1))
			same("log(exp(x))", s, bigLog(bigExp(b)), b)
			sin, cos := bigSinCos(b)
			near("sin", s, sin, math.Sin(s))
			near("cos", s, cos, math.Cos(s))
			same("sin^2+cos^2", s, bigAdd(bigMul(sin, sin), bigMul(cos, cos)), bigOf(1))
			near("atan", s, bigAtan(b), math.Atan(s))
			sa, ca := bigSinCos(bigAtan(b))
			same("tan(atan(x))", s, bigQuo(sa, ca), b)
			near("tanh", s, bigTanh(b), math.Tanh(s))
			near("asinh", s, bigAsinh(b), math.Asinh(s))
			same("sinh(asinh(x))", s, bigSinh(bigAsinh(b)), b)
			if math.Abs(s) < 1 {
				near("asin", s, bigAsin(b), math.Asin(s))
				near("atanh", s, bigAtanh(b), math.Atanh(s))
			}
			if math.Abs(s) < 25 {
				near("erf", s, bigErf(b), math.Erf(s))
			}
			near("softplus", s, bigSoftplus(b), math.Max(s, 0)+math.Log1p(math.Exp(-math.Abs(s))))
		}
		near("log", x, bigLog(bigOf(x)), math.Log(x))
		near("pow", x, bigPow(bigOf(x), bigOf(1.7)), math.Pow(x, 1.7))
		near("cosh", x, bigCosh(bigOf(x)), math.Cosh(x))
	}
}
