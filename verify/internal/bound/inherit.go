package bound

import "fmt"

// related checks that problems are parts of what they are said to be parts of, all of one family or none.
func (p *pass) related() error {
	first := p.of[0].Known
	for i := range p.of {
		q := &p.of[i]
		if q.Sides != nil {
			if err := q.Sides.over(p, q.Box); err != nil {
				return err
			}
		}
		if q.Around != nil {
			if err := q.Around.over(p, q.Box); err != nil {
				return err
			}
		}
		if (q.Known == nil) != (first == nil) || first != nil && q.Known.family != first.family {
			return fmt.Errorf("bound: problems of unrelated snapshots in one pass")
		}
		if q.Known == nil {
			if len(q.Splits) > 0 || len(q.Cuts) > 0 {
				return fmt.Errorf("bound: splits or cuts of a problem that no snapshot knows")
			}
			continue
		}
		if q.Known.net != p.net || q.Known.o.Float32 != p.o.Float32 {
			return fmt.Errorf("bound: a snapshot of another network or of other semantics")
		}
		whole := q.Known.Box(q.Of)
		for k, l := range q.Box.Lower {
			p.less[i] = p.less[i] || l > whole.Lower[k] || q.Box.Upper[k] < whole.Upper[k]
			if l < whole.Lower[k] || q.Box.Upper[k] > whole.Upper[k] {
				return fmt.Errorf("bound: a problem that is not a part of the one it is said to be a part of")
			}
		}
	}
	return nil
}

// inherit takes over what a snapshot knows of a value's box: the problem is a part of one there.
func (p *pass) inherit(v *value, b int) {
	if p.of[b].Known == nil {
		return
	}
	if v.kind == kindAct { // an operator may give back a box that it was given
		p.own(v, b)
	}
	k := p.of[b].Known.at(v.id, p.of[b].Of)
	s := p.at(v.id, b)
	for i, l := range k.lo {
		s.lo[i], s.up[i] = max(s.lo[i], l), min(s.up[i], k.up[i])
		p.meet(s, b, i)
	}
}

// sides cuts a value's box to the sides that splits give its elements.
func (p *pass) sides(in *value) {
	for b := range p.of {
		q := &p.of[b]
		own := false
		for _, x := range q.Splits {
			if q.Known.slots[x.Slot].in[0] != in.id {
				continue
			}
			if !own {
				p.own(in, b)
				own = true
			}
			s := p.at(in.id, b)
			if x.On {
				s.lo[x.Elem] = max(s.lo[x.Elem], x.At)
			} else {
				s.up[x.Elem] = min(s.up[x.Elem], x.At)
			}
			p.less[b] = true
			p.meet(s, b, int(x.Elem))
		}
	}
}

// meet keeps a box in order. Bounds of a part whose splits hold nowhere may cross: each is sound, so no point is left then.
func (p *pass) meet(s *state, b, i int) {
	if s.lo[i] > s.up[i] {
		p.empty[b] = p.empty[b] || p.of[b].divided()
		s.lo[i], s.up[i] = s.up[i], s.lo[i]
	}
}

// divided tells whether the problem may have no points, for the splits and cuts that it lies behind.
func (q *Problem) divided() bool {
	return len(q.Splits) > 0 || len(q.Cuts) > 0 || q.Known != nil && q.Known.divided[q.Of]
}
