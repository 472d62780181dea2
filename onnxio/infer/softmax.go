package infer

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// FinalSoftmax is the Softmax or LogSoftmax that gives the one output of a graph with static shapes, if it runs over all numbers of each of so many
// samples: the order of a sample's numbers is then that of what goes into it. nil where there is none.
func FinalSoftmax(g *onnxio.Graph, samples int) *onnxio.Node {
	if g.Check() != nil || len(g.Outputs) != 1 {
		return nil
	}
	n := g.Outputs[0].Producer
	for n != nil && copies(n) {
		n = n.Inputs[0].Producer
	}
	if n == nil || n.Domain != "" || n.Op != "Softmax" && n.Op != "LogSoftmax" || len(n.Inputs) == 0 || n.Inputs[0] == nil || n.Inputs[0].Const != nil {
		return nil
	}
	shape := n.Inputs[0].Shape
	axis := n.Attrs.Int("axis", map[bool]int{true: -1, false: 1}[n.Opset >= 13])
	if axis < 0 {
		axis += len(shape)
	}
	if axis < 0 || axis >= len(shape) || shape[axis] < 2 || shape[axis]*samples != onnxio.NumElements(shape) {
		return nil
	}
	if samples != 1 && (axis == 0 || shape[0] != samples) { // over the samples, or over what is not one
		return nil
	}
	return n
}

// WithoutSoftmax gives a graph that ends before its FinalSoftmax, and tells whether there was one. It shares nodes and values with g.
func WithoutSoftmax(g *onnxio.Graph, samples int) (out *onnxio.Graph, dropped bool) {
	n := FinalSoftmax(g, samples)
	if n == nil {
		return g, false
	}
	short := *g
	short.Outputs = []*onnxio.Value{n.Inputs[0]}
	gone := map[*onnxio.Node]bool{n: true}
	for p := g.Outputs[0].Producer; p != n; p = p.Inputs[0].Producer {
		gone[p] = true
	}
	short.Nodes = slices.DeleteFunc(slices.Clone(g.Nodes), func(m *onnxio.Node) bool { return gone[m] })
	return &short, true
}
