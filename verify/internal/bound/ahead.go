package bound

import (
	"errors"
)

// Equations take two passes for each input that varies, and save two rows for each neuron whose side they find: they go ahead of rows where inputs
// are few, neurons many, and one value alone has aheadRows open neurons for each such input.
const aheadInputs, aheadNeurons, aheadRows = 16, 2000, 8

// varying counts the elements that have a width.
func varying(box Box) int {
	n := 0
	for i, l := range box.Lower {
		if l < box.Upper[i] {
			n++
		}
	}
	return n
}

// ahead has equations in the inputs made for the boxes in which so many neurons of a value are open that their rows cost more, and tells whether it
// did.
func (p *pass) ahead(in *value, set rowSet) (bool, error) {
	if p.o.Plain || p.o.Ahead == 0 && p.net.Neurons() < aheadNeurons {
		return false, nil
	}
	if p.front == nil {
		p.front = make([][]Box, p.n)
	}
	open := make([]int, p.n)
	for _, b := range set.owner {
		open[b]++
	}
	made := false
	for b, n := range open {
		if n == 0 || p.front[b] != nil || p.of[b].Known != nil {
			continue
		}
		d, least := varying(p.of[b].Box), p.o.Ahead
		if least == 0 {
			least = aheadRows * d
		}
		if d > aheadInputs || n < least {
			continue
		}
		if err := p.equate(b); err != nil {
			return made, err
		}
		made = true
	}
	if made {
		p.behind(in)
	}
	return made, nil
}

// equate bounds all values of box b by equations in the inputs: rows then go down only for neurons that are left open.
func (p *pass) equate(b int) error {
	o := p.o
	o.Refine = nil
	q, err := newPass(p.ctx, p.net, o, 1)
	if err != nil {
		return err
	}
	defer q.close()
	q.of = []Problem{{Box: p.of[b].Box}}
	p.front[b] = make([]Box, len(p.net.values))
	if _, err = q.runSymbolic(p.of[b].Box); err != nil {
		if wide := (*TooWideError)(nil); errors.As(err, &wide) {
			return nil
		}
		return err
	}
	for _, v := range p.net.values {
		if !v.nonlinear() {
			continue
		}
		for _, in := range v.in {
			s := q.at(in, 0)
			p.front[b][in] = Box{Lower: append([]float64(nil), s.lo...), Upper: append([]float64(nil), s.up...)}
		}
	}
	return nil
}

// behind meets a value's boxes with what went ahead.
func (p *pass) behind(in *value) {
	for b := range p.front {
		if p.front[b] == nil || p.front[b][in.id].Lower == nil {
			continue
		}
		p.own(in, b)
		s, f := p.at(in.id, b), p.front[b][in.id]
		for i := range s.lo {
			s.lo[i], s.up[i] = max(s.lo[i], f.Lower[i]), min(s.up[i], f.Upper[i])
			p.meet(s, b, i)
		}
	}
}
