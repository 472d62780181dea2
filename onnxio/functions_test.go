package onnxio

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// functionModel calls scale(x, w) twice, once inside another function; the body has a value of its own, an attribute by reference and one by
// default.
func functionModel(opset int64) *pb.ModelProto {
	ref := func(name, attr string) *pb.AttributeProto {
		return &pb.AttributeProto{Name: str(name), Type: proto.Int32(attrFloat), RefAttrName: str(attr)}
	}
	leaky := op("LeakyRelu", "out", "t")
	leaky.Attribute = []*pb.AttributeProto{ref("alpha", "slope")}
	scale := &pb.FunctionProto{Name: str("scale"), Domain: str("own"), Input: []string{"a", "b"}, Output: []string{"out"}, Attribute: []string{"slope"},
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(opset)}}, Node: []*pb.NodeProto{op("Mul", "t", "a", "b"), leaky}}
	call := func(name, out string, in ...string) *pb.NodeProto {
		n := op(name, out, in...)
		n.Domain = str("own")
		return n
	}
	inner := call("scale", "r", "p", "p")
	inner.Attribute = []*pb.AttributeProto{{Name: str("slope"), Type: proto.Int32(attrFloat), F: proto.Float32(0.25)}}
	twice := &pb.FunctionProto{Name: str("twice"), Domain: str("own"), Input: []string{"p"}, Output: []string{"r", "p"},
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(opset)}}, Node: []*pb.NodeProto{inner}}
	last := call("twice", "y", "u")
	last.Output = []string{"y", "z"}
	return &pb.ModelProto{IrVersion: proto.Int64(9), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(17)},
		{Domain: str("own"), Version: proto.Int64(1)}},
		Functions: []*pb.FunctionProto{scale, twice},
		Graph: &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 2), floatInput("z", 2)},
			Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{2}, DataType: proto.Int32(1), FloatData: []float32{2, 3}}},
			Node:        []*pb.NodeProto{call("scale", "u", "x", "w"), last}}}
}

func TestFunctionsAreWrittenOut(t *testing.T) {
	data, err := marshal.Marshal(functionModel(17))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range m.Graph.Nodes {
		got = append(got, n.Op)
	}
	if s := strings.Join(got, " "); s != "Mul LeakyRelu Mul LeakyRelu Identity" {
		t.Errorf("the graph is %s", s)
	}
	if n := m.Graph.Nodes[1]; n.Attrs.Has("alpha") || n.Outputs[0].Name != "u" || n.Inputs[0] != m.Graph.Nodes[0].Outputs[0] {
		t.Errorf("the first call: %v", n)
	}
	if n := m.Graph.Nodes[3]; n.Attrs.Float("alpha", 0) != 0.25 || n.Outputs[0].Name != "y" {
		t.Errorf("the second call: %v", n)
	}
	if n := m.Graph.Nodes[2]; n.Inputs[0].Name != "u" || n.Inputs[1].Name != "u" || n.Outputs[0].Name == m.Graph.Nodes[0].Outputs[0].Name {
		t.Errorf("the second call: %v", n)
	}
	if out, err := m.Encode(); err != nil || !bytes.Equal(out, data) {
		t.Errorf("the file does not come back as it was: %v", err)
	}
	m.Graph.Nodes[1].Op = "Relu"
	out, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(out, ""); err != nil || len(again.Graph.Nodes) != 5 || again.Graph.Nodes[1].Op != "Relu" {
		t.Errorf("a changed graph: %v", err)
	}
}

func TestFunctionsAreRefusedWhereTheyCannotBe(t *testing.T) {
	other, _ := marshal.Marshal(functionModel(12))
	if _, err := Parse(other, ""); err == nil || !strings.Contains(err.Error(), "opset 12") {
		t.Errorf("another opset: %v", err)
	}
	endless := functionModel(17)
	endless.Functions[0].Node[0].OpType, endless.Functions[0].Node[0].Domain = str("scale"), str("own")
	data, _ := marshal.Marshal(endless)
	if _, err := Parse(data, ""); err == nil || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("a function that calls itself: %v", err)
	}
	// Each function calls the next twenty times.
	bomb := functionModel(17)
	bomb.Functions = nil
	for i := range 10 {
		f := &pb.FunctionProto{Name: str(strings.Repeat("f", i+1)), Domain: str("own"), Input: []string{"a"}, Output: []string{"b"}}
		for k := range 20 {
			n := op(strings.Repeat("f", i+2), "v"+string(rune('a'+k)), "a")
			n.Domain = str("own")
			if i == 9 {
				n.OpType, n.Domain = str("Relu"), nil
			}
			f.Node = append(f.Node, n)
		}
		bomb.Functions = append(bomb.Functions, f)
	}
	bomb.Graph.Node[0].OpType = str("f")
	bomb.Graph.Node[0].Input = []string{"x"}
	bomb.Graph.Node = bomb.Graph.Node[:1]
	data, _ = marshal.Marshal(bomb)
	if _, err := Parse(data, ""); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("functions that explode: %v", err)
	}
}

// TestWhatNobodyReadsIsRefused: an attribute that the called function does not declare, a reference outside of functions, and a file format of
// tomorrow.
func TestWhatNobodyReadsIsRefused(t *testing.T) {
	attribute := &pb.AttributeProto{Name: str("of_tomorrow"), Type: proto.Int32(attrInt), I: proto.Int64(1)}
	for want, change := range map[string]func(*pb.ModelProto){
		`node "u_node": operator own.scale (opset 1) is not supported: attribute "of_tomorrow" is none of the file's function`: func(m *pb.ModelProto) {
			m.Graph.Node[0].Attribute = append(m.Graph.Node[0].Attribute, attribute)
		},
		`node "u_node" (Relu): attribute "slope" stands for "alpha" of a function, and there is none`: func(m *pb.ModelProto) {
			m.Graph.Node[0] = op("Relu", "u", "x")
			m.Graph.Node[0].Attribute = []*pb.AttributeProto{{Name: str("slope"), Type: proto.Int32(attrFloat), RefAttrName: str("alpha")}}
		},
		`IR version 15 is newer than 14, the newest that shoal reads: what it brought would be passed over`: func(m *pb.ModelProto) { m.IrVersion = proto.Int64(maxIR + 1) },
	} {
		m := functionModel(17)
		change(m)
		data, err := marshal.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(data, ""); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
