package attack

import (
	"context"
)

// climb is what the attacks along a gradient share (FGSM, BIM, MIM, PGD, Thesis): steps along the gradient, each followed by a projection.
type climb struct {
	loss       Kind
	steps      int
	step       float64 // as a share of eps
	decay      float64 // of the momentum; 0 for none
	random     bool
	fromSample bool
	restarts   int
	last       bool // only the last point counts, away from the clean prediction
}

func (a climb) run(ctx context.Context, j *job) error {
	if a.loss == "" {
		a.loss = CE
	}
	loss := &Loss{Kind: a.loss}
	rounds := max(a.restarts, 1)
	var aims [][]int
	if j.values != nil {
		var err error
		if aims, err = j.aims(ctx, mostAims); err != nil {
			return err
		}
		rounds *= min(mostAims, 2*j.classes)
	}
	j.begin(rounds * a.steps)
	for restart := range rounds {
		idx := j.open()
		if len(idx) == 0 {
			return nil
		}
		d, momentum := j.zeros(len(idx)), j.zeros(0)
		if a.decay != 0 {
			momentum = j.zeros(len(idx))
		}
		if a.random && !(a.fromSample && restart < len(aims)) && !(a.fromSample && restart == 0) {
			for r, i := range idx {
				j.start(i, d[r], j.rng(i, "start"+string(rune('0'+restart))))
			}
		}
		step := make([]float32, j.size)
		for range a.steps {
			j.tick()
			class := j.lossClasses(idx)
			if a.last {
				for r, i := range idx {
					class[r] = j.clean[i]
				}
			}
			var other []int
			if loss.Kind.targeted() {
				other = class
			}
			if aims != nil {
				other = make([]int, len(idx))
				for r, i := range idx {
					other[r] = aims[i][restart%len(aims[i])] // all aims, then the next start
				}
			}
			s, err := j.slopes(ctx, loss, idx, d, class, other, false)
			if err != nil {
				return err
			}
			for r, i := range idx {
				g := s.Gradient[r*j.size : (r+1)*j.size]
				if a.decay != 0 {
					m, length := momentum[r], L1.norm(g)
					for k, v := range g {
						m[k] = float32(a.decay) * m[k]
						if length > 0 {
							m[k] += float32(float64(v) / length)
						}
					}
					g = m
				}
				j.threat.Norm.steepest(step, g)
				move := j.signFor(i) * float32(a.step*j.threat.Eps)
				for k, v := range step {
					d[r][k] += move * v
				}
				j.clip(i, d[r], false)
			}
			if !a.last {
				idx, d, momentum = j.stillOpen(idx, d, momentum)
				if len(idx) == 0 {
					break
				}
			}
		}
		if a.last { // what was found on the way does not count
			for _, i := range idx {
				j.found[i], j.point[i] = false, nil
			}
		}
		if len(idx) > 0 {
			if _, err := j.outputs(ctx, idx, d, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillOpen drops the samples that are broken, with their rows.
func (j *job) stillOpen(idx []int, rows ...[][]float32) ([]int, [][]float32, [][]float32) {
	var left []int
	kept := make([][][]float32, 2)
	for r, i := range idx {
		if j.found[i] {
			continue
		}
		left = append(left, i)
		for k, list := range rows {
			if len(list) > 0 {
				kept[k] = append(kept[k], list[r])
			}
		}
	}
	return left, kept[0], kept[1]
}
