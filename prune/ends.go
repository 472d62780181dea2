package prune

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// endsOf lists the axes of computed values over which nodes sum, in the order of the graph. All that the rest of a network sees of a unit
// is what reaches these: elsewhere a slot stays in its place, or is left out.
func (c *Coupling) endsOf() []op.Axis {
	var out []op.Axis
	seen := map[op.Axis]bool{}
	for _, m := range c.ends {
		if m.axis.Value.Const == nil && !seen[m.axis] {
			seen[m.axis] = true
			out = append(out, m.axis)
		}
	}
	return out
}

// feature is a value whose slots are wanted, and its place among the outputs of a probe.
type feature struct {
	value *onnxio.Value
	axes  []op.Axis
}

// probe is the file's graph with other outputs: the values that the axes belong to. base is the file's graph or one like it.
func (c *Coupling) probe(base *onnxio.Graph, axes []op.Axis) (*onnxio.Graph, []feature) {
	var list []feature
	at := map[*onnxio.Value]int{}
	for _, a := range axes {
		k, ok := at[a.Value]
		if !ok {
			k = len(list)
			at[a.Value] = k
			list = append(list, feature{value: a.Value})
		}
		list[k].axes = append(list[k].axes, a)
	}
	g := base.Clone()
	byName := map[string]*onnxio.Value{}
	eachValue(g, func(v *onnxio.Value) { byName[v.Name] = v })
	g.Outputs = nil
	for _, f := range list {
		g.Outputs = append(g.Outputs, byName[f.value.Name])
	}
	return g, list
}

// along folds the elements of a flat array of some samples' shape into one figure for each slot of an axis: f(old, element).
func along(shape []int, axis int, data []float64, start float64, f func(was, x float64) float64) []float64 {
	size, inner := shape[axis], onnxio.NumElements(shape[axis+1:])
	out := slices.Repeat([]float64{start}, size)
	for i, x := range data {
		k := i / inner % size
		out[k] = f(out[k], x)
	}
	return out
}
