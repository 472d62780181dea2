package weave

import (
	"math"

	"github.com/shallow-waters/shoal/internal/plain"
)

// affine is a form over the inputs that a constraint's row ended in, less what the constraint allows it.
type affine struct {
	a []float64
	c float64
}

// sum tries a case's constraints added up, with the weights for which their forms promise most.
func (w *weaver) sum(s *plain.State, c *open) (bool, error) {
	constraints := w.p.Cases[c.number].Constraints
	var forms []affine
	for k := range constraints {
		var t plain.Trace
		_, limit, _, err := w.disprove(s, w.alone(c.number, k), &t)
		if err != nil {
			return false, err
		}
		if t.Coef == nil {
			return false, nil
		}
		forms = append(forms, affine{s.Form(&t), t.Constant - limit})
	}
	p, ok := w.mixed(c.number, w.promising(s, forms))
	if !ok {
		return false, nil
	}
	return w.try(s, c, p)
}

// promising are weights for which the sum of some forms is about as large as it can be at its least point: what one weight gives to another
// is searched for in thirds, pair by pair, since the least value is concave in the weights. It begins with the form that is best alone.
func (w *weaver) promising(s *plain.State, forms []affine) []float64 {
	const sweeps, thirds = 2, 24
	weight, at, most := make([]float64, len(forms)), 0, math.Inf(-1)
	for k := range forms {
		clear(weight)
		weight[k] = 1
		if x := w.least(s, forms, weight); x > most {
			at, most = k, x
		}
	}
	clear(weight)
	weight[at] = 1
	for range sweeps {
		for i := range weight {
			for j := range weight {
				if i == j || weight[i] == 0 {
					continue
				}
				both, from, to := weight[i]+weight[j], 0.0, weight[i]+weight[j]
				value := func(x float64) float64 {
					weight[i], weight[j] = both-x, x
					return w.least(s, forms, weight)
				}
				for range thirds {
					if a, b := from+(to-from)/3, to-(to-from)/3; value(a) < value(b) {
						from = a
					} else {
						to = b
					}
				}
				value(0.5*from + 0.5*to)
			}
		}
	}
	return weight
}

// least is the least value of a sum of forms on a part.
func (w *weaver) least(s *plain.State, forms []affine, weight []float64) float64 {
	sum := 0.0
	for k, x := range weight {
		sum += x * forms[k].c
	}
	for i := range w.net.In {
		a := 0.0
		for k, x := range weight {
			a += x * forms[k].a[i]
		}
		v, e := w.net.Input(i)
		l, u := s.Range(v, e)
		sum += min(a*l, a*u)
	}
	return sum
}
