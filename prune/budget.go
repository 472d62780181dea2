package prune

import "fmt"

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
		cost, _, err := c.Costs(r.Graph)
		if err != nil {
			return nil, err
		}
		if (ch.MaxParameters == 0 || cost.Parameters <= ch.MaxParameters) && (ch.MaxMACs == 0 || cost.MACs <= ch.MaxMACs) {
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
		cost, _, err := c.Costs(r.Graph)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("the target cannot be met: with all but the last channels of every layer gone, %d parameters and %d multiply-adds stay",
			cost.Parameters, cost.MACs)
	}
	best.Plan.Choice.MaxParameters, best.Plan.Choice.MaxMACs = ch.MaxParameters, ch.MaxMACs
	return best, nil
}
