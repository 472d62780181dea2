package bound

import (
	"github.com/shallow-waters/shoal/internal/affine"
)

// Around are the boxes of what hinges read, as bounds proved them over a box. They hold on each of its parts. They never change.
type Around struct {
	origin
	lo, up []float64 // of each element that hinges read, see hinged
}

// AroundBytes is about what the boxes of a network take.
func (net *Network) AroundBytes() int {
	_, n := net.hinged()
	return 16 * n
}

// Around are those of a problem, nil where there are none.
func (b *Bounds) Around(problem int) *Around {
	own, ok := b.origin(problem)
	at, n := b.p.net.hinged()
	if !ok || n == 0 {
		return nil
	}
	both := make([]float64, 2*n)
	a := &Around{origin: own, lo: both[:n], up: both[n:]}
	for id, from := range at {
		if from >= 0 {
			x := b.p.at(id, problem)
			copy(a.lo[from:], x.lo)
			copy(a.up[from:], x.up)
		}
	}
	return a
}

// around cuts a value's boxes with those that were proved over boxes around.
func (p *pass) around(in *value) {
	at, _ := p.net.hinged()
	from := at[in.id]
	if from < 0 {
		return
	}
	for b := range p.of {
		a := p.of[b].Around
		if a == nil {
			continue
		}
		p.own(in, b)
		s := p.at(in.id, b)
		for i := range s.lo {
			s.lo[i], s.up[i] = max(s.lo[i], a.lo[from+i]), min(s.up[i], a.up[from+i])
			p.meet(s, b, i)
		}
	}
}

// near bounds pairs of rows, those of the two ends of an element that a hinge reads: the end nearer to 0 first, and the other only where that does
// not tell the sign.
func (p *pass) near(in *value, t rowSet) error {
	for b := range p.n {
		p.own(in, b)
	}
	first := make([]bool, len(t.index)) // by row: it is the one of its pair that comes first
	for k := 0; k < len(t.index); k += 2 {
		s, j := p.at(in.id, int(t.owner[k])), t.index[k]
		if s.up[j] < -s.lo[j] {
			first[k+1] = true
		} else {
			first[k] = true
		}
	}
	for _, turn := range []bool{true, false} {
		var some rowSet
		for k, j := range t.index {
			s := p.at(in.id, int(t.owner[k]))
			if first[k] == turn && s.lo[j] < 0 && s.up[j] > 0 {
				some.add(j, t.sign[k], t.owner[k])
			}
		}
		low := make([]float64, len(some.index))
		err := p.chunks(in, len(low), func(w *affine.Work, a, b int) {
			p.neurons(w, in, some.part(a, b), nil, low[a:b])
		})
		if err != nil {
			return err
		}
		for k, x := range low {
			s, j := p.at(in.id, int(some.owner[k])), some.index[k]
			if some.sign[k] > 0 {
				s.lo[j] = max(s.lo[j], x)
			} else {
				s.up[j] = min(s.up[j], -x)
			}
			p.meet(s, int(some.owner[k]), int(j))
		}
	}
	return nil
}
