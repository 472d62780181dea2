package verify

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
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
	x := float64(v.terms+3+folded+v.exec.Roundings()) * unit32
	v.gamma3 = x / (1 - x) * slack
}

// copies tells whether the value is its only input under another order or shape: nothing is computed.
func (v *value) copies() bool {
	if v.kind != kindAffine || len(v.steps) != 1 || v.bias != nil || v.rel != 0 || v.extra != nil || !v.exec.Moves() {
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

	lines op.Lines  // act values
	ic    []float64 // act values: largest intercept by magnitude; nil where ReLU's sign rule serves
	forms *op.Relaxation
	fm    []float64 // relax values: largest magnitude of the forms' terms
	err   []float64 // what a float32 execution of the value itself is off beside g*m, per element, see computed; nil for nothing
	top   float64   // largest magnitude when the value was laid
	reach float64   // affine values, float32: the largest operand of their products, see pass.reach
	cl    op.Lines  // lines and m restricted to the pass' live elements
	cm    []float64
}

// pass bounds some boxes together: they share the weights, so their rows stand in one matrix. It belongs to one call; its rows are
// computed by several workers.
type pass struct {
	net    *network
	o      Options
	method Method
	n      int     // boxes
	st     []state // by value and box, see at
	shared []shared
	work   []*affine.Work
	beyond []*value // per box: the first value that a float32 execution may make infinite, or of which nothing is known; nil for none
	ctx    context.Context
	arena  *arena
}

// shared is what the boxes of a pass have in common at one value.
type shared struct {
	live   []int32   // elements that are not constant zero for some box; nil for all
	cindex []int32   // affine values: the elements that cbias and the states' cm belong to
	cbias  []float64 // bias restricted to them
}

// at is what the pass knows of a value for box b.
func (p *pass) at(id, b int) *state { return &p.st[id*p.n+b] }

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

func newPass(ctx context.Context, net *network, o Options, m Method, boxes int) *pass {
	p := &pass{net: net, o: o, method: m, n: boxes, st: make([]state, len(net.values)*boxes), shared: make([]shared, len(net.values)), beyond: make([]*value, boxes), ctx: ctx, arena: arenaPool.Get().(*arena)}
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

// run bounds every value over the boxes, in topological order.
func (p *pass) run(boxes []Box) error {
	at := 0
	for _, v := range p.net.values {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		var err error
		switch v.kind {
		case kindInput:
			for b, box := range boxes {
				p.input(v, p.at(v.id, b), box, at)
			}
			at += v.n
		case kindAffine:
			if v.copies() {
				p.shared[v.id].live = p.shared[v.in[0]].live
			}
			for b := range boxes {
				if err := p.affine(v, b); err != nil {
					return err
				}
			}
		case kindAct:
			err = p.act(v)
		default:
			err = p.relaxed(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) input(v *value, s *state, box Box, at int) {
	s.lo, s.up = p.arena.get(v.n), p.arena.get(v.n)
	v.order.Store(s.lo, box.Lower[at:at+v.n])
	v.order.Store(s.up, box.Upper[at:at+v.n])
	s.mag = p.arena.get(v.n)
	for i, l := range s.lo {
		s.mag[i] = max(math.Abs(l), math.Abs(s.up[i]))
	}
	s.top = s.peak()
}

func (p *pass) rowsDomain() bool { return p.method == FastLin || p.method == DeepPoly }

// affine computes the box of an affine value from its inputs' boxes, in midpoint and radius form, and m.
func (p *pass) affine(v *value, b int) error {
	s := p.at(v.id, b)
	if v.copies() {
		in := p.at(v.in[0], b)
		s.lo, s.up, s.top = in.lo, in.up, in.top
		return nil
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
		in := p.at(v.in[k], b)
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
		s.reach = p.reach(v, b)
		tiny = tiny32 * (1 + v.weight + s.reach)
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
	return p.computed(v, b, nil)
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
func (p *pass) act(v *value) error {
	in := p.net.values[v.in[0]]
	if p.rowsDomain() {
		if err := p.tighten(in, v); err != nil {
			return err
		}
	}
	for b := range p.n {
		if err := p.lay(v, b, p.at(v.id, b), p.at(in.id, b)); err != nil {
			return err
		}
	}
	if v.relu && p.rowsDomain() {
		p.compact(v, in)
	}
	return nil
}

// lay gives an elementwise value its box and its lines.
func (p *pass) lay(v *value, b int, s, si *state) error {
	n := v.n
	lo, up := si.lo, si.up
	if v.relu {
		box := p.arena.get(2 * n)
		s.lo, s.up = box[:n], box[n:]
		for i, l := range si.lo {
			s.lo[i], s.up[i] = max(l, 0), max(si.up[i], 0)
		}
	} else {
		lo, up = p.operands(lo, up)
		boxes := make([]op.Box, len(v.args))
		for k, a := range v.args {
			if a >= 0 {
				boxes[k] = op.Box{Lower: lo, Upper: up}
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
	if p.method == Interval {
		return p.computed(v, b, nil)
	}
	buf := p.arena.get(4 * n)
	s.lines = op.Lines{LoSlope: buf[:n], LoIcept: buf[n : 2*n], UpSlope: buf[2*n : 3*n], UpIcept: buf[3*n:]}
	v.lin.Lines(p.slope(), lo, up, &s.lines)
	if !v.relu {
		for i := range n {
			p.flushed(s, n, i, max(math.Abs(s.lines.LoSlope[i]), math.Abs(s.lines.UpSlope[i])))
		}
		s.ic = p.arena.get(n)
		for i := range s.ic {
			s.ic[i] = max(math.Abs(s.lines.LoIcept[i]), math.Abs(s.lines.UpIcept[i]))
		}
	}
	return p.computed(v, b, nil)
}

func (p *pass) slope() op.Slope {
	if p.method == FastLin {
		return op.SlopeParallel
	}
	return op.SlopeAdaptive
}

func (v *value) unsupported(face, why string) error {
	n := v.node
	return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: face, Why: why}
}

// compact lists the neurons that are not proven dead for all boxes: only their columns are computed from here on.
func (p *pass) compact(v, in *value) {
	alive := 0
	dead := func(i int) bool {
		for b := range p.n {
			if p.at(v.id, b).up[i] > 0 {
				return false
			}
		}
		return true
	}
	for i := range v.n {
		if !dead(i) {
			alive++
		}
	}
	if alive*10 > v.n*9 {
		return
	}
	sh := &p.shared[v.id]
	sh.live = make([]int32, 0, alive+1)
	for i := range v.n {
		if !dead(i) {
			sh.live = append(sh.live, int32(i))
		}
	}
	pick := func(src []float64) []float64 {
		out := p.arena.get(len(sh.live))
		for k, j := range sh.live {
			out[k] = src[j]
		}
		return out
	}
	si := &p.shared[in.id]
	below := in.kind == kindAffine && p.at(in.id, 0).m != nil && si.cindex == nil
	for b := range p.n {
		s := p.at(v.id, b)
		s.cl = op.Lines{LoSlope: pick(s.lines.LoSlope), LoIcept: pick(s.lines.LoIcept), UpSlope: pick(s.lines.UpSlope), UpIcept: pick(s.lines.UpIcept)}
		if below {
			x := p.at(in.id, b)
			x.cm = pick(x.m)
		}
	}
	if below {
		si.cindex = sh.live
		if in.bias != nil {
			si.cbias = pick(in.bias)
		}
	}
}

// relaxed bounds a value of several inputs by its operator's own interval, and asks for its linear forms.
func (p *pass) relaxed(v *value) error {
	for _, a := range v.args {
		if a >= 0 && p.rowsDomain() {
			if err := p.tighten(p.net.values[a], nil); err != nil {
				return err
			}
		}
	}
	for b := range p.n {
		if err := p.relaxedBox(v, b); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) relaxedBox(v *value, box int) error {
	s := p.at(v.id, box)
	boxes, err := p.inputBoxes(v, box)
	if err != nil {
		return err
	}
	out, err := v.def.Interval(v.node, boxes)
	if err != nil {
		return err
	}
	if v.out >= len(out) {
		return v.unsupported("Interval", fmt.Sprintf("output %d (%s) is read", v.out, v.name))
	}
	s.lo, s.up = p.arena.get(v.n), p.arena.get(v.n)
	v.order.Store(s.lo, out[v.out].Lower)
	v.order.Store(s.up, out[v.out].Upper)
	if v.kind == kindRelax && p.rowsDomain() {
		if s.forms, err = v.lin.Relax(p.slope(), boxes); err != nil {
			return err
		}
		p.magnitudes(v, s, boxes)
	}
	return p.computed(v, box, boxes)
}

// inputBoxes are the boxes of a node's inputs in the standard's order, constants as points.
func (p *pass) inputBoxes(v *value, box int) ([]op.Box, error) {
	boxes := make([]op.Box, len(v.args))
	for k, a := range v.args {
		if a < 0 {
			if c := v.node.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil {
					return nil, err
				}
				boxes[k] = op.Box{Lower: f, Upper: f}
			}
			continue
		}
		in := p.net.values[a]
		si := p.at(a, box)
		b := op.Box{Lower: p.arena.get(in.n), Upper: p.arena.get(in.n)}
		in.order.Load(b.Lower, si.lo)
		in.order.Load(b.Upper, si.up)
		b.Lower, b.Upper = p.operands(b.Lower, b.Upper)
		boxes[k] = b
	}
	return boxes, nil
}

// magnitudes bounds the sum of the forms' terms, for rounding.
func (p *pass) magnitudes(v *value, s *state, boxes []op.Box) {
	s.fm = p.arena.get(v.n)
	for k := range s.fm {
		i := v.order.At(k)
		best, coefs := 0.0, 0.0
		for _, f := range []*op.Forms{&s.forms.Lower, &s.forms.Upper} {
			sum, own := math.Abs(f.Const[i]), 0.0
			for t := f.Start[i]; t < f.Start[i+1]; t++ {
				b := boxes[0]
				if f.Input != nil {
					b = boxes[f.Input[t]]
				}
				j := f.Index[t]
				sum += math.Abs(f.Coef[t]) * max(math.Abs(b.Lower[j]), math.Abs(b.Upper[j]))
				own += math.Abs(f.Coef[t])
			}
			best, coefs = max(best, sum), max(coefs, own)
		}
		s.fm[k] = best + tiny64
		if !v.exec.Moves() || coefs > 1 {
			p.flushed(s, v.n, k, coefs)
		}
	}
}

// tighten replaces the boxes of a value by back-substituted bounds where the intervals leave something open.
// reader is the elementwise operator that reads it, or nil.
func (p *pass) tighten(in, reader *value) error {
	if in.exact || in.kind == kindInput {
		return nil
	}
	t := rowSet{}
	for b := range p.n {
		s := p.at(in.id, b)
		for i, l := range s.lo {
			u := s.up[i]
			if reader != nil && reader.relu {
				if l >= 0 || u <= 0 {
					continue
				}
			} else if !(l < u) {
				continue
			}
			t.add(int32(i), 1, int32(b))
			t.add(int32(i), -1, int32(b))
		}
	}
	if len(t.index) == 0 {
		return nil
	}
	for b := range p.n { // a box may be shared with the value that this one copies
		s := p.at(in.id, b)
		m := p.arena.get(2 * in.n)
		copy(m[:in.n], s.lo)
		copy(m[in.n:], s.up)
		s.lo, s.up = m[:in.n], m[in.n:]
	}
	low := make([]float64, len(t.index))
	err := p.chunks(in, len(low), func(w *affine.Work, a, b int) {
		p.neurons(w, in, t.part(a, b), low[a:b])
	})
	if err != nil {
		return err
	}
	for k := 0; k < len(low); k += 2 {
		s, j := p.at(in.id, int(t.owner[k])), t.index[k]
		l, u := low[k], -low[k+1]
		if p.o.Plain {
			s.lo[j], s.up[j] = l, u
		} else {
			s.lo[j], s.up[j] = max(s.lo[j], l), min(s.up[j], u)
		}
		// Bounds that cross by rounding hold one point between them: keep a valid order.
		if s.lo[j] > s.up[j] {
			s.lo[j], s.up[j] = s.up[j], s.lo[j]
		}
	}
	return nil
}

// rowSet lists rows sign*element, each with the box that it is bounded over.
type rowSet struct {
	index []int32
	sign  []float64
	owner []int32
}

func (t *rowSet) add(index int32, sign float64, owner int32) {
	t.index, t.sign, t.owner = append(t.index, index), append(t.sign, sign), append(t.owner, owner)
}

func (t *rowSet) part(a, b int) rowSet { return rowSet{t.index[a:b], t.sign[a:b], t.owner[a:b]} }

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
