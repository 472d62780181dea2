package onnxio

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

var marshal = proto.MarshalOptions{Deterministic: true}

// encodeTensor writes a constant; numbers as raw bytes, which every reader takes.
func encodeTensor(name string, t *Tensor) (*pb.TensorProto, error) {
	p := &pb.TensorProto{DataType: proto.Int32(int32(t.DType))}
	if name != "" {
		p.Name = proto.String(name)
	}
	for _, d := range t.Shape {
		p.Dims = append(p.Dims, int64(d))
	}
	if s, ok := t.Data.([]string); ok {
		for _, v := range s {
			p.StringData = append(p.StringData, []byte(v))
		}
		return p, nil
	}
	raw, err := rawData(t)
	p.RawData = raw
	return p, err
}

// EncodeTensor writes a tensor as a TensorProto message of the standard, what a .pb file holds: ParseTensor reads it back.
func EncodeTensor(name string, t *Tensor) ([]byte, error) {
	if t == nil {
		return nil, errors.New("there is no tensor to encode")
	}
	p, err := encodeTensor(name, t)
	if err != nil {
		return nil, err
	}
	if n := NumElements(t.Shape); int64(len(p.RawData)) != t.DType.bytes(int64(n)) && len(p.StringData) != n {
		return nil, fmt.Errorf("tensor of type %v and shape %v with %d bytes of elements", t.DType, t.Shape, len(p.RawData))
	}
	return marshal.Marshal(p)
}

// encodeAs is encodeTensor for what a file holds in half precision and a Tensor widened: exact where the numbers come from there.
func encodeAs(name string, t *Tensor, as DType) (*pb.TensorProto, error) {
	p, err := encodeTensor(name, t)
	f := t.F32()
	if err != nil || as == t.DType || f == nil || as != Float16 && as != BFloat16 {
		return p, err
	}
	bits := HalfBits
	if as == BFloat16 {
		bits = BFloat16Bits
	}
	p.DataType, p.RawData = proto.Int32(int32(as)), nil
	for _, x := range f {
		p.RawData = binary.LittleEndian.AppendUint16(p.RawData, bits(x))
	}
	return p, nil
}

// rawData is a tensor's elements in the standard's order of bytes.
func rawData(t *Tensor) ([]byte, error) {
	if b, ok := bytesOf(t.Data); ok {
		return b, nil
	}
	if t.DType.Bits() < 8 || t.DType.Coded() {
		v, ok := lowBits(t)
		switch {
		case !ok:
			return nil, fmt.Errorf("elements of type %v held as %T", t.DType, t.Data)
		case t.DType.Bits() == 8:
			return v, nil
		}
		return pack(t.DType, v), nil
	}
	le := binary.LittleEndian
	out := make([]byte, 0, t.Len()*t.DType.Size())
	switch d := t.Data.(type) {
	case []float32:
		for _, v := range d {
			out = le.AppendUint32(out, math.Float32bits(v))
		}
	case []float64:
		for _, v := range d {
			out = le.AppendUint64(out, math.Float64bits(v))
		}
	case []int64:
		for _, v := range d {
			out = le.AppendUint64(out, uint64(v))
		}
	case []uint64:
		for _, v := range d {
			out = le.AppendUint64(out, v)
		}
	case []int32:
		for _, v := range d {
			out = le.AppendUint32(out, uint32(v))
		}
	case []uint32:
		for _, v := range d {
			out = le.AppendUint32(out, v)
		}
	case []int16:
		for _, v := range d {
			out = le.AppendUint16(out, uint16(v))
		}
	case []uint16:
		for _, v := range d {
			out = le.AppendUint16(out, v)
		}
	case []int8:
		for _, v := range d {
			out = append(out, byte(v))
		}
	case []uint8:
		out = append(out, d...)
	case []bool:
		for _, v := range d {
			b := byte(0)
			if v {
				b = 1
			}
			out = append(out, b)
		}
	default:
		return nil, fmt.Errorf("elements of type %v cannot be written", t.DType)
	}
	return out, nil
}

func encodeAttr(name string, v any) (*pb.AttributeProto, error) {
	a := &pb.AttributeProto{Name: proto.String(name)}
	kind := int32(0)
	var err error
	switch v := v.(type) {
	case float32:
		a.F, kind = proto.Float32(v), attrFloat
	case int64:
		a.I, kind = proto.Int64(v), attrInt
	case string:
		a.S, kind = []byte(v), attrString
	case []float32:
		a.Floats, kind = v, attrFloats
	case []int64:
		a.Ints, kind = v, attrInts
	case []string:
		for _, s := range v {
			a.Strings = append(a.Strings, []byte(s))
		}
		kind = attrStrings
	case *Tensor:
		a.T, err = encodeTensor("", v)
		kind = attrTensor
	case []*Tensor:
		for _, t := range v {
			p, e := encodeTensor("", t)
			if e != nil {
				return nil, e
			}
			a.Tensors = append(a.Tensors, p)
		}
		kind = attrTensors
	case Unread:
		return nil, &UnsupportedError{Why: fmt.Sprintf("attribute %q of type %d is not written anew", name, v.Type)}
	case *Graph:
		a.G, err = encodeGraph(v)
		kind = attrGraph
	default:
		return nil, fmt.Errorf("attribute %q of type %T cannot be written", name, v)
	}
	a.Type = proto.Int32(kind)
	return a, err
}

