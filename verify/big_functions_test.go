package verify

import (
	"math"
	"math/big"
	"sync"
)

// Functions of one number to bigBits bits, from their series. They share nothing with the operators' own code.

// bigBits is the precision of the reference; bigSure is what may be relied on: the share of the largest magnitude that a network's values
// are off by at most.
const (
	bigBits = 640
	bigSure = -480
)

// outOfRange is panicked with where the reference has no answer: a function undefined there, or numbers of absurd size.
type outOfRange struct{ why string }

func newBig() *big.Float                { return new(big.Float).SetPrec(bigBits) }
func bigOf(f float64) *big.Float        { return newBig().SetFloat64(f) }
func bigAdd(a, b *big.Float) *big.Float { return newBig().Add(a, b) }
func bigSub(a, b *big.Float) *big.Float { return newBig().Sub(a, b) }
func bigMul(a, b *big.Float) *big.Float { return newBig().Mul(a, b) }
func bigNeg(a *big.Float) *big.Float    { return newBig().Neg(a) }
func bigAbs(a *big.Float) *big.Float    { return newBig().Abs(a) }

func bigQuo(a, b *big.Float) *big.Float {
	if b.Sign() == 0 {
		panic(outOfRange{"a quotient by 0"})
	}
	return newBig().Quo(a, b)
}

func bigSqrt(a *big.Float) *big.Float {
	if a.Sign() < 0 {
		panic(outOfRange{"a root of a negative number"})
	}
	return newBig().Sqrt(a)
}

func bigMax(a, b *big.Float) *big.Float {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}

func bigMin(a, b *big.Float) *big.Float {
	if a.Cmp(b) > 0 {
		return b
	}
	return a
}

// half is x/2.
func half(x *big.Float) *big.Float { return bigMul(x, bigOf(0.5)) }

// small tells whether |x| < 2^e.
func small(x *big.Float, e int) bool { return x.Sign() == 0 || x.MantExp(nil) <= e }

// bigFloor is the largest whole number that is not above x.
func bigFloor(x *big.Float) *big.Float {
	if x.IsInf() {
		panic(outOfRange{"the floor of an infinity"})
	}
	i, acc := x.Int(nil)
	if acc == big.Above { // negative numbers are cut towards 0
		i.Sub(i, big.NewInt(1))
	}
	return newBig().SetInt(i)
}

// bigRound rounds halves to even.
func bigRound(x *big.Float) *big.Float {
	f := bigFloor(x)
	switch d := bigSub(x, f); d.Cmp(bigOf(0.5)) {
	case -1:
		return f
	case 1:
		return bigAdd(f, bigOf(1))
	}
	if i, _ := f.Int(nil); i.Bit(0) == 0 {
		return f
	}
	return bigAdd(f, bigOf(1))
}

// inverseSeries is the sum of sign^k / ((2k+1) n^(2k+1)): atan(1/n) for sign -1, atanh(1/n) for 1.
func inverseSeries(n, sign int64, bits uint) *big.Float {
	p := func() *big.Float { return new(big.Float).SetPrec(bits) }
	sum, power := p(), p().Quo(p().SetInt64(1), p().SetInt64(n))
	square := p().SetInt64(n * n * sign)
	for k := int64(0); power.Sign() != 0 && power.MantExp(nil) > -int(bits); k++ {
		sum.Add(sum, p().Quo(power, p().SetInt64(2*k+1)))
		power.Quo(power, square)
	}
	return sum
}

// bigLn2 is 2 atanh(1/3).
var bigLn2 = sync.OnceValue(func() *big.Float {
	return newBig().Mul(inverseSeries(3, 1, bigBits+32), big.NewFloat(2))
})

// piBits leaves bigBits after numbers of float64's size are reduced.
const piBits = bigBits + 1100

