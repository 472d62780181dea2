package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/sound"
)

// rowsRun carries one chunk of rows from where they start down to the inputs.
//
// Invariant: for every row r and every input in the box, row's form at its start >= sum over pending values of rows*value + c[r] - e[r],
// where e collects the rounding of everything done so far.
type rowsRun struct {
	p    *pass
	w    *affine.Work
	own  []int32 // the box of every row
	pend []*affine.Rows
	c, e []float64
	// folded stops at the first nonlinear value: its box is used instead of its lines.
	folded bool
	trace  *Trace // gets the rows that reach the inputs, if set
	// base, by value, gets the rows that reach inputs and nonlinear values, if set: rows then end at the first of these.
	base []*affine.Rows
	// touch has products replaced by the planes that touch them, if set; see squares.go.
	touch *touching
}

func (p *pass) newRun(w *affine.Work, owner []int32) *rowsRun {
	n := len(owner)
	return &rowsRun{p: p, w: w, own: owner, pend: make([]*affine.Rows, len(p.net.values)), c: make([]float64, n), e: make([]float64, n)}
}

// state is what the pass knows of a value for the box of row i.
func (t *rowsRun) state(id, i int) *state { return t.p.at(id, int(t.own[i])) }

// neurons bounds sign[i]*v[index[i]] from below.
func (p *pass) neurons(w *affine.Work, v *value, t rowSet, trace *Trace, low []float64) {
	run := p.newRun(w, t.owner)
	run.trace = trace
	run.neurons(v, t, low)
}

func (run *rowsRun) neurons(v *value, t rowSet, low []float64) {
	if v.kind != kindAffine {
		run.push(v.id, affine.OneHot(v.order.Geom, t.index, t.sign, run.w))
		run.finish(v.id, low)
		return
	}
	for i, j := range t.index {
		if s := run.state(v.id, i); s.m != nil {
			if v.bias != nil {
				run.c[i] = t.sign[i] * v.bias[j]
			}
			run.e[i] = s.g * s.m[j]
			if s.err != nil {
				run.e[i] += s.err[j]
			}
		}
	}
	for k, step := range v.steps {
		run.push(v.in[k], step.Pick(t.index, t.sign, run.p.shared[v.in[k]].live, run.w))
	}
	run.finish(v.id-1, low)
}

// forms bounds rows over the outputs from below: rows[o] has a row for each owner over output o, in stored order.
func (p *pass) forms(w *affine.Work, rows []*affine.Rows, owner []int32, folded bool, trace *Trace, low []float64) {
	run := p.newRun(w, owner)
	run.folded, run.trace = folded, trace
	top := 0
	for o, id := range p.net.outputs {
		run.push(id, rows[o])
		top = max(top, id)
	}
	run.finish(top, low)
}

func (t *rowsRun) push(id int, r *affine.Rows) {
	if t.pend[id] == nil {
		t.pend[id] = r
		return
	}
	t.pend[id] = affine.Add(t.pend[id], r, t.w)
}

// finish carries everything down and writes the lower bounds.
func (t *rowsRun) finish(from int, low []float64) {
	inputs := false // from here on: they come first among the values, and so last here
	for id := from; id >= 0; id-- {
		v := t.p.net.values[id]
		if v.kind == kindInput && !inputs {
			inputs = true
			t.cut()
			t.keepConst()
		}
		r := t.pend[id]
		if r == nil {
			continue
		}
		t.pend[id] = nil
		if t.p.splits != nil && t.p.splits[id] != nil {
			r = t.multipliers(v, r)
		}
		if t.p.ceilings != nil && t.p.ceilings[id] != nil {
			r = t.under(v, r)
		}
		if t.base != nil && v.kind != kindAffine {
			t.base[id] = r.Expand(t.w)
			continue
		}
		// Boxes have room for executions' errors already; what goes down further pays for them.
		through := v.kind == kindAffine || v.kind != kindInput && v.kind != kindOpaque && !t.folded
		if through {
			t.pay(v, r)
		}
		if v.nonlinear() {
			t.passes(v, r)
		}
		switch {
		case !through:
			t.concretize(v, r)
		case v.kind == kindAffine:
			t.affine(v, r)
		case v.kind == kindAct:
			t.act(v, r)
		case t.touch != nil && t.p.net.products.first[id] >= 0:
			t.touched(v, r)
		default:
			t.relax(v, r)
		}
	}
	if !inputs {
		t.keepConst()
	}
	for i := range low {
		x := t.c[i] - t.e[i]*(1+0x1p-20)
		// c's own sums were accounted in e; this last difference is not.
		x = sound.Down(x)
		if math.IsNaN(x) || t.p.beyond[t.own[i]] != nil {
			x = math.Inf(-1)
		}
		if t.p.empty[t.own[i]] {
			x = math.Inf(1)
		}
		low[i] = x
	}
}

// keepConst notes the rows' constants once all but the inputs has been replaced.
func (t *rowsRun) keepConst() {
	if t.trace == nil {
		return
	}
	for i, c := range t.c {
		x := sound.Down(c - t.e[i]*(1+0x1p-20))
		if math.IsNaN(x) || t.p.beyond[t.own[i]] != nil {
			x = math.Inf(-1)
		}
		t.trace.Const[i], t.trace.Off[i] = x, t.e[i]
	}
}

