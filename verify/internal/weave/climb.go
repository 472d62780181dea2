package weave

import (
	"math"
	"math/big"

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
}

// Adam's constants, and the first step with its decay. Source: Kingma and Ba 2015; the pace is verify/internal/search's.
const (
	adam1, adam2, adamTiny = 0.9, 0.999, 1e-8
	rate, decay            = 0.1, 0.98
)

// plainly tries every constraint by itself with the operators' own lines.
func (w *weaver) plainly(s *plain.State, c *open) (bool, error) {
	constraints := w.p.Cases[c.number].Constraints
	c.low = math.Inf(-1)
	for k := range constraints {
		p := certificate.Disproof{Case: c.number, Row: k}
		if done, err := w.try(s, c, p); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// try bounds a row, and keeps what is best.
func (w *weaver) try(s *plain.State, c *open, p certificate.Disproof) (bool, error) {
	var t plain.Trace
	low, limit, ok, err := s.Disprove(w.p.Cases[c.number].Constraints, p, &t)
	if err != nil {
		return false, err
	}
	l, _ := new(big.Rat).Set(limit).Float64()
	if m := low - l; m > c.low || ok || c.trace.Coef == nil {
		c.low, c.best, c.trace = m, p, t
	}
	return ok, nil
}

// climb moves slopes, multipliers and weights for so many steps, or until the case is disproved.
func (w *weaver) climb(s *plain.State, c *open, steps int) (bool, error) {
	constraints := w.p.Cases[c.number].Constraints
	sides, n := s.Sides(), w.net.Hinges()
	if c.alpha == nil {
		c.alpha = w.own(s)
	}
	alpha := append([]float64(nil), c.alpha...)
	beta := append(append([]float64(nil), c.beta...), make([]float64, sides-len(c.beta))...)
	weight := append([]float64(nil), c.weight...)
	if len(weight) == 0 {
		for range constraints {
			weight = append(weight, 1/float64(len(constraints)))
		}
	}
	m, v := make([]float64, n+sides+len(weight)), make([]float64, n+sides+len(weight))
	for step := 1; ; step++ {
		p := certificate.Disproof{Case: c.number, Slopes: bytes(alpha), Beta: beta}
		if len(weight) > 1 {
			p.Weights = append([]float64(nil), weight...)
		}
		p.Beta = append([]float64(nil), beta...)
		if sides == 0 {
			p.Beta = nil
		}
		var t plain.Trace
		low, limit, ok, err := s.Disprove(constraints, p, &t)
		if err != nil {
			return false, err
		}
		l, _ := limit.Float64()
		if margin := low - l; margin > c.low || ok || c.trace.Coef == nil {
			c.low, c.best, c.trace = margin, p, t
			c.alpha, c.beta, c.weight = append(c.alpha[:0:0], alpha...), append(c.beta[:0:0], beta...), append(c.weight[:0:0], weight...)
		}
		if ok || step > steps {
			return ok, nil
		}
		y := s.Follow(&t, p.Slopes, s.Corner(&t))
		fix1, fix2, pace := 1-math.Pow(adam1, float64(step)), 1-math.Pow(adam2, float64(step)), rate*math.Pow(decay, float64(step-1))
		move := func(i int, g float64) float64 {
			m[i], v[i] = adam1*m[i]+(1-adam1)*g, adam2*v[i]+(1-adam2)*g*g
			return pace * m[i] / fix1 / (math.Sqrt(v[i]/fix2) + adamTiny)
		}
		size, count := 0.0, 1
		for _, h := range w.hinges {
			for k, x := range t.Coef[h.Value] {
				lower, upper := s.Range(h.In, k)
				if lower >= 0 || upper <= 0 {
					continue
				}
				size, count = size+math.Abs(x), count+1
				alpha[h.At+k] = min(1, max(0, alpha[h.At+k]+move(h.At+k, max(x, 0)*y[h.In][k])))
			}
		}
		for q := range beta {
			side := s.SideAt(q)
			z := y[side.Value][side.Index] - side.At
			if side.Above {
				z = -z
			}
			beta[q] = max(0, beta[q]+size/float64(count)*move(n+q, z))
		}
		w.weigh(constraints, weight, w.net.OutputsOf(y), n+sides, move)
	}
}

// weigh moves the weights of a case's constraints; they add up to about 1.
func (w *weaver) weigh(constraints []certificate.Constraint, weight, y []float64, at int, move func(int, float64) float64) {
	if len(weight) < 2 {
		return
	}
	sum := 0.0
	for k, q := range constraints {
		g, _ := q.Bound.Float64()
		g = -g
		for j, i := range q.Index {
			c, _ := q.Coef[j].Float64()
			g += c * y[i]
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
