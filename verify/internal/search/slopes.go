package search

import (
	"math"
	"time"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// climber moves the parameters, multipliers and weights of laid nodes to where their bounds are larger: Adam on derivatives that come in closed form.
//
// A bound is its final linear form at the corner x where that is least. Sent up from x through the lines that the row chose, a hinge reads z, and
// the bound's derivative in its lower slope is the row's coefficient in front of the hinge times z, where that is positive; in a multiplier of
// z >= t it is t-z, of z <= t it is z-t; of curves' lines see relax.Family; in the weight of a constraint it is what arrives at the outputs, less the
// constraint's bound. Sources: Xu et al. 2021 (alpha-CROWN); Wang et al. 2021 (beta-CROWN), section 3.3; Kingma and Ba 2015.
type climber struct {
	pace
	step  int
	nodes []climbed
	stay  []float64 // slopes of split hinges, while the others move
}

// pace is how far parameters move: rate for the first step, times decay for each that follows, and momentum is how much of the way before stays in
// each.
type pace struct {
	rate, decay, momentum float64
	usual                 bool // curves keep their usual lines
}

// ending is the pace of a number of steps that are all there will be. The fewer there are, the sooner they must come to where they go: what a step
// takes off the rate, and what it forgets of the way before, fall with the root of the number. Found by trying on the reference cases, where after 20
// steps 35 of 45 end higher than at a momentum of 0.9 and a decay of 0.98, and none lower.
func ending(rate float64, steps int) pace {
	root := math.Sqrt(float64(max(1, steps)))
	return pace{rate: rate, decay: 1 - 0.24/root, momentum: max(0.5, 1-1.5/root)}
}

// climbed are the moments of one node's parameters.
type climbed struct {
	alpha        []*moments // by slot
	beta, weight *moments
}

type moments struct{ m, v []float64 }

func newMoments(n int) *moments { return &moments{make([]float64, n), make([]float64, n)} }

const (
	usualMomentum = 0.9
	adam2         = 0.999
	adamTiny      = 1e-8
)

func newClimber(nodes int, p pace) *climber { return &climber{pace: p, nodes: make([]climbed, nodes)} }

// stride are the scales of one step.
type stride struct {
	rate, momentum, fix1, fix2 float64
	hinges                     kernel.Ascent
}

// next begins a step.
func (c *climber) next() stride {
	c.step++
	return c.at(c.step)
}

// at are the scales of a step, from 1 on.
func (p pace) at(step int) stride {
	n := float64(step)
	rate := p.rate * math.Pow(p.decay, n-1)
	return stride{rate, p.momentum, 1 - math.Pow(p.momentum, n), 1 - math.Pow(adam2, n), kernel.NewAscent(step, rate, p.momentum, adam2, adamTiny)}
}

// seeking is the same pace for what looks for parameters before a sound bound is asked for.
func (p pace) seeking(steps int, until time.Time) bound.Pace {
	all := make([]stride, steps+1)
	for k := 1; k <= steps; k++ {
		all[k] = p.at(k)
	}
	return bound.Pace{Steps: steps, Until: until,
		Hinges: func(step int) kernel.Ascent { return all[step].hinges },
		Curves: func(step int, of bound.Choice, x, g float64, m, v *float64) float64 {
			if p.usual {
				return x
			}
			return all[step].along(of, x, g, m, v)
		}}
}

// by is how far a parameter of these moments goes up a derivative.
func (s *stride) by(g float64, m, v *float64) float64 {
	*m = s.momentum**m + (1-s.momentum)*g
	*v = adam2**v + (1-adam2)*g*g
	return s.rate * *m / s.fix1 / (math.Sqrt(*v/s.fix2) + adamTiny)
}

func (m *moments) move(i int, g float64, s stride) float64 { return s.by(g, &m.m[i], &m.v[i]) }

// along is where a curve's parameter goes from x between its ends.
func (s *stride) along(c bound.Choice, x, g float64, m, v *float64) float64 {
	return c.Clamp(x + curveShare*min(curveReach, c.To-c.From)*s.by(g, m, v))
}

// along moves a parameter between its ends; one whose line no row takes stays.
func (m *moments) along(a []float64, i int, c bound.Choice, g []float64, s stride) {
	if c.Open() && g[i] != 0 {
		a[i] = s.along(c, a[i], g[i], &m.m[i], &m.v[i])
	}
}

// A curve's parameter moves by a share of what a slope does, of the way between its ends and of no more than curveReach: where S-curves have become
// flat, it does not matter where a tangent touches. Found by trying on the reference cases with Sigmoid, where shares of 1 and more end lower.
const (
	curveShare = 0.5
	curveReach = 8
)

// climb moves a node's slopes and multipliers by a step.
func (c *climber) climb(s stride, l *bound.Laid, pts *bound.Points, i, slots int, splits []bound.Split) {
	n := &c.nodes[i]
	if n.alpha == nil {
		n.alpha = make([]*moments, slots)
	}
	for k := range slots {
		a := l.Alpha(i, k)
		if pts.C[k] == nil || len(a) == 0 {
			continue
		}
		if n.alpha[k] == nil {
			n.alpha[k] = newMoments(len(a))
		}
		m := n.alpha[k]
		if ends := l.Ends(i, k); ends != nil {
			if c.usual {
				continue
			}
			for u := range ends {
				m.along(a, 2*u, ends[u].Lo, pts.G[k][i], s)
				m.along(a, 2*u+1, ends[u].Up, pts.G[k][i], s)
			}
			continue
		}
		fixed := l.Split(i, k)
		c.stay = c.stay[:0]
		for u, is := range fixed {
			if is {
				c.stay = append(c.stay, a[u])
			}
		}
		s.hinges.Slopes(a, pts.C[k][i], pts.Z[k][i], m.m, m.v)
		at := 0
		for u, is := range fixed {
			if is {
				a[u] = c.stay[at]
				at++
			}
		}
	}
	if b := l.Beta(i); len(b) > 0 {
		if n.beta == nil {
			n.beta = newMoments(len(b))
		}
		size := meanSize(pts, i, slots)
		for q, x := range splits {
			z := l.At(i, x) - x.At
			if x.On {
				z = -z
			}
			b[q] = max(0, b[q]+size*n.beta.move(q, z, s))
		}
	}
	l.Moved(i)
}

// meanSize is the scale of a row's multipliers: that of its coefficients in front of hinges and curves, 1 where they say nothing.
func meanSize(pts *bound.Points, i, slots int) float64 {
	sum, count := 0.0, 0
	for k := range slots {
		if pts.C[k] == nil {
			continue
		}
		sum += kernel.AbsSum(pts.C[k][i])
		count += len(pts.C[k][i])
	}
	if !(sum > 0) {
		return 1
	}
	return sum / float64(count)
}

// weigh moves the weights of a case's constraints by a step; they stay at least 0 and add up to about 1.
func (c *climber) weigh(s stride, i int, of *Case, weight, y []float64) []float64 {
	if len(of.Rows) < 2 {
		return weight
	}
	n := &c.nodes[i]
	if n.weight == nil {
		n.weight = newMoments(len(weight))
	}
	out, sum := make([]float64, len(weight)), 0.0
	for k, row := range of.Rows {
		g := -of.Bound[k]
		for j, x := range row {
			if x != 0 {
				g += x * y[j]
			}
		}
		out[k] = max(0, weight[k]+n.weight.move(k, g, s))
		sum += out[k]
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return weight
	}
	for k := range out {
		out[k] /= sum
	}
	return out
}
