package onnxio

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// raising is one node on its way to opset 7. The first reason why it cannot go stands.
type raising struct {
	*raiser
	*scope
	n      *pb.NodeProto
	before []*pb.NodeProto
	why    string
}

func (u *raising) refuse(format string, args ...any) {
	if u.why == "" {
		u.why = fmt.Sprintf(format, args...)
	}
}

func (u *raising) attr(name string) *pb.AttributeProto { return attributeOf(u.n, name) }

func (u *raising) intAttr(name string, def int64) int64 {
	if a := u.attr(name); a != nil {
		return a.GetI()
	}
	return def
}

func (u *raising) remove(name string) {
	u.n.Attribute = slices.DeleteFunc(u.n.Attribute, func(a *pb.AttributeProto) bool { return a.GetName() == name })
}

func (u *raising) set(a *pb.AttributeProto) {
	u.remove(a.GetName())
	u.n.Attribute = append(u.n.Attribute, a)
}

func (u *raising) input(i int) string {
	if i < len(u.n.Input) {
		return u.n.Input[i]
	}
	return ""
}

// output is what names what is made for the node.
func (u *raising) output() string {
	if len(u.n.Output) > 0 && u.n.Output[0] != "" {
		return u.n.Output[0]
	}
	return u.n.GetOpType()
}

func intsAttribute(name string, v ...int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: proto.String(name), Type: proto.Int32(attrInts), Ints: v}
}

func intAttribute(name string, v int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: proto.String(name), Type: proto.Int32(attrInt), I: proto.Int64(v)}
}

func floatAttribute(name string, v float32) *pb.AttributeProto {
	return &pb.AttributeProto{Name: proto.String(name), Type: proto.Int32(attrFloat), F: proto.Float32(v)}
}

// ints makes a constant list, by a node: files of these IR versions list every initializer among the inputs.
func (u *raising) ints(what string, v []int64) string {
	name := u.fresh(u.output() + "_" + what)
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	t := &pb.TensorProto{DataType: proto.Int32(int32(Int64)), Dims: []int64{int64(len(v))}, RawData: raw}
	u.before = append(u.before, &pb.NodeProto{OpType: proto.String("Constant"), Name: proto.String(name), Output: []string{name},
		Attribute: []*pb.AttributeProto{{Name: proto.String("value"), Type: proto.Int32(attrTensor), T: t}}})
	return name
}

// trailing gives an input axes of size 1 at its end.
func (u *raising) trailing(i, count int) {
	rank := u.rank(u.n.Input[i])
	var axes []int64
	for k := range count {
		axes = append(axes, int64(rank+k))
	}
	name := u.fresh(u.output() + "_aligned")
	u.before = append(u.before, &pb.NodeProto{OpType: proto.String("Unsqueeze"), Name: proto.String(name), Input: []string{u.n.Input[i]},
		Output: []string{name}, Attribute: []*pb.AttributeProto{intsAttribute("axes", axes...)}})
	u.n.Input[i] = name
	u.ranks[name] = rank + count
}

// run brings the node up from the form that it has at the file's opset.
func (u *raising) run() {
	if u.opset < 6 {
		u.remove("consumed_inputs") // hints about memory
	}
	switch op := u.n.GetOpType(); op {
	case "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less":
		u.broadcast()
	case "PRelu":
		u.slopes()
	case "Gemm":
		u.remove("broadcast") // of the sum, which opset 7 always allows
	case "BatchNormalization", "Dropout":
		if u.intAttr("is_test", 0) == 0 {
			u.refuse("it is in training mode (its is_test is 0); export the model for inference")
		}
		u.remove("is_test")
	case "Cast":
		u.castTo()
	case "Concat":
		if u.opset < 4 && u.attr("axis") == nil {
			u.set(intAttribute("axis", 1))
		}
	case "LpPool", "GlobalLpPool":
		u.norm()
	case "RNN", "LSTM", "GRU":
		u.remove("output_sequence") // which outputs there are, their names tell
		if op == "GRU" && u.opset < 3 {
			u.refuse("opset 3 changed how its reset gate is applied")
		}
	case "Pad":
		if a := u.attr("paddings"); u.opset < 2 && a != nil {
			u.remove("paddings")
			u.set(intsAttribute("pads", a.Ints...))
		}
	case "Reshape":
		u.target()
	case "Selu":
		if u.opset < 6 { // opset 6 has more digits
			for name, def := range map[string]float32{"alpha": 1.6732, "gamma": 1.0507} {
				if u.attr(name) == nil {
					u.set(floatAttribute(name, def))
				}
			}
		}
	case "Split":
		u.split()
	case "Tile":
		u.tile()
	case "Upsample":
		u.upsample()
	}
}

// broadcast: the second operand's axes stood at axis of the first's, or at its end. Now they stand at its end.
func (u *raising) broadcast() {
	on, axis := u.intAttr("broadcast", 0) != 0, u.attr("axis")
	u.remove("broadcast")
	u.remove("axis")
	if !on || axis == nil || len(u.n.Input) != 2 {
		return
	}
	a, b := u.rank(u.n.Input[0]), u.rank(u.n.Input[1])
	switch {
	case b == 0:
		return // one number is one everywhere
	case a < 0 || b < 0:
		u.refuse("how many axes its inputs have is not known, which its axis %d is about", axis.GetI())
		return
	}
	at := axis.GetI()
	if at < 0 {
		at += int64(a)
	}
	behind := int64(a) - at - int64(b)
	switch {
	case at < 0 || behind < 0:
		u.refuse("its axis is %d for inputs of %d and %d axes", axis.GetI(), a, b)
	case behind > 0:
		u.trailing(1, int(behind))
	}
}

