package onnxio

import (
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// opsetStep is one node crossing one opset: v-1 to v where up, else v to v-1. An adapter edits the node through it. The first refusal
// stands; what an adapter does after it is thrown away with the rest.
type opsetStep struct {
	g             *opsetGraph
	n             *opsetNode
	v             int
	up            bool
	before, after []*opsetNode
	err           error
}

// adapter is both ways across an opset; nil where there is none.
type adapter struct{ up, down func(*opsetStep) }

type opsetChange struct {
	op string
	v  int
}

func (c *opsetStep) refuse(why, do string) {
	if c.err != nil {
		return
	}
	name := c.n.p.GetName()
	if name == "" && len(c.n.p.Output) > 0 {
		name = c.n.p.Output[0]
	}
	e := &OpsetError{Node: name, Op: c.n.p.GetOpType(), From: c.v, To: c.v - 1, Why: why, Do: do}
	if c.up {
		e.From, e.To = e.To, e.From
	}
	c.err = e
}

// needShape is the refusal where a rank or a type is not known.
func (c *opsetStep) needShape(name, what string) {
	c.refuse("the "+what+" of value "+quoted(name)+" is not known", "shoal simplify, or a tool that writes inferred shapes into the file, comes first; --dim gives free sizes their numbers")
}

func quoted(s string) string { return `"` + s + `"` }

func (c *opsetStep) input(i int) string {
	if i < len(c.n.p.Input) {
		return c.n.p.Input[i]
	}
	return ""
}

// setInput puts a value in a place and leaves no empty places at the end.
func (c *opsetStep) setInput(i int, name string) {
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
func (c *opsetStep) attr(name string) *pb.AttributeProto {
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

func (c *opsetStep) intAttr(name string, def int64) int64 {
	if a := c.attr(name); a != nil {
		return a.GetI()
	}
	return def
}

func (c *opsetStep) stringAttr(name, def string) string {
	if a := c.attr(name); a != nil {
		return string(a.S)
	}
	return def
}

func (c *opsetStep) remove(name string) {
	k := slices.IndexFunc(c.n.p.Attribute, func(a *pb.AttributeProto) bool { return a.GetName() == name })
	if k >= 0 {
		c.n.p.Attribute, c.n.changed = slices.Delete(c.n.p.Attribute, k, k+1), true
	}
}

func (c *opsetStep) set(name string, v any) {
	a, err := encodeAttr(name, v)
	if err != nil {
		c.refuse(err.Error(), "")
		return
	}
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
func (c *opsetStep) known(i int, what string) *pb.TensorProto {
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

func (c *opsetStep) decode(i int, what string) *Tensor {
	p := c.known(i, what)
	if p == nil {
		return nil
	}
	t, err := decodeTensor(p, c.g.file.dir)
	if err != nil {
		c.refuse("its "+what+": "+err.Error(), "")
		return nil
	}
	return t
}

// ints are an input's constant integers, and whether there is such an input.
func (c *opsetStep) ints(i int, what string) ([]int64, bool) {
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

func (c *opsetStep) floats(i int, what string) ([]float64, bool) {
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
func (c *opsetStep) swallow(i int) {
	if name := c.input(i); name != "" {
		c.g.file.swallowed[name] = true
	}
	c.setInput(i, "")
}

// rank of a value; -1, with a refusal, where it is not known.
func (c *opsetStep) rank(name string) int {
	s, ok := c.g.shapeOf(name)
	if !ok {
		c.needShape(name, "rank")
		return -1
	}
	return len(s)
}

func (c *opsetStep) dtype(name string) DType {
	d := c.g.typeOf(name)
	if d == 0 {
		c.needShape(name, "type")
	}
	return d
}

// value invents a value of a type and shape; a nil shape is not known.
func (c *opsetStep) value(suffix string, d DType, shape []int) string {
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
func (c *opsetStep) constant(suffix string, t *pb.TensorProto) string {
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		shape[i] = int(d)
	}
	name := c.value(suffix, DType(t.GetDataType()), shape)
	if c.g.function {
		p := &pb.NodeProto{OpType: proto.String("Constant"), Output: []string{name},
			Attribute: []*pb.AttributeProto{{Name: proto.String("value"), Type: proto.Int32(attrTensor), T: t}}}
		c.before = append(c.before, &opsetNode{p: p, at: -1, changed: true})
		return name
	}
	t.Name = proto.String(name)
	c.g.added = append(c.g.added, t)
	c.g.weights[name] = &weight{tensor: t}
	return name
}

func (c *opsetStep) intConstant(suffix string, v []int64) string {
	raw := make([]byte, 0, 8*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(Int64)), Dims: []int64{int64(len(v))}, RawData: raw})
}

func (c *opsetStep) floatConstant(suffix string, v []float32) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(Float)), Dims: []int64{int64(len(v))}, RawData: raw})
}

// scalar is a number of the given type without axes.
func (c *opsetStep) scalar(suffix string, d DType, v float32) string {
	var raw []byte
	le := binary.LittleEndian
	switch d {
	case Float:
		raw = le.AppendUint32(nil, math.Float32bits(v))
	case Double:
		raw = le.AppendUint64(nil, math.Float64bits(float64(v)))
	case Float16:
		raw = le.AppendUint16(nil, HalfBits(v))
	case BFloat16:
		raw = le.AppendUint16(nil, BFloat16Bits(v))
	case Int32, Uint32:
		raw = le.AppendUint32(nil, uint32(int32(v)))
	case Int64, Uint64:
		raw = le.AppendUint64(nil, uint64(int64(v)))
	case Int8, Uint8:
		raw = []byte{byte(int8(v))}
	default:
		c.refuse("a number of type "+d.String()+" is needed, which shoal does not write", "")
	}
	return c.constant(suffix, &pb.TensorProto{DataType: proto.Int32(int32(d)), RawData: raw})
}

// node makes a node that goes before or after the one that is adapted.
func (c *opsetStep) node(op string, in, out []string, attrs ...*pb.AttributeProto) *opsetNode {
	p := &pb.NodeProto{OpType: proto.String(op), Input: in, Output: out, Attribute: attrs}
	if name := c.n.p.GetName(); name != "" {
		p.Name = proto.String(name + "_" + op)
	}
	return &opsetNode{p: p, at: -1, changed: true}
}

func intsAttr(name string, v []int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: proto.String(name), Type: proto.Int32(attrInts), Ints: v}
}

func intAttr(name string, v int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: proto.String(name), Type: proto.Int32(attrInt), I: proto.Int64(v)}
}

// rename gives the node another operator of the same form.
func (c *opsetStep) rename(op string) {
	c.n.p.OpType, c.n.changed = proto.String(op), true
}
