package bound

import (
	"context"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
)

// The domains that substitute rows back to the inputs. They differ in the lower line of an unstable piecewise linear neuron alone.
var (
	// FastLin takes the upper line's slope below too. Source: Weng et al. 2018 (Fast-Lin); Wong and Kolter 2018.
	FastLin Domain = &backward{"fastlin", op.SlopeParallel}
	// DeepPoly takes slope 1 or 0, whichever leaves less. Source: Singh et al. 2019 (DeepPoly); Zhang et al. 2018 (CROWN).
	DeepPoly Domain = &backward{"deeppoly", op.SlopeAdaptive}
)

type backward struct {
	name  string
	slope op.Slope
}

func (d *backward) Name() string { return d.name }
func (d *backward) Alone() bool  { return false }

func (d *backward) Bound(ctx context.Context, net *Network, o Options, problems []Problem) (*Bounds, error) {
	p := newPass(ctx, net, o, len(problems))
	p.rows, p.slope = true, d.slope
	if err := p.run(problems); err != nil {
		p.close()
		return nil, err
	}
	return &Bounds{p: p, lower: p.substituted}, nil
}

// substituted bounds rows by taking them down to the inputs, and, unless Plain, by what intervals say.
func (p *pass) substituted(rows [][]float64, owner []int32, corners [][]float64) ([]float64, error) {
	low := unknownLower(len(rows))
	if !p.o.Plain {
		if err := p.folded(rows, owner, low); err != nil {
			return low, err
		}
	}
	err := p.chunks(p.net.values[len(p.net.values)-1], len(rows), func(w *affine.Work, from, to int) {
		part := make([]float64, to-from)
		var corner func(int, *affine.Rows)
		if corners != nil {
			for i := from; i < to; i++ {
				corners[i] = make([]float64, p.net.nIn)
			}
			corner = func(id int, r *affine.Rows) { p.corner(id, r, owner[from:to], corners[from:to]) }
		}
		p.forms(w, p.rowsOver(rows[from:to]), owner[from:to], false, corner, part)
		for i, x := range part {
			low[from+i] = max(low[from+i], x)
		}
	})
	return low, err
}

// corner writes where in the box the rows over an input are least.
func (p *pass) corner(id int, r *affine.Rows, owner []int32, out [][]float64) {
	at := 0
	for _, in := range p.net.inputs {
		if in == id {
			break
		}
		at += p.net.values[in].n
	}
	v := p.net.values[id]
	for i := range r.N {
		s := p.at(id, int(owner[i]))
		for k, c := range r.Row(i) {
			x := s.lo[k]
			if c < 0 {
				x = s.up[k]
			} else if c == 0 {
				x = 0.5*s.lo[k] + 0.5*s.up[k]
			}
			out[i][at+v.order.At(k)] = x
		}
	}
}
