package infer

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// pass is one simplification. Order matters: what does nothing is bypassed first, so that its readers see through it, and what then
// nobody reads is dropped last.
type pass struct {
	name string
	run  func(*onnxio.Graph)
}

var passes = []pass{
	{name: "bypass Identity and Dropout", run: bypass},
	{name: "drop dead nodes", run: dropDead},
}

// bypass lets the readers of a copy read the original.
func bypass(g *onnxio.Graph) {
	same := map[*onnxio.Value]*onnxio.Value{}
	for _, n := range g.Nodes {
		for i, v := range n.Inputs {
			if to := same[v]; to != nil {
				n.Inputs[i] = to
			}
		}
		if !copies(n) || slices.Contains(g.Outputs, n.Outputs[0]) {
			continue
		}
		same[n.Outputs[0]] = n.Inputs[0]
	}
}

// copies tells whether a node's only read output is its first input.
func copies(n *onnxio.Node) bool {
	if len(n.Inputs) == 0 || n.Inputs[0] == nil || n.Outputs[0] == nil || n.Outputs[0].Const != nil {
		return false
	}
	def, err := operators.Lookup(n)
	return err == nil && def.Copies != nil && def.Copies(n)
}

// mayDrop tells whether a node may be without output k. One that the standard wants to be there keeps its name even where nobody reads it, as
// do those of operators that are not the standard's.
func mayDrop(n *onnxio.Node, k int) bool {
	if n.Domain != "" {
		return false
	}
	f := op.Standard().At(n.Op, n.Opset)
	return f != nil && f.MayDrop(k)
}

// dropDead removes nodes whose outputs are constant or read by nobody.
func dropDead(g *onnxio.Graph) {
	live := map[*onnxio.Value]bool{}
	for _, v := range g.Outputs {
		live[v] = true
	}
	keep := make([]bool, len(g.Nodes))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		for k, v := range n.Outputs {
			if v != nil && live[v] && v.Const == nil {
				keep[i] = true
			} else if v != nil && !live[v] && k > 0 && mayDrop(n, k) {
				n.Outputs[k] = nil
			}
		}
		if keep[i] {
			for _, v := range n.Inputs {
				if v != nil {
					live[v] = true
				}
			}
		}
	}
	var out []*onnxio.Node
	for i, n := range g.Nodes {
		if keep[i] {
			out = append(out, n)
		}
	}
	g.Nodes = out
}
