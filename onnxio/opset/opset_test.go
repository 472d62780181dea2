package opset

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

func str(s string) *string { return &s }

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

// pair is a graph from x [2] to y [2].
func pair(n ...*pb.NodeProto) *pb.GraphProto {
	return &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 2)}, Node: n}
}

// rewritten is a whole file's conversion.
func rewritten(m *onnxio.Model, opset int) ([]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	return Convert(m, data, opset, nil)
}

// opsetModel is a file of an opset and IR version.
func opsetModel(t *testing.T, opset, ir int64, g *pb.GraphProto, functions ...*pb.FunctionProto) *onnxio.Model {
	t.Helper()
	d, err := marshal.Marshal(&pb.ModelProto{IrVersion: proto.Int64(ir), Graph: g, Functions: functions, OpsetImport: []*pb.OperatorSetIdProto{
		{Version: proto.Int64(opset)}, {Domain: str("my.own"), Version: proto.Int64(3)}}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Parse(d, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func toOpset(t *testing.T, m *onnxio.Model, to int) *pb.ModelProto {
	t.Helper()
	d, err := rewritten(m, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onnxio.Parse(d, ""); err != nil {
		t.Fatal(err)
	}
	p := &pb.ModelProto{}
	if err := proto.Unmarshal(d, p); err != nil {
		t.Fatal(err)
	}
	return p
}

func withInts(n *pb.NodeProto, name string, v ...int64) *pb.NodeProto {
	n.Attribute = append(n.Attribute, attribute(name, v))
	return n
}

// TestOperatorHistory: every row is in order, and every adapter stands where the history says that something changed.
func TestOperatorHistory(t *testing.T) {
	rows, err := readHistory(operatorHistory)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < 190 {
		t.Errorf("%d operators", len(rows))
	}
	for name, r := range rows {
		for v := range r.changes {
			if v <= r.first || v <= Min || v > Max {
				t.Errorf("%s changes in opset %d after %d", name, v, r.first)
			}
		}
	}
	for c := range adapters {
		r := rows[c.op]
		if r == nil || !r.changes[c.v].form && r.first != c.v {
			t.Errorf("an adapter of %s for opset %d, which changed nothing", c.op, c.v)
		}
	}
	for _, slip := range []string{"Add 7 x13", "Add 7 13+bf61"} {
		if _, err := readHistory(slip); err == nil {
			t.Errorf("%q is read", slip)
		}
	}
}

func TestSameOpsetIsTheSameFile(t *testing.T) {
	m := opsetModel(t, 11, 6, pair(op("Neg", "y", "x")))
	old, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got, err := rewritten(m, 11)
	if err != nil || !bytes.Equal(got, old) {
		t.Errorf("the file changed: %v", err)
	}
}

// TestOpsetChangesOnlyWhatItMust: nodes of other domains and nodes that did not change stay, the axes become one initializer with a name of
// its own, and going back leaves nothing behind.
func TestOpsetChangesOnlyWhatItMust(t *testing.T) {
	own := op("Squeeze", "s", "x") // another domain's
	own.Domain = str("my.own")
	taken := op("Neg", "y_axes", "s")
	g := &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 1, 2)},
		Node: []*pb.NodeProto{own, taken, withInts(op("Unsqueeze", "y", "y_axes"), "axes", 0)}}
	m := opsetModel(t, 11, 6, g)
	p := toOpset(t, m, 24)
	if p.GetIrVersion() != 12 || p.OpsetImport[0].GetVersion() != 24 || p.OpsetImport[1].GetVersion() != 3 {
		t.Errorf("IR %d, opsets %v", p.GetIrVersion(), p.OpsetImport)
	}
	if !proto.Equal(p.Graph.Node[0], own) || !proto.Equal(p.Graph.Node[1], taken) {
		t.Errorf("nodes changed that had no reason to")
	}
	u := p.Graph.Node[2]
	if len(u.Attribute) != 0 || len(u.Input) != 2 || len(p.Graph.Initializer) != 1 || u.Input[1] != p.Graph.Initializer[0].GetName() ||
		u.Input[1] == "y_axes" {
		t.Errorf("Unsqueeze became %v with %v", u, p.Graph.Initializer)
	}
	d, err := rewritten(m, 24)
	if err != nil {
		t.Fatal(err)
	}
	up, err := onnxio.Parse(d, "")
	if err != nil {
		t.Fatal(err)
	}
	if back := toOpset(t, up, 11); !proto.Equal(back.Graph, g) || back.GetIrVersion() != 12 {
		t.Errorf("back again: %v", back)
	}
}

// TestOpsetOfOldIR: a file whose initializers would all have to be inputs gets an IR version that knows others.
func TestOpsetOfOldIR(t *testing.T) {
	g := pair(op("Gemm", "y", "x", "w"))
	g.Initializer = []*pb.TensorProto{{Name: str("w"), Dims: []int64{2, 2}, DataType: proto.Int32(1), FloatData: []float32{1, 2, 3, 4}}}
	p := toOpset(t, opsetModel(t, 11, 3, g), 8)
	if p.GetIrVersion() != 4 || len(p.Graph.Node[0].Input) != 3 {
		t.Errorf("IR %d, %v", p.GetIrVersion(), p.Graph.Node)
	}
}

// TestOpsetInsideSubgraphsAndFunctions adapts what stands in a branch of If and in a function of the file.
func TestOpsetInsideSubgraphsAndFunctions(t *testing.T) {
	branch := func(sum *pb.NodeProto) *pb.GraphProto {
		return &pb.GraphProto{Name: str("branch"), Node: []*pb.NodeProto{sum}, Output: []*pb.ValueInfoProto{{Name: str(sum.Output[0])}}}
	}
	choose := op("If", "c", "cond")
	choose.Attribute = []*pb.AttributeProto{
		{Name: str("then_branch"), Type: proto.Int32(pb.AttrGraph), G: branch(withInts(op("ReduceSum", "t", "x"), "axes", 0))},
		{Name: str("else_branch"), Type: proto.Int32(pb.AttrGraph), G: branch(op("Neg", "e", "x"))}}
	call := op("Both", "y", "c")
	call.Domain = str("my.own")
	f := &pb.FunctionProto{Name: str("Both"), Domain: str("my.own"), Input: []string{"a"}, Output: []string{"b"},
		Node: []*pb.NodeProto{withInts(op("ReduceSum", "b", "a"), "axes", 0)}, OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(12)}}}
	cond := &pb.TensorProto{Name: str("cond"), DataType: proto.Int32(9), Int32Data: []int32{1}}
	g := &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 1)},
		Initializer: []*pb.TensorProto{cond}, Node: []*pb.NodeProto{choose, call}}
	p := toOpset(t, opsetModel(t, 12, 8, g, f), 13)
	then := p.Graph.Node[0].Attribute[0].G
	if n := then.Node[0]; len(n.Input) != 2 || len(n.Attribute) != 0 || len(then.Initializer) != 1 || then.Initializer[0].GetName() != n.Input[1] {
		t.Errorf("in the branch: %v", then)
	}
	if !proto.Equal(p.Graph.Node[0].Attribute[1].G, choose.Attribute[1].G) || !proto.Equal(p.Graph.Node[1], call) {
		t.Errorf("what did not change did")
	}
	fn := p.Functions[0]
	if len(fn.Node) != 2 || fn.Node[0].GetOpType() != "Constant" || fn.Node[1].Input[1] != fn.Node[0].Output[0] || fn.OpsetImport[0].GetVersion() != 13 {
		t.Errorf("in the function: %v", fn)
	}
	f.Node[0].Attribute[0] = &pb.AttributeProto{Name: str("axes"), Type: proto.Int32(pb.AttrInts), RefAttrName: str("which")}
	f.Attribute = []string{"which"}
	call.Attribute = []*pb.AttributeProto{attribute("which", []int64{0})}
	refusedFor(t, opsetModel(t, 12, 8, g, f), 13, `node "b_node"`, "parameter of the function")
}

