package infer

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// room is what inferring a graph may use: time until the context ends, and the budget's memory.
type room struct {
	ctx    context.Context
	budget *budget.Budget
	graph  *onnxio.Graph // what is folded is held for as long as this is there
	work   op.Workspace
	emit   *op.Emitter // of parts; nil until one is needed
	unread map[string]bool
}

// reads tells whether anything may read a value of the graph. Values that are not the file's own (of turns that are written out) may be read.
func (r *room) reads(v *onnxio.Value) bool {
	if r.unread == nil {
		r.unread = map[string]bool{}
		read := map[string]bool{}
		for _, n := range r.graph.Nodes {
			readBy(n, read)
			for _, v := range n.Outputs {
				if v != nil {
					r.unread[v.Name] = true
				}
			}
		}
		for _, v := range r.graph.Outputs {
			read[v.Name] = true
		}
		for name := range read {
			delete(r.unread, name)
		}
	}
	return !r.unread[v.Name]
}

// whole is a node without the outputs that nobody reads, which its parts need not make.
func (r *room) whole(n *onnxio.Node) *onnxio.Node {
	out := *n
	out.Outputs = slices.Clone(n.Outputs)
	for i, v := range out.Outputs {
		if v != nil && i > 0 && !r.reads(v) {
			out.Outputs[i] = nil
		}
	}
	return &out
}

// opset is the version of the standard's operators that parts are written for: the graph's own, or the newest where it has none of them.
func (r *room) opset() int {
	for _, n := range r.graph.Nodes {
		if n.Domain == "" && n.Opset > 0 {
			return n.Opset
		}
	}
	return op.MaxOpset
}

// parts gives the nodes that stand for one whose operator is written in others; nil for one that stays. The inputs' types are known.
func (r *room) parts(n *onnxio.Node, o Options) ([]*onnxio.Node, error) {
	if !o.apart {
		return nil, nil
	}
	def, err := o.lookup(n)
	if err != nil || !def.Apart(n) && !(o.Steps && def.Steps && !allConstant(n)) {
		return nil, nil // visiting says what is wrong
	}
	for _, v := range n.Inputs {
		if v != nil && v.Const != nil {
			v.Shape, v.DType = append([]int{}, v.Const.Shape...), v.Const.DType
		}
		if v != nil && v.Shape == nil {
			return nil, nil
		}
	}
	n.Reading = o.Reading
	n = r.whole(n)
	if r.emit == nil {
		r.emit = op.NewEmitter(r.ctx, o.operators(), r.graph, "part")
		r.emit.Opset = r.opset()
	}
	nodes, err := r.emit.WriteParts(def, n)
	if err != nil && n.Domain != "" && r.ctx.Err() == nil { // an operator that is not the standard's may need more of it than the file's opset has
		r.emit.Opset = op.MaxOpset
		nodes, err = r.emit.WriteParts(def, n)
		r.emit.Opset = r.opset()
	}
	if err != nil || !o.Float64 {
		return nodes, err
	}
	return nodes, r.widen(&onnxio.Graph{Nodes: nodes}) // what was cast to float32 on the way is float64 too
}

// ask asks the budget for a node's outputs before anything of their size is allocated: what is computed must fit at all, and what is folded is
// held. Folding may need as much as its inputs and outputs again for a time.
func (r *room) ask(n *onnxio.Node, constant bool) error {
	out, in := int64(0), int64(0)
	for _, v := range n.Outputs {
		if v != nil {
			out += bytesOf(v)
		}
	}
	for _, v := range n.Inputs {
		if v != nil {
			in += bytesOf(v)
		}
	}
	what := fmt.Sprintf("node %q (%s)", n.Name, n.Op)
	if !constant {
		return r.budget.Ask(what, out)
	}
	if err := r.budget.Ask(what, 2*out+in); err != nil {
		return err
	}
	return budget.Hold(r.budget, r.graph, what, out)
}

// bytesOf is the size of a value in memory. Sizes are below maxElements, so that nothing overflows.
func bytesOf(v *onnxio.Value) int64 {
	return int64(onnxio.NumElements(v.Shape)) * int64(max(1, v.DType.Size()))
}

// widen turns all float32 constants and declarations into float64.
func (r *room) widen(g *onnxio.Graph) error {
	var failed error
	seen := map[*onnxio.Value]bool{}
	one := func(v *onnxio.Value) {
		if v == nil || seen[v] {
			return
		}
		seen[v] = true
		if v.DType == onnxio.Float {
			v.DType = onnxio.Double
		}
		if v.Const != nil && v.Const.DType == onnxio.Float {
			if err := budget.Hold(r.budget, r.graph, fmt.Sprintf("%q in float64", v.Name), 8*int64(v.Const.Len())); err != nil {
				failed = err
				return
			}
			f, _ := v.Const.Float64s()
			v.Const = onnxio.FromFloat64(f, v.Const.Shape...)
		}
	}
	for _, v := range g.Inputs {
		one(v)
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			one(v)
		}
	}
	for _, v := range g.Outputs {
		one(v)
	}
	return failed
}

// allConstant tells that a node is folded.
func allConstant(n *onnxio.Node) bool {
	return !slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && v.Const == nil })
}
