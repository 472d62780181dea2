package bound

import (
	"context"
	"fmt"
	"math"
)

// Symbolic is the forward pass in the input variables (ReluVal, Neurify); best where inputs are few. It takes one problem at a time.
var Symbolic Domain = forward{}

type forward struct{}

func (forward) Name() string { return "symbolic" }
func (forward) Alone() bool  { return true }

func (d forward) Bound(ctx context.Context, net *Network, o Options, problems []Problem) (*Bounds, error) {
	if err := checkAlone(d, problems); err != nil {
		return nil, err
	}
	p, err := newPass(ctx, net, o, 1)
	if err != nil {
		return nil, err
	}
	p.of = []Problem{{Box: problems[0].Box}} // what snapshots know is not used
	y, err := p.runSymbolic(problems[0].Box)
	if err != nil {
		p.close()
		return nil, err
	}
	b := &Bounds{p: p}
	b.lower = func(rows [][]float64, owner []int32, t *Trace) ([]float64, error) {
		low, forms := y.bound(p.rowsOver(rows), len(rows))
		if t != nil {
			t.reset(len(rows), net.nIn)
			for i, f := range forms {
				y.form(t.Coef[i], f)
				t.Const[i] = math.Inf(-1) // its rounding is not kept apart: the form serves to choose points, not to cut
			}
		}
		if o.Plain {
			return low, nil
		}
		return low, p.folded(rows, owner, low)
	}
	return b, nil
}

// TooWideError says that the forms in the inputs would not fit in memory.
type TooWideError struct{ Inputs, Widest int }

func (e *TooWideError) Error() string {
	return fmt.Sprintf("symbolic intervals of %d inputs over layers of %d neurons do not fit in memory; use deeppoly", e.Inputs, e.Widest)
}
