package prune

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// impassable is why the values of a node stay that channels cannot be followed through.
func impassable(n *onnxio.Node) string {
	return fmt.Sprintf("operator %s cannot be pruned through (node %q)", op.Key(n.Domain, n.Op), n.Name)
}

// unled adds to what is pinned the nodes with weights that say nothing of their channels: no layer stands for them, and a plan that passed over
// them would be silent about what it leaves.
func (c *Coupling) unled() {
	told := map[string]bool{}
	for _, p := range c.Pinned {
		told[p.Layer] = true
	}
	for _, n := range c.graph.Nodes {
		def, err := operators.Lookup(n)
		if err != nil || def.Couple != nil || told[n.Name] || len(n.Outputs) == 0 || n.Outputs[0] == nil || !weighted(n, def) {
			continue
		}
		told[n.Name] = true
		c.Pinned = append(c.Pinned, PinnedLayer{Layer: n.Name, Channels: channels(n), Why: impassable(n)})
	}
	place := map[string]int{}
	for i, n := range slices.Backward(c.graph.Nodes) {
		place[n.Name] = i
	}
	slices.SortStableFunc(c.Pinned, func(a, b PinnedLayer) int { return place[a.Layer] - place[b.Layer] })
}

// weighted tells whether a node has weights of its own: a constant of at least two axes that is no table of places.
func weighted(n *onnxio.Node, def *op.Def) bool {
	for _, v := range n.Inputs {
		if v != nil && v.Const != nil && len(v.Shape) > 1 && (v.DType.IsFloat() || def.MACs != nil || v.DType.Bits() <= 8 && v.DType != onnxio.Bool) {
			return true
		}
	}
	return false
}
