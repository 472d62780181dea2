package onnxio

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Files of opsets 1 to 6 are read in the forms of opset 7, the first with today's broadcasting: what a node said by an attribute of the older
// form stands in today's attributes, inputs and nodes beside it. The file itself stays as it is, until something in its graph changes: it is then
// written for opset 7. A node that cannot be brought up keeps its form and the reason (Node.Unraised), so that only who needs it refuses the file.

// raised is the first opset whose forms are read as they are.
const raised = 7

// Raise gives the bytes of a file of opsets 1 to 6 as one of opset 7, and those of any other file as they are. A node that cannot be brought up is an
// UnsupportedError.
func Raise(data []byte) ([]byte, error) {
	file := &pb.ModelProto{}
	if err := proto.Unmarshal(data, file); err != nil {
		return nil, &FormatError{Offset: -1, Why: cleanProtoError(err)}
	}
	v := oldOpset(file)
	if v == 0 {
		return data, nil
	}
	stay := raise(file, v)
	for _, n := range file.GetGraph().GetNode() { // the first in the file's order
		if why := stay[n]; why != "" {
			return nil, unraised(n, v, why)
		}
	}
	for n, why := range stay { // in a subgraph
		return nil, unraised(n, v, why)
	}
	file.IrVersion = proto.Int64(max(3, file.GetIrVersion()))
	file.OpsetImport = slices.DeleteFunc(file.OpsetImport, func(o *pb.OperatorSetIdProto) bool { return domain(o.GetDomain()) == "" })
	file.OpsetImport = append(file.OpsetImport, &pb.OperatorSetIdProto{Domain: proto.String(""), Version: proto.Int64(raised)})
	return marshal.Marshal(file)
}

func unraised(n *pb.NodeProto, opset int, why string) error {
	name := n.GetName()
	if name == "" && len(n.Output) > 0 {
		name = n.Output[0]
	}
	return &UnsupportedError{Node: name, Op: n.GetOpType(), Opset: opset, Why: why}
}

// oldOpset is the opset of a file's standard operators where it is before 7; 0 for others. Functions came later: a file with some is not brought up.
func oldOpset(file *pb.ModelProto) int {
	v, said := 0, false
	for _, o := range file.OpsetImport {
		if domain(o.GetDomain()) == "" {
			v, said = int(o.GetVersion()), true
		}
	}
	if !said && len(file.OpsetImport) == 0 && file.GetIrVersion() < 3 {
		v = 1
	}
	if v < 1 || v >= raised || len(file.Functions) > 0 {
		return 0
	}
	return v
}

// raise brings a file's graph up in place, and tells which nodes stay as they are, and why.
func raise(file *pb.ModelProto, opset int) map[*pb.NodeProto]string {
	r := &raiser{opset: opset, names: map[string]bool{}, stay: map[*pb.NodeProto]string{}}
	r.collect(file.GetGraph(), 0)
	r.graph(file.GetGraph(), nil, 0)
	return r.stay
}

// raiser is a file on its way to opset 7.
type raiser struct {
	opset int
	names map[string]bool
	stay  map[*pb.NodeProto]string
}

// graphs are a node's own.
func graphs(n *pb.NodeProto) []*pb.GraphProto {
	var out []*pb.GraphProto
	for _, a := range n.Attribute {
		for _, g := range append([]*pb.GraphProto{a.G}, a.Graphs...) {
			if g != nil {
				out = append(out, g)
			}
		}
	}
	return out
}

func (r *raiser) collect(g *pb.GraphProto, depth int) {
	for _, list := range [][]*pb.ValueInfoProto{g.GetInput(), g.GetOutput(), g.GetValueInfo()} {
		for _, v := range list {
			r.names[v.GetName()] = true
		}
	}
	for _, t := range g.GetInitializer() {
		r.names[t.GetName()] = true
	}
	for _, n := range g.GetNode() {
		for _, name := range n.Output {
			r.names[name] = true
		}
		for _, sub := range graphs(n) {
			if depth < maxGraphDepth {
				r.collect(sub, depth+1)
			}
		}
	}
}

func (r *raiser) fresh(hint string) string {
	name := hint
	for i := 1; r.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", hint, i)
	}
	r.names[name] = true
	return name
}

// graph brings a graph's nodes up; outer is what the graph around knows.
func (r *raiser) graph(g *pb.GraphProto, outer *scope, depth int) {
	if g == nil {
		return
	}
	s := &scope{ranks: map[string]int{}, consts: map[string]*pb.TensorProto{}}
	if outer != nil {
		s.ranks, s.consts = maps.Clone(outer.ranks), maps.Clone(outer.consts)
	}
	for _, list := range [][]*pb.ValueInfoProto{g.Input, g.Output, g.ValueInfo} {
		for _, v := range list {
			if shape := v.GetType().GetTensorType().GetShape(); shape != nil {
				s.ranks[v.GetName()] = len(shape.Dim)
			} else {
				delete(s.ranks, v.GetName())
			}
		}
	}
	for _, t := range g.Initializer {
		s.ranks[t.GetName()], s.consts[t.GetName()] = len(t.Dims), t
	}
	for range 2 { // files need not be in order, and one pass more makes up for most that are not
		for _, n := range g.Node {
			s.note(n)
		}
	}
	var out []*pb.NodeProto
	for _, n := range g.Node {
		if domain(n.GetDomain()) != "" {
			out = append(out, n)
			continue
		}
		for _, sub := range graphs(n) {
			if depth < maxGraphDepth {
				r.graph(sub, s, depth+1)
			}
		}
		u := &raising{raiser: r, scope: s, n: n}
		if n.GetOpType() == "Constant" {
			out = append(out, n)
			continue
		}
		was := proto.CloneOf(n)
		if u.run(); u.why != "" {
			n.OpType, n.Input, n.Attribute = was.OpType, was.Input, was.Attribute
			r.stay[n] = u.why
			out = append(out, n)
			continue
		}
		out = append(append(out, u.before...), n)
	}
	g.Node = out
}

