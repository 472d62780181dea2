package opset

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// graph is one graph of a file on its way to another opset: the main one, a subgraph of a node, or the body of a function.
type graph struct {
	file     *file
	outer    *graph
	nodes    []*node
	weights  map[string]*weight
	shapes   map[string][]int
	types    map[string]onnxio.DType
	added    []*pb.TensorProto
	function bool           // has no initializers: constants are nodes
	raw      []wire.Field   // of the main graph
	message  *pb.GraphProto // of a subgraph
	inputs   map[string]bool
}

// weight is an initializer. The large ones are never copied.
type weight struct {
	payload []byte
	tensor  *pb.TensorProto // where it was needed, or is new
	dropped bool
}

type node struct {
	p       *pb.NodeProto
	at      int // place of its field in the main graph; -1 for new ones
	graphs  []*graph
	changed bool
	dropped bool
	dead    bool // no output of the main graph needs it
}

func (w *file) newGraph(outer *graph) *graph {
	g := &graph{file: w, outer: outer, weights: map[string]*weight{}, shapes: map[string][]int{}, types: map[string]onnxio.DType{},
		inputs: map[string]bool{}}
	w.all = append(w.all, g)
	return g
}

func (w *file) mainGraph(fields []wire.Field, shapes map[string][]int) (*graph, error) {
	g := w.newGraph(nil)
	g.raw = fields
	maps.Copy(g.shapes, shapes)
	for _, f := range fields {
		switch f.Num {
		case pb.GraphInitializer:
			if err := g.weight(f.Payload); err != nil {
				return nil, err
			}
		case pb.GraphInput, pb.GraphOutput, pb.GraphValue:
			v := &pb.ValueInfoProto{}
			if err := proto.Unmarshal(f.Payload, v); err != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
			}
			g.declared(v, f.Num == pb.GraphInput, f.Num == pb.GraphOutput)
		}
	}
	for i, f := range fields {
		if f.Num == pb.GraphNode {
			n := &pb.NodeProto{}
			if err := proto.Unmarshal(f.Payload, n); err != nil {
				return nil, &onnxio.FormatError{Offset: -1, Why: err.Error()}
			}
			g.node(n, i)
		}
	}
	return g, nil
}

func (w *file) functionGraph(p *pb.FunctionProto) *graph {
	g := w.newGraph(nil)
	g.function = true
	for _, name := range p.Input {
		w.names[name] = true
	}
	for _, name := range p.Output {
		w.reads[name]++
		w.outputs[name] = true
	}
	for _, n := range p.Node {
		g.node(n, -1)
	}
	return g
}

func (g *graph) subgraph(p *pb.GraphProto) *graph {
	s := g.file.newGraph(g)
	s.message = p
	for _, t := range p.Initializer {
		s.weights[t.GetName()] = &weight{tensor: t}
		s.constant(t.GetName(), onnxio.DType(t.GetDataType()), t.Dims)
	}
	for i, list := range [][]*pb.ValueInfoProto{p.Input, p.Output, p.ValueInfo} {
		for _, v := range list {
			s.declared(v, i == 0, i == 1)
		}
	}
	for _, n := range p.Node {
		s.node(n, -1)
	}
	return s
}

// weight indexes an initializer without copying its numbers.
func (g *graph) weight(payload []byte) error {
	fields, err := wire.Split(payload)
	if err != nil {
		return &onnxio.FormatError{Offset: -1, Why: err.Error()}
	}
	var small []wire.Field
	for _, f := range fields {
		if f.Num == 0 || f.Num == pb.TensorDims || f.Num == pb.TensorName { // what is not bytes has number 0 here
			small = append(small, f)
		}
	}
	t := &pb.TensorProto{}
	if err := proto.Unmarshal(wire.Join(small), t); err != nil {
		return &onnxio.FormatError{Offset: -1, Why: err.Error()}
	}
	g.weights[t.GetName()] = &weight{payload: payload}
	g.constant(t.GetName(), onnxio.DType(t.GetDataType()), t.Dims)
	return nil
}

func (g *graph) constant(name string, d onnxio.DType, dims []int64) {
	shape := make([]int, len(dims))
	for i, n := range dims {
		shape[i] = int(n)
	}
	g.file.names[name] = true
	g.types[name], g.shapes[name] = d, shape
}

func (g *graph) declared(v *pb.ValueInfoProto, input, output bool) {
	name := v.GetName()
	g.file.names[name] = true
	if input {
		g.inputs[name] = true
	}
	if output {
		g.file.reads[name]++
		g.file.outputs[name] = true
	}
	t := v.GetType().GetTensorType()
	if t == nil {
		g.types[name] = map[string]onnxio.DType{"sequence": sequence, "optional": optional}[pb.Kind(v.GetType())]
		return
	}
	g.types[name] = onnxio.DType(t.GetElemType())
	if _, ok := g.shapes[name]; !ok && t.Shape != nil {
		shape := make([]int, len(t.Shape.Dim))
		for i, d := range t.Shape.Dim {
			shape[i] = -1
			if d.DimValue != nil && d.GetDimValue() >= 0 {
				shape[i] = int(d.GetDimValue())
			}
		}
		g.shapes[name] = shape
	}
}

