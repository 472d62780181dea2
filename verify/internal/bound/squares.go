package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Products of factors that are nearly straight are bounded together. With any numbers a0 and b0,
//
//	a*b = a0*b + b0*a - a0*b0 + (a-a0)*(b-b0).
//
// The plane in front touches the product at (a0, b0), and rows go down through it as through any line. What it leaves out is small of second order,
// and of one row's products it adds up: with a-a0 and b-b0 straight in the inputs' distances from the middle of their box, and in what nonlinear
// values are off straight forms of their own, the sum is a quadratic form, in which squares of the inputs meet and cancel as they do in the
// network. McCormick's planes bound each product alone. A quadratic form, where it is convex, is touched where the row is least (quadratic.go); the
// result is a linear form under the row over the box, as rows end in otherwise. Source of the idea: Berz and Makino 1998 (Taylor models).

// spread is what factors are over a box: with d the inputs' distances from x0, in units of their half widths r, and e what the elements of the base
// are off their forms, in units of the most, factor k is mid[k] + coef[k]*(d, e) + something of at most err[k].
type spread struct {
	x0, r []float64
	n     int // of d and e together
	mid   []float64
	coef  []float64 // by factor, n for each
	size  []float64 // by factor: the sum of its coefficients' magnitudes
	err   []float64
	most  []float64 // by factor: the largest magnitude of its value
	ok    bool      // all of it is finite
}

// factor is the coefficients of a factor.
func (s *spread) factor(k int) []float64 { return s.coef[k*s.n : (k+1)*s.n] }

// touching is how rows pass products by planes: through which points, by box, and what the rows had in front of the products, by row and product.
type touching struct {
	at   []spread
	coef []float64
}

// Multiplies tells whether Together may have something to say.
func (net *Network) Multiplies() bool { return net.products != nil }

// Together bounds rows as Lower does, with their products taken together. -Inf says that nothing is known, as of every row where the network has no
// products, or executions are asked about, or a snapshot knows the problems. It may be above or below what Lower says.
func (b *Bounds) Together(rows [][]float64, owner []int32, t *Trace) ([]float64, error) {
	p := b.p
	low := unknownLower(len(rows))
	t.reset(len(rows), p.net.nIn)
	q := p.net.products
	if q == nil || !p.rows || p.o.Float32 || len(rows) == 0 || p.of[0].Known != nil {
		return low, nil
	}
	if b.spread == nil {
		b.spread = make([]spread, p.n)
	}
	err := budget.Do(p.ctx, func() error { return p.together(b.spread, rows, owner, low, t) })
	if err != nil {
		p.lost = true
		return nil, err
	}
	return low, nil
}

// together is Together, with what is known of some boxes' factors already.
func (p *pass) together(at []spread, rows [][]float64, owner []int32, low []float64, t *Trace) error {
	q := p.net.products
	if err := p.spreads(owner, at); err != nil {
		return err
	}
	return p.chunks(p.net.values[len(p.net.values)-1], len(rows), func(w *affine.Work, a, b int) {
		part := t.part(a, b)
		run := p.newRun(w, owner[a:b])
		run.trace, run.touch = part, &touching{at, make([]float64, (b-a)*q.count)}
		top := 0
		for o, r := range p.rowsOver(rows[a:b]) {
			run.push(p.net.outputs[o], r)
			top = max(top, p.net.outputs[o])
		}
		run.finish(top, make([]float64, b-a))
		form := newQuadratic(p.net.nIn)
		for i := range b - a {
			s := &at[owner[a+i]]
			if s.ok && q.add(s, run.touch.coef[i*q.count:(i+1)*q.count], form, part, i) {
				low[a+i] = part.over(i, p.of[owner[a+i]].Box)
			} else {
				part.Const[i] = math.Inf(-1)
			}
		}
	})
}

// over is the least value of a trace's form over a box, rounded down.
func (t *Trace) over(i int, box Box) float64 {
	sum, mag := t.Const[i], math.Abs(t.Const[i])
	for k, a := range t.Coef[i] {
		x := min(a*box.Lower[k], a*box.Upper[k])
		sum += x
		mag += math.Abs(x)
	}
	if x := sound.Down(sum - sound.Gamma(len(t.Coef[i])+4)*mag - sound.Tiny); !math.IsNaN(x) {
		return x
	}
	return math.Inf(-1)
}

