package operators

import (
	"math"
	"math/big"
)

// More functions in high precision, by their series, for arguments that keep these short.

const curvePrec = 600 // bits: exp(-290) is above 2^-420

func wide(x float64) *big.Float { return new(big.Float).SetPrec(curvePrec).SetFloat64(x) }

func add(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(curvePrec).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(curvePrec).Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(curvePrec).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(curvePrec).Quo(a, b) }
func root(a *big.Float) *big.Float   { return new(big.Float).SetPrec(curvePrec).Sqrt(a) }
func minus(a *big.Float) *big.Float  { return new(big.Float).SetPrec(curvePrec).Neg(a) }

// small tells when a term no longer counts beside 1.
func small(term *big.Float) bool { return term.Sign() == 0 || term.MantExp(nil) < -curvePrec }

// exp halves the argument to under 2^-20 and squares the series back.
func exp(x *big.Float) *big.Float {
	halvings := 0
	r := new(big.Float).SetPrec(curvePrec + 100).Set(x)
	if r.Sign() != 0 {
		halvings = max(0, r.MantExp(nil)+20)
		r.SetMantExp(r, -halvings)
	}
	sum := new(big.Float).SetPrec(curvePrec + 100).SetInt64(1)
	term := new(big.Float).Copy(sum)
	for k := int64(1); !small(term); k++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetPrec(curvePrec).SetInt64(k))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return new(big.Float).SetPrec(curvePrec).Set(sum)
}

// expm1 keeps small results.
func expm1(x *big.Float) *big.Float {
	if x.Sign() == 0 || x.MantExp(nil) > -100 {
		return sub(exp(x), wide(1))
	}
	sum, term := wide(0), wide(1)
	for k := 1.0; k < 20; k++ {
		term = quo(mul(term, x), wide(k))
		sum = add(sum, term)
	}
	return sum
}

// logarithm solves exp(y) = x by Newton's steps from float64's logarithm.
func logarithm(x *big.Float) *big.Float {
	m := new(big.Float)
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := wide(math.Log(f) + float64(e)*math.Ln2)
	for range 4 { // 50 bits, doubled
		y = add(y, sub(quo(x, exp(y)), wide(1)))
	}
	return y
}

// arctan reduces |x| under 2^-10 by atan x = 2*atan(x/(1 + sqrt(1+x*x))).
func arctan(x *big.Float) *big.Float {
	x = new(big.Float).SetPrec(curvePrec).Set(x)
	doublings := 0
	for x.Sign() != 0 && x.MantExp(nil) > -10 {
		x = quo(x, add(wide(1), root(add(wide(1), mul(x, x)))))
		doublings++
	}
	if x.Sign() == 0 {
		return x
	}
	sum, power, square := wide(0), wide(1), minus(mul(x, x))
	for k := 1.0; !small(power); k += 2 {
		sum = add(sum, quo(power, wide(k)))
		power = mul(power, square)
	}
	sum = mul(sum, x)
	return new(big.Float).SetMantExp(sum, doublings)
}

// sine and cosine take arguments up to about 10.
func sine(x *big.Float) *big.Float {
	sum, term, square := wide(0), new(big.Float).SetPrec(curvePrec).Set(x), minus(mul(x, x))
	for k := 2.0; !small(term) || k < 4; k += 2 {
		sum = add(sum, term)
		if term.Sign() == 0 {
			break
		}
		term = quo(mul(term, square), wide(k*(k+1)))
	}
	return sum
}

func cosine(x *big.Float) *big.Float {
	sum, term, square := wide(0), wide(1), minus(mul(x, x))
	for k := 1.0; !small(term); k += 2 {
		sum = add(sum, term)
		term = quo(mul(term, square), wide(k*(k+1)))
	}
	return sum
}

var bigPi = new(big.Float).SetMantExp(arctan(wide(1)), 2)

// normal is the distribution P(x) = 1/2 + p(x) * (x + x^3/3 + x^5/15 + ...) with density p.
func normal(x *big.Float) (P, p *big.Float) {
	p = quo(exp(new(big.Float).SetMantExp(minus(mul(x, x)), -1)), root(mul(wide(2), bigPi)))
	sum, term, square := wide(0), new(big.Float).SetPrec(curvePrec).Set(x), mul(x, x)
	for k := 3.0; !small(term); k += 2 {
		sum = add(sum, term)
		term = quo(mul(term, square), wide(k))
	}
	return add(wide(0.5), mul(p, sum)), p
}

func logistic(x *big.Float) *big.Float { return quo(wide(1), add(wide(1), exp(minus(x)))) }

// hyperbolicTangent is of arguments that are not tiny.
func hyperbolicTangent(x *big.Float) *big.Float {
	e := exp(mul(wide(2), x))
	return quo(sub(e, wide(1)), add(e, wide(1)))
}
