package onnxio

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Limits of expanding functions, so that a small hostile file cannot make a large graph.
const (
	maxFunctionDepth = 16
	maxExpanded      = 1 << 20
)

type functionKey struct{ domain, name, overload string }

// expander writes calls of a file's own functions out: every call becomes the function's nodes, with names of their own.
type expander struct {
	functions map[functionKey]*pb.FunctionProto
	opsets    map[string]int
	nodes     int
}

// expandFunctions gives a file's graph without calls of its functions; the graph itself where it has none.
func expandFunctions(file *pb.ModelProto, opsets map[string]int) (*pb.GraphProto, error) {
	if len(file.Functions) == 0 {
		return file.Graph, nil
	}
	e := &expander{functions: map[functionKey]*pb.FunctionProto{}, opsets: opsets}
	for _, f := range file.Functions {
		e.functions[functionKey{domain(f.GetDomain()), f.GetName(), f.GetOverload()}] = f
	}
	g := proto.CloneOf(file.Graph)
	return g, e.graph(g, 0)
}

func (e *expander) graph(g *pb.GraphProto, depth int) error {
	var out []*pb.NodeProto
	for i, n := range g.Node {
		nodes, err := e.node(n, i, depth)
		if err != nil {
			return err
		}
		out = append(out, nodes...)
	}
	g.Node = out
	return nil
}

// node gives what stands for a node: itself, or the body of the function that it calls.
func (e *expander) node(n *pb.NodeProto, i, depth int) ([]*pb.NodeProto, error) {
	for _, a := range n.Attribute {
		for _, g := range append(slices.Clone(a.Graphs), a.G) {
			if g != nil {
				if err := e.graph(g, depth); err != nil {
					return nil, err
				}
			}
		}
	}
	f := e.functions[functionKey{domain(n.GetDomain()), n.GetOpType(), n.GetOverload()}]
	if f == nil {
		if e.nodes++; e.nodes > maxExpanded {
			return nil, fmt.Errorf("functions expand to more than %d nodes", maxExpanded)
		}
		return []*pb.NodeProto{n}, nil
	}
	name := n.GetName()
	if name == "" && len(n.Output) > 0 {
		name = n.Output[0]
	}
	fail := func(format string, args ...any) error {
		return &NodeError{name, n.GetOpType(), fmt.Errorf(format, args...)}
	}
	if depth >= maxFunctionDepth {
		return nil, fail("functions call each other deeper than %d", maxFunctionDepth)
	}
	if len(n.Input) > len(f.Input) || len(n.Output) > len(f.Output) {
		return nil, fail("%d inputs and %d outputs for a function of %d and %d", len(n.Input), len(n.Output), len(f.Input), len(f.Output))
	}
	for _, a := range n.Attribute { // what the function does not declare, its nodes cannot read
		declared := func(d *pb.AttributeProto) bool { return d.GetName() == a.GetName() }
		if !slices.Contains(f.Attribute, a.GetName()) && !slices.ContainsFunc(f.AttributeProto, declared) {
			return nil, &UnsupportedError{Node: name, Op: n.GetOpType(), Domain: n.GetDomain(), Opset: e.opsets[domain(n.GetDomain())],
				Why: fmt.Sprintf("attribute %q is none of the file's function", a.GetName())}
		}
	}
	for _, o := range f.OpsetImport {
		if have, ok := e.opsets[domain(o.GetDomain())]; ok && have != int(o.GetVersion()) {
			return nil, &UnsupportedError{Node: name, Op: n.GetOpType(), Domain: n.GetDomain(), Opset: have,
				Why: fmt.Sprintf("the function is written for opset %d", o.GetVersion())}
		}
	}
	c := &call{prefix: fmt.Sprintf("%s#%d/", name, i), names: map[string]string{"": ""}, attrs: map[string]*pb.AttributeProto{}}
	for k, in := range f.Input {
		c.names[in] = ""
		if k < len(n.Input) {
			c.names[in] = n.Input[k]
		}
	}
	copies := map[string]string{} // outputs that are inputs or stand twice
	for k, out := range f.Output {
		if k >= len(n.Output) || n.Output[k] == "" {
			continue
		}
		if _, taken := c.names[out]; taken {
			copies[n.Output[k]] = out
		} else {
			c.names[out] = n.Output[k]
		}
	}
	for _, a := range f.AttributeProto {
		c.attrs[a.GetName()] = a
	}
	for _, a := range n.Attribute {
		c.attrs[a.GetName()] = a
	}
	var out []*pb.NodeProto
	for k, body := range f.Node {
		nodes, err := e.node(c.node(body), k, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, nodes...)
	}
	for _, to := range slices.Sorted(maps.Keys(copies)) {
		out = append(out, &pb.NodeProto{OpType: proto.String("Identity"), Name: proto.String(c.prefix + to),
			Input: []string{c.name(copies[to])}, Output: []string{to}})
	}
	return out, nil
}

// call is one use of a function: what its names and attributes stand for.
type call struct {
	prefix string
	names  map[string]string
	attrs  map[string]*pb.AttributeProto
}

func (c *call) name(s string) string {
	if to, ok := c.names[s]; ok {
		return to
	}
	return c.prefix + s
}

// node copies a node of the body.
func (c *call) node(body *pb.NodeProto) *pb.NodeProto {
	n := proto.CloneOf(body)
	if n.GetName() != "" {
		n.Name = proto.String(c.prefix + n.GetName())
	}
	for i, s := range n.Input {
		n.Input[i] = c.name(s)
	}
	for i, s := range n.Output {
		n.Output[i] = c.name(s)
	}
	var attrs []*pb.AttributeProto
	for _, a := range n.Attribute {
		if ref := a.GetRefAttrName(); ref != "" {
			given := c.attrs[ref]
			if given == nil {
				continue // left to the operator's default
			}
			name := a.GetName()
			a = proto.CloneOf(given)
			a.Name = proto.String(name)
		}
		for _, g := range append(slices.Clone(a.Graphs), a.G) {
			if g != nil {
				c.graph(g)
			}
		}
		attrs = append(attrs, a)
	}
	n.Attribute = attrs
	return n
}

// graph renames what a subgraph of the body has and reads.
func (c *call) graph(g *pb.GraphProto) {
	for i, n := range g.Node {
		g.Node[i] = c.node(n)
	}
	for _, list := range [][]*pb.ValueInfoProto{g.Input, g.Output, g.ValueInfo} {
		for _, v := range list {
			v.Name = proto.String(c.name(v.GetName()))
		}
	}
	for _, t := range g.Initializer {
		t.Name = proto.String(c.name(t.GetName()))
	}
}
