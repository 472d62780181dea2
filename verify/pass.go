package verify

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
)

// float64 and float32 unit roundoffs.
const (
	unit64 = 0x1p-53
	unit32 = 0x1p-24
)

// Absolute terms that cover underflow, added to every m (see value.setGamma): a sum of up to 2^20 products of float64 loses less
// than 2^-1000 by gradual underflow, and one of float32 less than gamma32 * 2^-98 even if all results below 2^-126 are flushed to zero.
const (
	tiny64 = 0x1p-900
	tiny32 = 0x1p-98
)

// folded is the number of roundings that a weight may carry beyond its own when a runtime folds the scale of a BatchNormalization, Mul or
// Div that follows (at most 5.5 each: a sum, a root, a quotient and products) into the weights.
const folded = 12

// setGamma fixes the factor of m = sum |A_k| max|x_k| + |b| that bounds the rounding of one affine step, forward and backward.
//
// Forward, an output sums terms products; its bounds take three such sums. Backward, a coefficient sums at most n products, and the
// row's constant n more. 32 covers what happens to coefficients between two affine steps: a slope's product, and the
// sum where several paths meet. Source: Higham 2002, section 3.1; DESIGN section 5.
func (v *value) setGamma() {
	if v.copies() {
		return
	}
	const slack = 1 + 0x1p-20 // m itself is a rounded sum of positive terms
	v.gamma = (affine.Gamma(3*v.terms+v.n+32) + v.rel*(1+0x1p-30)) * slack
	x := float64(v.terms+3+folded) * unit32
	v.gamma3 = x / (1 - x) * slack
}

// copies tells whether the value is its only input under another order or shape: nothing is computed.
func (v *value) copies() bool {
	if v.kind != kindAffine || len(v.steps) != 1 || v.bias != nil || v.rel != 0 || v.extra != nil {
		return false
	}
	_, same := v.steps[0].(*affine.SameStep)
	return same
}

// state is what one pass knows of one value.
type state struct {
	lo, up []float64 // box, stored order
	mag    []float64 // inputs: largest magnitude of every element
	m      []float64 // affine values: sum |A||x|max + |b|, see setGamma
	g      float64   // factor of m

	lines  op.Lines  // act values
	ic     []float64 // act values: largest intercept by magnitude; nil where ReLU's sign rule serves
	forms  *op.Relaxation
	fm     []float64 // relax values: largest magnitude of the forms' terms
	ulp    []float64 // float32 error per element of an act value; nil for none
	live   []int32   // act values: elements that are not constant zero; nil for all
	cl     op.Lines  // lines, bias and m restricted to live
	cbias  []float64
	cm     []float64
	cindex []int32 // the index that cbias and cm belong to
}

// pass bounds one box. It belongs to one call; its rows are computed by several workers.
type pass struct {
	net    *network
	o      Options
	method Method
	st     []state
	work   []*affine.Work
	ctx    context.Context
	arena  *arena
}

// arena hands out zeroed memory that lives as long as the pass, and keeps its blocks for the next one.
type arena struct {
	blocks [][]float64
	at     int       // blocks in use
	free   []float64 // what is left of the last of them
}

const arenaBlock = 16384

func (a *arena) get(n int) []float64 {
	for len(a.free) < n {
		if a.at == len(a.blocks) {
			a.blocks = append(a.blocks, make([]float64, max(n, arenaBlock)))
		}
		a.free = a.blocks[a.at]
		a.at++
	}
	b := a.free[:n:n]
	a.free = a.free[n:]
	clear(b)
	return b
}

var arenaPool = sync.Pool{New: func() any { return new(arena) }}

var workPool = sync.Pool{New: func() any { return new(affine.Work) }}

func newPass(ctx context.Context, net *network, o Options, m Method) *pass {
	p := &pass{net: net, o: o, method: m, st: make([]state, len(net.values)), ctx: ctx, arena: arenaPool.Get().(*arena)}
	n := o.Threads
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	for range n {
		p.work = append(p.work, workPool.Get().(*affine.Work))
	}
	return p
}

func (p *pass) close() {
	for _, w := range p.work {
		workPool.Put(w)
	}
	p.arena.at, p.arena.free = 0, nil
	arenaPool.Put(p.arena)
	p.arena = nil
}

