package op

import (
	"cmp"
	"context"
	"fmt"
	"runtime"

	"github.com/shallow-waters/shoal/onnxio"
)

// Apart tells whether a node is to be written in its operator's parts.
func (d *Def) Apart(n *onnxio.Node) bool { return d.Parts != nil && (d.Whole == nil || !d.Whole(n)) }

// parts calls the face with all the inputs that an operator needs there. Formulas index shapes as the standard has them, at dozens of places; those
// of a hostile file may have fewer axes, which ends here.
func (d *Def) parts(e *Emitter, n *onnxio.Node) (out []*onnxio.Value) {
	defer func() {
		if r := recover(); r != nil {
			fault, ok := r.(runtime.Error)
			if !ok {
				panic(r)
			}
			e.Fail(fmt.Errorf("its inputs are not of the shapes that the operator takes (%v)", fault))
			out = nil
		}
	}()
	needs := max(1, d.Least)
	if d.Domain == "" {
		needs = 1
		if f := Standard().At(n.Op, n.Opset); f != nil {
			needs = f.Least
		}
	}
	for i := range needs {
		if n.Input(i) == nil {
			e.Fail(fmt.Errorf("input %d is missing", i))
			return nil
		}
	}
	return d.Parts(e, n)
}

// WriteParts gives the nodes that stand for one whose inputs have static shapes: its parts, and copies that give them the names of its outputs. The
// emitter is one of the node's graph.
func (e *Emitter) WriteParts(d *Def, n *onnxio.Node) ([]*onnxio.Node, error) {
	e.Nodes, e.Err = nil, nil
	made := d.parts(e, n)
	if e.Err == nil && len(made) < len(n.Outputs) {
		for _, v := range n.Outputs[len(made):] {
			if v != nil {
				e.Fail(Refuse(n, "output %q is not computed", v.Name))
			}
		}
	}
	if e.Err != nil {
		return nil, asOf(n, e.Err)
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		if made[i] == nil {
			return nil, Refuse(n, "output %q is not computed", v.Name)
		}
		id := &onnxio.Node{Name: e.Name("Identity"), Op: "Identity", Opset: e.Opset, Inputs: []*onnxio.Value{made[i]}, Outputs: []*onnxio.Value{v}}
		v.Producer = id
		e.Nodes = append(e.Nodes, id)
	}
	out := e.Nodes
	e.Nodes = nil
	for _, p := range out {
		p.Reading, p.Of, p.From = n.Reading, n.Of, cmp.Or(n.From, n)
		if p.Of == "" && d.Fused && p.Op != "Identity" {
			p.Of = Key(n.Domain, n.Op)
		}
	}
	return out, nil
}

// PartTypes are the types of the outputs of a node that is written in parts; none for an output that the parts do not make.
func (t *Table) PartTypes(ctx context.Context, d *Def, n *onnxio.Node, opset int) ([]Type, error) {
	e := NewEmitter(ctx, t, &onnxio.Graph{}, "parts")
	e.Opset = opset
	made := d.parts(e, n)
	if e.Err != nil {
		return nil, asOf(n, e.Err)
	}
	var out []Type
	for _, v := range made {
		if v == nil {
			out = append(out, Type{})
			continue
		}
		out = append(out, Type{v.DType, v.Shape})
	}
	return out, nil
}

// asOf places an error of a part at the node that it belongs to.
func asOf(n *onnxio.Node, err error) error {
	return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("written in other operators: %w", err)}
}
