package equal

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// merged is a graph in which two networks read the same inputs and share every value that both compute in the same way.
type merged struct {
	graph  *onnxio.Graph
	ids    map[*onnxio.Value]string
	seen   map[string][]*onnxio.Value // outputs of a node by its key
	consts map[string]*onnxio.Value
	next   int
}

// ports are the inputs that a caller gives.
func ports(g *onnxio.Graph) []*onnxio.Value {
	var out []*onnxio.Value
	for _, v := range g.Inputs {
		if v.Const == nil {
			out = append(out, v)
		}
	}
	return out
}

func names(vs []*onnxio.Value) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Name)
	}
	return out
}

// matched puts B's ports into A's order and checks that each fits its counterpart.
func matched(what string, a, b []*onnxio.Value, by string) ([]*onnxio.Value, string, error) {
	m, err := Match(what, names(a), names(b), by)
	if err != nil {
		return nil, "", err
	}
	var out []*onnxio.Value
	for i, k := range m.Of {
		if x, y := a[i], b[k]; !slices.Equal(x.Shape, y.Shape) || x.DType != y.DType {
			return nil, "", fmt.Errorf("%ss matched by %s differ: %q is %v of shape %v, %q is %v of shape %v", what, m.By, x.Name,
				x.DType, x.Shape, y.Name, y.DType, y.Shape)
		}
		out = append(out, b[k])
	}
	return out, m.By, nil
}

// merge puts two prepared graphs into one. Nodes with the same operator, attributes and inputs become one node. Inputs and outputs are
// matched as Match says; c gets how. Outputs are those of A and of B, in A's order.
func merge(a, b *onnxio.Graph, by string, c *Certificate) (*onnxio.Graph, [2][]*onnxio.Value, error) {
	m := &merged{graph: &onnxio.Graph{Name: "difference"}, ids: map[*onnxio.Value]string{}, seen: map[string][]*onnxio.Value{},
		consts: map[string]*onnxio.Value{}}
	var outs [2][]*onnxio.Value
	var given, asked [2][]*onnxio.Value
	given[0], asked[0] = ports(a), a.Outputs
	var err error
	if given[1], c.InputsBy, err = matched("input", given[0], ports(b), by); err != nil {
		return nil, outs, err
	}
	if asked[1], c.OutputsBy, err = matched("output", asked[0], b.Outputs, by); err != nil {
		return nil, outs, err
	}
	var inputs []*onnxio.Value
	for i, v := range given[0] {
		w := *v
		w.Producer = nil
		inputs = append(inputs, &w)
		m.ids[&w] = fmt.Sprint("input", i)
	}
	for k, g := range []*onnxio.Graph{a, b} {
		at := map[*onnxio.Value]*onnxio.Value{}
		for i, v := range given[k] {
			at[v] = inputs[i]
		}
		for _, n := range g.Nodes {
			m.node(n, at)
		}
		for _, y := range asked[k] {
			outs[k] = append(outs[k], m.value(y, at))
		}
	}
	m.graph.Inputs = inputs
	return m.graph, outs, nil
}

// value is what stands for a value of one of the graphs.
func (m *merged) value(v *onnxio.Value, at map[*onnxio.Value]*onnxio.Value) *onnxio.Value {
	if v == nil {
		return nil
	}
	if w := at[v]; w != nil {
		return w
	}
	if v.Const == nil {
		panic("equal: a value that nothing computes: " + v.Name)
	}
	id := "const" + digest(v.Const)
	w := m.consts[id]
	if w == nil {
		c := *v
		c.Producer, c.Name = nil, fmt.Sprint("constant", len(m.consts))
		w = &c
		m.consts[id] = w
		m.ids[w] = id
	}
	at[v] = w
	return w
}

func (m *merged) node(n *onnxio.Node, at map[*onnxio.Value]*onnxio.Value) {
	c := *n
	c.Inputs, c.Outputs = nil, nil
	var key strings.Builder
	fmt.Fprintf(&key, "%s|%s|%d|%d|", n.Domain, n.Op, n.Opset, len(n.Outputs))
	for _, v := range n.Inputs {
		w := m.value(v, at)
		c.Inputs = append(c.Inputs, w)
		if w != nil {
			key.WriteString(m.ids[w])
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
	}
	outs, known := m.seen[key.String()]
	if !known {
		c.Name = fmt.Sprint("node", len(m.graph.Nodes))
		for _, v := range n.Outputs {
			if v == nil {
				c.Outputs = append(c.Outputs, nil)
				continue
			}
			m.next++
			w := *v
			w.Name, w.Producer = fmt.Sprint("value", m.next), &c
			m.ids[&w] = w.Name
			c.Outputs = append(c.Outputs, &w)
		}
		outs = c.Outputs
		m.seen[key.String()] = outs
		m.graph.Nodes = append(m.graph.Nodes, &c)
	}
	for i, v := range n.Outputs {
		if v != nil {
			at[v] = outs[i]
		}
	}
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