// node takes a node in, with its subgraphs, and infers its outputs' types where the operator's history tells them.
func (g *graph) node(p *pb.NodeProto, at int) {
	n := &node{p: p, at: at}
	for _, name := range p.Input {
		g.file.reads[name]++
	}
	for _, name := range p.Output {
		g.file.names[name] = true
	}
	for _, a := range p.Attribute {
		for _, s := range append([]*pb.GraphProto{a.G}, a.Graphs...) {
			if s != nil {
				n.graphs = append(n.graphs, g.subgraph(s))
			}
		}
	}
	g.nodes = append(g.nodes, n)
	g.leaving(n)
	if row := operators()[p.GetOpType()]; row != nil && pb.Domain(p.GetDomain()) == "" && len(p.Output) > 0 && g.types[p.Output[0]] == 0 {
		if d := g.outputType(row, p); d != 0 {
			g.types[p.Output[0]] = d
			if p.GetOpType() == "Split" {
				for _, name := range p.Output {
					g.types[name] = d
				}
			}
		}
	}
}

// leaving has outputs of an If or a Loop be of the types with which they leave its graph.
func (g *graph) leaving(n *node) {
	first := map[string]int{"If": 0, "Loop": 1}
	skip, ok := first[n.p.GetOpType()]
	if !ok || pb.Domain(n.p.GetDomain()) != "" || len(n.graphs) == 0 {
		return
	}
	inner := n.graphs[0].message.Output
	for i, name := range n.p.Output {
		if k := i + skip; name != "" && g.types[name] == 0 && k < len(inner) {
			if d := n.graphs[0].typeOf(inner[k].GetName()); d != 0 {
				g.types[name] = d
			}
		}
	}
}

func (g *graph) outputType(row *operator, p *pb.NodeProto) onnxio.DType {
	attr := func(name string) *pb.AttributeProto {
		for _, a := range p.Attribute {
			if a.GetName() == name {
				return a
			}
		}
		return nil
	}
	switch p.GetOpType() {
	case "Cast":
		return onnxio.DType(attr("to").GetI())
	case "Constant":
		switch {
		case attr("value") != nil:
			return onnxio.DType(attr("value").GetT().GetDataType())
		case attr("value_int") != nil || attr("value_ints") != nil:
			return onnxio.Int64
		case attr("value_float") != nil || attr("value_floats") != nil:
			return onnxio.Float
		}
		return 0
	case "DequantizeLinear": // what its scale is, if it is not told otherwise
		if d := onnxio.DType(attr("output_dtype").GetI()); d != 0 {
			return d
		}
		if len(p.Input) > 1 {
			return g.typeOf(p.Input[1])
		}
		return 0
	case "ConstantOfShape":
		if t := attr("value").GetT(); t != nil {
			return onnxio.DType(t.GetDataType())
		}
		return onnxio.Float
	}
	switch d := typeWords[row.out]; {
	case len(d) == 1:
		return d[0]
	case row.out == "?" || row.out != "" && len(row.out) != 1:
		return 0
	}
	i := 0
	if row.out != "" {
		i = int(row.out[0] - '0')
	}
	if i >= len(p.Input) || p.Input[i] == "" {
		return 0
	}
	return g.typeOf(p.Input[i])
}

func (g *graph) typeOf(name string) onnxio.DType {
	for ; g != nil && name != ""; g = g.outer {
		if d := g.types[name]; d != 0 {
			return d
		}
	}
	return 0
}

func (g *graph) shapeOf(name string) ([]int, bool) {
	for ; g != nil && name != ""; g = g.outer {
		if s, ok := g.shapes[name]; ok {
			return s, true
		}
	}
	return nil, false
}

// constantTensor is the message of a value that an initializer or a Constant gives; nil where none does.
func (g *graph) constantTensor(name string) *pb.TensorProto {
	for ; g != nil && name != ""; g = g.outer {
		if w := g.weights[name]; w != nil {
			if w.tensor == nil {
				t := &pb.TensorProto{}
				if proto.Unmarshal(w.payload, t) != nil {
					return nil
				}
				return t
			}
			return w.tensor
		}
		for _, n := range g.nodes {
			if n.p.GetOpType() == "Constant" && len(n.p.Output) == 1 && n.p.Output[0] == name && pb.Domain(n.p.GetDomain()) == "" {
				return constantValue(n.p)
			}
		}
	}
	return nil
}