func refusedFor(t *testing.T, m *onnxio.Model, to int, want ...string) {
	t.Helper()
	_, err := rewritten(m, to)
	if err == nil {
		t.Errorf("opset %d: not refused", to)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("opset %d: %q lacks %q", to, err, w)
		}
	}
}

func TestOpsetsThatAreRefused(t *testing.T) {
	one := func(n *pb.NodeProto, opset int64, w ...*pb.TensorProto) *onnxio.Model {
		g := pair(n)
		g.Initializer = w
		return opsetModel(t, opset, 8, g)
	}
	neg := one(op("Neg", "y", "x"), 13)
	refusedFor(t, neg, 6, "opsets 7 to 28")
	refusedFor(t, neg, 29, "opsets 7 to 28")
	refusedFor(t, one(op("Neg", "y", "x"), 29), 28, "of opset 29")
	refusedFor(t, one(op("Frobnicate", "y", "x"), 13), 14, `node "y_node": operator Frobnicate`, "does not know")
	refusedFor(t, one(op("Trilu", "y", "x"), 20), 13, `node "y_node": operator Trilu`, "since opset 14")
	refusedFor(t, one(op("Mish", "y", "x"), 13), 14, "file is of opset 13")
	refusedFor(t, one(op("Squeeze", "y", "x", "x"), 13), 12, "are computed")
	k := &pb.TensorProto{Name: str("k"), Dims: []int64{1}, DataType: proto.Int32(int32(onnxio.Int8)), Int32Data: []int32{1}}
	refusedFor(t, one(op("Add", "y", "k", "k"), 14, k), 13, "of type int8", "since opset 14")
	var e *Error
	if _, err := rewritten(one(op("Trilu", "y", "x"), 20), 12); !errors.As(err, &e) || e.From != 14 || e.To != 13 ||
		!strings.Contains(e.Do, "--opset 14") {
		t.Errorf("%+v", e)
	}
}

