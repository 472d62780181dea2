package onnxio

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

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
