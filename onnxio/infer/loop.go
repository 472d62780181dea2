package infer

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// A Loop is written out turn by turn: its body's nodes, and then the Loop again with what the turn gave. Whether there is another turn must be known
// by then, without the input's values. A Scan (scan.go) has as many turns as its inputs have slices.

// maxTurns is how often a Loop or a Scan is written out at most.
const maxTurns = 1 << 14

// turns are what a Loop has behind it.
type turns struct {
	done  int64
	slots [][]*onnxio.Value // of each output that gathers, what the turns gave
}

// bodyOf is a node's body, of so many inputs.
func bodyOf(n *onnxio.Node, inputs, outputs int) (*onnxio.Graph, error) {
	g, _ := n.Attrs["body"].(*onnxio.Graph)
	if g == nil || len(g.Inputs) != inputs || len(g.Outputs) != outputs || slices.Contains(g.Inputs, nil) {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("its body is missing, or has not %d inputs and %d outputs", inputs, outputs)}
	}
	return g, nil
}

// unsaid is the refusal of a node whose turns depend on values.
func unsaid(n *onnxio.Node, format string, a ...any) error {
	return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Why: fmt.Sprintf(format, a...)}
}

// loop gives the nodes of a Loop's next turn with the rest of the Loop, or those that give its outputs.
func (w *walk) loop(n *onnxio.Node) ([]*onnxio.Node, error) {
	if err := op.CheckForm(n, "body"); err != nil {
		return nil, err
	}
	carried := max(0, len(n.Inputs)-2)
	gathered := len(n.Outputs) - carried
	if gathered < 0 || slices.Contains(n.Inputs[min(2, len(n.Inputs)):], nil) {
		return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("%d inputs and %d outputs", len(n.Inputs), len(n.Outputs))}
	}
	body, err := bodyOf(n, carried+2, carried+1+gathered)
	if err != nil {
		return nil, err
	}
	t := w.turns[n]
	if t == nil {
		t = &turns{slots: make([][]*onnxio.Value, gathered)}
	}
	more := true
	if v := n.Input(0); v != nil {
		if v.Const == nil || len(v.Const.I64()) != 1 {
			return nil, unsaid(n, "how often it runs depends on the input's values")
		}
		more = t.done < v.Const.I64()[0]
	}
	if v := n.Input(1); v != nil && more {
		if v.Const == nil {
			return nil, unsaid(n, "whether it goes on after %d turns depends on the input's values", t.done)
		}
		b, ok := v.Const.Data.([]bool)
		if !ok || len(b) != 1 {
			return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("a condition of type %v and shape %v", v.Const.DType, v.Const.Shape)}
		}
		more = b[0]
	}
	if more && t.done >= maxTurns {
		return nil, unsaid(n, "it takes more than %d turns", maxTurns)
	}
	if !more {
		if t.done == 0 {
			w.partly(n)
		}
		return w.after(n, n.Inputs[min(2, len(n.Inputs)):], t.slots, nil)
	}
	going := &onnxio.Value{Name: w.names.fresh(n.Name + "/going"), DType: onnxio.Bool, Shape: oneOf(body.Inputs[1])}
	going.Const = &onnxio.Tensor{DType: onnxio.Bool, Shape: going.Shape, Data: []bool{true}}
	given := []*onnxio.Value{w.names.ints(n.Name+"/turn", oneOf(body.Inputs[0]), t.done), going}
	given = append(given, n.Inputs[min(2, len(n.Inputs)):]...)
	nodes, out, err := w.inline(n, body, given, nil)
	if err != nil {
		return nil, err
	}
	rest := *n
	rest.Inputs = append([]*onnxio.Value{n.Input(0)}, out[:carried+1]...)
	next := &turns{done: t.done + 1}
	for k, slots := range t.slots {
		next.slots = append(next.slots, append(slots, out[carried+1+k]))
	}
	w.turns[&rest], w.scopes[&rest] = next, w.scopes[n]
	return append(nodes, &rest), nil
}

// oneOf is the shape of a single number as a body's input declares it.
func oneOf(v *onnxio.Value) []int {
	if v.HasShape && len(v.Dims) == 1 {
		return []int{1}
	}
	return []int{}
}

// after gives a node's outputs: what is carried, and what each turn gave, put together along an axis.
func (w *walk) after(n *onnxio.Node, carried []*onnxio.Value, slots [][]*onnxio.Value,
	axis func(k int) (axis int, backward bool)) ([]*onnxio.Node, error) {
	var nodes []*onnxio.Node
	for k, v := range n.Outputs {
		if v == nil {
			continue
		}
		if k < len(carried) {
			nodes = append(nodes, copyOf(n, carried[k], v))
			continue
		}
		at, backward := 0, false
		if axis != nil {
			at, backward = axis(k - len(carried))
		}
		all := slots[k-len(carried)]
		if len(all) == 0 {
			return nil, unsaid(n, "it has no turn, and %q gathers what they give", v.Name)
		}
		join := &onnxio.Node{Name: n.Name + "/" + v.Name, Op: "Concat", Opset: n.Opset, Attrs: onnxio.Attrs{"axis": int64(at)}, Outputs: []*onnxio.Value{v}}
		for _, x := range all {
			row := w.names.made(x.Name + "/row")
			nodes = append(nodes, w.axisNode("Unsqueeze", n, x, row, at))
			join.Inputs = append(join.Inputs, row)
		}
		if backward {
			slices.Reverse(join.Inputs)
		}
		v.Producer = join
		nodes = append(nodes, join)
	}
	return nodes, nil
}

// axisNode is an Unsqueeze or Squeeze of one axis, in the form of the node's opset.
func (w *walk) axisNode(name string, of *onnxio.Node, from, to *onnxio.Value, axis int) *onnxio.Node {
	c := &onnxio.Node{Name: to.Name, Op: name, Opset: of.Opset, Inputs: []*onnxio.Value{from}, Outputs: []*onnxio.Value{to}}
	if of.Opset < 13 {
		c.Attrs = onnxio.Attrs{"axes": []int64{int64(axis)}}
	} else {
		c.Inputs = append(c.Inputs, w.names.ints(to.Name+"_axis", []int{1}, int64(axis)))
	}
	to.Producer = c
	return c
}