func encodeNode(n *Node) (*pb.NodeProto, error) {
	p := &pb.NodeProto{Input: names(n.Inputs), Output: trimmed(names(n.Outputs)), OpType: proto.String(n.Op)}
	if n.Name != "" {
		p.Name = proto.String(n.Name)
	}
	if n.Domain != "" {
		p.Domain = proto.String(n.Domain)
	}
	keys := make([]string, 0, len(n.Attrs))
	for k := range n.Attrs {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		a, err := encodeAttr(k, n.Attrs[k])
		if err != nil {
			return nil, &NodeError{n.Name, n.Op, err}
		}
		p.Attribute = append(p.Attribute, a)
	}
	return p, nil
}

func names(vs []*Value) []string {
	var out []string
	for _, v := range vs {
		if v == nil {
			out = append(out, "")
		} else {
			out = append(out, v.Name)
		}
	}
	return out
}

// trimmed leaves out what is without a name at the end, as the standard's own examples do.
func trimmed(names []string) []string {
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1]
	}
	return names
}

// encodeValue writes a value's declaration.
func encodeValue(v *Value) *pb.ValueInfoProto {
	p := &pb.ValueInfoProto{Name: proto.String(v.Name)}
	if v.DType == 0 {
		return p
	}
	t := &pb.TypeProto_TensorType{ElemType: proto.Int32(int32(v.DType))}
	if v.HasShape {
		t.Shape = &pb.TensorShapeProto{}
		for _, d := range v.Dims {
			t.Shape.Dim = append(t.Shape.Dim, encodeDim(d))
		}
	}
	p.Type = &pb.TypeProto{TensorType: t}
	return p
}

func encodeDim(d Dim) *pb.TensorShapeProto_Dimension {
	switch {
	case d.Name != "":
		return &pb.TensorShapeProto_Dimension{DimParam: proto.String(d.Name)}
	case d.Size >= 0:
		return &pb.TensorShapeProto_Dimension{DimValue: proto.Int64(int64(d.Size))}
	}
	return &pb.TensorShapeProto_Dimension{}
}

// constants lists the constants that nodes read or that the graph returns and no node computes, in order of first use. outer tells which
// names belong to the graphs around.
func constants(g *Graph) []*Value { return constantsOf(g, true) }

// constantsOf is constants, with or without those that subgraphs read.
func constantsOf(g *Graph, inner bool) []*Value {
	var out []*Value
	seen := map[*Value]bool{}
	computed := map[*Value]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			computed[v] = true
		}
	}
	add := func(v *Value) {
		if v != nil && v.Const != nil && !computed[v] && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	var walk func(g *Graph)
	walk = func(g *Graph) {
		for _, n := range g.Nodes {
			for _, v := range n.Inputs {
				add(v)
			}
			for _, a := range sortedGraphs(n) {
				if inner {
					walk(a)
				}
			}
		}
		for _, v := range g.Outputs {
			add(v)
		}
	}
	walk(g)
	return out
}

func sortedGraphs(n *Node) []*Graph {
	var out []*Graph
	keys := make([]string, 0, len(n.Attrs))
	for k, v := range n.Attrs {
		if _, ok := v.(*Graph); ok {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		out = append(out, n.Attrs[k].(*Graph))
	}
	return out
}

// encodeGraph writes a graph as a message of its own. A subgraph's constants go into it; those of graphs around that it reads are
// written there too, under the same name, which the standard allows readers to shadow.
func encodeGraph(g *Graph) (*pb.GraphProto, error) {
	p := &pb.GraphProto{Name: proto.String(cmp.Or(g.Name, "graph"))} // a graph must have a name
	seen := map[string]*Tensor{}
	for _, v := range constants(g) {
		if old, ok := seen[v.Name]; ok && old == v.Const { // of a graph and of a copy of it, whose subgraph reads what was copied
			continue
		}
		seen[v.Name] = v.Const
		t, err := encodeTensor(v.Name, v.Const)
		if err != nil {
			return nil, fmt.Errorf("constant %q: %w", v.Name, err)
		}
		p.Initializer = append(p.Initializer, t)
	}
	for _, v := range g.Inputs {
		p.Input = append(p.Input, encodeValue(v))
	}
	for _, n := range g.Nodes {
		q, err := encodeNode(n)
		if err != nil {
			return nil, err
		}
		p.Node = append(p.Node, q)
	}
	for _, v := range g.Outputs {
		p.Output = append(p.Output, encodeValue(v))
	}
	return p, nil
}

// NewModel wraps a graph as a model, as if it had been read from a file: IR version 10, the opsets of its nodes.
func NewModel(g *Graph, producer string) (*Model, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	p, err := encodeGraph(g)
	if err != nil {
		return nil, err
	}
	file := &pb.ModelProto{IrVersion: proto.Int64(10), ProducerName: proto.String(producer), Graph: p}
	opsets := map[string]int{}
	for _, n := range g.Nodes {
		if old, ok := opsets[n.Domain]; ok && old != n.Opset {
			return nil, fmt.Errorf("nodes of opsets %d and %d of domain %q in one graph", old, n.Opset, n.Domain)
		}
		opsets[n.Domain] = n.Opset
	}
	domains := make([]string, 0, len(opsets))
	for d := range opsets {
		domains = append(domains, d)
	}
	sort.Strings(domains)
	for _, d := range domains {
		file.OpsetImport = append(file.OpsetImport, &pb.OperatorSetIdProto{Domain: proto.String(d), Version: proto.Int64(int64(opsets[d]))})
	}
	data, err := marshal.Marshal(file)
	if err != nil {
		return nil, err
	}
	m, err := Parse(data, "")
	if err != nil {
		return nil, err
	}
	m.made = true
	return m, nil
}