// scope is what is known of values by their names: ranks, and tensors of constants.
type scope struct {
	ranks  map[string]int
	consts map[string]*pb.TensorProto
}

// rank of a value; -1 where it is not known.
func (s *scope) rank(name string) int {
	if r, ok := s.ranks[name]; ok {
		return r
	}
	return -1
}

// note finds the ranks of a node's outputs, as operators before opset 7 have them.
func (s *scope) note(n *pb.NodeProto) {
	if len(n.Output) == 0 || domain(n.GetDomain()) != "" {
		return
	}
	in := func(i int) int {
		if i < len(n.Input) && n.Input[i] != "" {
			return s.rank(n.Input[i])
		}
		return -1
	}
	a := func(name string) *pb.AttributeProto { return attributeOf(n, name) }
	rank, all := -1, false
	switch op := n.GetOpType(); op {
	case "Constant":
		if t := a("value").GetT(); t != nil {
			rank = len(t.Dims)
			s.consts[n.Output[0]] = t
		}
	case "Flatten", "Gemm":
		rank = 2
	case "Reshape":
		if list := a("shape"); list != nil {
			rank = len(list.Ints)
		} else if len(n.Input) > 1 {
			if t := s.consts[n.Input[1]]; t != nil && len(t.Dims) == 1 {
				rank = int(t.Dims[0])
			}
		}
	case "MatMul":
		if x, y := in(0), in(1); x >= 2 && y >= 2 {
			rank = max(x, y)
		}
	case "Squeeze":
		if list := a("axes"); list != nil && in(0) >= len(list.Ints) {
			rank = in(0) - len(list.Ints)
		}
	case "Unsqueeze":
		if list := a("axes"); list != nil && in(0) >= 0 {
			rank = in(0) + len(list.Ints)
		}
	case "Gather":
		if in(0) > 0 && in(1) >= 0 {
			rank = in(0) + in(1) - 1
		}
	case "Shape":
		rank = 1
	case "Size":
		rank = 0
	case "ArgMax", "ArgMin":
		if rank = in(0); rank > 0 && a("keepdims") != nil && a("keepdims").GetI() == 0 {
			rank--
		}
	case "If", "Loop", "Scan", "RNN", "LSTM", "GRU", "MaxRoiPool":
	default:
		switch {
		case strings.HasPrefix(op, "Reduce"):
			if rank = in(0); rank >= 0 && a("keepdims") != nil && a("keepdims").GetI() == 0 {
				rank -= min(rank, len(a("axes").GetInts()))
				if len(a("axes").GetInts()) == 0 {
					rank = 0
				}
			}
		case sameRank[op]:
			rank, all = in(0), true
		}
	}
	if rank < 0 {
		return
	}
	for k, name := range n.Output {
		if _, known := s.ranks[name]; !known && (k == 0 || all) {
			s.ranks[name] = rank
		}
	}
}

// sameRank are the operators before opset 7 whose outputs have as many axes as their first input.
var sameRank = func() map[string]bool {
	out := map[string]bool{}
	for _, op := range strings.Fields(`Abs Add And AveragePool BatchNormalization Cast Ceil Clip Concat Conv ConvTranspose DepthToSpace Div Dropout
		Elu Equal Exp Floor
		GlobalAveragePool GlobalLpPool GlobalMaxPool Greater HardSigmoid Hardmax Identity InstanceNormalization LRN LeakyRelu Less Log LogSoftmax
		LpNormalization LpPool Max MaxPool Mean Min Mul Neg Not Or PRelu Pad Pow Reciprocal Relu Selu Sigmoid Slice Softmax Softplus Softsign
		SpaceToDepth Split Sqrt Sub Sum Tanh Tile TopK Transpose Upsample Xor`) {
		out[op] = true
	}
	return out
}()

func attributeOf(n *pb.NodeProto, name string) *pb.AttributeProto {
	for _, a := range n.Attribute {
		if a.GetName() == name {
			return a
		}
	}
	return nil
}

// constantInts are the numbers of a small integer constant; nil for anything else.
func (s *scope) constantInts(name string) []int64 {
	t := s.consts[name]
	if t == nil || t.GetDataLocation() == 1 {
		return nil
	}
	d, err := decodeTensor(t, "")
	if err != nil || d.Len() > math.MaxInt16 {
		return nil
	}
	f, err := d.Float64s()
	if err != nil {
		return nil
	}
	var out []int64
	for _, x := range f {
		if x != math.Trunc(x) || math.Abs(x) > 1<<52 {
			return nil
		}
		out = append(out, int64(x))
	}
	return out
}
