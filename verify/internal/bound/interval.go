package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

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
	tiny := sound.Tiny
	if p.o.Float32 {
		s.g += v.gamma3
		s.reach = p.reach(v, b)
		tiny = sound.Tiny32 * (1 + v.weight + s.reach)
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
	if err := p.computed(v, b, nil); err != nil {
		return err
	}
	p.inherit(v, b)
	return nil
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
		rad[i] = max(u-c, c-l)*(1+0x1p-51) + sound.Tiny
		mag[i] = max(math.Abs(l), math.Abs(u))
	}
}

// inputBoxes are the boxes of a node's inputs in the standard's order, constants as points.
func (p *pass) inputBoxes(v *value, box int) ([]relax.Box, error) {
	boxes := make([]relax.Box, len(v.args))
	for k, a := range v.args {
		if a < 0 {
			if c := v.node.ConstInput(k); c != nil {
				f, err := c.Float64s()
				if err != nil {
					return nil, err
				}
				l, u := p.operands(f, f)
				boxes[k] = relax.Box{Lower: l, Upper: u}
			}
			continue
		}
		boxes[k] = p.inputBox(a, box)
	}
	return boxes, nil
}

// inputBox is the box of a value as what reads it may see it, in the standard's order.
func (p *pass) inputBox(id, box int) relax.Box {
	in, s := p.net.values[id], p.at(id, box)
	b := relax.Box{Lower: p.arena.get(in.n), Upper: p.arena.get(in.n)}
	in.order.Load(b.Lower, s.lo)
	in.order.Load(b.Upper, s.up)
	b.Lower, b.Upper = p.operands(b.Lower, b.Upper)
	return b
}
