package onnxio

import (
	"encoding/binary"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// TestResizedConstantsKeepTheirType: a constant of half precision that is made smaller is written in half precision, and the declarations of
// values that changed their size follow, whose other sizes and names stay.
func TestResizedConstantsKeepTheirType(t *testing.T) {
	for _, as := range []DType{Float16, BFloat16} {
		value := func(name string, size int64) *pb.ValueInfoProto {
			v := floatInput(name, 0, size)
			v.Type.TensorType.ElemType = proto.Int32(int32(as))
			v.Type.TensorType.Shape.Dim[0] = &pb.TensorShapeProto_Dimension{DimParam: proto.String("batch")}
			return v
		}
		one, two := HalfBits(1), HalfBits(-2.5)
		if as == BFloat16 {
			one, two = BFloat16Bits(1), BFloat16Bits(-2.5)
		}
		raw := binary.LittleEndian.AppendUint16(nil, one)
		for range 3 {
			raw = binary.LittleEndian.AppendUint16(raw, two)
		}
		file := &pb.ModelProto{IrVersion: proto.Int64(8), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(17)}}, Graph: &pb.GraphProto{
			Name:        proto.String("g"),
			Input:       []*pb.ValueInfoProto{value("x", 1)},
			Output:      []*pb.ValueInfoProto{value("z", 1)},
			ValueInfo:   []*pb.ValueInfoProto{value("y", 4)},
			Initializer: []*pb.TensorProto{{Name: proto.String("w"), DataType: proto.Int32(int32(as)), Dims: []int64{1, 4}, RawData: raw}},
			Node: []*pb.NodeProto{{OpType: proto.String("MatMul"), Input: []string{"x", "w"}, Output: []string{"y"}},
				{OpType: proto.String("Identity"), Input: []string{"y"}, Output: []string{"z"}}},
		}}
		data, err := proto.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(data, "")
		if err != nil {
			t.Fatal(err)
		}
		w, y := m.Graph.Nodes[0].Inputs[1], m.Graph.Nodes[0].Outputs[0]
		w.Const = FromFloat32(w.Const.F32()[:3], 1, 3)
		w.Shape = w.Const.Shape
		y.Dims[1].Size = 3
		out, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got := &pb.ModelProto{}
		if err := proto.Unmarshal(out, got); err != nil {
			t.Fatal(err)
		}
		c := got.Graph.Initializer[0]
		if DType(c.GetDataType()) != as || !slices.Equal(c.Dims, []int64{1, 3}) || string(c.RawData) != string(raw[:6]) {
			t.Errorf("%v: the constant became %v %v %x", as, DType(c.GetDataType()), c.Dims, c.RawData)
		}
		if want := value("y", 3); !proto.Equal(got.Graph.ValueInfo[0], want) {
			t.Errorf("%v: the note became %v", as, got.Graph.ValueInfo[0])
		}
	}
}
