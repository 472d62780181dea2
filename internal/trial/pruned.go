package trial

import (
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// Pruned is what pruning made of a graph, for reports, and the nodes of each of its layers before and after, in the order of the layers.
func Pruned(before *onnxio.Graph, r *prune.Result) (*report.PruneSum, [][2]*onnxio.Node, error) {
	s := &report.PruneSum{Score: string(r.Plan.Choice.Score), Layers: []report.PrunedLayer{}, Classes: []report.PrunedClass{},
		Pinned: []report.PinnedLayer{}}
	for _, p := range r.Plan.Pinned {
		s.Pinned = append(s.Pinned, report.PinnedLayer(p))
	}
	for _, cl := range r.Plan.Classes {
		s.Classes = append(s.Classes, prunedClass(cl))
	}
	all, was, err := r.Coupling.Costs(before)
	if err != nil {
		return nil, nil, err
	}
	left, now, err := r.Coupling.Costs(r.Graph)
	if err != nil {
		return nil, nil, err
	}
	s.Before.Parameters, s.Before.MACs = all.Parameters, all.MACs
	s.After.Parameters, s.After.MACs = left.Parameters, left.MACs
	at := map[string]prune.LayerCost{}
	for _, l := range now {
		at[l.Node.Outputs[0].Name] = l
	}
	var nodes [][2]*onnxio.Node
	for _, l := range was {
		n, ok := at[l.Node.Outputs[0].Name]
		if !ok {
			continue
		}
		s.Layers = append(s.Layers, report.PrunedLayer{Name: l.Name, Op: l.Op, Before: l.Channels, After: n.Channels,
			Params: [2]int{l.Parameters, n.Parameters}, MACs: [2]int{l.MACs, n.MACs}})
		nodes = append(nodes, [2]*onnxio.Node{l.Node, n.Node})
	}
	return s, nodes, nil
}

// prunedClass leaves out the long lists that the plan's own file has.
func prunedClass(cl prune.ClassPlan) report.PrunedClass {
	out := report.PrunedClass{Units: cl.Units, Removed: cl.Removed, Held: cl.Held}
	for _, l := range cl.Layers {
		out.Layers = append(out.Layers, report.PrunedFilters(l))
	}
	for _, p := range cl.Proofs {
		var d report.DeadUnit
		for _, f := range p.Filters {
			d.Filters = append(d.Filters, report.FilterRange(f))
		}
		for _, e := range p.Ends {
			d.Ends = append(d.Ends, report.EndRange(e))
		}
		out.Proofs = append(out.Proofs, d)
	}
	return out
}
