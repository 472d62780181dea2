package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// Elementary functions in high precision, written for these tests only: exp by its series after halving the argument.

const bigPrec = 2400 // bits: 1 + exp(x) still differs from 1 at x = -1600

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).SetFloat64(x) }

func bigExp(x *big.Float) *big.Float {
	halvings := 0
	r := new(big.Float).SetPrec(bigPrec).Set(x)
	if r.Sign() != 0 {
		halvings = max(0, r.MantExp(nil)+40)
		r.SetMantExp(r, -halvings)
	}
	sum, term := bigFloat(1), bigFloat(1)
	for k := 1; k < 200; k++ {
		term.Mul(term, r)
		term.Quo(term, bigFloat(float64(k)))
		sum.Add(sum, term)
		if term.Sign() == 0 || term.MantExp(nil) < -600 {
			break
		}
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

func bigSigmoid(x float64) *big.Float {
	e := bigExp(bigFloat(-x))
	e.Add(e, bigFloat(1))
	return e.Quo(bigFloat(1), e)
}

func bigTanh(x float64) *big.Float {
	// For small x the difference cancels; the precision has room for 2^-1074.
	e := bigExp(bigFloat(2 * x))
	if x != 0 && math.Abs(x) < 1e-20 {
		// tanh(x) = x - x^3/3 + ...: nearer than any margin; the cube is kept for its sign.
		c := bigFloat(x)
		c.Mul(c, bigFloat(x)).Mul(c, bigFloat(x)).Quo(c, bigFloat(3))
		return new(big.Float).SetPrec(bigPrec).Sub(bigFloat(x), c)
	}
	return new(big.Float).SetPrec(bigPrec).Quo(
		new(big.Float).SetPrec(bigPrec).Sub(e, bigFloat(1)),
		new(big.Float).SetPrec(bigPrec).Add(e, bigFloat(1)))
}

// TestMathIsAsGoodAsClaimed checks that Go's functions stay within half the margins that the bounds rely on.
func TestMathIsAsGoodAsClaimed(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	check := func(name string, got float64, want *big.Float, rel float64) {
		t.Helper()
		e := new(big.Float).SetPrec(bigPrec).Sub(bigFloat(got), want)
		e.Quo(e, want)
		if v, _ := e.Float64(); math.Abs(v) > rel {
			t.Errorf("%s: off by %.3g units in the last place", name, v*0x1p52)
		}
	}
	for range rounds(1500) {
		x := rng.NormFloat64() * math.Exp(rng.Float64()*8-5)
		if math.Abs(x) > 700 {
			continue
		}
		check("exp", math.Exp(x), bigExp(bigFloat(x)), expMargin/2)
		check("tanh", math.Tanh(x), bigTanh(x), tanhMargin/2)
		check("sigmoid", sigmoid(x), bigSigmoid(x), (expMargin+4*0x1p-52)/2)
	}
}

// TestDerivativesAreBracketed compares the brackets of the derivatives with high precision.
func TestDerivativesAreBracketed(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range rounds(300) {
		x := rng.NormFloat64() * 5
		th := bigTanh(x)
		want := new(big.Float).SetPrec(bigPrec).Sub(bigFloat(1), new(big.Float).SetPrec(bigPrec).Mul(th, th))
		lo, hi := tanhCurve.D(x)
		if want.Cmp(bigFloat(lo)) < 0 || want.Cmp(bigFloat(hi)) > 0 {
			t.Errorf("tanh'(%v) = %v outside [%v, %v]", x, want, lo, hi)
		}
	}
}

// TestSigmoidIsBracketedWhereExpOverflows: below -709.8 the computed value is 0, the function's is not.
func TestSigmoidIsBracketedWhereExpOverflows(t *testing.T) {
	for _, x := range []float64{-699, -701, -709.9, -720, -740} {
		lo, hi := sigmoidBounds(x)
		if y := bigSigmoid(x); y.Cmp(bigFloat(lo)) < 0 || y.Cmp(bigFloat(hi)) > 0 {
			t.Errorf("sigmoid(%v) = %.5g outside [%v, %v]", x, y, lo, hi)
		}
	}
}
