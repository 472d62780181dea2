// Package join puts networks into one graph, in which what several of them compute in the same way from the same values is one.
package join

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Joined is a graph on its way. Values of networks are copied under names of its own.
type Joined struct {
	Graph  *onnxio.Graph
	ids    map[*onnxio.Value]string
	seen   map[string][]*onnxio.Value // outputs of a node by its key
	consts map[string]*onnxio.Value
	next   int
}

// New is a graph without anything.
func New(name string) *Joined {
	return &Joined{Graph: &onnxio.Graph{Name: name},
		ids: map[*onnxio.Value]string{}, seen: map[string][]*onnxio.Value{}, consts: map[string]*onnxio.Value{}}
}

// Input makes an input like v.
func (j *Joined) Input(v *onnxio.Value) *onnxio.Value {
	w := *v
	w.Producer = nil
	j.ids[&w] = fmt.Sprint("input", len(j.Graph.Inputs))
	j.Graph.Inputs = append(j.Graph.Inputs, &w)
	return &w
}

// Add puts a network behind what is there, as infer.Prepare gives it, and returns what its outputs became. given are the values that its inputs
// take, each of this graph. Nodes with the same operator, attributes and inputs become one: all such where scope is "", and else only what is one
// node of the model that the scope names, known by its outputs' names.
func (j *Joined) Add(scope string, g *onnxio.Graph, given map[*onnxio.Value]*onnxio.Value) ([]*onnxio.Value, error) {
	at := map[*onnxio.Value]*onnxio.Value{}
	for v, w := range given {
		at[v] = w
	}
	for _, n := range g.Nodes {
		if err := j.node(scope, n, at); err != nil {
			return nil, err
		}
	}
	var outs []*onnxio.Value
	for _, y := range g.Outputs {
		w, err := j.value(y, at)
		if err != nil {
			return nil, err
		}
		outs = append(outs, w)
	}
	return outs, nil
}

// Step adds a node of one output, over values of this graph and constants, and returns that; like is the type of the output.
func (j *Joined) Step(op string, opset int, attrs onnxio.Attrs, like onnxio.DType, shape []int, inputs ...*onnxio.Value) (*onnxio.Value, error) {
	y := &onnxio.Value{Name: "y", DType: like, Shape: shape, HasShape: true}
	for _, d := range shape {
		y.Dims = append(y.Dims, onnxio.Dim{Size: d})
	}
	n := &onnxio.Node{Op: op, Opset: opset, Attrs: attrs, Inputs: inputs, Outputs: []*onnxio.Value{y}}
	at := map[*onnxio.Value]*onnxio.Value{}
	for _, v := range inputs {
		if v.Const == nil {
			at[v] = v
		}
	}
	if err := j.node("", n, at); err != nil {
		return nil, err
	}
	return at[y], nil
}

// value is what stands for a value of one of the graphs.
func (j *Joined) value(v *onnxio.Value, at map[*onnxio.Value]*onnxio.Value) (*onnxio.Value, error) {
	if v == nil {
		return nil, nil
	}
	if w := at[v]; w != nil {
		return w, nil
	}
	if v.Const == nil {
		return nil, fmt.Errorf("nothing computes the value %q", v.Name)
	}
	id := "const" + digest(v.Const)
	w := j.consts[id]
	if w == nil {
		c := *v
		c.Producer, c.Name = nil, fmt.Sprint("constant", len(j.consts))
		w = &c
		j.consts[id] = w
		j.ids[w] = id
	}
	at[v] = w
	return w, nil
}

func (j *Joined) node(scope string, n *onnxio.Node, at map[*onnxio.Value]*onnxio.Value) error {
	c := *n
	c.Inputs, c.Outputs = nil, nil
	var key strings.Builder
	fmt.Fprintf(&key, "%s|%s|%s|%d|%d|", scope, n.Domain, n.Op, n.Opset, len(n.Outputs))
	for _, v := range n.Inputs {
		w, err := j.value(v, at)
		if err != nil {
			return err
		}
		c.Inputs = append(c.Inputs, w)
		if w != nil {
			key.WriteString(j.ids[w])
		}
		key.WriteByte(',')
	}
	names := []string{}
	for name := range n.Attrs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if t, ok := n.Attrs[name].(*onnxio.Tensor); ok {
			fmt.Fprintf(&key, "|%s=%s", name, digest(t))
		} else {
			fmt.Fprintf(&key, "|%s=%T%v", name, n.Attrs[name], n.Attrs[name])
		}
	}
	for _, v := range n.Outputs {
		fmt.Fprintf(&key, "|%v", v != nil)
		if scope != "" && v != nil {
			fmt.Fprintf(&key, "%q", v.Name)
		}
	}
	outs, known := j.seen[key.String()]
	if !known {
		c.Name = fmt.Sprint("node", len(j.Graph.Nodes))
		for _, v := range n.Outputs {
			if v == nil {
				c.Outputs = append(c.Outputs, nil)
				continue
			}
			j.next++
			w := *v
			w.Name, w.Producer = fmt.Sprint("value", j.next), &c
			j.ids[&w] = w.Name
			c.Outputs = append(c.Outputs, &w)
		}
		outs = c.Outputs
		j.seen[key.String()] = outs
		j.Graph.Nodes = append(j.Graph.Nodes, &c)
	}
	for i, v := range n.Outputs {
		if v != nil {
			at[v] = outs[i]
		}
	}
	return nil
}

// digest is a hash of a tensor's type, shape and elements.
func digest(t *onnxio.Tensor) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v%v", t.DType, t.Shape)
	if f := t.F32(); f != nil {
		buf := make([]byte, 0, 4*len(f))
		for _, x := range f {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
		}
		h.Write(buf)
	} else {
		fmt.Fprintf(h, "%v", t.Data)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}