// add adds to row i of a trace, which ends in the planes' terms, a form under what the planes leave out, for a row with coefficients c in front of
// the products. It tells whether there was any product, and all is finite.
func (q *products) add(s *spread, c []float64, f *quadratic, t *Trace, i int) bool {
	d := len(s.x0)
	clear(f.q)
	beside, any := 0.0, false // what is subtracted: products with e, what factors are off, and the rounding of the sums in Q
	mag := 0.0
	for k, x := range c {
		if x == 0 {
			continue
		}
		any = true
		ka, kb := q.factors[k][0], q.factors[k][1]
		fa, fb := s.factor(ka), s.factor(kb)
		ax := math.Abs(x)
		for m := range d {
			for n := range d {
				f.q[m*d+n] += 0.5 * x * (fa[m]*fb[n] + fa[n]*fb[m])
			}
		}
		mag += ax * s.size[ka] * s.size[kb]
		beside += ax * (s.err[ka]*s.size[kb] + s.err[kb]*s.size[ka] + s.err[ka]*s.err[kb])
	}
	if !any {
		return false
	}
	// What e takes part in: row and column of each element, with the products' signs, so that here too they cancel.
	for m := d; m < s.n; m++ {
		for n := range m + 1 {
			sum := 0.0
			for k, x := range c {
				if x != 0 {
					fa, fb := s.factor(q.factors[k][0]), s.factor(q.factors[k][1])
					if m == n {
						sum += x * fa[m] * fb[m]
					} else {
						sum += x * (fa[m]*fb[n] + fa[n]*fb[m])
					}
				}
			}
			if m == n {
				beside -= min(sum, 0)
			} else {
				beside += math.Abs(sum)
			}
		}
	}
	g, h := make([]float64, d), make([]float64, d)
	for m, a := range t.Coef[i] {
		g[m] = a * s.r[m]
	}
	least := f.under(g, h)
	// A coefficient of what is counted in half widths is one of the inputs, and a constant: h*(x-x0)/r. |x-x0| is at most r.
	off, sum := 0.0, 0.0
	for m, a := range h {
		if s.r[m] == 0 {
			off += math.Abs(a)
			continue
		}
		k := a / s.r[m]
		was := t.Coef[i][m]
		now := was + k
		t.Coef[i][m] = now
		sum += k * s.x0[m]
		off += 4*sound.Unit*math.Abs(a) + 2*sound.Gamma(d+4)*math.Abs(k*s.x0[m]) + 2*sound.Unit*math.Abs(now)*(math.Abs(s.x0[m])+s.r[m])
	}
	const room = 1 + 0x1p-20
	terms := len(c) + s.n + 16
	x := t.Const[i] + least - sum - (beside+off)*room - 4*sound.Gamma(terms)*mag
	x -= 8*sound.Unit*(math.Abs(t.Const[i])+math.Abs(least)+math.Abs(sum)+beside+off+mag) + sound.Tiny
	t.Const[i] = sound.Down(x)
	return sound.Finite(t.Const[i])
}

// touched replaces a product by the planes through the middles of its factors.
func (t *rowsRun) touched(v *value, r *affine.Rows) {
	q := t.p.net.products
	first := q.first[v.id]
	g := sound.Gamma(v.n + 24)
	r = r.Expand(t.w)
	var out [2]*affine.Rows
	for side := range out {
		in := t.p.net.values[v.args[side]]
		out[side] = &affine.Rows{N: r.N, H: in.order.Geom.H, W: in.order.Geom.W, C: in.order.Geom.C, Full: in.order.Geom, Data: t.w.Zero(r.N * in.n)}
	}
	for i := range r.N {
		s := &t.touch.at[t.own[i]]
		copy(t.touch.coef[i*q.count+first:], r.Row(i))
		if !s.ok {
			continue // nobody reads the row
		}
		left, right := out[0].Row(i), out[1].Row(i)
		sum, mag := 0.0, 0.0
		for k, x := range r.Row(i) {
			if x == 0 {
				continue
			}
			fa, fb := q.factors[first+k][0], q.factors[first+k][1]
			a, b := s.mid[fa], s.mid[fb]
			left[q.of[fa].at] += x * b
			right[q.of[fb].at] += x * a
			sum -= x * a * b
			mag += math.Abs(x) * (math.Abs(a*b) + math.Abs(b)*s.most[fa] + math.Abs(a)*s.most[fb])
		}
		t.addConst(i, sum)
		t.e[i] += g*mag + sound.Tiny
	}
	t.w.Put(r.Data)
	for side, o := range out {
		t.push(v.args[side], o)
	}
}

