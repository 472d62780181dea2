package infer

import "github.com/shallow-waters/shoal/onnxio"

// Live returns a copy of a graph without the nodes that no output needs. What such a node is, and whether anybody knows it, does not matter to
// what the graph computes. nil for a graph that is none.
func Live(g *onnxio.Graph) *onnxio.Graph {
	if g.Check() != nil {
		return nil
	}
	g = g.Clone()
	dropUnread(g)
	return g
}

// dropUnread takes out the nodes that no output needs, and leaves the outputs of the others as they are. It gives the names that are read.
func dropUnread(g *onnxio.Graph) map[string]bool {
	read := map[string]bool{}
	for _, v := range g.Outputs {
		read[v.Name] = true
	}
	live := make([]bool, len(g.Nodes))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		for _, v := range g.Nodes[i].Outputs {
			live[i] = live[i] || v != nil && read[v.Name]
		}
		if live[i] {
			readBy(g.Nodes[i], read)
		}
	}
	out := g.Nodes[:0]
	for i, n := range g.Nodes {
		if live[i] {
			out = append(out, n)
		}
	}
	clear(g.Nodes[len(out):])
	g.Nodes = out
	return read
}

// readBy notes the names that a node reads, those of its subgraphs with them: a subgraph refers to values of the graph around by name.
func readBy(n *onnxio.Node, read map[string]bool) {
	for _, v := range n.Inputs {
		if v != nil {
			read[v.Name] = true
		}
	}
	for _, a := range n.Attrs {
		if sub, ok := a.(*onnxio.Graph); ok {
			for _, m := range sub.Nodes {
				readBy(m, read)
			}
			for _, v := range sub.Outputs {
				read[v.Name] = true
			}
		}
	}
}
