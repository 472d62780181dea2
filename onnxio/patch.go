package onnxio

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// Field numbers of ModelProto and GraphProto.
const (
	modelGraph                                                       = pb.ModelGraph
	graphNode, graphInitializer, graphInput, graphOutput, graphValue = pb.GraphNode, pb.GraphInitializer, pb.GraphInput, pb.GraphOutput, pb.GraphValue
	tensorRawData                                                    = pb.TensorRawData
)

// Encode returns the file's bytes with the changes of Graph in them. What Graph still has as the file has it (nodes, constants,
// declarations, found by their values' names) and all that Graph does not hold stays byte for byte; an unchanged model gives the very
// bytes that it was read from. External data stays where it is, and is not part of the bytes.
func (m *Model) Encode() ([]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	if m.expanded != "" {
		now, err := graphHash(m.Graph)
		if err != nil || now == m.expanded {
			return data, err
		}
	}
	ir := m.IR
	if m.old > 0 { // the graph is of opset 7, and so is what is written of it
		if data, err = Raise(data); err != nil {
			return nil, err
		}
		ir = max(3, ir)
	}
	return m.patch(data, (&graphPatch{dir: m.dir, opsets: m.written(), ir: ir}).apply)
}

// written are the opsets of a file that is written of the graph.
func (m *Model) written() map[string]int {
	if m.old == 0 {
		return m.Opsets
	}
	out := maps.Clone(m.Opsets)
	out[""] = raised
	return out
}

// graphHash tells two graphs apart.
func graphHash(g *Graph) (string, error) {
	p, err := encodeGraph(g)
	if err != nil {
		return "", err
	}
	b, err := marshal.Marshal(p)
	sum := sha256.Sum256(b)
	return string(sum[:]), err
}

// patch replaces the graph of a file's bytes by what change makes of its fields; the same bytes come back where change returns the
// fields as they were.
func (m *Model) patch(data []byte, change func(*Graph, []wire.Field) ([]wire.Field, error)) ([]byte, error) {
	top, err := wire.Split(data)
	if err != nil {
		return nil, &FormatError{Offset: -1, Why: err.Error()}
	}
	at := -1
	for i, f := range top {
		if f.Num != modelGraph {
			continue
		}
		if at >= 0 {
			return nil, &FormatError{Offset: -1, Why: "the file has its graph in several pieces and cannot be written back as it is"}
		}
		at = i
	}
	if at < 0 || top[at].Payload == nil {
		return nil, &FormatError{Offset: -1, Why: "this is not an ONNX model: it has no graph"}
	}
	fields, err := wire.Split(top[at].Payload)
	if err != nil {
		return nil, &FormatError{Offset: -1, Why: err.Error()}
	}
	changed, err := change(m.Graph, fields)
	if err != nil {
		return nil, err
	}
	if wire.Joined(changed, top[at].Payload) {
		return data, nil
	}
	return wire.JoinInside(top, at, changed), nil
}

// graphPatch brings a file's graph to what a Graph says.
type graphPatch struct {
	dir    string
	ir     int64
	opsets map[string]int
}

func (p *graphPatch) apply(g *Graph, fields []wire.Field) ([]wire.Field, error) {
	nodes, structure, err := p.nodes(g, fields)
	if err != nil {
		return nil, err
	}
	consts, err := p.constants(g, fields)
	if err != nil {
		return nil, err
	}
	inputs, err := p.ports(g.Inputs, consts, fields, graphInput)
	if err != nil {
		return nil, err
	}
	outputs, err := p.ports(g.Outputs, nil, fields, graphOutput)
	if err != nil {
		return nil, err
	}
	var out []wire.Field
	next := func(list *[]wire.Field, all bool) {
		n := min(1, len(*list))
		if all {
			n = len(*list)
		}
		for _, f := range (*list)[:n] {
			if f.Raw != nil { // else dropped
				out = append(out, f)
			}
		}
		*list = (*list)[n:]
	}
	computed, inner := computedNames(g), innerValues(g)
	for i, f := range fields {
		switch f.Num {
		case graphNode:
			next(&nodes, structure)
		case graphInitializer:
			if r, ok := consts.replaced[i]; ok {
				out = append(out, r...)
			}
		case graphInput:
			next(&inputs, false)
		case graphOutput:
			next(&outputs, false)
		case graphValue:
			v := &pb.ValueInfoProto{}
			err := proto.Unmarshal(f.Payload, v)
			if structure && (err != nil || !computed[v.GetName()]) {
				continue // a note about a value that is no more
			}
			now := inner[v.GetName()]
			if now == nil {
				now = consts.changed[v.GetName()]
			}
			if err == nil && now != nil {
				if f, err = redeclare(f, v, now); err != nil {
					return nil, err
				}
			}
			out = append(out, f)
		default:
			out = append(out, f)
		}
	}
	next(&nodes, true)
	next(&inputs, true)
	next(&outputs, true)
	return append(out, consts.added...), nil
}

