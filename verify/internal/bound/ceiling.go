package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Ceiling is a linear form in the inputs, flat in the model's order, that lies above what comes out of a hinge over a node, by a multiplier: every
// row that passes the hinge is given (one of a curve that is none is left out)
//
//   - Times * (y - Slope*x - c),    c >= y - Slope*x on all of the node, Times >= 0,
//
// which is at most 0 there. Lay finds c for whatever slope: y is the larger of 0 and of what the hinge reads, and so is the least c, of which each
// part is bounded like any row. Over a box, slopes that follow the hinge's weights in some inputs and are 0 in others lie closer than any line in
// what the hinge reads, and with all of these the bound of a hinge over a box is as tight as a linear one can be. Source: Tjandraatmadja et al. 2020
// (The convex relaxation barrier, revisited), theorem 1.
type Ceiling struct {
	Slot, Elem int32
	Slope      []float64
	Times      float64
}

// ceilingAt is a ceiling as rows meet it on their way down.
type ceilingAt struct {
	node  int
	elem  int32
	slope []float64
	times float64
	c     float64
}

// ceilings finds the constants of the nodes' ceilings, and has rows meet them from here on.
func (l *Laid) ceilings() error {
	any := false
	for _, n := range l.nodes {
		any = any || len(n.Ceilings) > 0
	}
	if !any {
		return nil
	}
	p := l.p
	splits := p.splits
	p.splits = nil // several rows of a node go down together here
	found := make([][]ceilingAt, len(p.net.values))
	for k, v := range l.s.slots {
		if !v.relu { // of other curves a form above them is not known in this way
			continue
		}
		var set rowSet
		var at []ceilingAt
		for i, n := range l.nodes {
			for _, c := range n.Ceilings {
				if int(c.Slot) == k && c.Times > 0 && !math.IsInf(c.Times, 0) {
					set.add(c.Elem, -1, int32(i))
					at = append(at, ceilingAt{node: i, elem: c.Elem, slope: c.Slope, times: c.Times})
				}
			}
		}
		if len(at) == 0 {
			continue
		}
		low := unknownLower(len(at))
		in := p.net.values[v.in[0]]
		err := budget.Do(p.ctx, func() error {
			return p.chunks(in, len(at), func(w *affine.Work, a, b int) {
				run := p.newRun(w, set.owner[a:b])
				run.toInputs(b-a, func(i int) []float64 { return at[a+i].slope })
				run.neurons(in, set.part(a, b), low[a:b])
			})
		})
		if err != nil {
			p.lost = true
			return err
		}
		for i := range at {
			if at[i].c = max(-low[i], p.least(at[i].node, at[i].slope)); !math.IsInf(at[i].c, 0) && !math.IsNaN(at[i].c) {
				found[v.id] = append(found[v.id], at[i])
				if len(found[v.id]) == 1 {
					p.joins++
				}
			}
		}
	}
	p.splits, p.ceilings = splits, found
	return nil
}

// least is an upper bound of -slope*x over a box.
func (p *pass) least(box int, slope []float64) float64 {
	sum, at := 0.0, 0
	for _, id := range p.net.inputs {
		v, s := p.net.values[id], p.at(id, box)
		for k := range v.n {
			a := -slope[at+v.order.At(k)]
			end := s.lo[k]
			if a > 0 {
				end = s.up[k]
			}
			sum = sound.AddUp(sum, sound.MulUp(a, end))
		}
		at += v.n
	}
	return sum
}

// toInputs gives n rows coefficients in front of the inputs, flat in the model's order.
func (t *rowsRun) toInputs(n int, row func(i int) []float64) {
	at := 0
	for _, id := range t.p.net.inputs {
		v := t.p.net.values[id]
		g := v.order.Geom
		r := &affine.Rows{N: n, H: g.H, W: g.W, C: g.C, Full: g, Data: t.w.Zero(n * v.n)}
		for i := range n {
			if a := row(i); a != nil {
				v.order.Store(r.Data[i*v.n:(i+1)*v.n], a[at:at+v.n])
			}
		}
		t.push(id, r)
		at += v.n
	}
}

// under adds the ceilings' terms to rows over a hinge's value.
func (t *rowsRun) under(v *value, r *affine.Rows) *affine.Rows {
	first := 0 // of the rows' owners: they ascend by one
	if len(t.own) > 0 {
		first = int(t.own[0])
	}
	wide := r.Index == nil && r.Dense()
	var to, size [][]float64 // by row: what goes to the inputs, and the sum of its terms' magnitudes
	terms := 0
	for _, q := range t.p.ceilings[v.id] {
		i := q.node - first
		if i < 0 || i >= r.N {
			continue
		}
		if !wide {
			r, wide = r.Expand(t.w), true
		}
		x := &r.Data[i*r.Width()+int(q.elem)]
		*x += q.times
		s := t.state(v.id, i)
		t.e[i] += 2*sound.Unit*math.Abs(*x)*max(math.Abs(s.lo[q.elem]), math.Abs(s.up[q.elem])) + sound.Tiny
		if s.err != nil { // what an execution makes of y is not what the ceiling is above of
			t.e[i] += q.times * s.err[q.elem]
		}
		t.addConst(i, -sound.MulUp(q.times, q.c))
		if to == nil {
			to, size = make([][]float64, r.N), make([][]float64, r.N)
		}
		if to[i] == nil {
			to[i], size[i] = make([]float64, t.p.net.nIn), make([]float64, t.p.net.nIn)
		}
		for k, a := range q.slope {
			to[i][k] -= q.times * a
			size[i][k] += q.times * math.Abs(a)
		}
		terms++
	}
	if to == nil {
		return r
	}
	for i := range r.N {
		if size[i] != nil {
			mag, tiny := t.p.largest(int(t.own[i]), size[i])
			t.e[i] += sound.Gamma(2*terms+4)*mag*(1+0x1p-20) + float64(terms+1)*tiny
		}
	}
	t.toInputs(r.N, func(i int) []float64 { return to[i] })
	return r
}

// largest is sum of size*max|x| over a box, rounded, and what products below the normal numbers may be off.
func (p *pass) largest(box int, size []float64) (sum, tiny float64) {
	at := 0
	for _, id := range p.net.inputs {
		v, s := p.net.values[id], p.at(id, box)
		for k, m := range s.mag {
			sum += size[at+v.order.At(k)] * m
			tiny += sound.Tiny * (1 + m)
		}
		at += v.n
	}
	return sum, tiny
}
