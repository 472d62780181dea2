package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

func s(v string) *string { return &v }

func value(name string) *pb.ValueInfoProto {
	return &pb.ValueInfoProto{Name: s(name), Type: &pb.TypeProto{TensorType: &pb.TypeProto_TensorType{ElemType: proto.Int32(1),
		Shape: &pb.TensorShapeProto{}}}}
}

// good is a model with nothing wrong in it.
func good() *pb.ModelProto {
	return &pb.ModelProto{IrVersion: proto.Int64(10), OpsetImport: []*pb.OperatorSetIdProto{{Domain: s(""), Version: proto.Int64(18)}},
		Graph: &pb.GraphProto{Name: s("g"), Input: []*pb.ValueInfoProto{value("x")}, Output: []*pb.ValueInfoProto{value("y")},
			Initializer: []*pb.TensorProto{{Name: s("k"), DataType: proto.Int32(7), Dims: []int64{1}, Int64Data: []int64{1}}},
			Node: []*pb.NodeProto{
				{Name: s("top"), OpType: s("TopK"), Input: []string{"x", "k"}, Output: []string{"t", "i"}},
				{Name: s("last"), OpType: s("Relu"), Input: []string{"t"}, Output: []string{"y"}}}}}
}

// TestBrokenNames breaks one rule at a time.
func TestBrokenNames(t *testing.T) {
	if found := broken(t, good()); found != nil {
		t.Fatalf("a good model: %v", found)
	}
	for want, f := range map[string]func(*pb.ModelProto){
		"output 1 has no name and cannot be left out": func(m *pb.ModelProto) { m.Graph.Node[0].Output[1] = "" },
		"1 outputs where opset 18 has 2 to 2":         func(m *pb.ModelProto) { m.Graph.Node[0].Output = []string{"t"} },
		"input 1 has no name":                         func(m *pb.ModelProto) { m.Graph.Node[0].Input[1] = "" },
		"is no input, which files of IR 3 need":       func(m *pb.ModelProto) { m.IrVersion = proto.Int64(3) },
		"the graph has no name":                       func(m *pb.ModelProto) { m.Graph.Name = nil },
		"given by nothing before it":                  func(m *pb.ModelProto) { slices.Reverse(m.Graph.Node) },
		`value "t" is given twice`:                    func(m *pb.ModelProto) { m.Graph.Node[1].Output = []string{"t", "y"} },
		`initializer "k" of the graph stands twice`: func(m *pb.ModelProto) {
			m.Graph.Initializer = append(m.Graph.Initializer,
				m.Graph.Initializer[0])
		},
		`output "y" of the graph is given by nothing`:    func(m *pb.ModelProto) { m.Graph.Node[1].Output[0] = "z" },
		`no opset of domain "com.microsoft" is imported`: func(m *pb.ModelProto) { m.Graph.Node[1].Domain = s("com.microsoft") },
		"opset 18 has the operator no more":              func(m *pb.ModelProto) { m.Graph.Node[1].OpType = s("GroupNormalization") },
		`attribute "axis" is of type float where int is needed`: func(m *pb.ModelProto) {
			m.Graph.Node[0].Attribute = []*pb.AttributeProto{{Name: s("axis"), Type: proto.Int32(pb.AttrFloat), F: proto.Float32(1)}}
		},
		`attribute "axes" is none of the operator's`: func(m *pb.ModelProto) {
			m.Graph.Node[0].Attribute = []*pb.AttributeProto{{Name: s("axes"), Type: proto.Int32(pb.AttrInt), I: proto.Int64(1)}}
		},
		`attribute "axis" is missing`: func(m *pb.ModelProto) { m.Graph.Node[1].OpType = s("Concat") },
		`input "x" of the graph has no shape`: func(m *pb.ModelProto) {
			m.Graph.Input[0].Type.TensorType.Shape = nil
		},
		"no opset is imported": func(m *pb.ModelProto) { m.OpsetImport = nil },
	} {
		m := good()
		f(m)
		if found := broken(t, m); !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s: found %q", want, found)
		}
	}
}

// TestFilesOfOthers finds nothing in what PyTorch and Keras wrote.
func TestFilesOfOthers(t *testing.T) {
	files, _ := filepath.Glob("../../../testdata/*.onnx")
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, name := range files {
		d, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := Broken(d); found != nil {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func broken(t *testing.T, m *pb.ModelProto) []string {
	t.Helper()
	d, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return Broken(d)
}
