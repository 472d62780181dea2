package bound

import (
	"context"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
)

// The domains that substitute rows back to the inputs. They differ in the lower line of an unstable piecewise linear neuron alone.
var (
	// FastLin takes the upper line's slope below too. Source: Weng et al. 2018 (Fast-Lin); Wong and Kolter 2018.
	FastLin Domain = &backward{"fastlin", relax.SlopeParallel, false}
	// FastLinPlain is FastLin as it was published: the bounds of every relu's input are those of its rows alone, and no interval meets them or says
	// which neurons have a side. Other curves are not in the publication. Source: Wong and Kolter 2018, algorithm 1.
	FastLinPlain Domain = &backward{"fastlin-plain", relax.SlopeParallel, true}
	// DeepPoly takes slope 1 or 0, whichever leaves less. Source: Singh et al. 2019 (DeepPoly); Zhang et al. 2018 (CROWN).
	DeepPoly Domain = &backward{"deeppoly", relax.SlopeAdaptive, false}
)

type backward struct {
	name  string
	slope relax.Slope
	alone bool // rows alone bound what relus read
}

func (d *backward) Name() string { return d.name }
func (d *backward) Alone() bool  { return false }

func (d *backward) Bound(ctx context.Context, net *Network, o Options, problems []Problem) (*Bounds, error) {
	o.Plain = o.Plain || d.alone
	p, err := newPass(ctx, net, o, len(problems))
	if err != nil {
		return nil, err
	}
	p.rows, p.slope, p.alone = true, d.slope, d.alone
	if err := p.run(problems); err != nil {
		p.close()
		return nil, err
	}
	return &Bounds{p: p, lower: p.substituted}, nil
}

// substituted bounds rows by taking them down to the inputs, and, unless Plain or Near, by what intervals say.
func (p *pass) substituted(rows [][]float64, owner []int32, t *Trace) ([]float64, error) {
	low := unknownLower(len(rows))
	if !p.o.Plain && !p.o.Near {
		if err := p.folded(rows, owner, low); err != nil {
			return low, err
		}
	}
	t.reset(len(rows), p.net.nIn)
	err := p.chunks(p.net.values[len(p.net.values)-1], len(rows), func(w *affine.Work, from, to int) {
		part := make([]float64, to-from)
		p.forms(w, p.rowsOver(rows[from:to]), owner[from:to], false, t.part(from, to), part)
		for i, x := range part {
			low[from+i] = max(low[from+i], x)
		}
	})
	return low, err
}
