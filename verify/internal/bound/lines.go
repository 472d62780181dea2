package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/relax"
)

// act bounds a nonlinear elementwise value: its input's box is tightened first, then lines are laid.
func (p *pass) act(v *value) error {
	in := p.net.values[v.in[0]]
	if p.rows {
		if err := p.tighten(in, v); err != nil {
			return err
		}
		if err := p.refine(v); err != nil {
			return err
		}
	}
	for b := range p.n {
		if err := p.lay(v, b, p.at(v.id, b), p.at(in.id, b)); err != nil {
			return err
		}
	}
	if v.relu && p.rows {
		p.compact(v, in)
	}
	return nil
}

// refine lets a hinge's or curve's boxes be tightened by rows with slopes of their own.
func (p *pass) refine(v *value) error {
	if p.o.Refine == nil || !v.chosen() || p.net.values[v.in[0]].kind != kindAffine {
		return nil
	}
	s := p.snapshot(p.net.values[:v.id+1])
	if len(s.slots) == 1 { // nothing is chosen below
		return nil
	}
	s.making = true
	for b := range p.n { // bounds will be written into it
		p.own(p.net.values[v.in[0]], b)
	}
	if err := p.o.Refine(s, len(s.slots)-1); err != nil {
		return err
	}
	p.sides(p.net.values[v.in[0]])
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
		boxes := make([]relax.Box, len(v.args))
		for k, a := range v.args {
			if a >= 0 {
				boxes[k] = relax.Box{Lower: lo, Upper: up}
			} else if c := v.node.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil {
					return err
				}
				l, u := p.operands(f, f)
				boxes[k] = relax.Box{Lower: l, Upper: u}
			}
		}
		out, err := v.def.Interval(v.node, boxes)
		if err != nil {
			return err
		}
		s.lo, s.up = out[v.out].Lower, out[v.out].Upper
	}
	if !p.rows {
		if err := p.computed(v, b, nil); err != nil {
			return err
		}
		p.inherit(v, b)
		return nil
	}
	buf := p.arena.get(4 * n)
	s.lines = relax.Lines{LoSlope: buf[:n], LoIcept: buf[n : 2*n], UpSlope: buf[2*n : 3*n], UpIcept: buf[3*n:]}
	v.lin.Lines(p.slope, lo, up, &s.lines)
	if !v.relu {
		for i := range n {
			coefs := max(math.Abs(s.lines.LoSlope[i]), math.Abs(s.lines.UpSlope[i]))
			if len(v.args) > 1 { // constants may be flushed too, with no more effect than to be added, or to multiply the operand
				coefs += 1 + max(-lo[i], up[i])
			}
			p.flushed(s, n, i, coefs)
		}
		s.ic = p.arena.get(n)
		for i := range s.ic {
			s.ic[i] = max(math.Abs(s.lines.LoIcept[i]), math.Abs(s.lines.UpIcept[i]))
		}
	}
	if err := p.computed(v, b, nil); err != nil {
		return err
	}
	p.inherit(v, b)
	return nil
}

// compact lists the neurons that are not proven dead for all boxes: only their columns are computed from here on.
func (p *pass) compact(v, in *value) {
	if k := p.of[0].Known; k != nil {
		p.compacted(v, in, k)
		return
	}
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
	p.restrict(v, in)
}

// compacted restricts to the elements that the family's first snapshot was restricted to: what is dead there is dead in its parts.
func (p *pass) compacted(v, in *value, k *Snapshot) {
	if k.shared[v.id].live == nil {
		return
	}
	p.shared[v.id].live = k.shared[v.id].live
	p.restrict(v, in)
}

// restrict takes lines, m and bias of live elements out.
func (p *pass) restrict(v, in *value) {
	sh := &p.shared[v.id]
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
		s.cl = relax.Lines{LoSlope: pick(s.lines.LoSlope), LoIcept: pick(s.lines.LoIcept), UpSlope: pick(s.lines.UpSlope), UpIcept: pick(s.lines.UpIcept)}
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
