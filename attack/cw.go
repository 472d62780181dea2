package attack

import (
	"cmp"
	"context"
	"math"
)

// CW minimises the l2 length of a perturbation plus c times how far the label is ahead, in variables that cannot leave the valid pixels,
// and searches the c. Carlini and Wagner 2017, "Towards evaluating the robustness of neural networks", section 6.1, with loss f6.
type CW struct {
	Steps      int     `json:"steps"`                // of Adam for each c; 0 means 1000 (the authors' code has 10,000, and stops early as here)
	Searches   int     `json:"searches"`             // values of c; 0 means 9
	Rate       float64 `json:"rate"`                 // Adam's; 0 means 0.01
	Initial    float64 `json:"initial"`              // the first c; 0 means 1e-3
	Confidence float64 `json:"confidence,omitempty"` // by how much another class must lead
}

// Name implements Attack.
func (CW) Name() string { return "cw" }

// cwRow is one sample: its bracket for c and the shortest perturbation so far.
type cwRow struct {
	i              int
	low, high, c   float64
	w              []float64 // of tanh, by element
	hit            bool      // in this round
	lastLoss, loss float64
	opt            *adam64
	d              []float32
}

func (a CW) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(CW)
	j.begin(a.Searches * a.Steps)
	var rows []*cwRow
	idx := j.open()
	d := j.zeros(len(idx))
	for r, i := range idx {
		rows = append(rows, &cwRow{i: i, high: math.Inf(1), c: a.Initial, d: d[r]})
	}
	for range a.Searches {
		for _, row := range rows {
			row.begin(j, a.Rate)
		}
		if err := a.descend(ctx, j, rows); err != nil {
			return err
		}
		var left []*cwRow
		for _, row := range rows {
			if j.found[row.i] { // a point inside the ball is all that is asked for
				continue
			}
			left = append(left, row)
			if row.hit {
				row.high = row.c
			} else {
				row.low = row.c
			}
			if math.IsInf(row.high, 1) {
				row.c *= 10
			} else {
				row.c = (row.low + row.high) / 2
			}
		}
		if rows = left; len(rows) == 0 {
			break
		}
	}
	return nil
}

func (a CW) settings(Threat) Attack {
	a.Steps, a.Searches, a.Rate, a.Initial = cmp.Or(a.Steps, 1000), cmp.Or(a.Searches, 9), cmp.Or(a.Rate, 0.01), cmp.Or(a.Initial, 1e-3)
	return a
}

func (a CW) with(e Effort) Attack {
	a.Steps = e.Steps
	return a
}

func (CW) norms() []Norm { return []Norm{L2} }

func (CW) blind() bool { return false }

func (CW) numbers() Attack { return nil }

// begin puts a sample back to where it came from.
func (row *cwRow) begin(j *job, rate float64) {
	row.w, row.hit, row.loss, row.lastLoss = make([]float64, j.size), false, 0, math.Inf(1)
	row.opt = &adam64{adam: *newAdam(j.size, rate)}
	x, lo, hi := j.origin(row.i), j.least[row.i], j.most[row.i]
	for k, v := range x {
		if hi[k] > lo[k] {
			u := 2*(float64(v)-float64(lo[k]))/(float64(hi[k])-float64(lo[k])) - 1
			row.w[k] = math.Atanh(max(-1, min(1, u)) * 0.999999)
		}
	}
}

func (a CW) descend(ctx context.Context, j *job, all []*cwRow) error {
	loss := &Loss{Kind: Margin}
	rows := append([]*cwRow{}, all...)
	g := make([]float64, j.size)
	for step := range a.Steps {
		j.tick()
		at, points := make([]int, len(rows)), make([][]float32, len(rows))
		for r, row := range rows {
			row.place(j)
			at[r], points[r] = row.i, row.d
		}
		s, err := j.slopes(ctx, loss, at, points, j.lossClasses(at), nil, true)
		if err != nil {
			return err
		}
		kept := rows[:0]
		for r, row := range rows {
			if j.found[row.i] {
				continue
			}
			// behind is positive as long as the label leads (or the goal does not).
			sign := float64(j.signFor(row.i))
			behind := a.Confidence - sign*float64(s.Loss[r])
			length := L2.norm(row.d)
			row.loss += length*length + row.c*max(0, behind)
			if behind <= 0 {
				row.hit = true
			}
			lo, hi := j.least[row.i], j.most[row.i]
			for k := range g {
				t := math.Tanh(row.w[k])
				slope := 2 * float64(row.d[k])
				if behind > 0 {
					slope -= row.c * sign * float64(s.Gradient[r*j.size+k])
				}
				g[k] = slope * float64(hi[k]-lo[k]) / 2 / float64(j.samples.scale(k)) * (1 - t*t)
			}
			row.opt.descend(row.w, g)
			// Stop early where a tenth of the steps brought nothing, as the authors' code does.
			if step%max(1, a.Steps/10) == max(1, a.Steps/10)-1 {
				if row.loss > row.lastLoss*0.9999 {
					continue
				}
				row.lastLoss, row.loss = row.loss, 0
			}
			kept = append(kept, row)
		}
		if rows = kept; len(rows) == 0 {
			return nil
		}
	}
	return nil
}

// place writes the perturbation that the variables stand for.
func (row *cwRow) place(j *job) {
	x, lo, hi := j.origin(row.i), j.least[row.i], j.most[row.i]
	for k := range row.d {
		v := float64(lo[k]) + (float64(hi[k])-float64(lo[k]))*(math.Tanh(row.w[k])+1)/2
		row.d[k] = float32((v - float64(x[k])) / float64(j.samples.scale(k)))
	}
}

// adam64 is adam on float64 variables.
type adam64 struct{ adam }

func (a *adam64) descend(x, g []float64) {
	a.t++
	c1, c2 := 1-math.Pow(0.9, float64(a.t)), 1-math.Pow(0.999, float64(a.t))
	for k, v := range g {
		a.m[k] += 0.1 * (v - a.m[k])
		a.v[k] += 0.001 * (v*v - a.v[k])
		x[k] -= a.rate * (a.m[k] / c1) / (math.Sqrt(a.v[k]/c2) + 1e-8)
	}
}
