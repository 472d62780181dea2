package onnxio

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// graphBuilder makes a Graph of a GraphProto.
type graphBuilder struct {
	opsets map[string]int
	dir    string
	outer  *graphBuilder // of the graph around a subgraph
	values map[string]*Value
	depth  int

	// Of a file of an opset before 7: that opset, and the nodes that could not be brought up, with the reasons.
	old  int
	stay map[*pb.NodeProto]string

	// While a model is read: when to stop, and whose memory external data takes. Nil where a file that has been read is looked at again.
	ctx   context.Context
	room  *budget.Budget
	owner *Model
}

// tensor reads a constant, after the budget has been asked for what is not in the file itself: many tensors may name one external file.
func (b *graphBuilder) tensor(p *pb.TensorProto) (*Tensor, error) {
	if b.ctx != nil && b.ctx.Err() != nil {
		return nil, b.ctx.Err()
	}
	if b.room != nil && p.GetDataLocation() == 1 {
		size := float64(DType(p.GetDataType()).Bits()) / 8
		for _, d := range p.Dims {
			size *= float64(d)
		}
		if err := budget.Hold(b.room, b.owner, fmt.Sprintf("external data of %q", p.GetName()), int64(max(0, min(size, 1<<62)))); err != nil {
			return nil, err
		}
	}
	return decodeTensor(p, b.dir)
}

// maxGraphDepth limits subgraphs in subgraphs.
const maxGraphDepth = 16

func (b *graphBuilder) graph(p *pb.GraphProto, top bool) (*Graph, error) {
	if len(p.Output) == 0 {
		return nil, &FormatError{Offset: -1, Why: "the graph has no outputs"}
	}
	b.values = map[string]*Value{}
	g := &Graph{Name: p.GetName()}
	for _, w := range p.SparseInitializer {
		if name := w.GetValues().GetName(); name != "" {
			b.values[name] = &Value{Name: name, Kind: "sparse tensor"}
		}
	}
	for _, w := range p.Initializer {
		if w.GetName() == "" {
			return nil, &FormatError{Offset: -1, Why: "an initializer has no name"}
		}
		if b.values[w.GetName()] != nil {
			return nil, &FormatError{Offset: -1, Why: fmt.Sprintf("two initializers are named %q", w.GetName())}
		}
		t, err := b.tensor(w)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", w.GetName(), err)
		}
		v := constant(w.GetName(), t)
		if d := DType(w.GetDataType()); d.Half() { // what is cast like it is rounded so
			v.DType = d
		}
		b.values[w.GetName()] = v
	}
	seen := map[string]bool{}
	for _, in := range p.Input {
		if seen[in.GetName()] {
			return nil, &FormatError{Offset: -1, Why: fmt.Sprintf("two inputs are named %q", in.GetName())}
		}
		seen[in.GetName()] = true
		if b.values[in.GetName()] != nil { // a constant with a default: the files of IR 3 list all weights here
			continue
		}
		v := &Value{Name: in.GetName()}
		if err := declare(v, in.GetType()); err != nil {
			return nil, fmt.Errorf("input %q: %w", in.GetName(), err)
		}
		b.values[v.Name] = v
		g.Inputs = append(g.Inputs, v)
	}
	if err := b.nodes(g, p, top); err != nil {
		return nil, err
	}
	for _, info := range p.ValueInfo {
		if v := b.values[info.GetName()]; v != nil && v.Const == nil && v.Producer != nil {
			// A wrong note about an inner value is the exporter's, not the network's: shapes are inferred anyway.
			_ = declare(v, info.GetType())
		}
	}
	for _, o := range p.Output {
		v := b.find(o.GetName())
		if v == nil {
			return nil, &FormatError{Offset: -1, Why: fmt.Sprintf("output %q is computed by no node", o.GetName())}
		}
		if v.Producer != nil {
			if err := declare(v, o.GetType()); err != nil {
				return nil, fmt.Errorf("output %q: %w", o.GetName(), err)
			}
		}
		g.Outputs = append(g.Outputs, v)
	}
	return g, b.sort(g)
}

func constant(name string, t *Tensor) *Value {
	v := &Value{Name: name, DType: t.DType, Const: t, HasShape: true, Shape: t.Shape}
	if v.Shape == nil {
		v.Shape = []int{}
	}
	for _, d := range t.Shape {
		v.Dims = append(v.Dims, Dim{Size: d})
	}
	return v
}

