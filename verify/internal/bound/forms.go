package bound

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// relaxed bounds a value of several inputs by its operator's own interval, and asks for its linear forms.
func (p *pass) relaxed(v *value) error {
	for _, a := range v.args {
		if a >= 0 && p.rows {
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
	if v.kind == kindRelax && p.rows {
		if err := p.askForms(v); err != nil {
			return err
		}
		if s.forms, err = v.lin.Relax(p.slope, boxes); err != nil {
			return err
		}
		p.magnitudes(v, s, boxes)
	}
	if err := p.computed(v, box, boxes); err != nil {
		return err
	}
	p.inherit(v, box)
	return nil
}

// magnitudes bounds the sum of the forms' terms, for rounding.
func (p *pass) magnitudes(v *value, s *state, boxes []relax.Box) {
	s.fm = p.arena.get(v.n)
	constants := slices.Contains(v.args, -1) // which may be flushed too, see lay
	for k := range s.fm {
		i := v.order.At(k)
		best, coefs, most := 0.0, 0.0, 0.0
		for _, f := range []*relax.Forms{&s.forms.Lower, &s.forms.Upper} {
			sum, own := math.Abs(f.Const[i]), 0.0
			for t := f.Start[i]; t < f.Start[i+1]; t++ {
				b := boxes[0]
				if f.Input != nil {
					b = boxes[f.Input[t]]
				}
				j := f.Index[t]
				sum += math.Abs(f.Coef[t]) * max(math.Abs(b.Lower[j]), math.Abs(b.Upper[j]))
				own += math.Abs(f.Coef[t])
				most = max(most, math.Abs(b.Lower[j]), math.Abs(b.Upper[j]))
			}
			best, coefs = max(best, sum), max(coefs, own)
		}
		s.fm[k] = best + sound.Tiny
		if constants {
			coefs += 1 + most
		}
		if constants || coefs > 1 || !v.exec.Moves() {
			p.flushed(s, v.n, k, coefs)
		}
	}
}
