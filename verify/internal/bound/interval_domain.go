package bound

import (
	"context"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
)

// Interval is interval arithmetic. Rows over the outputs still go down through the affine layers that end the network, to the boxes of the last
// nonlinear values.
var Interval Domain = interval{}

type interval struct{}

func (interval) Name() string { return "interval" }
func (interval) Alone() bool  { return false }

func (interval) Bound(ctx context.Context, net *Network, o Options, problems []Problem) (*Bounds, error) {
	p, err := newPass(ctx, net, o, len(problems))
	if err != nil {
		return nil, err
	}
	if err := p.run(problems); err != nil {
		p.close()
		return nil, err
	}
	b := &Bounds{p: p}
	b.lower = func(rows [][]float64, owner []int32, _ *Trace) ([]float64, error) {
		low := unknownLower(len(rows))
		return low, p.folded(rows, owner, low)
	}
	return b, nil
}

// folded improves lower bounds of rows by those that end at the boxes of the last nonlinear values.
func (p *pass) folded(rows [][]float64, owner []int32, low []float64) error {
	return p.chunks(p.net.values[len(p.net.values)-1], len(rows), func(w *affine.Work, from, to int) {
		part := make([]float64, to-from)
		p.forms(w, p.rowsOver(rows[from:to]), owner[from:to], true, nil, part)
		for i, x := range part {
			low[from+i] = max(low[from+i], x)
		}
	})
}

func unknownLower(n int) []float64 {
	low := make([]float64, n)
	for i := range low {
		low[i] = math.Inf(-1)
	}
	return low
}

func unknown(b Box) {
	for i := range b.Lower {
		b.Lower[i], b.Upper[i] = math.Inf(-1), math.Inf(1)
	}
}