// TestScatterIsScatterElements: opset 11 changed only the name.
func TestScatterIsScatterElements(t *testing.T) {
	g := &pb.GraphProto{Input: []*pb.ValueInfoProto{floatInput("x", 2)}, Output: []*pb.ValueInfoProto{floatInput("y", 2)},
		Initializer: []*pb.TensorProto{{Name: str("i"), Dims: []int64{1}, DataType: proto.Int32(7), Int64Data: []int64{1}}},
		Node:        []*pb.NodeProto{op("Scatter", "y", "x", "i", "x")}}
	g.Node[0].Attribute = []*pb.AttributeProto{attribute("axis", int64(0))}
	p := toOpset(t, opsetModel(t, 9, 4, g), 11)
	if p.Graph.Node[0].GetOpType() != "ScatterElements" {
		t.Errorf("%v", p.Graph.Node)
	}
	p.Graph.Node[0].Attribute[0].I = proto.Int64(-1)
	if p = toOpset(t, opsetModel(t, 11, 6, p.Graph), 10); p.Graph.Node[0].GetOpType() != "Scatter" || p.Graph.Node[0].Attribute[0].GetI() != 0 {
		t.Errorf("%v", p.Graph.Node)
	}
}

// TestDequantizedValuesHaveTheTypeOfTheirScale: quantisers leave the types of what they put in undeclared, and parts of what follows need them.
func TestDequantizedValuesHaveTheTypeOfTheirScale(t *testing.T) {
	g := pair(op("QuantizeLinear", "q", "x", "s", "z"), op("DequantizeLinear", "d", "q", "s", "z"), op("LayerNormalization", "y", "d", "g"))
	number := func(name string, v ...float32) *pb.TensorProto {
		p := &pb.TensorProto{Name: str(name), DataType: proto.Int32(1), FloatData: v}
		if len(v) > 1 {
			p.Dims = []int64{int64(len(v))}
		}
		return p
	}
	g.Initializer = []*pb.TensorProto{number("s", 0.5), number("g", 1, 2),
		{Name: str("z"), DataType: proto.Int32(int32(onnxio.Int8)), Int32Data: []int32{1}}}
	p := toOpset(t, opsetModel(t, 17, 8, g), 16)
	if last := p.Graph.Node[len(p.Graph.Node)-1]; last.GetOpType() == "LayerNormalization" || len(p.Graph.Node) < 6 {
		t.Errorf("%v", p.Graph.Node)
	}
}