// producer is the node that computes a value; nil for inputs and initializers.
func (g *graph) producer(name string) *pb.NodeProto {
	for ; g != nil && name != ""; g = g.outer {
		for _, n := range g.nodes {
			if slices.Contains(n.p.Output, name) {
				return n.p
			}
		}
	}
	return nil
}

// constantValue is what a Constant node says, whichever of its attributes says it; nil for strings and sparse tensors.
func constantValue(p *pb.NodeProto) *pb.TensorProto {
	for _, a := range p.Attribute {
		if a.GetRefAttrName() != "" {
			return nil
		}
		switch a.GetName() {
		case "value":
			return a.T
		case "value_int":
			return &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Int64)), Int64Data: []int64{a.GetI()}}
		case "value_ints":
			return &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Int64)), Dims: []int64{int64(len(a.Ints))}, Int64Data: a.Ints}
		case "value_float":
			return &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Float)), FloatData: []float32{a.GetF()}}
		case "value_floats":
			return &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Float)), Dims: []int64{int64(len(a.Floats))}, FloatData: a.Floats}
		}
	}
	return nil
}

// newName invents a value's name that the file does not have.
func (w *file) newName(hint string) string {
	name := hint
	for i := 1; w.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", hint, i)
	}
	w.names[name] = true
	return name
}

// sweep takes constants out that only the old form read.
func (w *file) sweep() {
	reads := map[string]int{}
	for _, g := range w.all {
		for _, n := range g.nodes {
			for _, name := range n.p.Input {
				reads[name]++
			}
		}
	}
	unread := func(g *graph, name string) bool { // what was useless before stays
		return reads[name] == 0 && w.swallowed[name] && !g.inputs[name] && !w.outputs[name]
	}
	for _, g := range w.all {
		for name, c := range g.weights {
			c.dropped = unread(g, name)
		}
		for _, n := range g.nodes {
			if n.p.GetOpType() == "Constant" && pb.Domain(n.p.GetDomain()) == "" && len(n.p.Output) == 1 {
				n.dropped = unread(g, n.p.Output[0])
			}
		}
		var added []*pb.TensorProto
		for _, t := range g.added {
			if reads[t.GetName()] > 0 {
				added = append(added, t)
			}
		}
		g.added = added
	}
}

// finish brings the subgraphs' messages up to date.
func (g *graph) finish() error {
	for _, n := range g.nodes {
		for _, s := range n.graphs {
			if err := s.finish(); err != nil {
				return err
			}
			n.changed = n.changed || s.touched()
			s.message.Node = s.messages()
			var keep []*pb.TensorProto
			for _, t := range s.message.Initializer {
				if w := s.weights[t.GetName()]; !w.dropped {
					keep = append(keep, t)
				}
			}
			s.message.Initializer = append(keep, s.added...)
		}
	}
	return nil
}

func (g *graph) touched() bool {
	for _, n := range g.nodes {
		if n.changed || n.dropped {
			return true
		}
	}
	for _, w := range g.weights {
		if w.dropped {
			return true
		}
	}
	return len(g.added) > 0
}

func (g *graph) messages() []*pb.NodeProto {
	var out []*pb.NodeProto
	for _, n := range g.nodes {
		if !n.dropped {
			out = append(out, n.p)
		}
	}
	return out
}

// fields are the main graph's: what did not change as it was, new nodes beside those that they belong to.
func (g *graph) fields() ([]wire.Field, error) {
	if err := g.finish(); err != nil {
		return nil, err
	}
	var out []wire.Field
	k := 0
	emit := func(until int) error {
		for ; k < len(g.nodes); k++ {
			n := g.nodes[k]
			if n.at > until {
				return nil
			}
			switch {
			case n.dropped:
			case n.at >= 0 && !n.changed:
				out = append(out, g.raw[n.at])
			default:
				b, err := marshal.Marshal(n.p)
				if err != nil {
					return err
				}
				out = append(out, wire.Bytes(pb.GraphNode, b))
			}
			if n.at == until {
				until = -1 // and the new nodes after it
			}
		}
		return nil
	}
	for i, f := range g.raw {
		switch f.Num {
		case pb.GraphNode:
			if err := emit(i); err != nil {
				return nil, err
			}
			continue
		case pb.GraphInitializer:
			t := &pb.TensorProto{}
			if len(f.Payload) <= smallWeight {
				if err := proto.Unmarshal(f.Payload, t); err != nil {
					return nil, err
				}
				if w := g.weights[t.GetName()]; w != nil && w.dropped {
					continue
				}
			}
		}
		out = append(out, f)
	}
	for _, t := range g.added {
		b, err := marshal.Marshal(t)
		if err != nil {
			return nil, err
		}
		out = append(out, wire.Bytes(pb.GraphInitializer, b))
	}
	return out, nil
}

// smallWeight is longer than any constant that a node's form can swallow.
const smallWeight = 1 << 16
