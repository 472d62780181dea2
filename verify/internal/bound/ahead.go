package bound

import (
	"errors"
)

const (
	// aheadInputs is how many inputs may vary for their equations to go ahead of rows, and aheadNeurons how many neurons there must be for that to pay:
	// equations take two passes for each such input, and save two rows for each neuron whose side they find.
	aheadInputs, aheadNeurons = 16, 2000
)

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

// ahead bounds all values by equations in the inputs, where these are few and neurons many: rows then go down only for neurons that are left open.
func (p *pass) ahead(problems []Problem) error {
	least := p.o.Ahead
	if least == 0 {
		least = aheadNeurons
	}
	if p.net.Neurons() < least {
		return nil
	}
	p.front = make([][]Box, len(problems))
	for i := range problems {
		if problems[i].Known != nil || varying(problems[i].Box) > aheadInputs {
			continue
		}
		o := p.o
		o.Refine = nil
		q, err := newPass(p.ctx, p.net, o, 1)
		if err != nil {
			return err
		}
		q.of = []Problem{{Box: problems[i].Box}}
		_, err = q.runSymbolic(problems[i].Box)
		if wide := (*TooWideError)(nil); err != nil && !errors.As(err, &wide) {
			q.close()
			return err
		}
		if err == nil {
			p.front[i] = make([]Box, len(p.net.values))
			for _, v := range p.net.values {
				if !v.nonlinear() {
					continue
				}
				for _, in := range v.in {
					s := q.at(in, 0)
					p.front[i][in] = Box{Lower: append([]float64(nil), s.lo...), Upper: append([]float64(nil), s.up...)}
				}
			}
		}
		q.close()
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