func computedNames(g *Graph) map[string]bool {
	out := map[string]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out[v.Name] = true
			}
		}
	}
	return out
}

// innerValues are the values that notes in the file may describe: computed, and no outputs, which have declarations of their own.
func innerValues(g *Graph) map[string]*Value {
	out := map[string]*Value{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out[v.Name] = v
			}
		}
	}
	for _, v := range g.Outputs {
		delete(out, v.Name)
	}
	return out
}

// nodes gives the node fields of the result, and whether their number or order differs from the file's.
func (p *graphPatch) nodes(g *Graph, fields []wire.Field) ([]wire.Field, bool, error) {
	type old struct {
		field wire.Field
		node  *pb.NodeProto
		at    int
	}
	file := map[string]*old{}
	silent := map[int]*old{} // nodes without outputs, by place
	count := 0
	for _, f := range fields {
		if f.Num != graphNode {
			continue
		}
		n := &pb.NodeProto{}
		if err := proto.Unmarshal(f.Payload, n); err != nil {
			return nil, false, &FormatError{Offset: -1, Why: cleanProtoError(err)}
		}
		o := &old{f, n, count}
		silent[count+1] = o
		for _, name := range n.Output {
			if name != "" {
				file[name] = o
				delete(silent, count+1)
			}
		}
		count++
	}
	var out []wire.Field
	var places []int
	used := map[int]bool{}
	for _, n := range g.Nodes {
		was := silent[n.place]
		for _, v := range n.Outputs {
			if v != nil && file[v.Name] != nil {
				was = file[v.Name]
				break
			}
		}
		if was == nil || used[was.at] {
			q, err := encodeNode(n)
			if err != nil {
				return nil, false, err
			}
			b, err := marshal.Marshal(q)
			if err != nil {
				return nil, false, err
			}
			out, places = append(out, wire.Bytes(graphNode, b)), append(places, -1)
			continue
		}
		used[was.at] = true
		f, err := p.node(n, was.node, was.field)
		if err != nil {
			return nil, false, err
		}
		out, places = append(out, f), append(places, was.at)
	}
	// All of the file's nodes and no other: in the file's order, whatever Graph made of it.
	if len(used) == count && len(out) == count {
		sorted := make([]wire.Field, count)
		for i, at := range places {
			sorted[at] = out[i]
		}
		return sorted, false, nil
	}
	return out, true, nil
}

// node gives a node's field: the file's own where nothing changed, else the file's message with the changes in it.
func (p *graphPatch) node(n *Node, was *pb.NodeProto, f wire.Field) (wire.Field, error) {
	q := proto.CloneOf(was)
	changed := false
	if was.GetOpType() != n.Op || domain(was.GetDomain()) != n.Domain {
		q.OpType, q.Domain, q.Overload, changed = proto.String(n.Op), nil, nil, true
		if n.Domain != "" {
			q.Domain = proto.String(n.Domain)
		}
	}
	if in := names(n.Inputs); !slices.Equal(in, was.Input) {
		q.Input, changed = in, true
	}
	if out := names(n.Outputs); !slices.Equal(trimmed(out), trimmed(was.Output)) {
		q.Output, changed = trimmed(out), true
	}
	attrs, err := p.attributes(n, was.Attribute)
	if err != nil {
		return f, &NodeError{n.Name, n.Op, err}
	}
	if attrs != nil {
		q.Attribute, changed = attrs, true
	}
	if !changed {
		return f, nil
	}
	b, err := marshal.Marshal(q)
	return wire.Bytes(graphNode, b), err
}

