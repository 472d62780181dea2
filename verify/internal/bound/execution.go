package bound

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// What float32 executions are off reaches bounds in one way: every value that is computed has, under Float32, an uncertainty err per
// element beside an affine value's g*m. Its box is widened by it when it is laid, and every row that goes down through the value pays
// |coefficient|*err (pay), whatever the value's kind.
//
// A value of which bounds do not show that it, and what an execution computes on the way to it, stays within float32's range is beyond: an
// infinity or NaN may then arrive at the outputs, also through a coefficient of zero, and nothing is known of that box's rows any more.

// computed accounts for the execution of a value whose real box over box b has just been laid. boxes, if not nil, are those of the node's
// inputs in the standard's order.
func (p *pass) computed(v *value, b int, boxes []relax.Box) error {
	s := p.at(v.id, b)
	s.top = s.peak()
	if !p.o.Float32 || v.copies() {
		return nil
	}
	if v.node != nil && v.node.Of != "" {
		return v.unsupported("Execution", fmt.Sprintf("it is a part of %s, which runtimes may compute otherwise", v.node.Of))
	}
	if !v.exec.Known() {
		return v.unsupported("Execution", "the error of float32 executions is not known with these inputs")
	}
	if v.kind == kindAffine {
		p.sumsInRange(v, s, b)
		if v.exec.Plain() {
			return nil
		}
	} else if v.exec.Moves() {
		p.inRange(v, s, b)
		return nil
	}
	if v.exec.EachIn() && boxes == nil {
		var err error
		if boxes, err = p.inputBoxes(v, b); err != nil {
			return err
		}
	}
	if s.err == nil {
		s.err = p.arena.get(v.n)
	}
	v.exec.Errors(boxes, relax.Box{Lower: s.lo, Upper: s.up}, s.err, v.order.Store)
	if v.part != nil {
		v.part.exec.Errors([]relax.Box{p.inputBox(v.part.from, b)}, relax.Box{Lower: s.lo, Upper: s.up}, s.err, v.order.Store)
	}
	p.widen(v, s)
	p.inRange(v, s, b)
	return nil
}

// widen gives a value's box room for its execution's error.
func (p *pass) widen(v *value, s *state) {
	box := p.arena.get(2 * v.n)
	lo, up := box[:v.n], box[v.n:]
	for i, e := range s.err {
		lo[i], up[i] = sound.Down(s.lo[i]-e), sound.Up(s.up[i]+e)
		if math.IsNaN(lo[i]) {
			lo[i] = math.Inf(-1)
		}
		if math.IsNaN(up[i]) {
			up[i] = math.Inf(1)
		}
	}
	s.lo, s.up = lo, up
}

// largest32 leaves room for the rounding of the bounds that are compared with it.
const largest32 = sound.Largest32 * (1 - 0x1p-20)

// inRange notes a value that may leave float32's range.
func (p *pass) inRange(v *value, s *state, b int) {
	for i, l := range s.lo {
		if !(l >= -largest32 && s.up[i] <= largest32) {
			p.leave(v, b)
			return
		}
	}
}

// sumsInRange does so for what an affine value's executions add up: in any order no more than m, or growth times it where a factor is
// applied last; and for the coefficients that a runtime may make of several layers' (see network.measure).
func (p *pass) sumsInRange(v *value, s *state, b int) {
	if !(v.coef <= largest32) {
		p.leave(v, b)
		return
	}
	limit := largest32 / v.exec.Growth() * (1 - s.g)
	for _, sums := range [][]float64{s.m, p.jointSums(v, s, b)} {
		for _, m := range sums {
			if !(m <= limit) {
				p.leave(v, b)
				return
			}
		}
	}
}

// jointSums bounds what executions add up where a runtime joins a scale with the layer in front: the scale times that layer's m, not times its
// values, in which products may have cancelled.
func (p *pass) jointSums(v *value, s *state, b int) []float64 {
	if !v.joins {
		return nil
	}
	in := p.at(v.joined, b)
	front := in.m
	if in.joint != nil {
		front = in.joint
	}
	s.joint = p.arena.get(v.n)
	v.steps[0].Forward(s.joint, front, 1, true, p.work[0])
	for i := range s.joint {
		s.joint[i] = (s.joint[i] + s.m[i]) * (1 + 0x1p-20) // m for the bias
	}
	return s.joint
}

