package onnxio

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// Convert says how a file's form is to change; the network stays the same function.
type Convert struct {
	// Float32 turns float16 and bfloat16 into float32: weights (which is exact), declarations, and the targets of Cast.
	Float32 bool
	// Dims gives sizes to dimensions by the names that the file uses; Batch, where positive, to the first dimension of every input.
	Dims  map[string]int
	Batch int
}

// Convert returns the bytes of m's file in another form. What need not change stays byte for byte. Another opset is package opset's matter.
func (m *Model) Convert(c Convert) ([]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	return m.patch(data, func(_ *Graph, fields []wire.Field) ([]wire.Field, error) {
		p := &converter{Convert: c, dir: m.dir, names: map[string]int{}}
		for k, v := range c.Dims {
			p.names[k] = v
		}
		if err := p.batch(fields); err != nil {
			return nil, err
		}
		return p.fields(fields)
	})
}

type converter struct {
	Convert
	dir    string
	names  map[string]int  // sizes by name
	inputs map[string]bool // whose first dimension is the batch
}

// batch finds the name that the files' inputs use for the batch, so that it gets its size wherever it stands.
func (p *converter) batch(fields []wire.Field) error {
	p.inputs = map[string]bool{}
	if p.Batch <= 0 {
		return nil
	}
	constant := map[string]bool{}
	for _, f := range fields {
		if f.Num == graphInitializer {
			t := &pb.TensorProto{}
			if err := proto.Unmarshal(f.Payload, t); err != nil {
				return &FormatError{Offset: -1, Why: cleanProtoError(err)}
			}
			constant[t.GetName()] = true
		}
	}
	for _, f := range fields {
		if f.Num != graphInput {
			continue
		}
		v := &pb.ValueInfoProto{}
		if err := proto.Unmarshal(f.Payload, v); err != nil {
			return &FormatError{Offset: -1, Why: cleanProtoError(err)}
		}
		if d := v.GetType().GetTensorType().GetShape().GetDim(); len(d) > 0 && !constant[v.GetName()] && d[0].DimValue == nil {
			p.inputs[v.GetName()] = true
			if name := dimName(d[0]); name != "" {
				p.names[name] = p.Batch
			}
		}
	}
	return nil
}

// fields converts each field that has something to convert.
func (p *converter) fields(fields []wire.Field) ([]wire.Field, error) {
	out := make([]wire.Field, 0, len(fields))
	for _, f := range fields {
		var msg proto.Message
		var changed bool
		var err error
		switch f.Num {
		case graphNode:
			n := &pb.NodeProto{}
			if err = proto.Unmarshal(f.Payload, n); err == nil {
				msg = n
				changed, err = p.node(n)
			}
		case graphInitializer:
			t := &pb.TensorProto{}
			if err = proto.Unmarshal(f.Payload, t); err == nil {
				msg = t
				changed, err = p.tensor(t)
			}
		case graphInput, graphOutput, graphValue:
			v := &pb.ValueInfoProto{}
			if err = proto.Unmarshal(f.Payload, v); err == nil {
				msg = v
				changed = p.value(v, f.Num == graphInput && p.inputs[v.GetName()])
			}
		}
		if err != nil {
			return nil, err
		}
		if changed {
			b, err := marshal.Marshal(msg)
			if err != nil {
				return nil, err
			}
			f = wire.Bytes(f.Num, b)
		}
		out = append(out, f)
	}
	return out, nil
}

func isHalf(d int32) bool { return DType(d) == Float16 || DType(d) == BFloat16 }

func (p *converter) tensor(t *pb.TensorProto) (bool, error) {
	if !p.Float32 || !isHalf(t.GetDataType()) {
		return false, nil
	}
	v, err := decodeTensor(t, p.dir)
	if err != nil {
		return false, err
	}
	raw, err := rawData(v)
	if err != nil {
		return false, err
	}
	t.DataType, t.RawData, t.Int32Data, t.ExternalData, t.DataLocation = proto.Int32(int32(Float)), raw, nil, nil, nil
	return true, nil
}

func (p *converter) value(v *pb.ValueInfoProto, batch bool) bool {
	t := v.GetType().GetTensorType()
	if t == nil {
		return false
	}
	changed := false
	if p.Float32 && isHalf(t.GetElemType()) {
		t.ElemType, changed = proto.Int32(int32(Float)), true
	}
	for i, d := range t.GetShape().GetDim() {
		size, ok := p.names[dimName(d)]
		if dimName(d) == "" { // an input's dimension without a name goes by its place
			size, ok = p.names[fmt.Sprintf("%s:%d", v.GetName(), i)]
		}
		if i == 0 && batch {
			size, ok = p.Batch, true
		}
		if ok && d.DimValue == nil {
			d.DimValue, d.DimParam, changed = proto.Int64(int64(size)), nil, true
		}
	}
	return changed
}

func (p *converter) node(n *pb.NodeProto) (bool, error) {
	changed := false
	for _, a := range n.Attribute {
		switch {
		case p.Float32 && n.GetOpType() == "Cast" && a.GetName() == "to" && isHalf(int32(a.GetI())):
			a.I, changed = proto.Int64(int64(Float)), true
		case a.T != nil:
			c, err := p.tensor(a.T)
			if err != nil {
				return false, &NodeError{n.GetName(), n.GetOpType(), err}
			}
			changed = changed || c
		case a.G != nil:
			c, err := p.graph(a.G)
			if err != nil {
				return false, err
			}
			changed = changed || c
		}
	}
	return changed, nil
}

func (p *converter) graph(g *pb.GraphProto) (bool, error) {
	changed := false
	for _, t := range g.Initializer {
		c, err := p.tensor(t)
		if err != nil {
			return false, err
		}
		changed = changed || c
	}
	for _, list := range [][]*pb.ValueInfoProto{g.Input, g.Output, g.ValueInfo} {
		for _, v := range list {
			changed = p.value(v, false) || changed
		}
	}
	for _, n := range g.Node {
		c, err := p.node(n)
		if err != nil {
			return false, err
		}
		changed = changed || c
	}
	return changed, nil
}

// SaveBytes writes bytes that Convert or Encode made of m, as Save does.
func (m *Model) SaveBytes(path string, data []byte, o SaveOptions) error {
	_, err := m.save(output.OS{}, path, data, o)
	return err
}
