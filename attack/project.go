package attack

import (
	"math"
	"slices"
)

// norm is the length of a perturbation.
func (n Norm) norm(d []float32) float64 {
	sum := 0.0
	for _, v := range d {
		a := math.Abs(float64(v))
		switch n {
		case L2:
			sum += a * a
		case L1:
			sum += a
		default:
			sum = max(sum, a)
		}
	}
	if n == L2 {
		return math.Sqrt(sum)
	}
	return sum
}

// inside is the share of eps that projections onto l2 and l1 balls leave: what the rounding of the sum of squares to float32 coordinates
// could add stays below it.
const inside = 1 - 1e-6

// project moves a perturbation to the nearest one in the ball (for l1: nearest in l2). For linf it only clips.
func (n Norm) project(d []float32, eps float64) {
	switch n {
	case Linf:
		e := float32(eps)
		for i, v := range d {
			d[i] = max(-e, min(e, v))
		}
	case L2:
		if r := n.norm(d); r > eps*inside {
			k := float32(eps * inside / r)
			for i := range d {
				d[i] *= k
			}
		}
	case L1:
		projectL1(d, eps*inside)
	}
}

// projectL1 is the Euclidean projection onto the l1 ball. Duchi et al. 2008, figure 1.
func projectL1(d []float32, eps float64) {
	if L1.norm(d) <= eps {
		return
	}
	u := make([]float64, len(d))
	for i, v := range d {
		u[i] = math.Abs(float64(v))
	}
	slices.SortFunc(u, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	sum, theta := 0.0, 0.0
	for i, v := range u {
		sum += v
		if t := (sum - eps) / float64(i+1); v > t {
			theta = t
		}
	}
	for i, v := range d {
		a := float32(max(0, math.Abs(float64(v))-theta))
		if v < 0 {
			a = -a
		}
		d[i] = a
	}
}

// steepest writes into step the direction of length 1 in the norm along which the gradient g rises most; for l1 all of it goes to the
// largest element. A zero gradient gives zeros.
func (n Norm) steepest(step, g []float32) {
	switch n {
	case Linf:
		for i, v := range g {
			switch {
			case v > 0:
				step[i] = 1
			case v < 0:
				step[i] = -1
			default:
				step[i] = 0
			}
		}
	case L2:
		r := L2.norm(g)
		for i, v := range g {
			step[i] = 0
			if r > 0 {
				step[i] = float32(float64(v) / r)
			}
		}
	case L1:
		best := 0
		for i, v := range g {
			step[i] = 0
			if math.Abs(float64(v)) > math.Abs(float64(g[best])) {
				best = i
			}
		}
		if g[best] > 0 {
			step[best] = 1
		} else if g[best] < 0 {
			step[best] = -1
		}
	}
}
