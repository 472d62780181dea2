package onnxio

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

func str(s string) *string { return &s }

func model(g *pb.GraphProto) []byte {
	d, err := proto.Marshal(&pb.ModelProto{IrVersion: proto.Int64(8), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(13)}}, Graph: g})
	if err != nil {
		panic(err)
	}
	return d
}

func floatInput(name string, dims ...int64) *pb.ValueInfoProto {
	shape := &pb.TensorShapeProto{}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &pb.TensorShapeProto_Dimension{DimValue: proto.Int64(d)})
	}
	return &pb.ValueInfoProto{Name: str(name), Type: &pb.TypeProto{TensorType: &pb.TypeProto_TensorType{ElemType: proto.Int32(1), Shape: shape}}}
}

func op(name string, out string, in ...string) *pb.NodeProto {
	return &pb.NodeProto{Name: str(out + "_node"), OpType: str(name), Input: in, Output: []string{out}}
}

// TestTopologyTraps reads the graphs on which onnx-go's interface needs care: one value twice, an absent input, no input, a wrong
// order.
func TestTopologyTraps(t *testing.T) {
	g := &pb.GraphProto{
		Input:  []*pb.ValueInfoProto{floatInput("x", 2)},
		Output: []*pb.ValueInfoProto{floatInput("y", 2)},
		Node: []*pb.NodeProto{
			op("Add", "y", "b", "c"), // before what it needs
			op("Add", "a", "x", "x"),
			op("Clip", "b", "a", "", "k"),
			{Name: str("k_node"), OpType: str("Constant"), Output: []string{"k"},
				Attribute: []*pb.AttributeProto{{Name: str("value_float"), Type: proto.Int32(1), F: proto.Float32(2)}}},
			op("Sub", "c", "a", "x"),
		},
	}
	m, err := Parse(model(g), "")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]*Node{}
	place := map[string]int{}
	for i, n := range m.Graph.Nodes {
		at[n.Outputs[0].Name] = n
		place[n.Outputs[0].Name] = i
	}
	if a := at["a"]; len(a.Inputs) != 2 || a.Inputs[0] != a.Inputs[1] {
		t.Errorf("Add(x, x): %v", a.Inputs)
	}
	if b := at["b"]; len(b.Inputs) != 3 || b.Inputs[1] != nil || b.Inputs[2].Name != "k" {
		t.Errorf("Clip with an absent input: %v", b.Inputs)
	}
	if k := at["k"]; len(k.Inputs) != 0 || k.Attrs.Float("value_float", 0) != 2 {
		t.Errorf("Constant: %v %v", k.Inputs, k.Attrs)
	}
	if c := at["c"]; c.Inputs[0].Name != "a" || c.Inputs[1].Name != "x" {
		t.Errorf("the order of inputs is lost: %v", c.Inputs)
	}
	if place["y"] < place["b"] || place["b"] < place["k"] {
		t.Errorf("not in topological order: %v", place)
	}
	top, err := readTopology(g)
	if err != nil || !agrees(top, g) {
		t.Errorf("the backend's topology differs from the wire: %v %v", top, err)
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	cyclic := &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 1)}, Output: []*pb.ValueInfoProto{floatInput("b", 1)},
		Node: []*pb.NodeProto{op("Add", "a", "x", "b"), op("Neg", "b", "a")}}
	short := &pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{3}, DataType: proto.Int32(1), RawData: []byte{1, 2}}}}
	huge := &pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1 << 20, 1 << 20}, DataType: proto.Int32(1)}}}
	escape := &pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1}, DataType: proto.Int32(1), DataLocation: proto.Int32(1),
			ExternalData: []*pb.StringStringEntryProto{{Key: str("location"), Value: str("../secret")}}}}}
	undefined := &pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("a", 1)}, Node: []*pb.NodeProto{op("Neg", "a", "nowhere")}}
	twice := &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 1)}, Output: []*pb.ValueInfoProto{floatInput("a", 1)},
		Node: []*pb.NodeProto{op("Neg", "a", "x"), op("Abs", "a", "x")}}
	good := model(&pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 1)}, Output: []*pb.ValueInfoProto{floatInput("y", 1)},
		Node: []*pb.NodeProto{op("Neg", "y", "x")}})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"zip", []byte("PK\x03\x04abc"), "zip"},
		{"text", []byte("hello, I am no model"), "not an ONNX"},
		{"truncated", good[:len(good)-5], "cut short"},
		{"cycle", model(cyclic), "cycle"},
		{"short data", model(short), `initializer "w"`},
		{"huge", model(huge), "too large"},
		{"escape", model(escape), "external data"},
		{"undefined", model(undefined), `"nowhere" is defined nowhere`},
		{"twice", model(twice), `"a" is defined twice`},
		{"no outputs", model(&pb.GraphProto{}), "no outputs"},
	} {
		_, err := Parse(c.data, t.TempDir())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// TestHostileSizesAllocateLittle declares far more than the file holds.
func TestHostileSizesAllocateLittle(t *testing.T) {
	d := model(&pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1 << 30}, DataType: proto.Int32(1), RawData: []byte{0, 0, 0, 0}}}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Parse(d, ""); err == nil {
		t.Fatal("it was read")
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", got, len(d))
	}
}

