package onnxio

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// nodes gives the node fields of the result, and whether their number or order differs from the file's.
func (p *graphPatch) nodes(g *Graph, fields []wire.Field) ([]wire.Field, bool, error) {
	type old struct {
		field wire.Field
		node  *pb.NodeProto
		at    int
	}
	file := map[string]*old{}
	silent := map[int]*old{} // nodes without outputs, by place
	count := 0
	for _, f := range fields {
		if f.Num != graphNode {
			continue
		}
		n := &pb.NodeProto{}
		if err := proto.Unmarshal(f.Payload, n); err != nil {
			return nil, false, &FormatError{Offset: -1, Why: cleanProtoError(err)}
		}
		o := &old{f, n, count}
		silent[count+1] = o
		for _, name := range n.Output {
			if name != "" {
				file[name] = o
				delete(silent, count+1)
			}
		}
		count++
	}
	var out []wire.Field
	var places []int
	used := map[int]bool{}
	for _, n := range g.Nodes {
		was := silent[n.place]
		for _, v := range n.Outputs {
			if v != nil && file[v.Name] != nil {
				was = file[v.Name]
				break
			}
		}
		if was == nil || used[was.at] {
			q, err := encodeNode(n)
			if err != nil {
				return nil, false, err
			}
			b, err := marshal.Marshal(q)
			if err != nil {
				return nil, false, err
			}
			out, places = append(out, wire.Bytes(graphNode, b)), append(places, -1)
			continue
		}
		used[was.at] = true
		f, err := p.node(n, was.node, was.field)
		if err != nil {
			return nil, false, err
		}
		out, places = append(out, f), append(places, was.at)
	}
	// All of the file's nodes and no other: in the file's order, whatever Graph made of it.
	if len(used) == count && len(out) == count {
		sorted := make([]wire.Field, count)
		for i, at := range places {
			sorted[at] = out[i]
		}
		return sorted, false, nil
	}
	return out, true, nil
}

// node gives a node's field: the file's own where nothing changed, else the file's message with the changes in it.
func (p *graphPatch) node(n *Node, was *pb.NodeProto, f wire.Field) (wire.Field, error) {
	q := proto.CloneOf(was)
	changed := false
	if was.GetOpType() != n.Op || domain(was.GetDomain()) != n.Domain {
		q.OpType, q.Domain, q.Overload, changed = proto.String(n.Op), nil, nil, true
		if n.Domain != "" {
			q.Domain = proto.String(n.Domain)
		}
	}
	if in := names(n.Inputs); !slices.Equal(in, was.Input) {
		q.Input, changed = in, true
	}
	if out := names(n.Outputs); !slices.Equal(trimmed(out), trimmed(was.Output)) {
		q.Output, changed = trimmed(out), true
	}
	attrs, err := p.attributes(n, was.Attribute)
	if err != nil {
		return f, &NodeError{n.Name, n.Op, err}
	}
	if attrs != nil {
		q.Attribute, changed = attrs, true
	}
	if !changed {
		return f, nil
	}
	b, err := marshal.Marshal(q)
	return wire.Bytes(graphNode, b), err
}

// attributes gives the messages of a node's attributes, those that did not change as they were; nil where none did.
func (p *graphPatch) attributes(n *Node, was []*pb.AttributeProto) ([]*pb.AttributeProto, error) {
	b := &graphBuilder{opsets: p.opsets, dir: p.dir}
	same := 0
	out := []*pb.AttributeProto{}
	seen := map[string]bool{}
	for _, a := range was {
		seen[a.GetName()] = true
		v, ok := n.Attrs[a.GetName()]
		if !ok {
			continue
		}
		if _, ok := v.(Unread); ok {
			out, same = append(out, a), same+1
			continue
		}
		if g, ok := v.(*Graph); ok { // of subgraphs only the sizes that they declare change
			if q := proto.CloneOf(a); q.G != nil && resize(q.G, g) {
				out = append(out, q)
			} else {
				out, same = append(out, a), same+1
			}
			continue
		}
		old, err := b.attribute(a)
		if err != nil {
			return nil, err
		}
		x, err := encodeAttr(a.GetName(), old)
		if err != nil {
			return nil, err
		}
		y, err := encodeAttr(a.GetName(), v)
		if err != nil {
			return nil, err
		}
		if proto.Equal(x, y) {
			out, same = append(out, a), same+1
			continue
		}
		if t, ok := v.(*Tensor); ok && a.T != nil { // half precision stays so
			if y.T, err = encodeAs("", t, DType(a.T.GetDataType())); err != nil {
				return nil, err
			}
		}
		out = append(out, y)
	}
	if same == len(was) && len(n.Attrs) == len(was) {
		return nil, nil
	}
	keys := make([]string, 0, len(n.Attrs))
	for k := range n.Attrs {
		if !seen[k] {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		a, err := encodeAttr(k, n.Attrs[k])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
