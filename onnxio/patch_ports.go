package onnxio

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

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
