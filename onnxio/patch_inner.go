package onnxio

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// resize brings the sizes that a node's graph declares to what Graph says, in the graphs inside of it too, and tells whether any changed.
func resize(p *pb.GraphProto, g *Graph) bool {
	now := map[string]*Value{}
	note := func(vs []*Value) {
		for _, v := range vs {
			if v != nil && v.HasShape {
				now[v.Name] = v
			}
		}
	}
	made := map[string]*Node{}
	note(g.Inputs)
	for _, n := range g.Nodes {
		note(n.Outputs)
		for _, v := range n.Outputs {
			if v != nil {
				made[v.Name] = n
			}
		}
	}
	note(g.Outputs)
	changed := false
	for _, info := range slices.Concat(p.Input, p.Output, p.ValueInfo) {
		v, dims := now[info.GetName()], info.GetType().GetTensorType().GetShape().GetDim()
		if v == nil || len(dims) != len(v.Dims) {
			continue
		}
		for i, d := range dims {
			if want := v.Dims[i]; d.GetDimParam() == "" && want.Known() && d.GetDimValue() > 0 && d.GetDimValue() != int64(want.Size) {
				dims[i], changed = encodeDim(want), true
			}
		}
	}
	for _, n := range p.Node {
		i := slices.IndexFunc(n.Output, func(name string) bool { return made[name] != nil })
		if i < 0 {
			continue
		}
		for _, a := range n.Attribute {
			if sub, ok := made[n.Output[i]].Attrs[a.GetName()].(*Graph); ok && a.G != nil && resize(a.G, sub) {
				changed = true
			}
		}
	}
	return changed
}
