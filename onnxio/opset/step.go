package opset

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// step is one node crossing one opset: v-1 to v where up, else v to v-1. An adapter edits the node through it. The first refusal
// stands; what an adapter does after it is thrown away with the rest.
type step struct {
	g             *graph
	n             *node
	v             int
	up            bool
	before, after []*node
	err           error
}

// adapter is both ways across an opset; nil where there is none.
type adapter struct{ up, down func(*step) }

type change struct {
	op string
	v  int
}

func (c *step) refuse(why, do string) {
	if c.err != nil {
		return
	}
	name := c.n.p.GetName()
	if name == "" && len(c.n.p.Output) > 0 {
		name = c.n.p.Output[0]
	}
	e := &Error{Node: name, Op: c.n.p.GetOpType(), From: c.v, To: c.v - 1, Why: why, Do: do}
	if c.up {
		e.From, e.To = e.To, e.From
	}
	c.err = e
}

// needShape is the refusal where a rank or a type is not known.
func (c *step) needShape(name, what string) {
	c.refuse("the "+what+" of value "+quoted(name)+" is not known",
		"shoal simplify, or a tool that writes inferred shapes into the file, comes first; --dim gives free sizes their numbers")
}

func quoted(s string) string { return `"` + s + `"` }

func (c *step) input(i int) string {
	if i < len(c.n.p.Input) {
		return c.n.p.Input[i]
	}
	return ""
}

// setInput puts a value in a place and leaves no empty places at the end.
func (c *step) setInput(i int, name string) {
	p := c.n.p
	if c.input(i) != name {
		for len(p.Input) <= i {
			p.Input = append(p.Input, "")
		}
		p.Input[i], c.n.changed = name, true
	}
	for len(p.Input) > 0 && p.Input[len(p.Input)-1] == "" {
		p.Input, c.n.changed = p.Input[:len(p.Input)-1], true
	}
}

// attr finds an attribute. One that stands for a parameter of a function has no value here, so no adapter can do with it.
func (c *step) attr(name string) *pb.AttributeProto {
	for _, a := range c.n.p.Attribute {
		if a.GetName() == name {
			if a.GetRefAttrName() != "" {
				c.refuse("its attribute "+name+" is a parameter of the function around it", "write the file's functions out first")
			}
			return a
		}
	}
	return nil
}

func (c *step) floatAttr(name string, def float32) float32 {
	if a := c.attr(name); a != nil {
		return a.GetF()
	}
	return def
}

func (c *step) intAttr(name string, def int64) int64 {
	if a := c.attr(name); a != nil {
		return a.GetI()
	}
	return def
}

func (c *step) stringAttr(name, def string) string {
	if a := c.attr(name); a != nil {
		return string(a.S)
	}
	return def
}

func (c *step) remove(name string) {
	k := slices.IndexFunc(c.n.p.Attribute, func(a *pb.AttributeProto) bool { return a.GetName() == name })
	if k >= 0 {
		c.n.p.Attribute, c.n.changed = slices.Delete(c.n.p.Attribute, k, k+1), true
	}
}

func (c *step) set(name string, v any) {
	a := attribute(name, v)
	c.n.changed = true
	for i, old := range c.n.p.Attribute {
		if old.GetName() == name {
			c.n.p.Attribute[i] = a
			return
		}
	}
	c.n.p.Attribute = append(c.n.p.Attribute, a)
}

// known is an input's constant; nil, with a refusal, where it is computed, and without one where there is no such input.
func (c *step) known(i int, what string) *pb.TensorProto {
	name := c.input(i)
	if name == "" || c.err != nil {
		return nil
	}
	t := c.g.constantTensor(name)
	if t == nil {
		c.refuse("its "+what+" ("+quoted(name)+") are computed, and the other form needs numbers", "shoal simplify folds what is constant")
	}
	return t
}

func (c *step) decode(i int, what string) *onnxio.Tensor {
	p := c.known(i, what)
	if p == nil {
		return nil
	}
	t, err := c.g.file.tensor(p)
	if err != nil {
		c.refuse("its "+what+": "+err.Error(), "")
		return nil
	}
	return t
}

// ints are an input's constant integers, and whether there is such an input.
func (c *step) ints(i int, what string) ([]int64, bool) {
	t := c.decode(i, what)
	if t == nil {
		return nil, false
	}
	f, err := t.Float64s()
	if err != nil {
		c.refuse("its "+what+": "+err.Error(), "")
		return nil, false
	}
	out := make([]int64, len(f))
	for k, v := range f {
		out[k] = int64(v)
	}
	if d, ok := t.Data.([]int64); ok { // numbers above 2^53, as Slice's ends are
		out = slices.Clone(d)
	}
	return out, true
}

func (c *step) floats(i int, what string) ([]float64, bool) {
	t := c.decode(i, what)
	if t == nil {
		return nil, false
	}
	f, err := t.Float64s()
	if err != nil {
		c.refuse("its "+what+": "+err.Error(), "")
		return nil, false
	}
	return f, true
}

// swallow empties an input whose constant is an attribute now.
func (c *step) swallow(i int) {
	if name := c.input(i); name != "" {
		c.g.file.swallowed[name] = true
	}
	c.setInput(i, "")
}