// spreads finds what factors are over the boxes that own rows, where it is not known yet.
func (p *pass) spreads(owner []int32, out []spread) error {
	q, d := p.net.products, p.net.nIn
	var boxes []int32
	for _, b := range owner {
		s := &out[b]
		if s.x0 != nil {
			continue
		}
		boxes = append(boxes, b)
		s.n = d + len(q.base)
		nf := len(q.of)
		buf := make([]float64, 2*d+nf*(s.n+4))
		cut := func(k int) []float64 { x := buf[:k:k]; buf = buf[k:]; return x }
		s.x0, s.r, s.mid, s.size, s.err, s.most, s.coef = cut(d), cut(d), cut(nf), cut(nf), cut(nf), cut(nf), cut(nf*s.n)
		s.ok = p.beyond[b] == nil && !p.empty[b]
		box := p.of[b].Box
		for k, l := range box.Lower {
			u := box.Upper[k]
			if l == u {
				s.x0[k] = l
				continue
			}
			c := 0.5*l + 0.5*u
			s.x0[k], s.r[k] = c, max(u-c, c-l)*(1+0x1p-51)+sound.Tiny
		}
	}
	if len(boxes) == 0 {
		return nil
	}
	base, err := p.straightened(boxes, out)
	if err != nil {
		return err
	}
	for from := 0; from < len(q.of); {
		to := from + 1
		for to < len(q.of) && q.of[to].id == q.of[from].id {
			to++
		}
		if err := p.factored(boxes, out, base, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// bent is an element of the base over a box: mid + slope*(x-x0) + something of at most off.
type bent struct {
	mid, off float64
	slope    []float64
}

// straightened has the elements of the base between forms in the inputs, by box and element: rows are sent down, and what both forms leave around
// their mean is the rest.
func (p *pass) straightened(boxes []int32, at []spread) ([][]bent, error) {
	q, d := p.net.products, p.net.nIn
	out := make([][]bent, p.n)
	for _, b := range boxes {
		out[b] = make([]bent, len(q.base))
	}
	g := sound.Gamma(2*d + 16)
	for id, first := range q.baseAt {
		if first < 0 {
			continue
		}
		v := p.net.values[id]
		var set rowSet
		for _, b := range boxes {
			for k := range v.n {
				set.add(int32(k), 1, b)
				set.add(int32(k), -1, b)
			}
		}
		var t Trace
		low := make([]float64, len(set.index))
		t.reset(len(low), d)
		if err := p.chunks(v, len(low), func(w *affine.Work, a, b int) { p.neurons(w, v, set.part(a, b), t.part(a, b), low[a:b]) }); err != nil {
			return nil, err
		}
		for i := 0; i < len(low); i += 2 {
			s := &at[set.owner[i]]
			e := &out[set.owner[i]][first+int(set.index[i])]
			e.slope = make([]float64, d)
			lo, up, mag := t.Const[i], -t.Const[i+1], math.Abs(t.Const[i])+math.Abs(t.Const[i+1])
			for k := range d {
				l, u := t.Coef[i][k], -t.Coef[i+1][k]
				m := 0.5*l + 0.5*u
				e.slope[k] = m
				lo += l*s.x0[k] - math.Abs(l-m)*s.r[k]
				up += u*s.x0[k] + math.Abs(u-m)*s.r[k]
				mag += (math.Abs(l)+math.Abs(u))*math.Abs(s.x0[k]) + 2*(math.Abs(l)+math.Abs(u))*s.r[k]
			}
			e.mid = 0.5*lo + 0.5*up
			e.off = (max(up-e.mid, e.mid-lo) + 4*g*mag) * (1 + 0x1p-40)
			e.off = max(e.off, 0) + sound.Tiny
		}
	}
	return out, nil
}

// factored has factors from..to, which are elements of one value, spread over the boxes.
func (p *pass) factored(boxes []int32, at []spread, base [][]bent, from, to int) error {
	q, d := p.net.products, p.net.nIn
	v := p.net.values[q.of[from].id]
	var set rowSet
	for _, b := range boxes {
		for _, e := range q.of[from:to] {
			set.add(e.at, 1, b)
			set.add(e.at, -1, b)
		}
	}
	low := make([]float64, len(set.index))
	width := d + len(q.base)
	over := make([]float64, len(low)*width) // the rows' coefficients over inputs and base
	if err := p.chunks(v, len(low), func(w *affine.Work, a, b int) {
		run := p.newRun(w, set.owner[a:b])
		run.base = make([]*affine.Rows, len(p.net.values))
		run.neurons(v, set.part(a, b), low[a:b])
		run.collect(over[a*width:b*width], width)
	}); err != nil {
		return err
	}
	g := sound.Gamma(2*width + 24)
	each := 2 * (to - from)
	for n, b := range boxes {
		s := &at[b]
		for k := range to - from {
			i := n*each + 2*k
			plus, minus := over[i*width:(i+1)*width], over[(i+1)*width:(i+2)*width]
			lo, up := low[i], -low[i+1]
			c := s.factor(from + k)
			sum, mag := 0.0, 0.0
			for m := range d {
				x := plus[m]
				most := math.Abs(s.x0[m]) + s.r[m]
				mag += 2 * math.Abs(x) * most
				up += math.Abs(x+minus[m]) * most
				sum += x * s.x0[m]
				c[m] = x
			}
			for e := range q.base {
				x, z := plus[d+e], &base[b][e]
				if x == 0 && minus[d+e] == 0 {
					continue
				}
				most := math.Abs(z.mid) + z.off
				for m, y := range z.slope {
					c[m] += x * y
					most += math.Abs(y) * s.r[m]
				}
				mag += 2 * math.Abs(x) * most
				up += math.Abs(x+minus[d+e]) * most
				sum += x * z.mid
				c[d+e] = x * z.off
			}
			for m := range d {
				c[m] *= s.r[m]
			}
			mid := 0.5*lo + 0.5*up
			f := from + k
			s.mid[f] = sum + mid
			mag += math.Abs(lo) + math.Abs(up)
			s.err[f] = (max(up-mid, mid-lo) + 4*g*mag) * (1 + 0x1p-40)
			s.err[f] = max(s.err[f], 0) + sound.Tiny
			for _, x := range c {
				s.size[f] += math.Abs(x)
			}
			s.size[f] *= 1 + 0x1p-30
			st := p.at(v.id, int(b))
			at := q.of[f].at
			s.most[f] = max(math.Abs(st.lo[at]), math.Abs(st.up[at]))
			s.ok = s.ok && sound.Finite(s.mid[f]) && sound.Finite(s.err[f]) && sound.Finite(s.size[f]) && sound.Finite(s.most[f])
		}
	}
	return nil
}

// collect writes the rows that have ended in inputs and base, each as coefficients of all inputs, flat in the model's order, and then of the base.
func (t *rowsRun) collect(over []float64, width int) {
	q := t.p.net.products
	at := 0
	for _, id := range t.p.net.inputs {
		v := t.p.net.values[id]
		if r := t.base[id]; r != nil {
			for i := range r.N {
				v.order.Load(over[i*width+at:i*width+at+v.n], r.Row(i))
			}
		}
		at += v.n
	}
	for id, first := range q.baseAt {
		if r := t.base[id]; first >= 0 && r != nil {
			for i := range r.N {
				copy(over[i*width+at+first:], r.Row(i))
			}
		}
	}
}
