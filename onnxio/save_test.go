package onnxio

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// TestNetworksAreSavedByteForByte loads every network at hand, compares all its parts with the file as Save does, and writes it.
func TestNetworksAreSavedByteForByte(t *testing.T) {
	n := 0
	for _, dir := range []string{filepath.Join("..", "testdata"), filepath.Join("..", "..", "shared", "teachers"),
		filepath.Join("..", "..", "shared", "bench")} {
		if _, err := os.Stat(dir); err != nil {
			if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
				t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
			}
			t.Log(dir, "is not at hand")
			continue
		}
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".onnx") {
				return err
			}
			m, err := Load(path)
			if err != nil {
				t.Error(err)
				return nil
			}
			want, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(t.TempDir(), "saved.onnx")
			if err := m.Save(to, SaveOptions{}); err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			if got, _ := os.ReadFile(to); !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes become %d others", path, len(want), len(got))
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 7 {
		t.Errorf("only %d networks were found", n)
	}
}

// oddFile is a model as an unusual encoder writes it: fields out of order, unknown fields everywhere, lengths longer than they need be.
func oddFile(t *testing.T) []byte {
	t.Helper()
	unknown := func(n protowire.Number) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), "kept")
	}
	node := func(op, out string, in ...string) []byte {
		b, err := marshal.Marshal(&pb.NodeProto{OpType: str(op), Output: []string{out}, Input: in, Name: str(out)})
		if err != nil {
			t.Fatal(err)
		}
		return append(unknown(99), b...)
	}
	tensor := func(name string, v ...float32) []byte {
		b, err := marshal.Marshal(&pb.TensorProto{Name: str(name), Dims: []int64{int64(len(v))}, DataType: proto.Int32(1), FloatData: v})
		if err != nil {
			t.Fatal(err)
		}
		return append(b, unknown(77)...)
	}
	info := func(name string) []byte {
		b, err := marshal.Marshal(floatInput(name, 2))
		if err != nil {
			t.Fatal(err)
		}
		return append(unknown(55), b...)
	}
	var g []byte
	field := func(n protowire.Number, payload []byte) {
		g = protowire.AppendTag(g, n, protowire.BytesType)
		g = append(g, byte(len(payload))|0x80, 0x80, 0x00) // three bytes for a length of seven bits
		g = append(g, payload...)
	}
	field(5, tensor("w", 1, 2))
	field(1, node("Add", "a", "x", "w"))
	g = append(g, unknown(200)...)
	field(5, tensor("unread", 7))
	field(12, info("y"))
	field(1, node("Relu", "b", "a"))
	field(13, info("a"))
	field(5, tensor("v", 3, 4))
	field(1, node("Mul", "y", "b", "v"))
	field(11, info("x"))
	var out []byte
	out = append(out, unknown(100)...)
	out = append(protowire.AppendTag(out, 7, protowire.BytesType), byte(len(g))|0x80, byte(len(g)>>7)|0x80, 0x00)
	out = append(out, g...)
	set, _ := marshal.Marshal(&pb.OperatorSetIdProto{Version: proto.Int64(17)})
	out = protowire.AppendBytes(protowire.AppendTag(out, 8, protowire.BytesType), set)
	return append(protowire.AppendVarint(protowire.AppendTag(out, 1, protowire.VarintType), 8), unknown(101)...)
}

