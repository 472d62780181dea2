package weave

import (
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// A search multiplies both sides of constraints whose coefficients float64s cannot hold well by powers of two (Told.Times); a certificate has them
// as the claim does. So weights are others in both, and a constraint alone is one with a weight, by which the plain pass brings it to where
// float64s are dense.

// largest is the exponent up to which weights go: beyond it sums with them overflow.
const largest = 1000

// times are those of a case; nil where all are 0.
func (w *weaver) times(number int) []int {
	if number >= len(w.told.Times) {
		return nil
	}
	for _, n := range w.told.Times[number] {
		if n != 0 {
			return w.told.Times[number]
		}
	}
	return nil
}

// claimed gives weights of a case's constraints as the search has them, nil for row alone, as weights of the claim's, all of them times 2^shift.
// ok is false where float64s do not hold them.
func (w *weaver) claimed(number, row int, weights []float64) (out []float64, shift int, ok bool) {
	times := w.times(number)
	if times == nil {
		return weights, 0, true
	}
	if weights == nil {
		weights = make([]float64, len(times))
		weights[row] = 1
	}
	most := math.MinInt
	for k, x := range weights {
		if x > 0 {
			most = max(most, math.Ilogb(x)+times[k])
		}
	}
	if most > largest {
		shift = largest - most
	} else if most < -largest {
		shift = -largest - most
	}
	out = make([]float64, len(weights))
	for k, x := range weights {
		out[k] = math.Ldexp(x, times[k]+shift)
		if math.IsInf(out[k], 0) || math.Ldexp(out[k], -times[k]-shift) != x {
			return nil, 0, false
		}
	}
	return out, shift, true
}

// alone is a constraint of a case by itself, with the operators' own lines.
func (w *weaver) alone(number, row int) certificate.Disproof {
	p := certificate.Disproof{Case: number, Row: row}
	if out, _, ok := w.claimed(number, row, nil); ok && out != nil {
		p.Row, p.Weights = 0, out
	}
	return p
}

// mixed are constraints of a case with weights that the search's have, with the operators' own lines; ok is false where that cannot be said.
func (w *weaver) mixed(number int, weights []float64) (p certificate.Disproof, ok bool) {
	p.Case = number
	p.Weights, _, ok = w.claimed(number, 0, weights)
	return p, ok
}

// searched64 is about a number of a constraint as the search has it.
func (w *weaver) searched64(number, row int, x *big.Rat) float64 {
	if times := w.times(number); times != nil && times[row] != 0 {
		n := times[row]
		by := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(n, -n))))
		if n < 0 {
			by.Inv(by)
		}
		x = by.Mul(by, x)
	}
	f, _ := x.Float64()
	return f
}

// proof is a kept proof as a certificate has it.
func (w *weaver) proof(t *Tree, q record.Proof) (p certificate.Disproof, ok bool) {
	if q.Weights == nil {
		return w.alone(t.Cases[q.Case], q.Row), true
	}
	return w.mixed(t.Cases[q.Case], q.Weights)
}

// sayable tells whether all of a node's proofs can be written.
func (w *weaver) sayable(t *Tree, n record.Node) bool {
	lists := [][]record.Proof{n.Closed, n.Last}
	for _, s := range n.Slices {
		lists = append(lists, s.Proofs)
	}
	for _, list := range lists {
		for _, q := range list {
			if _, ok := w.proof(t, q); !ok {
				return false
			}
		}
	}
	return true
}

// disprove bounds a row by the plain pass.
func (w *weaver) disprove(s *plain.State, p certificate.Disproof, t *plain.Trace) (low, limit float64, ok bool, err error) {
	low, l, ok, err := s.Disprove(w.p.Cases[p.Case].Constraints, p, t)
	if l != nil {
		limit, _ = l.Float64()
	}
	return low, limit, ok, err
}