func (p *pass) leave(v *value, b int) {
	if p.beyond[b] == nil {
		p.beyond[b] = v
	}
}

// beyondReason says in words why nothing is known of a box, or nothing where something is.
func (p *pass) beyondReason(b int) string {
	v := p.beyond[b]
	if v == nil {
		return ""
	}
	place := fmt.Sprintf("%q", v.name)
	if v.node != nil {
		place = fmt.Sprintf("node %q (%s)", v.node.Name, v.node.Op)
	}
	return "a float32 execution may leave the range of finite numbers, or is not known, at " + place
}

// reach is the largest magnitude of an operand that an affine value's executions may multiply by a weight: of its inputs, and of the inputs
// of layers whose weights a runtime may have joined with its own.
func (p *pass) reach(v *value, b int) float64 {
	most := 0.0
	for _, i := range v.in {
		in := p.at(i, b)
		most = max(most, in.top)
		if v.joins {
			most = max(most, in.reach)
		}
	}
	return most
}

// measure finds, for float32 verdicts, how large the coefficients of every affine value are, and those of a scale that a runtime may join
// with the layer in front of it.
func (net *Network) measure() {
	w := new(affine.Work)
	for _, v := range net.values {
		if v.kind != kindAffine || v.copies() {
			continue
		}
		sum := make([]float64, v.n)
		for k, step := range v.steps {
			ones := make([]float64, net.values[v.in[k]].n)
			for i := range ones {
				ones[i] = 1
			}
			step.Forward(sum, ones, 1, true, w)
		}
		for _, x := range sum {
			v.weight = max(v.weight, x)
		}
		v.coef = v.weight
		if len(v.steps) != 1 {
			continue
		}
		in := net.values[v.in[0]]
		for in.copies() {
			in = net.values[in.in[0]]
		}
		if _, scale := v.steps[0].(*affine.DiagStep); scale && in.kind == kindAffine {
			v.joins, v.joined = true, in.id
			v.coef = max(v.coef, v.coef*in.coef)
		}
	}
}

// operands are an elementwise operator's inputs as its executions may see them: a number below float32's normal ones may have been flushed
// to zero.
func (p *pass) operands(lo, up []float64) (l, u []float64) {
	if !p.o.Float32 {
		return lo, up
	}
	l, u = lo, up
	for i := range lo {
		if lo[i] < sound.Flush && up[i] > -sound.Flush && !(lo[i] <= 0 && up[i] >= 0) {
			if &l[0] == &lo[0] {
				l, u = append([]float64(nil), lo...), append([]float64(nil), up...)
			}
			l[i], u[i] = min(lo[i], 0), max(up[i], 0)
		}
	}
	return l, u
}

// flushed adds to an element's uncertainty what lines or forms with coefficients of that sum lose where an operand is flushed to zero.
func (p *pass) flushed(s *state, n, i int, coefs float64) {
	if !p.o.Float32 {
		return
	}
	if s.err == nil {
		s.err = p.arena.get(n)
	}
	s.err[i] += coefs * sound.Flush * (1 + 0x1p-20)
}

// pay subtracts from rows over a value what its executions may be off, and what coefficients lose that fall below the normal float64s on
// the way down: far less than 2^-900 for each of its operands' unit.
func (t *rowsRun) pay(v *value, r *affine.Rows) {
	for i := range r.N {
		s := t.state(v.id, i)
		for _, k := range v.in {
			if top := t.state(k, i).top; !math.IsInf(top, 0) {
				t.e[i] += sound.Tiny * (1 + top)
			}
		}
		if s.err == nil {
			continue
		}
		row := r.Row(i)
		if r.Index != nil {
			sum := 0.0
			for k, j := range r.Index {
				sum += math.Abs(row[k]) * s.err[j]
			}
			t.e[i] += sum
			continue
		}
		r.Run(i, func(off, at, n int) { t.e[i] += kernel.AbsDot(row[off:off+n], s.err[at:at+n]) })
	}
}
