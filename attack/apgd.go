package attack

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// APGD is PGD that chooses its step by itself: it starts with 2*Eps, and at checkpoints halves the step and goes back to the best point
// where the loss did not rise often enough. Croce and Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of
// diverse parameter-free attacks", algorithm 1.
type APGD struct {
	Loss     Kind    `json:"loss"`     // CE, DLR or DLRT; "" means CE. Of outputs that are numbers: Away, or Linear for one output at a time
	Steps    int     `json:"steps"`    // 0 means 100
	Restarts int     `json:"restarts"` // 0 means 5 for CE and DLR, as in the authors' code outside their standard set, and 1 for DLRT
	Rho      float64 `json:"rho"`      // share of steps that must raise the loss between checkpoints; 0 means 0.75
	Momentum float64 `json:"momentum"` // weight of the new step against the last; 0 means 0.75
	// Targets is, for DLRT, the number of classes to aim at, from the second most probable on; 0 means 9. For Linear, of outputs each upward
	// or downward, from those that random points get farthest towards on.
	Targets int `json:"targets,omitempty"`
}

// Name implements Attack.
func (a APGD) Name() string {
	switch a.Loss {
	case DLR:
		return "apgd-dlr"
	case DLRT, Linear:
		return "apgd-t"
	case Away:
		return "apgd"
	}
	return "apgd-ce"
}