// TestNewestOpsets: what opsets 27 and 28 brought goes down to forms that say the same, or is refused by name; what they took away does not go up.
func TestNewestOpsets(t *testing.T) {
	image := func(name string, dims ...int64) []*pb.ValueInfoProto {
		return []*pb.ValueInfoProto{floatInput(name, dims...)}
	}
	depth := op("SpaceToDepth", "y", "x")
	depth.Attribute = []*pb.AttributeProto{attribute("mode", "CRD"), attribute("blocksize", int64(2))}
	g := &pb.GraphProto{Input: image("x", 1, 3, 4, 6), Output: image("y", 1, 12, 2, 3), Node: []*pb.NodeProto{depth}}
	ops := func(p *pb.ModelProto) (names []string) {
		for _, n := range p.Graph.Node {
			names = append(names, n.GetOpType())
		}
		return names
	}
	if got := ops(toOpset(t, opsetModel(t, 28, 14, g), 27)); strings.Join(got, " ") != "Reshape Transpose Reshape" {
		t.Errorf("CRD: %v", got)
	}
	g.Input = image("x", 1, 3)
	refusedFor(t, opsetModel(t, 28, 14, g), 27, `node "y_node": operator SpaceToDepth`, "shape of value")
	depth.Attribute[0] = attribute("mode", "DCR")
	if p := toOpset(t, opsetModel(t, 28, 14, g), 27); len(p.Graph.Node[0].Attribute) != 1 || p.GetIrVersion() != 14 {
		t.Errorf("DCR: %v", p.Graph.Node)
	}
	gate := op("SwiGLU", "y", "x", "x")
	gate.Attribute = []*pb.AttributeProto{attribute("alpha", float32(1.5))}
	if got := ops(toOpset(t, opsetModel(t, 28, 14, pair(gate)), 24)); strings.Join(got, " ") != "Mul Sigmoid Mul Mul" {
		t.Errorf("%v", got)
	}
	if got := ops(toOpset(t, opsetModel(t, 28, 14, pair(gate)), 7)); strings.Join(got, " ") != "Mul Sigmoid Mul Mul" {
		t.Errorf("%v", got)
	}
	mod := op("Mod", "y", "x", "x")
	refusedFor(t, opsetModel(t, 28, 14, pair(mod)), 27, `node "y_node": operator Mod`, "fmod is 0")
	mod.Attribute = []*pb.AttributeProto{attribute("fmod", int64(1))}
	toOpset(t, opsetModel(t, 28, 14, pair(mod)), 10)
	k := &pb.TensorProto{Name: str("k"), Dims: []int64{2}, DataType: proto.Int32(int32(onnxio.Int64)), Int64Data: []int64{1, 2}}
	real := op("Cast", "y", "z")
	real.Attribute = []*pb.AttributeProto{attribute("to", int64(1))}
	g = pair(op("ReduceLogSum", "z", "k"), real)
	g.Initializer = []*pb.TensorProto{k}
	refusedFor(t, opsetModel(t, 27, 13, g), 28, `node "z_node": operator ReduceLogSum`, "int64")
	refusedFor(t, opsetModel(t, 28, 14, pair(op("LinearAttention", "y", "x", "x", "x"))), 26, "exists only since opset 27")
	if p := toOpset(t, opsetModel(t, 13, 7, pair(op("Neg", "y", "x"))), 28); p.GetIrVersion() != 14 {
		t.Errorf("IR %d", p.GetIrVersion())
	}
}

// TestDeadNodesAreNoObstacle: a node that no output needs and the other opset has no form of is left out, with what reads it. A live one is refused.
func TestDeadNodesAreNoObstacle(t *testing.T) {
	g := pair(op("Trilu", "t", "x"), op("Neg", "u", "t"), op("Neg", "y", "x"), op("Neg", "v", "x"))
	p := toOpset(t, opsetModel(t, 17, 8, g), 13)
	if n := p.Graph.Node; len(n) != 2 || n[0].Output[0] != "y" || n[1].Output[0] != "v" {
		t.Errorf("%v", n)
	}
	branch := func(name string, of ...*pb.NodeProto) *pb.AttributeProto {
		return &pb.AttributeProto{Name: str(name), Type: proto.Int32(pb.AttrGraph),
			G: &pb.GraphProto{Name: str(name), Node: of, Output: []*pb.ValueInfoProto{{Name: str(of[0].Output[0])}}}}
	}
	choose := op("If", "y", "cond") // reads t from within, so that it is needed
	choose.Attribute = []*pb.AttributeProto{branch("then_branch", op("Neg", "a", "t")), branch("else_branch", op("Neg", "b", "x"))}
	g = pair(op("Trilu", "t", "x"), choose)
	g.Initializer = []*pb.TensorProto{{Name: str("cond"), DataType: proto.Int32(9), Int32Data: []int32{1}}}
	refusedFor(t, opsetModel(t, 17, 8, g), 13, `node "t_node": operator Trilu`)
	choose.Output[0] = "c"
	g.Node = append(g.Node, op("Neg", "y", "x"))
	if p := toOpset(t, opsetModel(t, 17, 8, g), 13); len(p.Graph.Node) != 1 {
		t.Errorf("%v", p.Graph.Node)
	}
}