// run bounds every value over the box, in topological order.
func (p *pass) run(box Box) error {
	at := 0
	for _, v := range p.net.values {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		s := &p.st[v.id]
		switch v.kind {
		case kindInput:
			s.lo, s.up = p.arena.get(v.n), p.arena.get(v.n)
			v.order.Store(s.lo, box.Lower[at:at+v.n])
			v.order.Store(s.up, box.Upper[at:at+v.n])
			s.mag = p.arena.get(v.n)
			for i, l := range s.lo {
				s.mag[i] = max(math.Abs(l), math.Abs(s.up[i]))
			}
			at += v.n
		case kindAffine:
			p.affine(v, s)
		case kindAct:
			if err := p.act(v, s); err != nil {
				return err
			}
		default:
			if err := p.relaxed(v, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pass) rowsDomain() bool { return p.method == FastLin || p.method == DeepPoly }

// affine computes the box of an affine value from its inputs' boxes, in midpoint and radius form, and m.
func (p *pass) affine(v *value, s *state) {
	if v.copies() {
		in := &p.st[v.in[0]]
		s.lo, s.up, s.live = in.lo, in.up, in.live
		return
	}
	n := v.n
	w := p.work[0]
	buf := p.arena.get(3 * n)
	mid, rad, m := buf[:n], buf[n:2*n], buf[2*n:]
	dense, _ := firstStep(v).(*affine.DenseStep)
	if dense == nil || len(v.steps) > 1 {
		clear(buf)
	}
	for k, step := range v.steps {
		in := &p.st[v.in[k]]
		ni := len(in.lo)
		x := w.Get(3 * ni)
		centre(x[:ni], x[ni:2*ni], x[2*ni:], in.lo, in.up)
		if dense != nil && len(v.steps) == 1 {
			dense.MidRad(x[:ni], x[ni:2*ni], x[2*ni:], mid, rad, m)
		} else {
			step.Forward(mid, x[:ni], 1, false, w)
			step.Forward(buf[n:], x[ni:], 2, true, w)
		}
		w.Put(x)
	}
	s.g = v.gamma
	tiny := tiny64
	if p.o.Semantics == Float32 {
		s.g += v.gamma3
		tiny = tiny32
	}
	for i := range n {
		if v.bias != nil {
			b := v.bias[i]
			mid[i] += b
			m[i] += math.Abs(b)
		}
		m[i] += tiny
		if v.extra != nil {
			m[i] += v.extra[i] / s.g * (1 + 0x1p-30)
		}
		e := rad[i] + s.g*m[i]
		// The last two sums are rounded too: their error is within the 32 spare terms of gamma.
		rad[i], mid[i] = mid[i]+e, mid[i]-e
		if math.IsNaN(mid[i]) {
			mid[i] = math.Inf(-1)
		}
		if math.IsNaN(rad[i]) {
			rad[i] = math.Inf(1)
		}
	}
	s.lo, s.up, s.m = mid, rad, m
}

func firstStep(v *value) affine.Step {
	if len(v.steps) == 0 {
		return nil
	}
	return v.steps[0]
}

// centre writes midpoints, radii (rounded up) and largest magnitudes. A point has radius 0 exactly; other radii stay far from the
// subnormal numbers, which are slow to multiply.
func centre(mid, rad, mag, lo, up []float64) {
	for i, l := range lo {
		u := up[i]
		if l == u {
			mid[i], rad[i], mag[i] = l, 0, math.Abs(l)
			continue
		}
		c := 0.5*l + 0.5*u
		mid[i] = c
		rad[i] = max(u-c, c-l)*(1+0x1p-51) + tiny64
		mag[i] = max(math.Abs(l), math.Abs(u))
	}
}

// act bounds a nonlinear elementwise value: its input's box is tightened first, then lines are laid.
func (p *pass) act(v *value, s *state) error {
	in := p.net.values[v.in[0]]
	si := &p.st[in.id]
	if p.rowsDomain() {
		if err := p.tighten(in, si, v); err != nil {
			return err
		}
	}
	n := v.n
	if v.relu {
		b := p.arena.get(2 * n)
		s.lo, s.up = b[:n], b[n:]
		for i, l := range si.lo {
			s.lo[i], s.up[i] = max(l, 0), max(si.up[i], 0)
		}
	} else {
		boxes := make([]op.Box, len(v.args))
		for k, a := range v.args {
			if a >= 0 {
				boxes[k] = op.Box{Lower: si.lo, Upper: si.up}
			} else if c := v.node.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil {
					return err
				}
				boxes[k] = op.Box{Lower: f, Upper: f}
			}
		}
		out, err := v.def.Interval(v.node, boxes)
		if err != nil {
			return err
		}
		s.lo, s.up = out[v.out].Lower, out[v.out].Upper
	}
	p.executionError(v, s)
	if p.method == Interval {
		return nil
	}
	b := p.arena.get(4 * n)
	s.lines = op.Lines{LoSlope: b[:n], LoIcept: b[n : 2*n], UpSlope: b[2*n : 3*n], UpIcept: b[3*n:]}
	v.lin.Lines(p.slope(), si.lo, si.up, &s.lines)
	if !v.relu {
		s.ic = p.arena.get(n)
		for i := range s.ic {
			s.ic[i] = max(math.Abs(s.lines.LoIcept[i]), math.Abs(s.lines.UpIcept[i]))
		}
		return nil
	}
	p.compact(v, s, in, si)
	return nil
}

func (p *pass) slope() op.Slope {
	if p.method == FastLin {
		return op.SlopeParallel
	}
	return op.SlopeAdaptive
}

// executionError widens an act value's box by what a float32 execution of the operator may be off.
func (p *pass) executionError(v *value, s *state) {
	if p.o.Semantics != Float32 || v.lin == nil || (v.lin.Ulps == 0 && v.lin.AbsErr == 0) {
		return
	}
	s.ulp = p.arena.get(v.n)
	lo, up := p.arena.get(v.n), p.arena.get(v.n)
	for i := range s.ulp {
		e := (2*unit32*v.lin.Ulps*max(math.Abs(s.lo[i]), math.Abs(s.up[i])) + v.lin.AbsErr + tiny32) * (1 + 0x1p-20)
		s.ulp[i] = e
		lo[i], up[i] = op.Down(s.lo[i]-e), op.Up(s.up[i]+e)
	}
	s.lo, s.up = lo, up
}

// compact lists the neurons that are not proven dead: only their columns are computed from here on.
func (p *pass) compact(v *value, s *state, in *value, si *state) {
	if !p.rowsDomain() {
		return
	}
	alive := 0
	for _, u := range s.up {
		if u > 0 {
			alive++
		}
	}
	if alive*10 > v.n*9 {
		return
	}
	s.live = make([]int32, 0, alive+1)
	for i, u := range s.up {
		if u > 0 {
			s.live = append(s.live, int32(i))
		}
	}
	pick := func(src []float64) []float64 {
		out := p.arena.get(len(s.live))
		for k, j := range s.live {
			out[k] = src[j]
		}
		return out
	}
	s.cl = op.Lines{LoSlope: pick(s.lines.LoSlope), LoIcept: pick(s.lines.LoIcept), UpSlope: pick(s.lines.UpSlope), UpIcept: pick(s.lines.UpIcept)}
	if in.kind == kindAffine && si.m != nil && si.cindex == nil {
		si.cindex, si.cm = s.live, pick(si.m)
		if in.bias != nil {
			si.cbias = pick(in.bias)
		}
	}
}

// relaxed bounds a value of several inputs by its operator's own interval, and asks for its linear forms.
func (p *pass) relaxed(v *value, s *state) error {
	boxes := make([]op.Box, len(v.args))
	for k, a := range v.args {
		if a < 0 {
			if c := v.node.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil {
					return err
				}
				boxes[k] = op.Box{Lower: f, Upper: f}
			}
			continue
		}
		in := p.net.values[a]
		si := &p.st[a]
		if p.rowsDomain() {
			if err := p.tighten(in, si, nil); err != nil {
				return err
			}
		}
		b := op.Box{Lower: p.arena.get(in.n), Upper: p.arena.get(in.n)}
		in.order.Load(b.Lower, si.lo)
		in.order.Load(b.Upper, si.up)
		boxes[k] = b
	}
	out, err := v.def.Interval(v.node, boxes)
	if err != nil {
		return err
	}
	s.lo, s.up = p.arena.get(v.n), p.arena.get(v.n)
	v.order.Store(s.lo, out[v.out].Lower)
	v.order.Store(s.up, out[v.out].Upper)
	p.executionError(v, s)
	if v.kind != kindRelax || p.method == Interval {
		return nil
	}
	s.forms, err = v.lin.Relax(p.slope(), boxes)
	if err != nil {
		return err
	}
	p.magnitudes(v, s, boxes)
	return nil
}

// magnitudes bounds the sum of the forms' terms, for rounding.
func (p *pass) magnitudes(v *value, s *state, boxes []op.Box) {
	s.fm = p.arena.get(v.n)
	for k := range s.fm {
		i := v.order.At(k)
		best := 0.0
		for _, f := range []*op.Forms{&s.forms.Lower, &s.forms.Upper} {
			sum := math.Abs(f.Const[i])
			for t := f.Start[i]; t < f.Start[i+1]; t++ {
				b := boxes[0]
				if f.Input != nil {
					b = boxes[f.Input[t]]
				}
				j := f.Index[t]
				sum += math.Abs(f.Coef[t]) * max(math.Abs(b.Lower[j]), math.Abs(b.Upper[j]))
			}
			best = max(best, sum)
		}
		s.fm[k] = best + tiny64
	}
}

// tighten replaces the box of a value by back-substituted bounds where the interval leaves something open.
// reader is the elementwise operator that reads it, or nil.
func (p *pass) tighten(in *value, si *state, reader *value) error {
	if in.exact || in.kind == kindInput {
		return nil
	}
	var open []int32
	for i, l := range si.lo {
		u := si.up[i]
		if reader != nil && reader.relu {
			if l < 0 && u > 0 {
				open = append(open, int32(i))
			}
		} else if l < u {
			open = append(open, int32(i))
		}
	}
	if len(open) == 0 {
		return nil
	}
	// The box may be shared with the value that this one copies.
	b := p.arena.get(2 * in.n)
	copy(b[:in.n], si.lo)
	copy(b[in.n:], si.up)
	si.lo, si.up = b[:in.n], b[in.n:]
	n := len(open)
	index := make([]int32, 2*n)
	sign := make([]float64, 2*n)
	copy(index, open)
	copy(index[n:], open)
	for i := range n {
		sign[i], sign[n+i] = 1, -1
	}
	low := make([]float64, 2*n)
	err := p.chunks(in, 2*n, func(w *affine.Work, a, b int) {
		p.neurons(w, in, index[a:b], sign[a:b], low[a:b])
	})
	if err != nil {
		return err
	}
	for i, j := range open {
		l, u := low[i], -low[n+i]
		if p.o.Plain {
			si.lo[j], si.up[j] = l, u
		} else {
			si.lo[j], si.up[j] = max(si.lo[j], l), min(si.up[j], u)
		}
		// Bounds that cross by rounding hold one point between them: keep a valid order.
		if si.lo[j] > si.up[j] {
			si.lo[j], si.up[j] = si.up[j], si.lo[j]
		}
	}
	return nil
}

// chunks cuts total rows over value v into pieces that fit the memory budget, and gives them to the workers.
func (p *pass) chunks(v *value, total int, f func(w *affine.Work, a, b int)) error {
	widest := 1
	for _, x := range p.net.values[:v.id+1] {
		widest = max(widest, x.n)
	}
	budget := p.o.MemoryMB
	if budget <= 0 {
		budget = 256
	}
	size := min(256, max(8, min(budget<<20/(8*4*widest), (16<<20)/(8*widest))))
	if n := len(p.work); n > 1 {
		size = min(size, max(8, (total+n-1)/n))
	}
	if len(p.work) == 1 || total <= size {
		for a := 0; a < total; a += size {
			if p.ctx.Err() != nil {
				return p.ctx.Err()
			}
			f(p.work[0], a, min(total, a+size))
		}
		return nil
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range p.work {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for p.ctx.Err() == nil {
				a := int(next.Add(int64(size))) - size
				if a >= total {
					return
				}
				f(w, a, min(total, a+size))
			}
		}()
	}
	wg.Wait()
	return p.ctx.Err()
}
