package weave

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// open is a case that is not disproved yet, with the parameters that a part's parent ended with.
type open struct {
	number int
	alpha  []float64 // by hinge; nil where the operators' own are taken
	beta   []float64
	weight []float64
	best   certificate.Disproof
	low    float64     // best margin
	trace  plain.Trace // of the best row
	ended  []ended     // where rows of a box ended
}

// Adam's constants, and the first step with its decay. Source: Kingma and Ba 2015; the pace is verify/internal/search's.
const (
	adam1, adam2, adamTiny = 0.9, 0.999, 1e-8
	rate, decay            = 0.1, 0.98
	// refineGain is the share of an end that a row must gain to be written down, and toldGain that of a row that a search told.
	refineGain, toldGain = 0.01, 0.0003
)

// plainly tries every constraint by itself with the operators' own lines.
func (w *weaver) plainly(s *plain.State, c *open) (bool, error) {
	constraints := w.p.Cases[c.number].Constraints
	c.low, c.ended = math.Inf(-1), nil
	for k := range constraints {
		if done, err := w.try(s, c, w.alone(c.number, k)); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// try bounds a row, and keeps what is best.
func (w *weaver) try(s *plain.State, c *open, p certificate.Disproof) (bool, error) {
	var t plain.Trace
	low, l, ok, err := w.disprove(s, p, &t)
	if err != nil {
		return false, err
	}
	if t.Coef != nil && s.Sides() == 0 {
		c.ended = append(c.ended, ended{p, affine{s.Form(&t), t.Constant - l}})
	}
	if m := low - l; m > c.low || ok || c.trace.Coef == nil {
		c.low, c.best, c.trace = m, p, t
	}
	return ok, nil
}

// ascent are the parameters of one row on their way up, and Adam's moments.
type ascent struct {
	w           *weaver
	alpha, beta []float64
	weight      []float64
	m, v        []float64
	step        int
	bare        bool // no hinge had a coefficient once
}

func (w *weaver) ascend(s *plain.State, alpha, beta, weight []float64) *ascent {
	if alpha == nil {
		alpha = w.own(s)
	}
	n := s.Sides()
	a := &ascent{w: w, alpha: append([]float64(nil), alpha...), weight: append([]float64(nil), weight...)}
	a.beta = append(append(a.beta, beta...), make([]float64, n-len(beta))...)
	a.m = make([]float64, len(alpha)+n+len(weight))
	a.v = make([]float64, len(a.m))
	return a
}

// parameters are what a certificate has of them; ok is false where it cannot have the weights.
func (a *ascent) parameters(number int) (p certificate.Disproof, ok bool) {
	p, ok = certificate.Disproof{Case: number, Slopes: bytes(a.alpha)}, true
	if len(a.weight) > 1 || len(a.weight) > 0 && a.w.times(number) != nil {
		var shift int
		p.Weights, shift, ok = a.w.claimed(number, 0, append([]float64(nil), a.weight...))
		ok = ok && shift == 0 // or multipliers were others too
	}
	if slices.ContainsFunc(a.beta, func(x float64) bool { return x != 0 }) {
		p.Beta = append([]float64(nil), a.beta...)
	}
	return p, ok
}

// move is by how much parameter i goes where its derivative is g.
func (a *ascent) move(i int, g float64) float64 {
	n := float64(a.step)
	fix1, fix2, pace := 1-math.Pow(adam1, n), 1-math.Pow(adam2, n), rate*math.Pow(decay, n-1)
	a.m[i], a.v[i] = adam1*a.m[i]+(1-adam1)*g, adam2*a.v[i]+(1-adam2)*g*g
	return pace * a.m[i] / fix1 / (math.Sqrt(a.v[i]/fix2) + adamTiny)
}

// up moves slopes and multipliers by a step, and gives what the point where the row is least becomes in every value. lack is what the row lacks.
func (a *ascent) up(s *plain.State, t *plain.Trace, slopes []byte, lack float64) [][]float64 {
	a.step++
	y := s.Follow(t, slopes, s.Corner(t))
	size, count := 0.0, 1
	for _, h := range a.w.hinges {
		for k, x := range t.At(h.Value) {
			lower, upper := s.Range(h.In, k)
			if lower >= 0 || upper <= 0 {
				continue
			}
			size, count = size+math.Abs(x), count+1
			if i := h.At + k; x != 0 || a.v[i] != 0 {
				a.alpha[i] = min(1, max(0, a.alpha[i]+a.move(i, max(x, 0)*y[h.In][k])))
			}
		}
	}
	pace := size / float64(count)
	if a.bare = a.bare || size == 0; a.bare { // of the row nothing comes down: it is the sides that disprove the part, or nothing does
		far := 0.0
		for q := range a.beta {
			side := s.SideAt(q)
			far = max(far, math.Abs(y[side.Value][side.Index]-side.At))
		}
		if far > 0 {
			pace = max(pace, lack/far)
		}
	}
	for q := range a.beta {
		side := s.SideAt(q)
		z := y[side.Value][side.Index] - side.At
		if side.Above {
			z = -z
		}
		a.beta[q] = max(0, a.beta[q]+pace*a.move(len(a.alpha)+q, z))
	}
	return y
}

// climb moves slopes, multipliers and weights for so many steps, or until the case is disproved.
func (w *weaver) climb(s *plain.State, c *open, steps int) (bool, error) {
	constraints := w.p.Cases[c.number].Constraints
	weight := c.weight
	if len(weight) == 0 {
		for range constraints {
			weight = append(weight, 1/float64(len(constraints)))
		}
	}
	a := w.ascend(s, c.alpha, c.beta, weight)
	for {
		p, ok := a.parameters(c.number)
		if !ok {
			return false, nil
		}
		var t plain.Trace
		low, l, ok, err := w.disprove(s, p, &t)
		if err != nil {
			return false, err
		}
		if margin := low - l; margin > c.low || ok || c.trace.Coef == nil {
			c.low, c.best, c.trace = margin, p, t
			c.alpha, c.beta, c.weight = append([]float64(nil), a.alpha...), append([]float64(nil), a.beta...), append([]float64(nil), a.weight...)
		}
		if ok || a.step >= steps {
			if a.bare && !ok {
				c.best, c.trace = p, t // the best one says nothing of what to split
			}
			return ok, nil
		}
		y := a.up(s, &t, p.Slopes, max(0, l-low))
		w.weigh(c.number, a.weight, w.net.OutputsOf(y), len(a.alpha)+len(a.beta), a.move)
	}
}

// weigh moves the weights of a case's constraints; they add up to about 1.
func (w *weaver) weigh(number int, weight, y []float64, at int, move func(int, float64) float64) {
	if len(weight) < 2 {
		return
	}
	sum := 0.0
	for k, q := range w.p.Cases[number].Constraints {
		g := -w.searched64(number, k, q.Bound)
		for j, i := range q.Index {
			g += w.searched64(number, k, q.Coef[j]) * y[i]
		}
		weight[k] = max(0, weight[k]+move(at+k, g))
		sum += weight[k]
	}
	for k := range weight {
		if sum > 0 {
			weight[k] /= sum
		} else {
			weight[k] = 1 / float64(len(weight))
		}
	}
}

// own are the slopes that hinges take by themselves.
func (w *weaver) own(s *plain.State) []float64 {
	out := make([]float64, w.net.Hinges())
	for _, h := range w.hinges {
		for k := range w.net.Elements(h.Value) {
			if lower, upper := s.Range(h.In, k); upper > -lower {
				out[h.At+k] = 1
			}
		}
	}
	return out
}

// bytes are slopes as a certificate has them.
func bytes(alpha []float64) []byte {
	out := make([]byte, len(alpha))
	for i, a := range alpha {
		out[i] = byte(math.Round(a * plain.Steep))
	}
	return out
}