// declare notes a value's declared type.
func declare(v *Value, t *pb.TypeProto) error {
	if t == nil {
		return nil
	}
	tt := t.GetTensorType()
	if tt == nil {
		v.Kind = pb.Kind(t)
		return nil
	}
	v.DType = DType(tt.GetElemType())
	if tt.Shape == nil {
		return nil
	}
	v.HasShape, v.Dims = true, nil
	for _, d := range tt.Shape.Dim {
		dim := Dim{Size: -1, Name: dimName(d)}
		if d.DimValue != nil {
			if d.GetDimValue() < 0 || d.GetDimValue() > math.MaxInt32 {
				// Some exporters write -1 for a free size.
				if d.GetDimValue() != -1 {
					return fmt.Errorf("a dimension of %d", d.GetDimValue())
				}
			} else {
				dim = Dim{Size: int(d.GetDimValue())}
			}
		}
		v.Dims = append(v.Dims, dim)
	}
	return nil
}

// dimName is a free dimension's name; "" also for what some exporters write for a size that they do not know, which is no name: two of
// them need not be the same size.
func dimName(d *pb.TensorShapeProto_Dimension) string {
	if name := d.GetDimParam(); name != "?" && name != "-1" && name != "None" {
		return name
	}
	return ""
}

// find looks a value up, also in the graphs around.
func (b *graphBuilder) find(name string) *Value {
	for x := b; x != nil; x = x.outer {
		if v := x.values[name]; v != nil {
			return v
		}
	}
	return nil
}

func (b *graphBuilder) nodes(g *Graph, p *pb.GraphProto, top bool) error {
	var ops topology
	if top && len(p.Node) > 0 {
		// A file that the standard allows must not fail because of the parser: where it refuses, the wire has the same.
		if t, err := readTopology(p); err == nil && agrees(t, p) {
			ops = t
		}
	}
	for i, n := range p.Node {
		node := &Node{Name: n.GetName(), Op: n.GetOpType(), Domain: domain(n.GetDomain()), place: i + 1}
		if node.Name == "" {
			node.Name = fmt.Sprintf("#%d", i)
			if len(n.Output) > 0 && n.Output[0] != "" {
				node.Name = n.Output[0]
			}
		}
		version, ok := b.opsets[node.Domain]
		if !ok && node.Domain == "" {
			return &NodeError{node.Name, node.Op, &FormatError{Offset: -1, Why: "the file imports no opset of the standard's operators"}}
		}
		node.Opset = version
		if why := b.stay[n]; why != "" {
			node.Opset, node.Unraised = b.old, why
		}
		outputs := n.Output
		if ops != nil {
			outputs = ops[i].outputs
		}
		for _, name := range outputs {
			if name == "" {
				node.Outputs = append(node.Outputs, nil)
				continue
			}
			if old := b.values[name]; old != nil {
				return &NodeError{node.Name, node.Op, &FormatError{Offset: -1, Why: fmt.Sprintf("value %q is defined twice", name)}}
			}
			v := &Value{Name: name, Producer: node}
			b.values[name] = v
			node.Outputs = append(node.Outputs, v)
		}
		g.Nodes = append(g.Nodes, node)
	}
	for i, n := range p.Node {
		node := g.Nodes[i]
		inputs := n.Input
		if ops != nil && len(inputs) > 0 { // a node without inputs gets an invented one
			inputs = ops[i].inputs
		}
		for _, name := range inputs {
			if name == "" {
				node.Inputs = append(node.Inputs, nil)
				continue
			}
			v := b.find(name)
			if v == nil {
				return &NodeError{node.Name, node.Op, &FormatError{Offset: -1, Why: fmt.Sprintf("input %q is defined nowhere", name)}}
			}
			node.Inputs = append(node.Inputs, v)
		}
		if err := b.attributes(node, n); err != nil {
			return &NodeError{node.Name, node.Op, err}
		}
		if node.Op == "Constant" && node.Domain == "" {
			for _, a := range n.Attribute { // what is cast like it is rounded so
				if d := DType(a.GetT().GetDataType()); d.Half() && len(node.Outputs) > 0 && node.Outputs[0] != nil {
					node.Outputs[0].DType = d
				}
			}
		}
	}
	return nil
}

// agrees compares onnx-go's topology with the wire.
func agrees(t topology, p *pb.GraphProto) bool {
	if len(t) != len(p.Node) {
		return false
	}
	for i, n := range p.Node {
		if t[i].op != n.GetOpType() || !slices.Equal(t[i].outputs, n.Output) {
			return false
		}
		if len(n.Input) > 0 && len(n.Output) > 0 && !slices.Equal(t[i].inputs, n.Input) {
			return false
		}
		if len(n.Output) == 0 {
			return false
		}
	}
	return true
}

