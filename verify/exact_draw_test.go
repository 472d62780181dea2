package verify

import (
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// What the exact tests ask: networks, boxes, and properties with thresholds next to exact extremes.

// tinyShares are by what share of itself a threshold lies beside an extreme.
var tinyShares = []int{8, 16, 23, 24, 25, 30, 40, 50, 52, 53, 54, 60, 100}

// beside is a number at or very near to r.
func beside(rng *rand.Rand, r *big.Rat) *big.Rat {
	d := new(big.Rat)
	switch rng.IntN(5) {
	case 0:
		return r
	case 1, 2:
		d.SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(tinyShares[rng.IntN(len(tinyShares))])))
		d.Mul(d, r)
	case 3:
		d.SetFloat64(logUniform(rng, -1074, -20))
	default:
		d.SetFloat64(logUniform(rng, -20, 3))
	}
	if rng.IntN(2) == 0 {
		d.Neg(d)
	}
	return d.Add(d, r)
}

// coefficient is a factor of an output: a small whole number, a decimal, a third, or one at either end of float64's range.
func coefficient(rng *rand.Rand) *big.Rat {
	var r *big.Rat
	switch rng.IntN(12) {
	case 10: // below float64's normal numbers, or between its least ones
		r = new(big.Rat).SetFrac(big.NewInt(1+rng.Int64N(99)), new(big.Int).Exp(big.NewInt(10), big.NewInt(300+rng.Int64N(40)), nil))
	case 11: // at the end of its range, or beyond
		r = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(290+rng.Int64N(30)), nil))
	case 0, 1, 2, 3:
		r = big.NewRat(1, 1)
	case 4, 5:
		r = big.NewRat(1+rng.Int64N(9), 1)
	case 6:
		r = big.NewRat(1+rng.Int64N(999), 100)
	case 7:
		r = big.NewRat(1+rng.Int64N(9), 3)
	case 8:
		r = new(big.Rat).SetFloat64(math.Abs(logUniform(rng, -1074, -900)))
	default:
		r = new(big.Rat).SetFloat64(math.Abs(logUniform(rng, -60, 900)))
	}
	if rng.IntN(2) == 0 {
		r.Neg(r)
	}
	return r
}

// edge is an end of an input's range.
func edge(rng *rand.Rand) *big.Rat {
	switch rng.IntN(10) {
	case 9:
		if rng.IntN(6) == 0 { // no float32 there
			return new(big.Rat).SetFloat64(logUniform(rng, -1074, 1000))
		}
	case 0:
		return big.NewRat(rng.Int64N(41)-20, 10) // a decimal that no float32 is
	case 1:
		return big.NewRat(rng.Int64N(9)-4, 1)
	case 2:
		return new(big.Rat).SetFloat64(float64(float32(logUniform(rng, -149, -100))))
	case 3:
		return new(big.Rat).SetFloat64(float64(float32(logUniform(rng, 20, 100))))
	case 4:
		return new(big.Rat).SetFloat64(rng.NormFloat64())
	case 5:
		return new(big.Rat).SetFrac64(rng.Int64N(2000001)-1000000, 1000003)
	}
	return new(big.Rat).SetFloat64(float64(float32(rng.NormFloat64())))
}

// inputEnds are lower and upper ends of a box: wide, narrow, or a point.
func inputEnds(rng *rand.Rand, n int) (lower, upper []*big.Rat) {
	for range n {
		a, b := edge(rng), edge(rng)
		switch rng.IntN(6) {
		case 0:
			b = a
		case 1:
			b = beside(rng, a)
		}
		if a.Cmp(b) > 0 {
			a, b = b, a
		}
		lower, upper = append(lower, a), append(upper, b)
	}
	return lower, upper
}

// inside are ends of a box within another.
func inside(rng *rand.Rand, lower, upper []*big.Rat) (lo, up []*big.Rat) {
	for i, l := range lower {
		place := func() *big.Rat {
			w := new(big.Rat).Sub(upper[i], l)
			return w.Add(w.Mul(w, big.NewRat(rng.Int64N(11), 10)), l)
		}
		a, b := place(), place()
		if a.Cmp(b) > 0 {
			a, b = b, a
		}
		lo, up = append(lo, a), append(up, b)
	}
	return lo, up
}

// exactCase is a case with the parts of the network's regions that lie in its box.
type exactCase struct {
	vnnlib.Case
	parts []region
}

