package attack

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// FAB searches the nearest point of another class: it steps to where the linearised boundary to a target class is, pulled back towards the
// sample, and goes a part of the way back whenever it is across. Targeted at the most probable other classes in turn. Croce and Hein 2020,
// "Minimally distorted adversarial examples with a fast adaptive boundary attack", algorithm 1.
type FAB struct {
	Steps    int     `json:"steps"`             // 0 means 100
	Restarts int     `json:"restarts"`          // 0 means 1
	Targets  int     `json:"targets,omitempty"` // 0 means 9
	AlphaMax float64 `json:"alpha_max"`         // most of the pull towards the sample; 0 means 0.1
	Eta      float64 `json:"eta"`               // overshoot of steps; 0 means 1.05
	Beta     float64 `json:"beta"`              // how much of the way is left after going back; 0 means 0.9
}

// Name implements Attack.
func (FAB) Name() string { return "fab-t" }

func (a FAB) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(FAB)
	ranking, err := j.ranking(ctx)
	if err != nil {
		return err
	}
	j.begin(a.Restarts * min(a.Targets, j.classes-1) * a.Steps)
	for restart := range a.Restarts {
		for round := range min(a.Targets, j.classes-1) {
			idx := j.open()
			if len(idx) == 0 {
				return nil
			}
			other := make([]int, len(idx))
			for r, i := range idx {
				other[r] = ranking[i][round]
				if j.goal[i] >= 0 {
					other[r] = j.goal[i]
				}
			}
			if err := a.once(ctx, j, idx, other, restart); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a FAB) settings(Threat) Attack {
	a.Steps, a.Restarts, a.Targets = cmp.Or(a.Steps, 100), cmp.Or(a.Restarts, 1), cmp.Or(a.Targets, 9)
	a.AlphaMax, a.Eta, a.Beta = cmp.Or(a.AlphaMax, 0.1), cmp.Or(a.Eta, 1.05), cmp.Or(a.Beta, 0.9)
	return a
}

func (a FAB) with(e Effort) Attack {
	a.Steps, a.Restarts = e.Steps, e.Restarts
	return a
}

func (FAB) norms() []Norm { return []Norm{Linf, L2, L1} }

func (FAB) blind() bool { return false }

func (FAB) numbers() Attack { return nil }

// fabRow is the state of one sample: where it is, and its nearest point across so far.
type fabRow struct {
	i, other int
	rival    int // the class to get away from: the label, or with a goal the largest other one
	d, best  []float32
	length   float64 // of best; infinite where there is none
}

func (a FAB) once(ctx context.Context, j *job, idx, other []int, restart int) error {
	loss := &Loss{Kind: Linear}
	rows := make([]*fabRow, len(idx))
	d := j.zeros(2 * len(idx))
	for r, i := range idx {
		rows[r] = &fabRow{i: i, other: other[r], rival: j.samples.Labels[i], d: d[2*r], best: d[2*r+1], length: math.Inf(1)}
		if restart > 0 {
			j.start(i, rows[r].d, j.rng(i, "fab"+string(rune('0'+restart))))
			for k := range rows[r].d {
				rows[r].d[k] /= 2
			}
		}
	}
	near, far := make([]float32, j.size), make([]float32, j.size)
	for range a.Steps {
		j.tick()
		at, from, to, points := make([]int, len(rows)), make([]int, len(rows)), make([]int, len(rows)), make([][]float32, len(rows))
		for r, row := range rows {
			at[r], from[r], to[r], points[r] = row.i, row.rival, row.other, row.d
		}
		s, err := j.slopes(ctx, loss, at, points, from, to, true)
		if err != nil {
			return err
		}
		kept := rows[:0]
		for r, row := range rows {
			if j.found[row.i] {
				continue
			}
			kept = append(kept, row)
			// z_other - z_label, and its gradient: across where it is positive.
			f, g := float64(s.Loss[r]), s.Gradient[r*j.size:(r+1)*j.size]
			if j.goal[row.i] >= 0 {
				if rival := largestBut(s.Logits[r*j.classes:(r+1)*j.classes], row.other); rival != row.rival && f > 0 {
					row.rival = rival // across one boundary, and not yet the goal
					continue
				}
			}
			if f > 0 {
				if length := j.threat.Norm.norm(row.d); length < row.length {
					row.length = length
					copy(row.best, row.d)
				}
				for k := range row.d {
					row.d[k] = row.best[k] * float32(a.Beta)
				}
				continue
			}
			j.toPlane(near, row.i, row.d, g, -f)
			at0 := f
			for k, v := range g {
				at0 -= float64(v) * float64(row.d[k]) // the linear function at the sample
			}
			clear(far)
			j.toPlane(far, row.i, far, g, -at0)
			dn, df := distanceBetween(j.threat.Norm, near, row.d), j.threat.Norm.norm(far)
			alpha := 0.0
			if dn+df > 0 {
				alpha = min(dn/(dn+df), a.AlphaMax)
			}
			for k := range row.d {
				step := float64(row.d[k]) + a.Eta*(float64(near[k])-float64(row.d[k]))
				row.d[k] = float32(step*(1-alpha) + a.Eta*float64(far[k])*alpha)
			}
			j.clip(row.i, row.d, true)
		}
		if rows = kept; len(rows) == 0 {
			return nil
		}
	}
	return a.finish(ctx, j, rows)
}

// finish looks between the sample and the nearest point across for one that is nearer still (section 3.4 of the paper).
func (a FAB) finish(ctx context.Context, j *job, rows []*fabRow) error {
	rows = slices.DeleteFunc(rows, func(r *fabRow) bool { return math.IsInf(r.length, 1) })
	low := make([]float64, len(rows))
	high := slices.Repeat([]float64{1}, len(rows))
	for range 5 {
		if len(rows) == 0 {
			return nil
		}
		at, points := make([]int, len(rows)), j.zeros(len(rows))
		for r, row := range rows {
			at[r] = row.i
			for k, v := range row.best {
				points[r][k] = v * float32((low[r]+high[r])/2)
			}
		}
		z, err := j.outputs(ctx, at, points, true)
		if err != nil {
			return err
		}
		for r, row := range rows {
			if mid := (low[r] + high[r]) / 2; j.wrong(row.i, z[r*j.classes:(r+1)*j.classes]) {
				high[r] = mid
			} else {
				low[r] = mid
			}
		}
	}
	return nil
}

// largestBut is the class of the largest logit but one.
func largestBut(z []float32, not int) int {
	best := -1
	for k, v := range z {
		if k != not && (best < 0 || v > z[best]) {
			best = k
		}
	}
	return best
}

func distanceBetween(n Norm, a, b []float32) float64 {
	d := make([]float32, len(a))
	for k := range d {
		d[k] = a[k] - b[k]
	}
	return n.norm(d)
}

// toPlane writes the perturbation nearest to d, in the threat's norm and among valid inputs, at which the linear function with slope g has
// risen by rise; where none reaches that, the one that rises most. Section 3.1 and appendix A of the paper.
func (j *job) toPlane(to []float32, i int, d, g []float32, rise float64) {
	type part struct{ room, slope float64 }
	x, lo, hi := j.origin(i), j.least[i], j.most[i]
	parts := make([]part, len(d))
	order := make([]int, len(d))
	most := 0.0
	for k, v := range g {
		end := hi[k]
		if v < 0 {
			end = lo[k]
		}
		room := math.Abs(float64((end-x[k])/j.samples.scale(k) - d[k]))
		parts[k], order[k] = part{room, math.Abs(float64(v))}, k
		most += room * parts[k].slope
	}
	move := make([]float64, len(d))
	switch {
	case rise <= 0:
	case most <= rise:
		for k, p := range parts {
			move[k] = p.room
		}
	case j.threat.Norm == L1: // steepest elements first
		slices.SortFunc(order, func(a, b int) int { return compare(parts[b].slope, parts[a].slope) })
		for _, k := range order {
			p := parts[k]
			if p.slope == 0 || rise <= 0 {
				break
			}
			move[k] = min(p.room, rise/p.slope)
			rise -= move[k] * p.slope
		}
	case j.threat.Norm == L2: // in proportion to the slope, until an element is at its end
		slices.SortFunc(order, func(a, b int) int {
			return compare(parts[a].room*parts[b].slope, parts[b].room*parts[a].slope)
		})
		sum := 0.0
		for _, p := range parts {
			sum += p.slope * p.slope
		}
		for n, k := range order {
			p := parts[k]
			if p.slope == 0 {
				continue
			}
			if lambda := rise / max(sum, 1e-300); lambda*p.slope <= p.room {
				for _, q := range order[n:] {
					move[q] = min(parts[q].room, lambda*parts[q].slope)
				}
				break
			}
			move[k] = p.room
			rise -= p.room * p.slope
			sum -= p.slope * p.slope
		}
	default: // all by the same, until an element is at its end
		slices.SortFunc(order, func(a, b int) int { return compare(parts[a].room, parts[b].room) })
		sum := 0.0
		for _, p := range parts {
			sum += p.slope
		}
		for n, k := range order {
			p := parts[k]
			if t := rise / max(sum, 1e-300); t <= p.room {
				for _, q := range order[n:] {
					if parts[q].slope > 0 {
						move[q] = t
					}
				}
				break
			}
			move[k] = p.room
			rise -= p.room * p.slope
			sum -= p.slope
		}
	}
	for k, v := range g {
		m := float32(move[k])
		if v < 0 {
			m = -m
		}
		to[k] = d[k] + m
	}
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
