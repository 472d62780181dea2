package plain

import (
	"fmt"
	"math/big"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Disprove tells whether no input of the part meets all of a case's constraints: where the row of one, or of a sum of them with weights of
// at least 0, is larger on the whole part than inputs that meet the case allow it. low is the row's bound and limit what these allow. The
// error says why the parameters are none; the trace may be nil.
func (s *State) Disprove(constraints []certificate.Constraint, p certificate.Disproof, t *Trace) (low float64, limit *big.Rat, ok bool, err error) {
	weights := p.Weights
	if weights == nil && p.Row < len(constraints) {
		weights = make([]float64, len(constraints))
		weights[p.Row] = 1
	}
	if len(weights) != len(constraints) || p.Weights != nil && p.Row != 0 {
		return 0, nil, false, fmt.Errorf("row %d and %d weights for %d constraints", p.Row, len(p.Weights), len(constraints))
	}
	if err := s.fit(p); err != nil {
		return 0, nil, false, err
	}
	r, limit, strict := s.sum(constraints, weights)
	low = r.down(len(s.net.values)-1, p, t)
	if !sound.Finite(low) { // it is not trusted
		return low, limit, false, nil
	}
	cmp := new(big.Rat).SetFloat64(low).Cmp(limit)
	return low, limit, cmp > 0 || strict && cmp == 0, nil
}

// Within is what is known where inputs can meet a case at all. A row of its constraints is at most what these inputs allow it, and at least the form
// of the inputs that it ends in, so that the form is at most that too.
func (s *State) Within(constraints []certificate.Constraint, p certificate.Disproof) (*State, error) {
	var t Trace
	low, limit, _, err := s.Disprove(constraints, p, &t)
	if err != nil || !sound.Finite(low) || !sound.Finite(t.Constant) {
		return s, err
	}
	c := s.clone()
	c.half = &half{most: sound.RatUp(limit.Sub(limit, new(big.Rat).SetFloat64(t.Constant)))}
	for _, i := range s.net.inputs {
		c.half.a = append(c.half.a, t.Coef[i]...)
	}
	return c, nil
}

// sum adds constraints up: a row over the outputs, what it is at most where all are met, and whether it is less than that there. Sums are
// rational; what their coefficients lose as float64s is lost over the outputs' boxes.
func (s *State) sum(constraints []certificate.Constraint, weights []float64) (r *row, limit *big.Rat, strict bool) {
	coef, limit, r := make([]big.Rat, s.net.Out), new(big.Rat), s.row()
	for k, x := range weights {
		if x == 0 {
			continue
		}
		q, w := constraints[k], new(big.Rat).SetFloat64(x)
		for j, i := range q.Index {
			coef[i].Add(&coef[i], new(big.Rat).Mul(w, q.Coef[j]))
		}
		limit.Add(limit, new(big.Rat).Mul(w, q.Bound))
		strict = strict || q.Strict
	}
	for _, o := range s.net.outputs {
		for k := range s.net.values[o].n { // one value may be several outputs
			down, up := sound.RatDown(&coef[k]), sound.RatUp(&coef[k])
			r.add(o, k, down, sound.AddUp(up, -down))
		}
		coef = coef[s.net.values[o].n:]
	}
	return r, limit, strict
}

// Holds tells whether a constraint is proven to hold on the whole part: no input meets what says the opposite.
func (s *State) Holds(q certificate.Constraint) bool {
	turned := certificate.Constraint{Index: q.Index, Bound: new(big.Rat).Neg(q.Bound), Strict: !q.Strict}
	for _, x := range q.Coef {
		turned.Coef = append(turned.Coef, new(big.Rat).Neg(x))
	}
	_, _, ok, err := s.Disprove([]certificate.Constraint{turned}, certificate.Disproof{}, nil)
	return ok && err == nil
}