// sort brings nodes into topological order, which the standard asks for and some files lack.
func (b *graphBuilder) sort(g *Graph) error {
	const (
		fresh = iota
		active
		done
	)
	state := make(map[*Node]int, len(g.Nodes))
	inGraph := make(map[*Node]bool, len(g.Nodes))
	for _, n := range g.Nodes {
		inGraph[n] = true
	}
	out := make([]*Node, 0, len(g.Nodes))
	type frame struct {
		n *Node
		i int
	}
	for _, root := range g.Nodes {
		if state[root] != fresh {
			continue
		}
		stack := []frame{{root, 0}}
		state[root] = active
		for len(stack) > 0 {
			f := &stack[len(stack)-1]
			if f.i == len(f.n.Inputs) {
				state[f.n] = done
				out = append(out, f.n)
				stack = stack[:len(stack)-1]
				continue
			}
			v := f.n.Inputs[f.i]
			f.i++
			if v == nil || v.Producer == nil || !inGraph[v.Producer] {
				continue
			}
			switch state[v.Producer] {
			case active:
				return &NodeError{v.Producer.Name, v.Producer.Op, &FormatError{Offset: -1, Why: "the graph has a cycle through this node"}}
			case fresh:
				state[v.Producer] = active
				stack = append(stack, frame{v.Producer, 0})
			}
		}
	}
	g.Nodes = out
	return nil
}

func (b *graphBuilder) attributes(node *Node, n *pb.NodeProto) error {
	if len(n.Attribute) == 0 {
		return nil
	}
	node.Attrs = Attrs{}
	for _, a := range n.Attribute {
		if ref := a.GetRefAttrName(); ref != "" { // only a function's body may say so, and those are written out by now
			return &FormatError{Offset: -1, Why: fmt.Sprintf("attribute %q stands for %q of a function, and there is none", a.GetName(), ref)}
		}
		v, err := b.attribute(a)
		if err != nil {
			return fmt.Errorf("attribute %q: %w", a.GetName(), err)
		}
		if _, double := node.Attrs[a.GetName()]; double {
			return fmt.Errorf("attribute %q is given twice", a.GetName())
		}
		node.Attrs[a.GetName()] = v
	}
	return nil
}

// Attribute types of the standard's AttributeProto.AttributeType.
const (
	attrFloat, attrInt, attrString, attrTensor, attrGraph        = pb.AttrFloat, pb.AttrInt, pb.AttrString, pb.AttrTensor, pb.AttrGraph
	attrFloats, attrInts, attrStrings, attrTensors, attrSubgraph = pb.AttrFloats, pb.AttrInts, pb.AttrStrings, pb.AttrTensors, pb.AttrSubgraph
)

func (b *graphBuilder) attribute(a *pb.AttributeProto) (any, error) {
	kind := a.GetType()
	if kind == 0 { // files of IR 1 do not say
		switch {
		case a.F != nil:
			kind = attrFloat
		case a.I != nil:
			kind = attrInt
		case a.S != nil:
			kind = attrString
		case a.T != nil:
			kind = attrTensor
		case len(a.Ints) > 0:
			kind = attrInts
		case len(a.Floats) > 0:
			kind = attrFloats
		}
	}
	switch kind {
	case attrFloat:
		return a.GetF(), nil
	case attrInt:
		return a.GetI(), nil
	case attrString:
		return string(a.S), nil
	case attrFloats:
		return append([]float32{}, a.Floats...), nil
	case attrInts:
		return append([]int64{}, a.Ints...), nil
	case attrStrings:
		out := []string{}
		for _, s := range a.Strings {
			out = append(out, string(s))
		}
		return out, nil
	case attrTensor:
		if a.T == nil {
			return nil, fmt.Errorf("it has no tensor")
		}
		return b.tensor(a.T)
	case attrTensors:
		var out []*Tensor
		for _, t := range a.Tensors {
			d, err := b.tensor(t)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
		return out, nil
	case attrGraph:
		if a.G == nil || b.depth >= maxGraphDepth {
			return nil, fmt.Errorf("it has no graph, or graphs are nested deeper than %d", maxGraphDepth)
		}
		sub := &graphBuilder{opsets: b.opsets, old: b.old, stay: b.stay, dir: b.dir, outer: b, depth: b.depth + 1, ctx: b.ctx, room: b.room, owner: b.owner}
		return sub.graph(a.G, false)
	}
	return Unread{kind}, nil
}
