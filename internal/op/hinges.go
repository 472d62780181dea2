package op

import "github.com/shallow-waters/shoal/onnxio"

// WriteHinges gives the nodes that stand for one whose inputs have static shapes, in hinges, squares and what is straight; nil for one that stays.
// The emitter is one of the node's graph.
func (e *Emitter) WriteHinges(d *Def, n *onnxio.Node) ([]*onnxio.Node, error) {
	if d.Hinges == nil || len(n.Outputs) == 0 || n.Outputs[0] == nil || len(n.Outputs) > 1 && n.Outputs[1] != nil {
		return nil, nil
	}
	e.Nodes, e.Err = nil, nil
	made := d.Hinges(e, n)
	if e.Err != nil {
		return nil, asOf(n, e.Err)
	}
	if made == nil {
		return nil, nil
	}
	v := n.Outputs[0]
	id := &onnxio.Node{Name: e.Name("Identity"), Op: "Identity", Opset: e.Opset, Inputs: []*onnxio.Value{made}, Outputs: []*onnxio.Value{v}}
	v.Producer = id
	out := append(e.Nodes, id)
	e.Nodes = nil
	return out, nil
}

// Larger is the larger of two values: b where the hinge at 0 of a-b is 0, and a behind it.
func (e *Emitter) Larger(a, b *onnxio.Value) *onnxio.Value {
	return e.Add(b, e.Op("Relu", nil, e.Sub(a, b)))
}

// Largest is the largest of some values, two by two: each hinge tells of two candidates which is the larger one.
func (e *Emitter) Largest(vs []*onnxio.Value) *onnxio.Value {
	for len(vs) > 1 {
		var next []*onnxio.Value
		for i := 0; i+1 < len(vs); i += 2 {
			next = append(next, e.Larger(vs[i], vs[i+1]))
		}
		if len(vs)%2 == 1 {
			next = append(next, vs[len(vs)-1])
		}
		vs = next
	}
	return vs[0]
}
