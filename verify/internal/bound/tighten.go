package bound

import (
	"github.com/shallow-waters/shoal/internal/affine"
)

// tighten replaces the boxes of a value by back-substituted bounds where the intervals leave something open.
// reader is the elementwise operator that reads it, or nil.
func (p *pass) tighten(in, reader *value) error {
	p.proven(in)
	p.around(in)
	p.sides(in)
	defer p.sides(in)
	if in.kind == kindInput || in.exact && p.cuts == nil {
		return nil
	}
	p.behind(in)
	t := p.open(in, reader)
	if made, err := p.ahead(in, t); err != nil {
		return err
	} else if made {
		t = p.open(in, reader)
	}
	if len(t.index) == 0 {
		return nil
	}
	if p.o.Near && reader != nil && reader.relu {
		return p.near(in, t)
	}
	for b := range p.n {
		p.own(in, b)
	}
	low := make([]float64, len(t.index))
	err := p.chunks(in, len(low), func(w *affine.Work, a, b int) {
		p.neurons(w, in, t.part(a, b), nil, low[a:b])
	})
	if err != nil {
		return err
	}
	for k := 0; k < len(low); k += 2 {
		s, j := p.at(in.id, int(t.owner[k])), t.index[k]
		l, u := low[k], -low[k+1]
		if p.o.Plain && p.of[t.owner[k]].Known == nil { // what a snapshot knows stays known
			s.lo[j], s.up[j] = l, u
		} else {
			s.lo[j], s.up[j] = max(s.lo[j], l), min(s.up[j], u)
		}
		p.meet(s, int(t.owner[k]), int(j))
	}
	return nil
}

// open lists two rows for each element that intervals leave open, up and down.
func (p *pass) open(in, reader *value) rowSet {
	t := p.arena.rows
	t.index, t.sign, t.owner = t.index[:0], t.sign[:0], t.owner[:0]
	for b := range p.n {
		if in.exact && len(p.cuts[b]) == 0 {
			continue
		}
		if p.of[b].Known != nil && !p.less[b] { // rows would find what the snapshot has
			continue
		}
		s := p.at(in.id, b)
		for i, l := range s.lo {
			u := s.up[i]
			if reader != nil && reader.relu {
				if !p.alone && (l >= 0 || u <= 0) {
					continue
				}
			} else if !(l < u) {
				continue
			}
			t.add(int32(i), 1, int32(b))
			t.add(int32(i), -1, int32(b))
		}
	}
	p.arena.rows = t
	return t
}

// own gives a value a box of its own: it may be shared with the value that this one copies.
func (p *pass) own(v *value, b int) {
	s := p.at(v.id, b)
	m := p.arena.get(2 * v.n)
	copy(m[:v.n], s.lo)
	copy(m[v.n:], s.up)
	s.lo, s.up = m[:v.n], m[v.n:]
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