// addConst adds to a row's constant, with the rounding of the addition.
func (t *rowsRun) addConst(i int, x float64) {
	t.c[i] += x
	t.e[i] += 2 * sound.Unit * math.Abs(t.c[i])
}

func (t *rowsRun) affine(v *value, r *affine.Rows) {
	if v.copies() {
		// Windows of one image are no windows of another.
		if g := t.p.net.values[v.in[0]].order.Geom; g != v.order.Geom {
			if r.Index == nil {
				r = r.Expand(t.w)
				r.H, r.W, r.C = g.H, g.W, g.C
			}
			r.Full = g
		}
		t.push(v.in[0], r)
		return
	}
	bias := v.bias
	if r.Index != nil {
		c := t.p.shared[v.id].cindex
		if len(r.Index) > 0 && (len(c) == 0 || &r.Index[0] != &c[0] || len(r.Index) != len(c)) {
			r = r.Expand(t.w)
		} else {
			bias = t.p.shared[v.id].cbias
		}
	}
	for i := range r.N {
		row := r.Row(i)
		s := t.state(v.id, i)
		m := s.m
		if r.Index != nil {
			m = s.cm
		}
		if r.Index != nil || r.Dense() {
			if bias != nil {
				t.addConst(i, kernel.Dot(row, bias))
			}
			t.e[i] += s.g * kernel.AbsDot(row, m)
			continue
		}
		sum, mag := 0.0, 0.0
		r.Run(i, func(off, at, n int) {
			if bias != nil {
				sum += kernel.Dot(row[off:off+n], bias[at:at+n])
			}
			mag += kernel.AbsDot(row[off:off+n], m[at:at+n])
		})
		t.addConst(i, sum)
		t.e[i] += s.g * mag
	}
	for k, step := range v.steps {
		part := r
		if k < len(v.steps)-1 {
			part = r.Copy(t.w)
		}
		t.push(v.in[k], step.Back(part, t.p.shared[v.in[k]].live, t.w))
	}
	if len(v.steps) == 0 {
		t.w.Put(r.Data)
	}
}

// act replaces an elementwise value by its lines: the lower one where the coefficient is positive, else the upper one.
func (t *rowsRun) act(v *value, r *affine.Rows) {
	compact := false
	if r.Index != nil {
		live := t.p.shared[v.id].live
		compact = v.relu && (len(r.Index) == 0 || len(live) > 0 && &r.Index[0] == &live[0])
		if !compact {
			r = r.Expand(t.w)
		}
	}
	in := t.p.net.values[v.in[0]]
	for i := range r.N {
		row := r.Row(i)
		s, si := t.state(v.id, i), t.state(in.id, i)
		l := &s.lines
		if compact {
			l = &s.cl
		}
		sum, mag := 0.0, 0.0
		part := func(off, at, n int) {
			x := row[off : off+n]
			if s.ic != nil {
				mag += kernel.AbsDot(x, s.ic[at:at+n])
			}
			sum += kernel.ReluRow(x, l.LoSlope[at:at+n], l.UpSlope[at:at+n], l.LoIcept[at:at+n], l.UpIcept[at:at+n])
			if in.kind != kindAffine && in.kind != kindInput {
				t.e[i] += 4 * sound.Unit * absBox(x, si.lo[at:at+n], si.up[at:at+n])
			}
		}
		if r.Index != nil {
			part(0, 0, len(row))
		} else {
			r.Run(i, part)
		}
		if s.ic == nil {
			mag = math.Abs(sum) // all products have one sign
		}
		t.addConst(i, sum)
		t.e[i] += sound.Gamma(v.n+8) * mag
	}
	r.Full = in.order.Geom
	t.push(in.id, r)
}

// absBox is sum |row[i]| * max(|lo[i]|, |up[i]|).
func absBox(row, lo, up []float64) float64 {
	sum := 0.0
	for i, x := range row {
		sum += math.Abs(x) * max(math.Abs(lo[i]), math.Abs(up[i]))
	}
	return sum
}

// concretize replaces a value by its box.
func (t *rowsRun) concretize(v *value, r *affine.Rows) {
	if r.Index != nil {
		r = r.Expand(t.w)
	}
	if t.trace != nil && v.kind == kindInput {
		r = r.Expand(t.w)
		t.keep(v.id, r)
	}
	g := sound.Gamma(v.n + 8 + t.p.joins)
	for i := range r.N {
		row := r.Row(i)
		s := t.state(v.id, i)
		sum, mag := 0.0, 0.0
		r.Run(i, func(off, at, n int) {
			x := row[off : off+n]
			sum += kernel.BoxMin(x, s.lo[at:at+n], s.up[at:at+n])
			if s.mag != nil {
				mag += kernel.AbsDot(x, s.mag[at:at+n])
			} else {
				mag += absBox(x, s.lo[at:at+n], s.up[at:at+n])
			}
		})
		t.addConst(i, sum)
		t.e[i] += g*mag + sound.Tiny
	}
	t.w.Put(r.Data)
}