// slopes: one slope for each channel was a list, and has to be aligned with axis 1 now.
func (u *raising) slopes() {
	if len(u.n.Input) != 2 {
		return
	}
	x, slope := u.rank(u.n.Input[0]), u.rank(u.n.Input[1])
	if t := u.consts[u.n.Input[1]]; slope == 0 || t != nil && elementsOf(t) == 1 {
		return
	}
	switch {
	case slope > 1 && slope == x: // nothing else can be meant
	case slope > 1 && u.consts[u.n.Input[1]] != nil && perChannel(u.consts[u.n.Input[1]].Dims, x):
	case slope != 1 || x < 0:
		u.refuse("how its slopes lie along its input is not known")
	case x > 2:
		u.trailing(1, x-2)
	}
}

// perChannel tells whether slopes are [C, 1, ...] of an input with x axes.
func perChannel(dims []int64, x int) bool {
	return len(dims) == x-1 && !slices.ContainsFunc(dims[1:], func(d int64) bool { return d != 1 })
}

func elementsOf(t *pb.TensorProto) int64 {
	n := int64(1)
	for _, d := range t.Dims {
		if d < 0 || d > 0 && n > math.MaxInt64/d {
			return -1
		}
		n *= d
	}
	return n
}

// castTo: types were told by their names.
func (u *raising) castTo() {
	a := u.attr("to")
	if u.opset >= 6 || a == nil || a.I != nil {
		return
	}
	types := map[string]DType{"FLOAT": Float, "UINT8": Uint8, "INT8": Int8, "UINT16": Uint16, "INT16": Int16, "INT32": Int32, "INT64": Int64,
		"STRING": String, "BOOL": Bool, "FLOAT16": Float16, "DOUBLE": Double, "UINT32": Uint32, "UINT64": Uint64, "BFLOAT16": BFloat16}
	d, ok := types[strings.ToUpper(string(a.S))]
	if !ok {
		u.refuse("its type %q is none of the standard's", a.S)
		return
	}
	u.set(intAttribute("to", int64(d)))
}

// norm: p was a float in opset 1, and pooled over images that a kernel need not have been told for.
func (u *raising) norm() {
	a := u.attr("p")
	if u.opset >= 2 || a == nil || a.I != nil {
		return
	}
	p := a.GetF()
	if p != float32(math.Trunc(float64(p))) || p < 1 || p > 1<<20 {
		u.refuse("its p is %v, and opset 2 has whole numbers only", p)
		return
	}
	u.set(intAttribute("p", int64(p)))
}

// target: Reshape's was an attribute before opset 5.
func (u *raising) target() {
	if u.opset >= 5 {
		return
	}
	a := u.attr("shape")
	if a == nil || len(u.n.Input) != 1 {
		u.refuse("it has no shape")
		return
	}
	u.remove("shape")
	u.n.Input = append(u.n.Input, u.ints("shape", a.Ints))
}

func (u *raising) split() {
	if u.opset >= 2 {
		return
	}
	if u.attr("axis") == nil {
		u.refuse("it names no axis, and opset 1 has none by default")
		return
	}
	if u.input(1) == "" {
		return
	}
	sizes := u.constantInts(u.input(1))
	if sizes == nil || u.attr("split") != nil {
		u.refuse("its sizes (%q) are computed, or said twice", u.input(1))
		return
	}
	u.n.Input = u.n.Input[:1]
	u.set(intsAttribute("split", sizes...))
}

// tile: in opset 1 one axis was repeated.
func (u *raising) tile() {
	if u.opset >= 6 {
		return
	}
	times, axis, rank := u.constantInts(u.input(1)), u.constantInts(u.input(2)), u.rank(u.input(0))
	if len(times) != 1 || len(axis) != 1 || rank < 0 || axis[0] < 0 || axis[0] >= int64(rank) {
		u.refuse("how often which of its axes is repeated is not known")
		return
	}
	repeats := slices.Repeat([]int64{1}, rank)
	repeats[axis[0]] = times[0]
	u.n.Input = []string{u.n.Input[0], u.ints("repeats", repeats)}
}

// upsample: opset 1 scales the two axes of images.
func (u *raising) upsample() {
	h, w := u.attr("height_scale"), u.attr("width_scale")
	if h == nil || w == nil {
		u.refuse("it has not both height_scale and width_scale")
		return
	}
	u.remove("height_scale")
	u.remove("width_scale")
	u.set(&pb.AttributeProto{Name: proto.String("scales"), Type: proto.Int32(attrFloats), Floats: []float32{1, 1, h.GetF(), w.GetF()}})
	if m := u.attr("mode"); m != nil && string(m.S) == "bilinear" {
		u.set(&pb.AttributeProto{Name: proto.String("mode"), Type: proto.Int32(attrString), S: []byte("linear")})
	}
}