// attributes gives the messages of a node's attributes, those that did not change as they were; nil where none did.
func (p *graphPatch) attributes(n *Node, was []*pb.AttributeProto) ([]*pb.AttributeProto, error) {
	b := &graphBuilder{opsets: p.opsets, dir: p.dir}
	same := 0
	out := []*pb.AttributeProto{}
	seen := map[string]bool{}
	for _, a := range was {
		seen[a.GetName()] = true
		v, ok := n.Attrs[a.GetName()]
		if !ok {
			continue
		}
		if _, ok := v.(Unread); ok {
			out, same = append(out, a), same+1
			continue
		}
		if _, ok := v.(*Graph); ok { // subgraphs are not edited: the one that was read is the one that is there
			out, same = append(out, a), same+1
			continue
		}
		old, err := b.attribute(a)
		if err != nil {
			return nil, err
		}
		x, err := encodeAttr(a.GetName(), old)
		if err != nil {
			return nil, err
		}
		y, err := encodeAttr(a.GetName(), v)
		if err != nil {
			return nil, err
		}
		if proto.Equal(x, y) {
			out, same = append(out, a), same+1
			continue
		}
		if t, ok := v.(*Tensor); ok && a.T != nil { // half precision stays so
			if y.T, err = encodeAs("", t, DType(a.T.GetDataType())); err != nil {
				return nil, err
			}
		}
		out = append(out, y)
	}
	if same == len(was) && len(n.Attrs) == len(was) {
		return nil, nil
	}
	keys := make([]string, 0, len(n.Attrs))
	for k := range n.Attrs {
		if !seen[k] {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		a, err := encodeAttr(k, n.Attrs[k])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// initializers are the constants of a file after a patch.
type initializers struct {
	file     map[string]bool      // names
	changed  map[string]*Value    // those that are not what the file has
	replaced map[int][]wire.Field // by the field's place; dropped ones are missing
	added    []wire.Field
	fresh    []*Value // those of added
}

// constants compares the file's initializers with the graph's. One that nobody reads any more is dropped if somebody did in the file.
func (p *graphPatch) constants(g *Graph, fields []wire.Field) (*initializers, error) {
	want, inner := map[string]*Value{}, map[string]bool{}
	for _, v := range constants(g) { // subgraphs are not edited: what they bring stays in them, and what they read of this graph as it is
		inner[v.Name] = true
	}
	for _, v := range constantsOf(g, false) {
		if old := want[v.Name]; old != nil && old.Const != v.Const {
			return nil, fmt.Errorf("two constants are named %q", v.Name)
		}
		want[v.Name] = v
	}
	read, err := namesRead(fields)
	if err != nil {
		return nil, err
	}
	out := &initializers{file: map[string]bool{}, changed: map[string]*Value{}, replaced: map[int][]wire.Field{}}
	computed := computedNames(g)
	for i, f := range fields {
		if f.Num != graphInitializer {
			continue
		}
		t := &pb.TensorProto{}
		if err := proto.Unmarshal(f.Payload, t); err != nil {
			return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
		}
		name := t.GetName()
		v := want[name]
		if v == nil || computed[name] {
			if !computed[name] && (!read[name] || inner[name]) {
				out.file[name] = true
				out.replaced[i] = []wire.Field{f} // nobody ever read it, or a subgraph still does
			}
			continue
		}
		out.file[name] = true
		old, err := decodeTensor(t, p.dir)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", name, err)
		}
		if sameTensor(old, v.Const) {
			out.replaced[i] = []wire.Field{f}
			continue
		}
		out.changed[name] = v
		n, err := tensorField(v, DType(t.GetDataType()))
		if err != nil {
			return nil, err
		}
		out.replaced[i] = []wire.Field{n}
	}
	for _, v := range constantsOf(g, false) {
		if out.file[v.Name] {
			continue
		}
		n, err := tensorField(v, v.Const.DType)
		if err != nil {
			return nil, err
		}
		out.file[v.Name] = true
		out.added, out.fresh = append(out.added, n), append(out.fresh, v)
	}
	return out, nil
}

// tensorField is a constant as an initializer of the given type: half precision, which a Tensor holds widened, where the file has it so.
func tensorField(v *Value, as DType) (wire.Field, error) {
	t, err := encodeAs(v.Name, v.Const, as)
	if err != nil {
		return wire.Field{}, fmt.Errorf("constant %q: %w", v.Name, err)
	}
	raw := t.RawData
	t.RawData = nil
	b, err := marshal.Marshal(t)
	if raw == nil {
		return wire.Bytes(graphInitializer, b), err
	}
	return wire.Message(graphInitializer, b, tensorRawData, raw), err
}

// sameTensor compares types, shapes and bits.
func sameTensor(a, b *Tensor) bool {
	if a == b {
		return true
	}
	if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) {
		return false
	}
	if s, ok := a.Data.([]string); ok {
		return slices.Equal(s, b.Data.([]string))
	}
	x, errX := rawData(a)
	y, errY := rawData(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// namesRead are the values that the file's nodes and outputs read, subgraphs included.
func namesRead(fields []wire.Field) (map[string]bool, error) {
	read := map[string]bool{}
	var graph func(*pb.GraphProto)
	node := func(n *pb.NodeProto) {
		for _, name := range n.Input {
			read[name] = true
		}
		for _, a := range n.Attribute {
			if a.G != nil {
				graph(a.G)
			}
			for _, g := range a.Graphs {
				graph(g)
			}
		}
	}
	graph = func(g *pb.GraphProto) {
		for _, n := range g.Node {
			node(n)
		}
		for _, o := range g.Output {
			read[o.GetName()] = true
		}
	}
	for _, f := range fields {
		switch f.Num {
		case graphNode:
			n := &pb.NodeProto{}
			if err := proto.Unmarshal(f.Payload, n); err != nil {
				return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
			}
			node(n)
		case graphOutput:
			v := &pb.ValueInfoProto{}
			if err := proto.Unmarshal(f.Payload, v); err != nil {
				return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
			}
			read[v.GetName()] = true
		}
	}
	return read, nil
}

// ports gives the declarations of inputs or outputs, one for each of the file's (empty where it is dropped), then the new ones. Inputs that
// stand for initializers keep their places.
func (p *graphPatch) ports(vs []*Value, consts *initializers, fields []wire.Field, num protowire.Number) ([]wire.Field, error) {
	want := map[string]*Value{}
	for _, v := range vs {
		want[v.Name] = v
	}
	var out []wire.Field
	done := map[string]bool{}
	for _, f := range fields {
		if f.Num != num {
			continue
		}
		info := &pb.ValueInfoProto{}
		if err := proto.Unmarshal(f.Payload, info); err != nil {
			return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
		}
		v := want[info.GetName()]
		if v == nil {
			var err error
			if consts == nil || !consts.file[info.GetName()] {
				f = wire.Field{} // dropped
			} else if w := consts.changed[info.GetName()]; w != nil && w.HasShape {
				f, err = redeclare(f, info, w)
			}
			if err != nil {
				return nil, err
			}
			out = append(out, f)
			continue
		}
		done[v.Name] = true
		if err := declare(&Value{Name: v.Name}, info.GetType()); err != nil {
			return nil, err
		}
		f, err := redeclare(f, info, v)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	if consts != nil && p.ir < 4 { // before IR 4, every initializer is an input too
		for _, v := range consts.fresh {
			if !done[v.Name] && !declaredIn(fields, v.Name) {
				vs = append(slices.Clone(vs), &Value{Name: v.Name, DType: v.Const.DType, HasShape: true, Dims: sizesAsDims(v.Const.Shape)})
			}
		}
	}
	for _, v := range vs {
		if !done[v.Name] && (num == graphOutput || v.Const == nil) {
			b, err := marshal.Marshal(encodeValue(v))
			if err != nil {
				return nil, err
			}
			out = append(out, wire.Bytes(num, b))
		}
	}
	return out, nil
}

// declaredIn tells whether a file has an input of the name.
func declaredIn(fields []wire.Field, name string) bool {
	for _, f := range fields {
		if f.Num != graphInput {
			continue
		}
		v := &pb.ValueInfoProto{}
		if proto.Unmarshal(f.Payload, v) == nil && v.GetName() == name {
			return true
		}
	}
	return false
}

func sizesAsDims(shape []int) []Dim {
	out := make([]Dim, len(shape))
	for i, s := range shape {
		out[i] = Dim{Size: s}
	}
	return out
}

// redeclare gives the declaration of a value with its present sizes: the file's own field where they are what it says.
func redeclare(f wire.Field, info *pb.ValueInfoProto, v *Value) (wire.Field, error) {
	old := &Value{Name: v.Name}
	if declare(old, info.GetType()) != nil || slices.Equal(old.Dims, v.Dims) && old.HasShape == v.HasShape {
		return f, nil
	}
	t := info.GetType().GetTensorType()
	if t == nil {
		t = encodeValue(v).Type.TensorType
		info.Type = &pb.TypeProto{TensorType: t}
	}
	dims := t.GetShape().GetDim()
	t.Shape = nil
	if v.HasShape {
		shape := &pb.TensorShapeProto{}
		for i, d := range v.Dims {
			if i < len(dims) && i < len(old.Dims) && old.Dims[i] == d {
				shape.Dim = append(shape.Dim, dims[i])
			} else {
				shape.Dim = append(shape.Dim, encodeDim(d))
			}
		}
		t.Shape = shape
	}
	b, err := marshal.Marshal(info)
	return wire.Bytes(f.Num, b), err
}
