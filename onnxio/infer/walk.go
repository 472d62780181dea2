package infer

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// walk goes through a graph's nodes in order. Nodes with graphs of their own (If, Loop, Scan) give way to what these hold.
type walk struct {
	// cond is an If's condition where it is constant for good.
	cond func(*onnxio.Node) *onnxio.Tensor
	// keep leaves nodes with graphs as they are, but for an If of a constant condition: what was inferred of all others is known otherwise.
	keep bool
	// parts, if it is not nil, gives the nodes to which one gives way; nil for none.
	parts func(*onnxio.Node) ([]*onnxio.Node, error)
	// made, if it is not nil, sees the nodes that are written out before they are visited.
	made  func([]*onnxio.Node) error
	visit func(*onnxio.Node) error
	// whole, if it is not nil, has nodes with graphs stay where they are: it takes down what they gave way to. begin sees them first.
	whole map[*onnxio.Node]*Inside
	begin func(*onnxio.Node) error
	of    map[*onnxio.Node]*onnxio.Node // of a node that was written out, the one that stays for it

	outer  map[string]*onnxio.Value // of the graph, as far as it was visited
	names  inUse
	scopes map[*onnxio.Node]*scope
	checks map[*onnxio.Node]func() error // asked once a node's inputs are known
	turns  map[*onnxio.Node]*turns
	called map[string]int // names of nodes, and how often each was wanted
}

// run visits the nodes of a graph, and leaves those that were.
func (w *walk) run(ctx context.Context, g *onnxio.Graph) error {
	w.outer, w.names = map[string]*onnxio.Value{}, namesOf(g)
	w.scopes, w.checks, w.turns = map[*onnxio.Node]*scope{}, map[*onnxio.Node]func() error{}, map[*onnxio.Node]*turns{}
	note := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				w.outer[v.Name] = v
			}
		}
	}
	w.called, w.of = map[string]int{}, map[*onnxio.Node]*onnxio.Node{}
	for _, n := range g.Nodes {
		w.called[n.Name]++
	}
	note(g.Inputs)
	var out []*onnxio.Node
	queue := g.Nodes
	for inlined := 0; len(queue) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := queue[0]
		queue = queue[1:]
		note(n.Inputs)
		if w.whole != nil && w.of[n] == nil && branches(n) {
			if err := w.stay(n); err != nil {
				return err
			}
			out = append(out, n)
		}
		if f := w.checks[n]; f != nil {
			if err := f(); err != nil {
				return err
			}
		}
		nodes, writtenOut, err := w.written(n)
		if err != nil {
			return err
		}
		if writtenOut {
			if inlined += len(nodes); inlined > maxInlined {
				return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("graphs and parts of operators bring more than %d nodes", maxInlined)}
			}
			for _, m := range nodes {
				if stays := w.of[n]; stays != nil {
					w.of[m] = stays
				}
			}
			queue = append(nodes, queue...)
			continue
		}
		if err := w.visit(n); err != nil {
			return err
		}
		note(n.Outputs)
		if stays := w.of[n]; stays != nil && stays != n {
			w.whole[stays].Nodes = append(w.whole[stays].Nodes, n)
			continue
		}
		out = append(out, n)
	}
	g.Nodes = out
	w.returned()
	return nil
}

// written gives the nodes to which one gives way; false for one that stays.
func (w *walk) written(n *onnxio.Node) ([]*onnxio.Node, bool, error) {
	var nodes []*onnxio.Node
	var err error
	switch {
	case n.Domain == "" && n.Op == "If" && len(n.Inputs) == 1 && n.Inputs[0] != nil:
		if err := op.CheckForm(n, "then_branch", "else_branch"); err != nil {
			return nil, false, err
		}
		if c := w.cond(n); c != nil {
			w.partly(n)
			var branch *onnxio.Graph
			if branch, err = branchOf(n, c); err == nil {
				nodes, _, err = w.inline(n, branch, nil, n.Outputs)
			}
		} else if w.keep {
			return nil, false, nil
		} else {
			nodes, err = w.chosen(n)
		}
	case n.Domain == "" && n.Op == "Loop" && !w.keep:
		nodes, err = w.loop(n)
	case n.Domain == "" && n.Op == "Scan" && !w.keep:
		nodes, err = w.scan(n)
	case w.parts != nil:
		nodes, err := w.parts(n)
		return nodes, nodes != nil, err
	default:
		return nil, false, nil
	}
	if err == nil && w.made != nil {
		err = w.made(nodes)
	}
	w.call(nodes)
	return nodes, true, err
}

// call gives nodes that were written out names of their own: those of a loop's body stand there once a turn, and runtimes refuse two nodes of one
// name.
func (w *walk) call(nodes []*onnxio.Node) {
	for _, n := range nodes {
		if n.Name == "" || w.turns[n] != nil { // what is left of a loop gives way too, and is refused by the name that it has in the file
			continue
		}
		name := n.Name
		for w.called[n.Name] > 0 {
			w.called[name]++
			n.Name = fmt.Sprintf("%s_%d", name, w.called[name])
		}
		w.called[n.Name]++
	}
}