// rank of a value; -1, with a refusal, where it is not known.
func (c *step) rank(name string) int {
	s, ok := c.g.shapeOf(name)
	if !ok {
		c.needShape(name, "rank")
		return -1
	}
	return len(s)
}

func (c *step) dtype(name string) onnxio.DType {
	d := c.g.typeOf(name)
	if d == 0 {
		c.needShape(name, "type")
	}
	return d
}

// value invents a value of a type and shape; a nil shape is not known.
func (c *step) value(suffix string, d onnxio.DType, shape []int) string {
	base := "value"
	if len(c.n.p.Output) > 0 && c.n.p.Output[0] != "" {
		base = c.n.p.Output[0]
	}
	name := c.g.file.newName(base + "_" + suffix)
	if d != 0 {
		c.g.types[name] = d
	}
	if shape != nil {
		c.g.shapes[name] = shape
	}
	return name
}

// constant makes a tensor a value: an initializer, or a node where initializers cannot be.
func (c *step) constant(suffix string, t *pb.TensorProto) string {
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		shape[i] = int(d)
	}
	name := c.value(suffix, onnxio.DType(t.GetDataType()), shape)
	if c.g.function {
		p := &pb.NodeProto{OpType: proto.String("Constant"), Output: []string{name},
			Attribute: []*pb.AttributeProto{{Name: proto.String("value"), Type: proto.Int32(pb.AttrTensor), T: t}}}
		c.before = append(c.before, &node{p: p, at: -1, changed: true})
		return name
	}
	t.Name = proto.String(name)
	c.g.added = append(c.g.added, t)
	c.g.weights[name] = &weight{tensor: t}
	return name
}

func (c *step) intConstant(suffix string, v []int64) string {
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Int64)), Dims: []int64{int64(len(v))}, RawData: rawInts(v)})
}

func (c *step) floatConstant(suffix string, v []float32) string {
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Float)), Dims: []int64{int64(len(v))}, RawData: rawFloats(v)})
}

// scalar is a number of the given type without axes.
func (c *step) scalar(suffix string, d onnxio.DType, v float32) string {
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(d)), RawData: c.number(d, v)})
}

// number are the bytes of a number of the given type.
func (c *step) number(d onnxio.DType, v float32) (raw []byte) {
	le := binary.LittleEndian
	switch d {
	case onnxio.Float:
		raw = le.AppendUint32(nil, math.Float32bits(v))
	case onnxio.Double:
		raw = le.AppendUint64(nil, math.Float64bits(float64(v)))
	case onnxio.Float16:
		raw = le.AppendUint16(nil, onnxio.HalfBits(v))
	case onnxio.BFloat16:
		raw = le.AppendUint16(nil, onnxio.BFloat16Bits(v))
	case onnxio.Int32, onnxio.Uint32:
		raw = le.AppendUint32(nil, uint32(int32(v)))
	case onnxio.Int64, onnxio.Uint64:
		raw = le.AppendUint64(nil, uint64(int64(v)))
	case onnxio.Int8, onnxio.Uint8:
		raw = []byte{byte(int8(v))}
	default:
		c.refuse("a number of type "+d.String()+" is needed, which shoal does not write", "")
	}
	return raw
}

// node makes a node that goes before or after the one that is adapted.
func (c *step) node(op string, in, out []string, attrs ...*pb.AttributeProto) *node {
	p := &pb.NodeProto{OpType: proto.String(op), Input: in, Output: out, Attribute: attrs}
	if name := c.n.p.GetName(); name != "" {
		p.Name = proto.String(name + "_" + op)
	}
	return &node{p: p, at: -1, changed: true}
}

// attribute writes the types that adapters give to attributes.
func attribute(name string, v any) *pb.AttributeProto {
	a := &pb.AttributeProto{Name: proto.String(name)}
	kind := int32(0)
	switch v := v.(type) {
	case float32:
		a.F, kind = proto.Float32(v), pb.AttrFloat
	case int64:
		a.I, kind = proto.Int64(v), pb.AttrInt
	case string:
		a.S, kind = []byte(v), pb.AttrString
	case []float32:
		a.Floats, kind = v, pb.AttrFloats
	case []int64:
		a.Ints, kind = v, pb.AttrInts
	case *pb.TensorProto:
		a.T, kind = v, pb.AttrTensor
	default:
		panic(fmt.Sprintf("opset: attribute %s of type %T", name, v))
	}
	a.Type = proto.Int32(kind)
	return a
}

// tensor reads a constant as the file's own codec does.
func (w *file) tensor(p *pb.TensorProto) (*onnxio.Tensor, error) {
	msg, err := marshal.Marshal(p)
	if err != nil {
		return nil, err
	}
	return w.model.ParseTensor(msg)
}

// raw gives a constant's bytes.
func (w *file) raw(p *pb.TensorProto) ([]byte, error) {
	msg, err := marshal.Marshal(p)
	if err != nil {
		return nil, err
	}
	return w.model.RawTensor(msg)
}

func rawInts(v []int64) []byte {
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return raw
}

func rawFloats(v []float32) []byte {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw
}

// rename gives the node another operator of the same form.
func (c *step) rename(op string) {
	c.n.p.OpType, c.n.changed = proto.String(op), true
}
