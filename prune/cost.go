package prune

import (
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Cost is what a model holds and does for one sample.
type Cost struct {
	Parameters int `json:"params"` // elements of weights, of real numbers or quantised
	MACs       int `json:"macs"`   // multiply-adds of products and convolutions
}

// LayerCost is one node of the file with multiply-adds or parameters, whether it was written in others or not.
type LayerCost struct {
	Name, Op string
	Channels int // of its output
	Cost
	Node *onnxio.Node
}

// Costs counts a graph of the coupling's model, as a whole and by layer, at the sizes of the analysis and with one sample.
func (c *Coupling) Costs(g *onnxio.Graph) (Cost, []LayerCost, error) {
	if err := g.Check(); err != nil {
		return Cost{}, nil, err
	}
	o := c.first.o
	o.Batch = 1
	p, err := infer.Prepare(c.first.ctx, named(g), o)
	if err != nil {
		if p, err = infer.Prepare(c.first.ctx, named(g), c.first.o); err != nil {
			return Cost{}, nil, err
		}
	}
	var all Cost
	var layers []LayerCost
	at := map[*onnxio.Node]int{} // of nodes that were written in others, their place among the layers
	for _, x := range infer.Costs(p) {
		all.Parameters += x.Parameters
		all.MACs += x.MACs
		if x.Parameters == 0 && x.MACs == 0 {
			continue
		}
		n := x.Node
		if n.From != nil && len(n.From.Outputs) > 0 && n.From.Outputs[0] != nil && n.From.Outputs[0].Shape != nil {
			n = n.From
			if k, known := at[n]; known {
				layers[k].Parameters += x.Parameters
				layers[k].MACs += x.MACs
				continue
			}
			at[n] = len(layers)
		}
		layers = append(layers, LayerCost{n.Name, n.Op, channels(n), Cost{x.Parameters, x.MACs}, n})
	}
	return all, layers, nil
}

// channels is the length of the axis of a node's output that its filters make.
func channels(n *onnxio.Node) int {
	s := n.Outputs[0].Shape
	def, err := operators.Lookup(n)
	switch {
	case len(s) == 0:
		return 1
	case len(s) == 1 || err == nil && def.FeaturesLast:
		return s[len(s)-1]
	default:
		return s[1]
	}
}