// bigPi is 16 atan(1/5) - 4 atan(1/239) (Machin).
var bigPi = sync.OnceValue(func() *big.Float {
	p := func() *big.Float { return new(big.Float).SetPrec(piBits) }
	a, b := inverseSeries(5, -1, piBits+32), inverseSeries(239, -1, piBits+32)
	return p().Sub(p().Mul(a, p().SetInt64(16)), p().Mul(b, p().SetInt64(4)))
})

// bigExp halves the argument until its series is short.
func bigExp(x *big.Float) *big.Float {
	if !small(x, 29) {
		panic(outOfRange{"an exponential of a huge number"})
	}
	k := bigRound(bigQuo(x, bigLn2()))
	n, _ := k.Int64()
	const halvings = 24
	work := func() *big.Float { return new(big.Float).SetPrec(bigBits + 96) }
	// ln2 times k is needed to more bits than ln2 has at x's size: k has 30 of them, which the room for what may be relied on covers.
	r := work().Sub(x, work().Mul(k, bigLn2()))
	r.SetMantExp(r, -halvings)
	sum, term := work().SetInt64(1), work().SetInt64(1)
	for i := int64(1); term.Sign() != 0 && term.MantExp(nil) > -(bigBits+96); i++ {
		term.Mul(term, r)
		term.Quo(term, work().SetInt64(i))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return newBig().SetMantExp(sum, int(n))
}

// bigLog is a float64 logarithm and Halley's steps, each of which triples the digits.
func bigLog(x *big.Float) *big.Float {
	if x.Sign() <= 0 || x.IsInf() {
		panic(outOfRange{"a logarithm of no positive number"})
	}
	m := newBig()
	e := x.MantExp(m)
	f, _ := m.Float64()
	y := bigOf(math.Log(f))
	for range 3 {
		t := bigExp(y)
		y.Add(y, bigMul(bigOf(2), bigQuo(bigSub(m, t), bigAdd(m, t))))
	}
	return y.Add(y, bigMul(bigOf(float64(e)), bigLn2()))
}

// bigSinCos reduces by multiples of pi/2.
func bigSinCos(x *big.Float) (sin, cos *big.Float) {
	wide := func() *big.Float { return new(big.Float).SetPrec(piBits) }
	halfPi := wide().Mul(bigPi(), big.NewFloat(0.5))
	k := bigRound(newBig().Quo(x, halfPi))
	r := newBig().Set(wide().Sub(x, wide().Mul(k, halfPi)))
	square := bigNeg(bigMul(r, r))
	sin, cos = newBig(), newBig()
	term := bigOf(1)
	for i := int64(1); term.Sign() != 0 && term.MantExp(nil) > -bigBits; i++ {
		if i%2 == 1 {
			cos.Add(cos, term)
			term = bigQuo(term, bigOf(float64(i)))
			sin.Add(sin, bigMul(term, r))
		} else {
			term = bigQuo(bigMul(term, square), bigOf(float64(i)))
		}
	}
	q, _ := k.Int(nil)
	switch new(big.Int).And(q, big.NewInt(3)).Int64() {
	case 1:
		sin, cos = cos, bigNeg(sin)
	case 2:
		sin, cos = bigNeg(sin), bigNeg(cos)
	case 3:
		sin, cos = bigNeg(cos), sin
	}
	return sin, cos
}

// bigAtan halves the angle eight times.
func bigAtan(x *big.Float) *big.Float {
	if bigAbs(x).Cmp(bigOf(1)) > 0 {
		quarter := half(newBig().Set(bigPi()))
		if x.Sign() < 0 {
			quarter.Neg(quarter)
		}
		return bigSub(quarter, bigAtan(bigQuo(bigOf(1), x)))
	}
	const halvings = 8
	for range halvings {
		x = bigQuo(x, bigAdd(bigOf(1), bigSqrt(bigAdd(bigOf(1), bigMul(x, x)))))
	}
	square := bigNeg(bigMul(x, x))
	sum, power := newBig(), newBig().Set(x)
	for k := 1; power.Sign() != 0 && power.MantExp(nil) > -bigBits-32; k += 2 {
		sum.Add(sum, bigQuo(power, bigOf(float64(k))))
		power = bigMul(power, square)
	}
	return newBig().SetMantExp(sum, halvings)
}

func bigAsin(x *big.Float) *big.Float {
	rest := bigMul(bigSub(bigOf(1), x), bigAdd(bigOf(1), x))
	if rest.Sign() < 0 {
		panic(outOfRange{"an arcsine beyond 1"})
	}
	if rest.Sign() == 0 {
		return bigMul(x, half(newBig().Set(bigPi())))
	}
	return bigAtan(bigQuo(x, bigSqrt(rest)))
}

func bigSinh(x *big.Float) *big.Float { return half(bigSub(bigExp(x), bigExp(bigNeg(x)))) }
func bigCosh(x *big.Float) *big.Float { return half(bigAdd(bigExp(x), bigExp(bigNeg(x)))) }

func bigSigmoid(x *big.Float) *big.Float {
	if !small(x, 29) {
		return bigOf(float64((x.Sign() + 1) / 2)) // off by less than e^-2^29
	}
	return bigQuo(bigOf(1), bigAdd(bigOf(1), bigExp(bigNeg(x))))
}

// bigTanh is 2 sigmoid(2x) - 1.
func bigTanh(x *big.Float) *big.Float {
	two := bigOf(2)
	return bigSub(bigMul(two, bigSigmoid(bigMul(two, x))), bigOf(1))
}

func bigSoftplus(x *big.Float) *big.Float {
	if !small(x, 29) {
		return bigMax(x, newBig())
	}
	return bigAdd(bigMax(x, newBig()), bigLog(bigAdd(bigOf(1), bigExp(bigNeg(bigAbs(x))))))
}

func bigAsinh(x *big.Float) *big.Float {
	a := bigAbs(x)
	y := bigLog(bigAdd(a, bigSqrt(bigAdd(bigMul(a, a), bigOf(1)))))
	if x.Sign() < 0 {
		y.Neg(y)
	}
	return y
}

func bigAcosh(x *big.Float) *big.Float {
	return bigLog(bigAdd(x, bigSqrt(bigMul(bigSub(x, bigOf(1)), bigAdd(x, bigOf(1))))))
}

func bigAtanh(x *big.Float) *big.Float {
	below := bigSub(bigOf(1), x)
	if below.Sign() == 0 || bigAdd(bigOf(1), x).Sign() == 0 {
		panic(outOfRange{"an infinity"})
	}
	return half(bigLog(bigQuo(bigAdd(bigOf(1), x), below)))
}

// bigErf is Maclaurin's series, with room for its largest term; beyond 26 it is 1 up to 2^-979.
func bigErf(x *big.Float) *big.Float {
	if bigAbs(x).Cmp(bigOf(26)) > 0 {
		return bigOf(float64(x.Sign()))
	}
	work := func() *big.Float { return new(big.Float).SetPrec(bigBits + 1024) }
	square := work().Neg(work().Mul(x, x))
	sum, term := work(), work().Set(x)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > -bigBits; n++ {
		sum.Add(sum, work().Quo(term, work().SetInt64(2*n-1)))
		term.Mul(term, square)
		term.Quo(term, work().SetInt64(n))
	}
	root := bigSqrt(newBig().Set(bigPi()))
	return bigQuo(bigMul(bigOf(2), newBig().Set(sum)), root)
}

// bigPow takes whole exponents by products.
func bigPow(x, y *big.Float) *big.Float {
	if y.IsInt() && small(y, 10) {
		n, _ := y.Int64()
		p := bigOf(1)
		for range max(n, -n) {
			p = bigMul(p, x)
		}
		if n < 0 {
			return bigQuo(bigOf(1), p)
		}
		return p
	}
	if x.Sign() == 0 && y.Sign() > 0 {
		return newBig()
	}
	return bigExp(bigMul(y, bigLog(x)))
}
