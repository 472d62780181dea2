package attack

import (
	"cmp"
	"context"
	"fmt"
	"math"
)

// SPSA estimates the gradient of the margin from pairs of evaluations along random directions of signs, and follows it with Adam. Uesato
// et al. 2018, "Adversarial risk and the dangers of evaluating against weak attacks", section 4.1.
type SPSA struct {
	Steps   int     `json:"steps"`   // 0 means 100
	Pairs   int     `json:"pairs"`   // evaluations of a step are twice that; 0 means 64
	Delta   float64 `json:"delta"`   // length of the pairs' perturbations; 0 means 0.01
	Rate    float64 `json:"rate"`    // Adam's; 0 means 0.01
	Samples int     `json:"samples"` // attacked side by side; 0 means 8
}

// Name implements Attack.
func (SPSA) Name() string { return "spsa" }

func (a SPSA) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(SPSA)
	idx := j.open()
	j.begin((len(idx) + a.Samples - 1) / a.Samples * a.Steps)
	for len(idx) > 0 {
		n := min(a.Samples, len(idx))
		if err := a.some(ctx, j, idx[:n]); err != nil {
			return err
		}
		idx = idx[n:]
	}
	return nil
}

func (a SPSA) settings(Threat) Attack {
	a.Steps, a.Pairs, a.Samples = cmp.Or(a.Steps, 100), cmp.Or(a.Pairs, 64), cmp.Or(a.Samples, 8)
	a.Delta, a.Rate = cmp.Or(a.Delta, 0.01), cmp.Or(a.Rate, 0.01)
	return a
}

func (a SPSA) with(e Effort) Attack {
	a.Steps = e.Steps
	return a
}

func (SPSA) norms() []Norm { return []Norm{Linf} }

func (SPSA) blind() bool { return true }

func (a SPSA) numbers() Attack { return a }

func (a SPSA) some(ctx context.Context, j *job, idx []int) error {
	d := j.zeros(len(idx))
	optimisers := make([]*adam, len(idx))
	for r, i := range idx {
		optimisers[r] = newAdam(j.size, a.Rate)
		j.start(i, d[r], j.rng(i, "start"))
	}
	g := make([]float64, j.size)
	for step := range a.Steps {
		j.tick()
		var at []int
		var rows []int
		for r, i := range idx {
			if !j.found[i] {
				rows = append(rows, r)
				for range 2 * a.Pairs {
					at = append(at, i)
				}
			}
		}
		if len(rows) == 0 {
			return nil
		}
		points := j.zeros(len(at))
		signs := make([][]float32, len(rows)*a.Pairs)
		for n, r := range rows {
			rng := j.rng(idx[r], fmt.Sprint("step ", step))
			for p := range a.Pairs {
				s := make([]float32, j.size)
				up, down := points[2*(n*a.Pairs+p)], points[2*(n*a.Pairs+p)+1]
				for k := range s {
					s[k] = randomSign(rng)
					up[k], down[k] = d[r][k]+float32(a.Delta)*s[k], d[r][k]-float32(a.Delta)*s[k]
				}
				signs[n*a.Pairs+p] = s
			}
		}
		z, err := j.outputs(ctx, at, points, true)
		if err != nil {
			return err
		}
		for n, r := range rows {
			clear(g)
			for p := range a.Pairs {
				at := 2 * (n*a.Pairs + p)
				up := j.marginOf(idx[r], z[at*j.classes:(at+1)*j.classes])
				down := j.marginOf(idx[r], z[(at+1)*j.classes:(at+2)*j.classes])
				slope := (up - down) / (2 * a.Delta) / float64(a.Pairs)
				for k, s := range signs[n*a.Pairs+p] {
					g[k] += slope * float64(s)
				}
			}
			optimisers[r].descend(d[r], g)
			j.clip(idx[r], d[r], false)
		}
		if _, err := j.outputs(ctx, idx, d, false); err != nil {
			return err
		}
	}
	return nil
}

// adam is the optimiser of Kingma and Ba 2015 with its usual constants.
type adam struct {
	rate float64
	m, v []float64
	t    int
}

func newAdam(n int, rate float64) *adam {
	return &adam{rate: rate, m: make([]float64, n), v: make([]float64, n)}
}

// descend takes one step against the gradient g.
func (a *adam) descend(x []float32, g []float64) {
	a.t++
	c1, c2 := 1-math.Pow(0.9, float64(a.t)), 1-math.Pow(0.999, float64(a.t))
	for k, v := range g {
		a.m[k] += 0.1 * (v - a.m[k])
		a.v[k] += 0.001 * (v*v - a.v[k])
		x[k] -= float32(a.rate * (a.m[k] / c1) / (math.Sqrt(a.v[k]/c2) + 1e-8))
	}
}
