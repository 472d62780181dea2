package student

import (
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/student/tape"
)

// Adam's constants beside the learning rate, as published: Kingma and Ba 2015, algorithm 1.
const (
	adamBeta1 = 0.9
	adamBeta2 = 0.999
	adamEps   = 1e-8
)

// adam keeps the moments of every parameter in flat arrays, in the order of the trained parameters. gorgonia's AdamSolver keeps them in
// tensors of its own that no checkpoint can reach, and makes a dozen passes over memory where this makes one.
type adam struct {
	rate float64
	// Decay is the decoupled weight decay of AdamW (Loshchilov and Hutter 2019); 0 for none.
	decay    float64
	momentum float64
	plain    bool    // sgd takes the steps
	clip     float64 // how long gradients may be; 0 for as long as they are
	step     int
	m, v     []float32
}

// update changes the parameters, given part by part with their gradients, and tells whether all gradients were finite; if not, nothing is
// changed.
func (a *adam) update(p *tape.Pool, params, grads [][]float32) bool {
	for _, g := range grads {
		if !finite(p, g) {
			return false
		}
	}
	if a.clip > 0 {
		clipNorm(grads, a.clip)
	}
	if a.step++; a.plain {
		a.sgd(p, params, grads)
		return true
	}
	t := float64(a.step)
	rate := float32(a.rate / (1 - math.Pow(adamBeta1, t)))
	root := float32(1 / math.Sqrt(1-math.Pow(adamBeta2, t)))
	keep := float32(1 - a.rate*a.decay)
	at := 0
	for i, w := range params {
		m, v, g := a.m[at:at+len(w)], a.v[at:at+len(w)], grads[i]
		at += len(w)
		p.Each(len(w), tape.ElementsEach/2, func(_, from, to int) {
			kernel.Adam(w[from:to], g[from:to], m[from:to], v[from:to], rate, root, keep, adamBeta1, adamBeta2, adamEps)
		})
	}
	return true
}

// finite tells whether no number is NaN or infinite: x-x is 0 for all others.
func finite(p *tape.Pool, x []float32) bool {
	var bad [tape.Parts]float32
	p.Each(len(x), tape.ElementsEach, func(part, from, to int) {
		var a, b float32
		some := x[from:to]
		for len(some) >= 2 {
			a += some[0] - some[0]
			b += some[1] - some[1]
			some = some[2:]
		}
		for _, v := range some {
			a += v - v
		}
		bad[part] = a + b
	})
	s := float32(0)
	for _, v := range bad {
		s += v
	}
	return s == 0
}
