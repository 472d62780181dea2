package bound

import "math"

// pull is a split of a node, by whose multiplier its row is pulled at a value: the split's place among the node's, and its element's in cols.
type pull struct {
	node, at int
	col      int32
	of       float32
	on       bool
}

// pulls finds the splits' elements.
func (sc *scout) pulls() {
	for id, qs := range sc.l.p.splits {
		v := sc.l.p.net.values[id]
		if len(qs) == 0 || !sc.vals[id].need {
			continue
		}
		x := &sc.vals[sc.vals[id].root]
		at := livePlaces(x.cols, v.n)
		for _, q := range qs {
			x.splits = append(x.splits, pull{q.node, q.at, at[q.elem], float32(q.of), q.on})
		}
	}
}

// pulled calls f with the splits at a value of the nodes at hand: the node's place among these, the split, and its multiplier.
func (k *seeker) pulled(x *scouted, f func(i int, q *pull, beta *float64)) {
	for q := range x.splits {
		q := &x.splits[q]
		if i := q.node - k.from; i >= 0 && i < k.n {
			f(i, q, &k.beta[k.betas[i]+q.at])
		}
	}
}

// pulls adds up what multipliers add to rows at their corners.
func (k *seeker) pulls() {
	sc := k.sc
	clear(k.pull)
	for id := range sc.vals[:sc.top] {
		x := &sc.vals[id]
		if x.splits == nil || !k.has[id] {
			continue
		}
		w := len(x.cols)
		k.pulled(x, func(i int, q *pull, beta *float64) {
			k.pull[i] += *beta * q.over(k.vals[id][i*w+int(q.col)])
		})
	}
}

// over is by how much a point is beyond the split: the derivative of the row's bound in the multiplier.
func (q *pull) over(z float32) float64 {
	if q.on {
		return float64(q.of) - float64(z)
	}
	return float64(z) - float64(q.of)
}

// multipliers moves those of splits.
func (k *seeker) multipliers(step int, p Pace) {
	sc := k.sc
	if p.Multipliers == nil || len(k.beta) == 0 {
		return
	}
	k.sizes()
	for id := range sc.vals[:sc.top] {
		x := &sc.vals[id]
		if x.splits == nil || !k.has[id] {
			continue
		}
		w := len(x.cols)
		k.pulled(x, func(i int, q *pull, beta *float64) {
			if k.done[i] {
				return
			}
			at := k.betas[i] + q.at
			*beta = p.Multipliers(step, k.size[i], *beta, q.over(k.vals[id][i*w+int(q.col)]), &k.m2[at], &k.v2[at])
		})
	}
}

// sizes are the means of rows' coefficients in front of what their nodes may choose, 1 where they say nothing.
func (k *seeker) sizes() {
	sc := k.sc
	for i := range k.n {
		sum, count := 0.0, 0
		for _, id := range sc.slots {
			x := &sc.vals[id]
			c, free := k.coef[id][i*len(x.cols):(i+1)*len(x.cols)], x.cols
			if sc.l.p.net.values[id].relu {
				free = x.free[sc.of[k.from+i]]
			}
			for _, u := range free {
				sum += math.Abs(float64(c[u]))
			}
			count += len(free)
		}
		if k.size[i] = 1; sum > 0 {
			k.size[i] = sum / float64(count)
		}
	}
}
