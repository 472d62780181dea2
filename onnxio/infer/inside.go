package infer

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// Inside is what a node with graphs of its own (If, Loop, Scan) is made of, written out: for who keeps the node and has to know what it does.
type Inside struct {
	Nodes []*onnxio.Node
	// Partly tells that Nodes are not all that the node's graphs hold: the branch that an If does not take, or the body of a Loop that has no turn.
	Partly bool
	// Values are those of the node's graphs, those of graphs in them too, in the order in which they were met; Stand has what stands for each in Nodes,
	// several where a body runs several times.
	Values []*onnxio.Value
	Stand  map[*onnxio.Value][]*onnxio.Value
}

// stay begins with a node that stays.
func (w *walk) stay(n *onnxio.Node) error {
	w.of[n], w.whole[n] = n, &Inside{Stand: map[*onnxio.Value][]*onnxio.Value{}}
	if w.begin == nil {
		return nil
	}
	return w.begin(n)
}

// partly notes that a node's graphs are not written out as a whole.
func (w *walk) partly(n *onnxio.Node) {
	if in := w.whole[w.of[n]]; in != nil {
		in.Partly = true
	}
}

// standsFor notes what stands for a value of a node's graph.
func (w *walk) standsFor(n *onnxio.Node, v, stand *onnxio.Value) {
	in := w.whole[w.of[n]]
	if in == nil || v == nil || stand == nil || slices.Contains(in.Stand[v], stand) {
		return
	}
	if in.Stand[v] == nil {
		in.Values = append(in.Values, v)
	}
	in.Stand[v] = append(in.Stand[v], stand)
}

// returned gives nodes that stay their outputs back.
func (w *walk) returned() {
	for n := range w.whole {
		for _, v := range n.Outputs {
			if v != nil {
				v.Producer = n
			}
		}
	}
}

// Reads are the names that a node reads, those of its graphs with them, which also refer to values of the graph around; none of nil.
func Reads(n *onnxio.Node) map[string]bool {
	names := map[string]bool{}
	if n != nil {
		readBy(n, names)
	}
	return names
}