// pieces are the fields of a model and of its graph, as strings.
func pieces(t *testing.T, data []byte) map[string]int {
	t.Helper()
	out := map[string]int{}
	top, err := wire.Split(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range top {
		if f.Num == modelGraph {
			inner, err := wire.Split(f.Payload)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range inner {
				out["graph "+string(g.Raw)]++
			}
			continue
		}
		out[string(f.Raw)]++
	}
	return out
}

// gone lists what a has more than b.
func gone(a, b map[string]int) []string {
	var out []string
	for k, n := range a {
		for range n - b[k] {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// TestOnlyTheChangeIsWritten edits a model in one place at a time and looks which pieces of the file differ.
func TestOnlyTheChangeIsWritten(t *testing.T) {
	file := oddFile(t)
	for _, c := range []struct {
		name       string
		edit       func(*Graph)
		less, more int
	}{
		{"nothing", func(*Graph) {}, 0, 0},
		{"a weight", func(g *Graph) { g.Nodes[0].Inputs[1].Const = FromFloat32([]float32{1, 5}, 2) }, 1, 1},
		{"a weight by an equal one", func(g *Graph) { g.Nodes[0].Inputs[1].Const = FromFloat32([]float32{1, 2}, 2) }, 0, 0},
		{"an operator", func(g *Graph) { g.Nodes[1].Op = "Sigmoid" }, 1, 1},
		{"an attribute", func(g *Graph) {
			g.Nodes[1].Op, g.Nodes[1].Attrs = "LeakyRelu", Attrs{"alpha": float32(0.5)}
		}, 1, 1},
		{"a node left out", func(g *Graph) { // the node, its note; the next node reads another value
			g.Nodes[1].Inputs[0] = g.Inputs[0]
			g.Nodes = g.Nodes[1:]
		}, 4, 1}, // node Add, weight w, note a, node Relu; new Relu
		{"the batch", func(g *Graph) { g.Inputs[0].Dims = []Dim{{Name: "N", Size: -1}} }, 1, 1},
		{"a new node", func(g *Graph) {
			v := &Value{Name: "z", DType: Float}
			n := &Node{Name: "z", Op: "Neg", Inputs: g.Outputs[:1], Outputs: []*Value{v}, Opset: 17}
			v.Producer = n
			g.Nodes, g.Outputs = append(g.Nodes, n), []*Value{v}
		}, 1, 2}, // output y; node and output z
	} {
		m, err := Parse(file, "")
		if err != nil {
			t.Fatal(err)
		}
		c.edit(m.Graph)
		got, err := m.Encode()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		before, after := pieces(t, file), pieces(t, got)
		if less, more := gone(before, after), gone(after, before); len(less) != c.less || len(more) != c.more {
			t.Errorf("%s: %q became %q", c.name, less, more)
		}
		if c.less+c.more == 0 && !bytes.Equal(got, file) {
			t.Errorf("%s: bytes changed", c.name)
		}
		again, err := Parse(got, "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(again.Graph.Nodes) != len(m.Graph.Nodes) || again.Graph.Nodes[0].Op != m.Graph.Nodes[0].Op {
			t.Errorf("%s: the graph does not come back", c.name)
		}
		for _, n := range again.Graph.Nodes {
			if c.name == "an operator" && n.Name == "b" && !bytes.Contains(got, []byte("kept")) {
				t.Error("unknown fields are lost")
			}
		}
	}
}

// faultyDisk fails at step failAt; with crash set, nothing happens from there on, as if the process were gone.
type faultyDisk struct {
	output.OS
	failAt, step int
	crash        bool
}

var errFault = errors.New("fault")

func (d *faultyDisk) next() error {
	d.step++
	if d.step == d.failAt || d.crash && d.step > d.failAt {
		return errFault
	}
	return nil
}

type faultyFile struct {
	output.File
	d *faultyDisk
}

func (d *faultyDisk) CreateTemp(dir, pattern string) (output.File, error) {
	if err := d.next(); err != nil {
		return nil, err
	}
	f, err := d.OS.CreateTemp(dir, pattern)
	return &faultyFile{f, d}, err
}

func (d *faultyDisk) Rename(from, to string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.OS.Rename(from, to)
}

func (d *faultyDisk) Remove(path string) error {
	if d.crash {
		return errFault
	}
	return d.OS.Remove(path)
}

func (d *faultyDisk) SyncDir(dir string) error {
	if err := d.next(); err != nil {
		return err
	}
	return d.OS.SyncDir(dir)
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.d.next(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // the disk filled up on the way
		return n, err
	}
	return f.File.Write(p)
}

func (f *faultyFile) Chmod(m fs.FileMode) error {
	if err := f.d.next(); err != nil {
		return err
	}
	return f.File.Chmod(m)
}

func (f *faultyFile) Sync() error {
	if err := f.d.next(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Close() error {
	if err := f.d.next(); err != nil {
		f.File.Close()
		return err
	}
	return f.File.Close()
}

// TestInPlaceLeavesTheOldOrTheNewFile fails, and stops, at every step of replacing a model, with and without new external data.
func TestInPlaceLeavesTheOldOrTheNewFile(t *testing.T) {
	old, err := marshal.Marshal(bigModel(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, external := range []bool{false, true} {
		for _, crash := range []bool{false, true} {
			finished := false
			for step := 1; !finished && step < 100; step++ {
				dir := t.TempDir()
				path := filepath.Join(dir, "m.onnx")
				if err := os.WriteFile(path, old, 0o600); err != nil {
					t.Fatal(err)
				}
				m, err := Load(path)
				if err != nil {
					t.Fatal(err)
				}
				m.Graph.Nodes[0].Op = "Sub"
				data, err := m.Encode()
				if err != nil {
					t.Fatal(err)
				}
				d := &faultyDisk{failAt: step, crash: crash}
				_, err = m.save(d, path, data, SaveOptions{External: external})
				finished = err == nil
				if !finished && !errors.Is(err, errFault) {
					t.Fatal(err)
				}
				now, err := Load(path)
				if err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
				got, _ := now.Bytes()
				switch op := now.Graph.Nodes[0].Op; {
				case finished && op != "Sub":
					t.Errorf("step %d: saved, and the old file is there", step)
				case op == "Add" && !bytes.Equal(got, old):
					t.Errorf("step %d: the old file changed", step)
				case op == "Sub" && now.Graph.Nodes[0].Inputs[1].Const.F32()[999] != 1:
					t.Errorf("step %d: the new file's weights are wrong", step)
				}
				left, _ := filepath.Glob(filepath.Join(dir, ".*.tmp"))
				if !crash && len(left) > 0 {
					t.Errorf("step %d: %v are left behind", step, left)
				}
				if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
					t.Errorf("step %d: permissions %v", step, info.Mode())
				}
			}
			if !finished {
				t.Error("saving never came to an end")
			}
		}
	}
}

// bigModel adds 1,000 weights of the given value to its input.
func bigModel(w float32) *pb.ModelProto {
	weights := make([]float32, 1000)
	for i := range weights {
		weights[i] = w
	}
	return &pb.ModelProto{IrVersion: proto.Int64(8), OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(17)}},
		Graph: &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 1000)}, Output: []*pb.ValueInfoProto{floatInput("y", 1000)},
			Initializer: []*pb.TensorProto{{Name: str("w"), Dims: []int64{1000}, DataType: proto.Int32(1), FloatData: weights}},
			Node:        []*pb.NodeProto{op("Add", "y", "x", "w")}}}
}

func TestSaveFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	data, _ := marshal.Marshal(bigModel(1))
	real, link := filepath.Join(dir, "deep", "real.onnx"), filepath.Join(dir, "link.onnx")
	if err := os.Mkdir(filepath.Dir(real), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(real, data, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("deep", "real.onnx"), link); err != nil {
		t.Skip(err)
	}
	m, err := Load(link)
	if err != nil {
		t.Fatal(err)
	}
	m.Graph.Nodes[0].Op = "Sub"
	if err := m.Save(link, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat(link); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	now, err := Load(real)
	if err != nil || now.Graph.Nodes[0].Op != "Sub" {
		t.Errorf("the linked file was not replaced: %v", err)
	}
	if info, _ := os.Stat(real); info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v", info.Mode())
	}
	if err := m.Save(dir, SaveOptions{}); err == nil {
		t.Error("a folder was written")
	}
}

// TestExternalData moves constants out, brings them along to another folder, and keeps them where they are in place.
func TestExternalData(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	data, _ := marshal.Marshal(bigModel(3))
	m, err := Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	check := func(path string, files int) *Model {
		t.Helper()
		m, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if w := m.Graph.Nodes[0].Inputs[1].Const.F32(); len(w) != 1000 || w[999] != 3 {
			t.Errorf("%s: weights %v...", path, w[:3])
		}
		if all, _ := os.ReadDir(filepath.Dir(path)); len(all) != files {
			t.Errorf("%s: %d files in its folder, want %d", path, len(all), files)
		}
		return m
	}
	out := filepath.Join(a, "m.onnx")
	if err := m.Save(out, SaveOptions{External: true}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(out); info.Size() > 1000 {
		t.Errorf("%d bytes are left in the file", info.Size())
	}
	x := check(out, 2)
	if got, err := x.Encode(); err != nil {
		t.Error(err)
	} else if want, _ := x.Bytes(); !bytes.Equal(got, want) {
		t.Error("a model with external data does not come back byte for byte")
	}
	if err := x.Save(filepath.Join(b, "n.onnx"), SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	check(filepath.Join(b, "n.onnx"), 2)
	x.Graph.Nodes[0].Op = "Sub"
	if err := x.Save(out, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if y := check(out, 2); y.Graph.Nodes[0].Op != "Sub" {
		t.Error("the change is not there")
	}
	// Another file under the data's name is not overwritten.
	c := t.TempDir()
	names, _ := filepath.Glob(filepath.Join(a, "*.data"))
	if len(names) != 1 {
		t.Fatal(names)
	}
	taken := filepath.Join(c, filepath.Base(names[0]))
	if err := os.WriteFile(taken, []byte("somebody's"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := x.Save(filepath.Join(c, "m.onnx"), SaveOptions{}); err == nil || !strings.Contains(err.Error(), "stands in the way") {
		t.Errorf("%v", err)
	}
	if got, _ := os.ReadFile(taken); string(got) != "somebody's" {
		t.Error("it was overwritten")
	}
}

// TestLargeModelsGoExternal: beyond the limit of a message, constants move out by themselves.
func TestLargeModelsGoExternal(t *testing.T) {
	defer func(n int) { maxMessage = n }(maxMessage)
	maxMessage = 2000
	data, _ := marshal.Marshal(bigModel(3))
	m, err := Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "large.onnx")
	if err := m.Save(path, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Size() > 2000 {
		t.Errorf("%d bytes", info.Size())
	}
	if n, err := Load(path); err != nil || n.Graph.Nodes[0].Inputs[1].Const.F32()[5] != 3 {
		t.Error(err)
	}
	maxMessage = 50
	if err := m.Save(filepath.Join(dir, "x.onnx"), SaveOptions{}); err == nil {
		t.Error("a model larger than the limit was written")
	}
}
