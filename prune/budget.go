package prune

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// ratioSteps is how finely a ratio is looked for: halvings of [0, 1].
const ratioSteps = 12

// fit looks for the least ratio at which the model keeps to its targets. Costs fall as the ratio grows, up to ties in the ranking.
func (c *Coupling) fit(ch Choice, at func(ratio float64) (*Result, error)) (*Result, error) {
	low, high := 0.0, 1.0
	var best *Result
	for range ratioSteps {
		mid := (low + high) / 2
		r, err := at(mid)
		if err != nil {
			return nil, err
		}
		params, macs, err := c.costs(r.Graph)
		if err != nil {
			return nil, err
		}
		if (ch.MaxParameters == 0 || params <= ch.MaxParameters) && (ch.MaxMACs == 0 || macs <= ch.MaxMACs) {
			best, high = r, mid
		} else {
			low = mid
		}
	}
	if best == nil {
		r, err := at(high - (high-low)/2)
		if err != nil {
			return nil, err
		}
		params, macs, err := c.costs(r.Graph)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the target cannot be met: with all but one channel of every layer gone, %d parameters and %d multiply-adds stay", params, macs)
	}
	best.Plan.Choice.MaxParameters, best.Plan.Choice.MaxMACs = ch.MaxParameters, ch.MaxMACs
	return best, nil
}

// costs counts parameters, and multiply-adds for one sample, at the sizes of the analysis.
func (c *Coupling) costs(g *onnxio.Graph) (params, macs int, err error) {
	a, err := infer.Prepare(named(g), c.first.o)
	if err != nil {
		return 0, 0, err
	}
	for _, x := range infer.Costs(a) {
		params += x.Parameters
		macs += x.MACs
	}
	return params, macs / max(c.first.o.Batch, 1), nil
}