// constraint draws a linear condition on outputs whose bound lies beside the least, the largest or another value over the parts. It also
// gives the point where the left side is least.
func constraint(rng *rand.Rand, out int, parts []region) (vnnlib.Atom, []*big.Rat) {
	var a vnnlib.Atom
	if out > 1 && rng.IntN(3) == 0 { // a comparison of two outputs
		i := rng.IntN(out)
		k := (i + 1 + rng.IntN(out-1)) % out
		a.Index, a.Coef = []int{min(i, k), max(i, k)}, []*big.Rat{big.NewRat(1, 1), big.NewRat(-1, 1)}
		if rng.IntN(2) == 0 {
			a.Coef[0], a.Coef[1] = a.Coef[1], a.Coef[0]
		}
	} else {
		for i := range out {
			if i == 0 || rng.IntN(2) == 0 {
				a.Index, a.Coef = append(a.Index, i), append(a.Coef, coefficient(rng))
			}
		}
	}
	var least, most *big.Rat
	var at []*big.Rat
	for _, r := range parts {
		for _, p := range r {
			sum, t := new(big.Rat), new(big.Rat)
			for k, i := range a.Index {
				sum.Add(sum, t.Mul(a.Coef[k], p.cur[i]))
			}
			if least == nil || sum.Cmp(least) < 0 {
				least, at = sum, p.x
			}
			if most == nil || sum.Cmp(most) > 0 {
				most = sum
			}
		}
	}
	switch rng.IntN(6) {
	case 0:
		a.Bound = beside(rng, most)
	case 1:
		a.Bound = new(big.Rat).Add(least, most)
		a.Bound.Mul(a.Bound, big.NewRat(1, 2))
	default:
		a.Bound = beside(rng, least)
	}
	a.Strict = rng.IntN(2) == 0
	return a, at
}

// floats rounds exact numbers.
func floats(x []*big.Rat) []float64 {
	out := make([]float64, len(x))
	for i, r := range x {
		out[i], _ = r.Float64()
	}
	return out
}

// propertiesEach is how many properties a network is asked.
const propertiesEach = 12

// drawExact draws a network and a box for it: of vectors, or of small images.
func drawExact(rng *rand.Rand, seed uint64) (net *plNet, lower, upper []*big.Rat) {
	if seed/12%2 == 1 { // what else depends on the seed has all its turns with both
		net = drawImage(rng)
		lower, upper = imageEnds(rng, net.in)
	} else {
		net = drawPL(rng, []int{1, 1, 1, 2, 2, 3}[rng.IntN(6)])
		lower, upper = inputEnds(rng, net.in)
	}
	return net, lower, upper
}

// drawCases draws a property, the points where it is decided, and whether it has a counterexample.
func drawCases(rng *rand.Rand, net *plNet, lower, upper []*big.Rat, all []region) (q *vnnlib.Query, cases []exactCase, points [][]float64,
	sat bool) {
	count := 1 + rng.IntN(3)*rng.IntN(2)
	if rng.IntN(20) == 0 {
		count = 12 // more boxes than are bounded together
	}
	for range count {
		c := exactCase{Case: vnnlib.Case{Lower: lower, Upper: upper}, parts: all}
		if rng.IntN(3) == 0 {
			c.Lower, c.Upper = inside(rng, lower, upper)
			c.parts = nil
			for _, r := range all {
				if p := r.within(c.Lower, c.Upper); p != nil {
					c.parts = append(c.parts, p)
				}
			}
		}
		for range 1 + rng.IntN(3)*rng.IntN(2) {
			a, at := constraint(rng, net.out, c.parts)
			if rng.IntN(12) == 0 { // an output named twice
				d := coefficient(rng)
				a.Index = append(a.Index, a.Index[0], a.Index[0])
				a.Coef = append(a.Coef, d, new(big.Rat).Neg(d))
			}
			c.Atoms = append(c.Atoms, a)
			points = append(points, floats(at))
		}
		for _, r := range c.parts {
			if p, ok := r.meets(atoms(c.Atoms)); ok {
				sat = true
				points = append(points, floats(p.x))
				break
			}
		}
		cases = append(cases, c)
	}
	q = &vnnlib.Query{Inputs: net.in, Outputs: net.out}
	for _, c := range cases {
		q.Cases = append(q.Cases, c.Case)
	}
	return q, cases, points, sat
}
