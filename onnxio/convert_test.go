package onnxio

import (
	"bytes"
	"encoding/binary"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// halfModel adds float16 weights to a float16 input and casts to and fro.
func halfModel(t *testing.T) []byte {
	t.Helper()
	in, out := floatInput("x", 2), floatInput("y", 2)
	for _, v := range []*pb.ValueInfoProto{in, out} {
		v.Type.TensorType.ElemType = proto.Int32(10)
		v.Type.TensorType.Shape.Dim = []*pb.TensorShapeProto_Dimension{{DimParam: str("N")}, {DimValue: proto.Int64(2)}}
	}
	raw := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, HalfBits(0.1)), HalfBits(-3))
	cast := op("Cast", "y", "a")
	cast.Attribute = []*pb.AttributeProto{{Name: str("to"), Type: proto.Int32(attrInt), I: proto.Int64(10)}}
	d, err := marshal.Marshal(&pb.ModelProto{IrVersion: proto.Int64(8), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(17)}},
		Graph: &pb.GraphProto{Input: []*pb.ValueInfoProto{in}, Output: []*pb.ValueInfoProto{out},
			Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{2}, DataType: proto.Int32(10), RawData: raw}},
			Node:        []*pb.NodeProto{op("Add", "a", "x", "w"), cast}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConvert(t *testing.T) {
	data := halfModel(t)
	m, err := Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Convert(Convert{}); err != nil || !bytes.Equal(got, data) {
		t.Errorf("nothing to convert changed the file: %v", err)
	}
	got, err := m.Convert(Convert{Float32: true, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(got, "")
	if err != nil {
		t.Fatal(err)
	}
	file := &pb.ModelProto{}
	if err := proto.Unmarshal(got, file); err != nil {
		t.Fatal(err)
	}
	w := file.Graph.Initializer[0]
	if w.GetDataType() != 1 || len(w.RawData) != 8 {
		t.Errorf("weights of type %d in %d bytes", w.GetDataType(), len(w.RawData))
	}
	if v := c.Graph.Nodes[0].Inputs[1].Const.F32(); v[0] != HalfValue(HalfBits(0.1)) || v[1] != -3 {
		t.Errorf("weights %v", v)
	}
	if x := c.Graph.Inputs[0]; x.DType != Float || x.Dims[0] != (Dim{Size: 4}) || x.Dims[1] != (Dim{Size: 2}) {
		t.Errorf("input %v %v", x.DType, x.Dims)
	}
	if y := c.Graph.Outputs[0]; y.DType != Float || y.Dims[0] != (Dim{Size: 4}) {
		t.Errorf("output %v %v: the batch goes by its name", y.DType, y.Dims)
	}
	if to := c.Graph.Nodes[1].Attrs.Int("to", 0); to != 1 {
		t.Errorf("Cast to %d", to)
	}
	named, err := m.Convert(Convert{Dims: map[string]int{"N": 7}})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = Parse(named, ""); err != nil || c.Graph.Inputs[0].Dims[0].Size != 7 || c.Graph.Inputs[0].DType != Float16 {
		t.Errorf("%v, %v", c.Graph.Inputs[0], err)
	}
}
