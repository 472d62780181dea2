// Package rules tells what in a model's bytes is against the rules of the format: those that the ONNX project's own checker holds files to,
// with the standard's word on what nodes may hold. It reads no weights.
package rules

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/internal/standard"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// Broken lists what is against the rules, in the file's order; nil where nothing is.
//
// Left to others: the types of operators' operands, functions' bodies, and the numbers of tensors, which are compared where they are read.
func Broken(model []byte) []string {
	c := &checker{opsets: map[string]int{}}
	c.model(model)
	return c.found
}

type checker struct {
	found  []string
	ir     int64
	opsets map[string]int
	// own are the file's functions, by domain and name: what they hold is their declaration's business.
	own map[[2]string]bool
}

func (c *checker) say(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// scope is what names stand for: values of a graph, and of those around it.
type scope struct {
	names map[string]bool
	outer *scope
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.outer {
		if s.names[name] {
			return true
		}
	}
	return false
}

func (c *checker) model(data []byte) {
	top, err := wire.Split(data)
	if err != nil {
		c.say("the file: %v", err)
		return
	}
	var head, graph []wire.Field
	graphs := 0
	for _, f := range top {
		if f.Num != pb.ModelGraph {
			head = append(head, f)
			continue
		}
		graphs++
		if graph, err = wire.Split(f.Payload); err != nil {
			c.say("the graph: %v", err)
			return
		}
	}
	m := &pb.ModelProto{}
	if err := proto.Unmarshal(wire.Join(head), m); err != nil {
		c.say("the file: %v", err)
		return
	}
	if graphs != 1 {
		c.say("the file has %d graphs", graphs)
		return
	}
	c.ir = m.GetIrVersion()
	if c.ir < 1 {
		c.say("no IR version")
	}
	if c.ir >= 3 && len(m.OpsetImport) == 0 {
		c.say("no opset is imported")
	}
	if c.ir < 3 {
		if len(m.OpsetImport) > 0 {
			c.say("opsets are imported, which files of IR %d have not", c.ir)
		}
		c.opsets[""] = 1
	}
	for _, o := range m.OpsetImport {
		c.opsets[pb.Domain(o.GetDomain())] = int(o.GetVersion())
	}
	c.own = map[[2]string]bool{}
	for _, f := range m.Functions {
		c.own[[2]string{pb.Domain(f.GetDomain()), f.GetName()}] = true
	}
	seen := map[string]bool{}
	for _, kv := range m.MetadataProps {
		if seen[kv.GetKey()] {
			c.say("metadata %q stands twice", kv.GetKey())
		}
		seen[kv.GetKey()] = true
	}
	c.mainGraph(graph)
}

// mainGraph reads the graph's fields one by one: its tensors are the file's bulk, and their numbers are not copied.
func (c *checker) mainGraph(fields []wire.Field) {
	g := &pb.GraphProto{}
	var rest []wire.Field
	for _, f := range fields {
		if f.Num == pb.GraphInitializer {
			g.Initializer = append(g.Initializer, c.tensorHead(f.Payload))
			continue
		}
		rest = append(rest, f)
	}
	tensors := g.Initializer
	if err := proto.Unmarshal(wire.Join(rest), g); err != nil {
		c.say("the graph: %v", err)
		return
	}
	g.Initializer = tensors
	c.graph(g, nil, "the graph")
}

// tensorHead is a tensor without its numbers, after those have been counted.
func (c *checker) tensorHead(payload []byte) *pb.TensorProto {
	t := &pb.TensorProto{}
	fields, err := wire.Split(payload)
	if err != nil {
		c.say("an initializer: %v", err)
		return t
	}
	var head []wire.Field
	raw := false
	for _, f := range fields {
		if f.Num == pb.TensorRawData {
			raw = true
		}
		if f.Num == pb.TensorRawData || f.Num > 0 && numbers(f.Num) {
			continue
		}
		head = append(head, f)
	}
	if err := proto.Unmarshal(wire.Join(head), t); err != nil {
		c.say("an initializer: %v", err)
	}
	if raw {
		t.RawData = []byte{}
	}
	return t
}

// numbers tells the fields in which tensors have typed numbers.
func numbers(n protowire.Number) bool {
	return n == 4 || n == 5 || n == 6 || n == 7 || n == 10 || n == 11
}

func (c *checker) graph(g *pb.GraphProto, outer *scope, where string) {
	s := &scope{map[string]bool{}, outer}
	if g.GetName() == "" {
		c.say("%s has no name", where)
	}
	for i, list := range [][]*pb.ValueInfoProto{g.Input, g.Output} {
		word := [2]string{"input", "output"}[i]
		for _, v := range list {
			if v.GetName() == "" {
				c.say("an %s of %s has no name", word, where)
			}
			if outer != nil {
				continue
			}
			if v.Type == nil {
				c.say("%s %q of %s has no type", word, v.GetName(), where)
			} else if t := v.Type.TensorType; t != nil {
				if t.GetElemType() == 0 {
					c.say("%s %q of %s has no type of elements", word, v.GetName(), where)
				}
				if t.Shape == nil {
					c.say("%s %q of %s has no shape", word, v.GetName(), where)
				}
			}
		}
	}
	inputs := map[string]bool{}
	for _, v := range g.Input {
		if inputs[v.GetName()] {
			c.say("input %q of %s stands twice", v.GetName(), where)
		}
		inputs[v.GetName()], s.names[v.GetName()] = true, true
	}
	seen := map[string]bool{}
	for _, t := range g.Initializer {
		name := t.GetName()
		switch {
		case name == "":
			c.say("an initializer of %s has no name", where)
		case seen[name]:
			c.say("initializer %q of %s stands twice", name, where)
		case c.ir < 4 && !inputs[name]:
			c.say("initializer %q of %s is no input, which files of IR %d need", name, where, c.ir)
		}
		if t.GetDataType() == 0 {
			c.say("initializer %q of %s has no type of elements", name, where)
		}
		seen[name], s.names[name] = true, true
	}
	for _, n := range g.Node {
		c.node(n, s)
	}
	for _, v := range g.Output {
		if v.GetName() != "" && !s.has(v.GetName()) {
			c.say("output %q of %s is given by nothing", v.GetName(), where)
		}
	}
}

func (c *checker) node(n *pb.NodeProto, s *scope) {
	where := fmt.Sprintf("node %q (%s)", n.GetName(), n.GetOpType())
	if n.GetOpType() == "" {
		c.say("%s has no operator", where)
	}
	if len(n.Input) == 0 && len(n.Output) == 0 {
		c.say("%s has neither inputs nor outputs", where)
	}
	for _, name := range n.Input {
		if name != "" && !s.has(name) {
			c.say("%s: input %q is given by nothing before it", where, name)
		}
	}
	c.form(n, where)
	names := map[string]bool{}
	for _, a := range n.Attribute {
		if a.GetName() == "" {
			c.say("%s: an attribute has no name", where)
		}
		if names[a.GetName()] {
			c.say("%s: attribute %q stands twice", where, a.GetName())
		}
		names[a.GetName()] = true
		if c.ir >= 2 && a.GetType() == 0 {
			c.say("%s: attribute %q has no type", where, a.GetName())
		}
		for _, g := range append(slices.Clone(a.Graphs), a.G) {
			if g != nil {
				c.graph(g, s, fmt.Sprintf("the graph in %s of %s", a.GetName(), where))
			}
		}
	}
	for _, name := range n.Output {
		if name == "" {
			continue
		}
		if s.names[name] {
			c.say("%s: value %q is given twice", where, name)
		}
		s.names[name] = true
	}
}

// form holds a node against the standard's word on its operator.
func (c *checker) form(n *pb.NodeProto, where string) {
	domain := pb.Domain(n.GetDomain())
	opset, imported := c.opsets[domain]
	if !imported {
		c.say("%s: no opset of domain %q is imported", where, domain)
		return
	}
	table := standard.Table()
	if domain != "" || opset < standard.Oldest || opset > table.Newest || c.own[[2]string{domain, n.GetOpType()}] {
		return
	}
	f := table.At(n.GetOpType(), opset)
	if f == nil {
		c.say("%s: opset %d has no such operator", where, opset)
		return
	}
	if f.Deprecated {
		c.say("%s: opset %d has the operator no more", where, opset)
		return
	}
	if k := len(n.Input); k < f.Least || k > f.Inputs {
		c.say("%s: %d inputs where opset %d has %d to %d", where, k, opset, f.Least, f.Inputs)
	}
	if k := len(n.Output); k < f.LeastOutputs || k > f.Outputs {
		c.say("%s: %d outputs where opset %d has %d to %d", where, k, opset, f.LeastOutputs, f.Outputs)
	}
	endlessIn, endlessOut := f.Endless()
	for i, name := range n.Input {
		if name == "" && i < f.Least && !endlessIn {
			c.say("%s: input %d has no name and cannot be left out", where, i)
		}
	}
	for i, name := range n.Output {
		if name == "" && i < f.LeastOutputs && !endlessOut {
			c.say("%s: output %d has no name and cannot be left out", where, i)
		}
	}
	given := map[string]bool{}
	for _, a := range n.Attribute {
		given[a.GetName()] = true
		kind, there := f.Attributes[a.GetName()]
		switch {
		case !there:
			c.say("%s: attribute %q is none of the operator's at opset %d", where, a.GetName(), opset)
		case a.GetRefAttrName() == "" && kinds[a.GetType()] != "" && kinds[a.GetType()] != kind:
			c.say("%s: attribute %q is of type %s where %s is needed", where, a.GetName(), kinds[a.GetType()], kind)
		}
	}
	for _, name := range f.Required {
		if !given[name] {
			c.say("%s: attribute %q is missing", where, name)
		}
	}
}

// kinds are the words of the standard's table for types of attributes.
var kinds = map[int32]string{pb.AttrFloat: "float", pb.AttrInt: "int", pb.AttrString: "string", pb.AttrTensor: "tensor", pb.AttrGraph: "graph",
	pb.AttrFloats: "floats", pb.AttrInts: "ints", pb.AttrStrings: "strings", pb.AttrTensors: "tensors", pb.AttrSubgraph: "graphs"}
