package attack

import (
	"context"
	"math"
)

// How steepen runs. The numbers are of experiments on conjunctions of five constraints over small networks, where a start succeeds in a third of
// the cases.
const (
	newtonStarts = 12   // random points for each case, the nearest of all that are tried
	newtonRows   = 8    // constraints of one point that are looked at, the worst ones
	newtonOver   = 1.05 // constraints are aimed at a little beyond their bound
	newtonRidge  = 1e-6 // of the system, relative to its trace
)

// steepen looks for points where several constraints are met at once, which steps down one of them at a time rarely find: it takes those that
// are not met, or near to it, as linear in the inputs, and the shortest step that meets them all (Gauss and Newton), in widths of the box, inside a
// radius that is drawn anew each time. Coordinates that would leave the box stay at its end.
func (s *search) steepen(ctx context.Context, starts []*probe) (*Found, error) {
	size, outputs := s.t.size, s.t.outputs
	var probes []*probe
	for _, p := range starts {
		if len(s.r.Cases[p.aim]) > 1 && len(probes) < s.o.Most {
			probes = append(probes, p)
		}
	}
	if len(probes) == 0 {
		return nil, nil
	}
	loss := &Loss{Kind: Linear}
	x := make([]float32, 0, len(probes)*size)
	for range 3 * s.o.Steps / 2 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x = x[:0]
		for _, p := range probes {
			x = append(x, p.x...)
		}
		z, err := s.t.Logits(ctx, x)
		if err != nil {
			return nil, err
		}
		// One row of the Jacobian for each constraint that counts.
		var points, w []float32
		active := make([][]constraintAt, len(probes))
		for i, p := range probes {
			active[i] = activeConstraints(s.r.Cases[p.aim], z[i*outputs:(i+1)*outputs])
			if len(active[i]) == 0 {
				return &Found{append([]float32{}, p.x...), p.aim}, nil
			}
			for _, a := range active[i] {
				points = append(points, p.x...)
				for _, v := range s.r.Cases[p.aim][a.which].Row {
					w = append(w, float32(v))
				}
			}
		}
		out, err := s.t.Gradient(ctx, loss, points, w, nil)
		if err != nil {
			return nil, err
		}
		at := 0
		for i, p := range probes {
			k := len(active[i])
			s.newton(p, active[i], out.Gradient[at*size:(at+k)*size], 0.02+0.5*s.rng.Float64())
			at += k
		}
	}
	return nil, nil
}

// constraintAt is a constraint and its value at a point.
type constraintAt struct {
	which int
	value float64
}

// activeConstraints are the worst that are not met, and those that are met by less than the worst is not; none where all are met.
func activeConstraints(c []Constraint, z []float32) []constraintAt {
	_, worst := violation(c, z)
	if worst <= 0 {
		return nil
	}
	var out []constraintAt
	for k := range c {
		_, v := violation(c[k:k+1], z)
		if !(v > -worst) {
			continue
		}
		at := len(out)
		for at > 0 && out[at-1].value < v {
			at--
		}
		out = append(out, constraintAt{})
		copy(out[at+1:], out[at:])
		out[at] = constraintAt{k, v}
		out = out[:min(len(out), newtonRows)]
	}
	return out
}

// newton moves a point. jacobian has a row of gradients for each constraint.
func (s *search) newton(p *probe, active []constraintAt, jacobian []float32, radius float64) {
	size, n := s.t.size, len(active)
	a := make([]float64, n*size) // in widths of the box
	for r := range n {
		for k := range size {
			a[r*size+k] = float64(jacobian[r*size+k]) * float64(s.upper[k]-s.lower[k])
		}
	}
	want := make([]float64, n)
	for r, c := range active {
		want[r] = -max(c.value, 0) * newtonOver
	}
	d := make([]float64, size)
	fixed := make([]bool, size)
	for range 4 { // each time, coordinates that the step would take out of the box stay where they are
		if !leastStep(d, a, want, fixed) {
			return
		}
		again := false
		for k, v := range d {
			if v < 0 && p.x[k] <= s.lower[k] || v > 0 && p.x[k] >= s.upper[k] {
				fixed[k], again = true, true
			}
		}
		if !again {
			break
		}
	}
	longest := 0.0
	for _, v := range d {
		longest = max(longest, math.Abs(v))
	}
	scale := 1.0
	if longest > radius {
		scale = radius / longest
	}
	for k, v := range d {
		p.x[k] = s.clip(k, p.x[k]+float32(v*scale)*(s.upper[k]-s.lower[k]))
	}
}

// leastStep writes the shortest d, 0 at fixed coordinates, with A d = want as nearly as the ridge allows. It fails where A says nothing.
func leastStep(d, a, want []float64, fixed []bool) bool {
	size, n := len(d), len(want)
	m := make([]float64, n*n)
	trace := 0.0
	for r := range n {
		for q := range n {
			for k := range size {
				if !fixed[k] {
					m[r*n+q] += a[r*size+k] * a[q*size+k]
				}
			}
		}
		trace += m[r*n+r]
	}
	if !(trace > 0) || math.IsInf(trace, 0) {
		return false
	}
	for r := range n {
		m[r*n+r] += newtonRidge * trace
	}
	y := append([]float64{}, want...)
	for r := range n { // positive definite: no pivots
		for q := r + 1; q < n; q++ {
			f := m[q*n+r] / m[r*n+r]
			for k := r; k < n; k++ {
				m[q*n+k] -= f * m[r*n+k]
			}
			y[q] -= f * y[r]
		}
	}
	for r := n - 1; r >= 0; r-- {
		for q := r + 1; q < n; q++ {
			y[r] -= m[r*n+q] * y[q]
		}
		y[r] /= m[r*n+r]
	}
	for k := range d {
		d[k] = 0
		if fixed[k] {
			continue
		}
		for r := range n {
			d[k] += a[r*size+k] * y[r]
		}
		if math.IsNaN(d[k]) {
			return false
		}
	}
	return true
}