func TestHalfPrecisionWidensExactly(t *testing.T) {
	for h := range 1 << 16 {
		got := float64(widen(Float16, uint16(h)))
		exp, frac := h>>10&31, float64(h&1023)
		want := math.Ldexp(1024+frac, exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%#x: %v, want %v", h, got, want)
		}
	}
}

func TestExternalDataStaysInTheFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w.bin"), []byte{0, 0, 0, 0, 0, 0, 0xc0, 0x3f}, 0o644); err != nil {
		t.Fatal(err)
	}
	g := &pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1}, DataType: proto.Int32(1), DataLocation: proto.Int32(1),
			ExternalData: []*pb.StringStringEntryProto{{Key: str("location"), Value: str("w.bin")}, {Key: str("offset"), Value: str("4")}}}}}
	m, err := Parse(model(g), dir)
	if err != nil {
		t.Fatal(err)
	}
	if w := m.Graph.Outputs[0].Const; w == nil || w.F32()[0] != 1.5 {
		t.Errorf("%v", w)
	}
}

// TestPublicNetworksLoad loads every public network, and compares the backend's topology with the wire's.
func TestPublicNetworksLoad(t *testing.T) {
	root := filepath.Join("..", "..", "shared")
	if _, err := os.Stat(root); err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("../shared is not at hand")
	}
	n := 0
	for _, dir := range []string{"teachers", "bench"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".onnx") {
				return err
			}
			n++
			m, err := Load(path)
			if err != nil {
				t.Error(err)
				return nil
			}
			data, err := m.Bytes()
			if err != nil {
				t.Error(err)
				return nil
			}
			file := &pb.ModelProto{}
			if err := proto.Unmarshal(data, file); err != nil {
				t.Error(err)
				return nil
			}
			if top, err := readTopology(file.Graph); err != nil || !agrees(top, file.Graph) {
				t.Errorf("%s: the backend's topology differs: %v", path, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 130 {
		t.Errorf("only %d networks were found", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(model(&pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 1)}, Output: []*pb.ValueInfoProto{floatInput("y", 1)},
		Node: []*pb.NodeProto{op("Add", "y", "x", "x")}}))
	f.Add(model(&pb.GraphProto{Output: []*pb.ValueInfoProto{floatInput("w", 1)},
		Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1}, DataType: proto.Int32(7), Int64Data: []int64{5}}}}))
	f.Fuzz(func(t *testing.T, d []byte) {
		m, err := Parse(d, "")
		if err != nil {
			var fe *FormatError
			_ = errors.As(err, &fe)
			return
		}
		if len(m.Graph.Outputs) == 0 {
			t.Fatal("a graph without outputs")
		}
	})
}