func (a APGD) run(ctx context.Context, j *job) error {
	a = a.settings(j.threat).(APGD)
	if need := a.Loss.Classes(); j.classes < need {
		j.few = fmt.Sprintf("loss %s of %s needs %d classes and the model has %d; the margin is used", a.Loss, a.Name(), need, j.classes)
		a.Loss = Margin
	}
	rounds := 1
	var ranking [][]int
	goals := j.n > 0 && j.goal[0] >= 0
	if goals && a.Loss == DLR && j.classes >= DLRT.Classes() {
		a.Loss = DLRT // its form with a target
	}
	var err error
	switch {
	case a.Loss == Linear:
		rounds = min(a.Targets, 2*j.classes)
		ranking, err = j.aims(ctx, rounds)
	case a.Loss == DLRT && !goals:
		rounds = min(a.Targets, j.classes-1)
		ranking, err = j.ranking(ctx)
	}
	if err != nil {
		return err
	}
	j.begin(a.Restarts * rounds * a.Steps)
	for restart := range a.Restarts {
		for round := range rounds {
			idx := j.open()
			if len(idx) == 0 {
				return nil
			}
			var other []int
			if a.Loss == DLRT || a.Loss == Linear {
				for _, i := range idx {
					if goals {
						other = append(other, j.goal[i])
					} else {
						other = append(other, ranking[i][round])
					}
				}
			}
			if err := a.once(ctx, j, idx, other, fmt.Sprintf("start %d %d", restart, round)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a APGD) settings(Threat) Attack {
	a.Loss, a.Steps = cmp.Or(a.Loss, CE), cmp.Or(a.Steps, 100)
	a.Rho, a.Momentum = cmp.Or(a.Rho, 0.75), cmp.Or(a.Momentum, 0.75)
	if a.Loss == DLRT || a.Loss == Linear {
		a.Restarts, a.Targets = cmp.Or(a.Restarts, 1), cmp.Or(a.Targets, 9)
	} else {
		a.Restarts, a.Targets = cmp.Or(a.Restarts, 5), 0
	}
	return a
}

func (a APGD) with(e Effort) Attack {
	a.Steps, a.Restarts = e.Steps, e.Restarts
	return a
}

func (APGD) norms() []Norm { return []Norm{Linf, L2} }

func (APGD) blind() bool { return false }

func (a APGD) numbers() Attack {
	switch a.Loss {
	case DLRT, Linear:
		a.Loss = Linear
	case Away:
	default:
		return nil
	}
	return a
}

// ranking orders for every sample the classes other than its label, the most probable first.
func (j *job) ranking(ctx context.Context) ([][]int, error) {
	z, err := j.target.Logits(ctx, j.samples.X)
	if err != nil {
		return nil, err
	}
	out := make([][]int, j.n)
	for i := range out {
		row := z[i*j.classes : (i+1)*j.classes]
		for k := range row {
			if k != j.samples.Labels[i] {
				out[i] = append(out[i], k)
			}
		}
		slices.SortStableFunc(out[i], func(a, b int) int {
			switch {
			case row[a] > row[b]:
				return -1
			case row[a] < row[b]:
				return 1
			}
			return 0
		})
	}
	return out, nil
}

// apgdRow is the state of one sample.
type apgdRow struct {
	i, other            int
	d, last, best, grad []float32 // grad is the gradient at best
	seen                float64   // the loss of the last evaluation, also where the row went back to its best point
	loss, bestLoss      float64
	step, checked       float64 // step now; best loss at the last checkpoint
	rises               int     // since the last checkpoint
	reduced             bool    // at the last checkpoint
	g                   []float32
}

func (a APGD) once(ctx context.Context, j *job, idx, other []int, name string) error {
	loss := &Loss{Kind: a.Loss}
	rows := make([]*apgdRow, len(idx))
	starts := j.zeros(len(idx))
	for r, i := range idx {
		rows[r] = &apgdRow{i: i, other: -1, d: starts[r], step: 2 * j.threat.Eps}
		if other != nil {
			rows[r].other = other[r]
		}
		j.apgdStart(i, rows[r].d, name)
	}
	evaluate := func() error {
		var at []int
		var d [][]float32
		var to []int
		for _, row := range rows {
			at, d = append(at, row.i), append(d, row.d)
			if other != nil {
				to = append(to, row.other)
			}
		}
		class, towards := j.lossClasses(at), to != nil // a loss with a target rises towards it
		if towards {
			class = j.labels(at)
		}
		s, err := j.slopes(ctx, loss, at, d, class, to, false)
		if err != nil {
			return err
		}
		kept := rows[:0]
		for r, row := range rows {
			sign := float64(j.signFor(row.i))
			if towards {
				sign = 1
			}
			row.loss = sign * float64(s.Loss[r])
			row.g = append(row.g[:0], s.Gradient[r*j.size:(r+1)*j.size]...)
			if sign < 0 {
				for k := range row.g {
					row.g[k] = -row.g[k]
				}
			}
			if !j.found[row.i] {
				kept = append(kept, row)
			}
		}
		rows = kept
		return nil
	}
	if err := evaluate(); err != nil {
		return err
	}
	for _, row := range rows {
		row.bestLoss, row.checked, row.seen = row.loss, row.loss, row.loss
		row.best, row.grad, row.last = slices.Clone(row.d), slices.Clone(row.g), slices.Clone(row.d)
		row.reduced = true
	}
	// Checkpoints: 0.22 of the steps, then ever closer, by 0.03 each down to 0.06 (section 3 of the paper).
	gap := max(1, int(0.22*float64(a.Steps)))
	since := 0
	z, dir := make([]float32, j.size), make([]float32, j.size)
	for step := range a.Steps {
		if len(rows) == 0 {
			return nil
		}
		j.tick()
		weight := float32(a.Momentum)
		if step == 0 {
			weight = 1
		}
		before := make(map[int]float64, len(rows))
		for _, row := range rows {
			j.threat.Norm.steepest(dir, row.g)
			for k := range z {
				z[k] = row.d[k] + float32(row.step)*dir[k]
			}
			j.clip(row.i, z, false)
			for k := range z {
				old := row.d[k]
				row.d[k] = old + weight*(z[k]-old) + (1-weight)*(old-row.last[k])
				row.last[k] = old
			}
			j.clip(row.i, row.d, false)
			before[row.i] = row.seen
		}
		if err := evaluate(); err != nil {
			return err
		}
		since++
		for _, row := range rows {
			if row.loss > before[row.i] {
				row.rises++
			}
			row.seen = row.loss
			if row.loss > row.bestLoss {
				row.bestLoss = row.loss
				copy(row.best, row.d)
				copy(row.grad, row.g)
			}
		}
		if since < gap {
			continue
		}
		for _, row := range rows {
			slow := float64(row.rises) <= a.Rho*float64(since)
			stuck := !row.reduced && row.checked >= row.bestLoss
			row.reduced = slow || stuck
			row.checked = row.bestLoss
			row.rises = 0
			if row.reduced {
				row.step /= 2
				copy(row.d, row.best)
				copy(row.g, row.grad)
				row.loss = row.bestLoss
			}
		}
		gap = max(gap-max(1, int(0.03*float64(a.Steps))), max(1, int(0.06*float64(a.Steps))))
		since = 0
	}
	return nil
}

// apgdStart is a random direction at full length, as the authors' code begins.
func (j *job) apgdStart(i int, d []float32, name string) {
	rng := j.rng(i, name)
	most := 0.0
	for k := range d {
		if j.threat.Norm == L2 {
			d[k] = float32(rng.NormFloat64())
		} else {
			d[k] = float32(2*rng.Float64() - 1)
			most = max(most, math.Abs(float64(d[k])))
		}
	}
	if j.threat.Norm == L2 {
		most = L2.norm(d)
	}
	if most > 0 {
		for k := range d {
			d[k] *= float32(j.threat.Eps / most)
		}
	}
	j.clip(i, d, false)
}
