package onnxio

import (
	"crypto/sha256"
	"maps"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/internal/wire"
)

// Field numbers of ModelProto and GraphProto.
const (
	modelGraph                                                       = pb.ModelGraph
	graphNode, graphInitializer, graphInput, graphOutput, graphValue = pb.GraphNode, pb.GraphInitializer, pb.GraphInput, pb.GraphOutput, pb.GraphValue
	tensorRawData                                                    = pb.TensorRawData
)

// Encode returns the file's bytes with the changes of Graph in them. What Graph still has as the file has it (nodes, constants,
// declarations, found by their values' names) and all that Graph does not hold stays byte for byte; an unchanged model gives the very
// bytes that it was read from. External data stays where it is, and is not part of the bytes.
func (m *Model) Encode() ([]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	if m.expanded != "" {
		now, err := graphHash(m.Graph)
		if err != nil || now == m.expanded {
			return data, err
		}
	}
	ir := m.IR
	if m.old > 0 { // the graph is of opset 7, and so is what is written of it
		if data, err = Raise(data); err != nil {
			return nil, err
		}
		ir = max(3, ir)
	}
	return m.patch(data, (&graphPatch{dir: m.dir, opsets: m.written(), ir: ir}).apply)
}

// written are the opsets of a file that is written of the graph.
func (m *Model) written() map[string]int {
	if m.old == 0 {
		return m.Opsets
	}
	out := maps.Clone(m.Opsets)
	out[""] = raised
	return out
}

// graphHash tells two graphs apart.
func graphHash(g *Graph) (string, error) {
	p, err := encodeGraph(g)
	if err != nil {
		return "", err
	}
	b, err := marshal.Marshal(p)
	sum := sha256.Sum256(b)
	return string(sum[:]), err
}

// patch replaces the graph of a file's bytes by what change makes of its fields; the same bytes come back where change returns the
// fields as they were.
func (m *Model) patch(data []byte, change func(*Graph, []wire.Field) ([]wire.Field, error)) ([]byte, error) {
	top, err := wire.Split(data)
	if err != nil {
		return nil, &FormatError{Offset: -1, Why: err.Error()}
	}
	at := -1
	for i, f := range top {
		if f.Num != modelGraph {
			continue
		}
		if at >= 0 {
			return nil, &FormatError{Offset: -1, Why: "the file has its graph in several pieces and cannot be written back as it is"}
		}
		at = i
	}
	if at < 0 || top[at].Payload == nil {
		return nil, &FormatError{Offset: -1, Why: "this is not an ONNX model: it has no graph"}
	}
	fields, err := wire.Split(top[at].Payload)
	if err != nil {
		return nil, &FormatError{Offset: -1, Why: err.Error()}
	}
	changed, err := change(m.Graph, fields)
	if err != nil {
		return nil, err
	}
	if wire.Joined(changed, top[at].Payload) {
		return data, nil
	}
	return wire.JoinInside(top, at, changed), nil
}

// graphPatch brings a file's graph to what a Graph says.
type graphPatch struct {
	dir    string
	ir     int64
	opsets map[string]int
}

func (p *graphPatch) apply(g *Graph, fields []wire.Field) ([]wire.Field, error) {
	nodes, structure, err := p.nodes(g, fields)
	if err != nil {
		return nil, err
	}
	consts, err := p.constants(g, fields)
	if err != nil {
		return nil, err
	}
	inputs, err := p.ports(g.Inputs, consts, fields, graphInput)
	if err != nil {
		return nil, err
	}
	outputs, err := p.ports(g.Outputs, nil, fields, graphOutput)
	if err != nil {
		return nil, err
	}
	var out []wire.Field
	next := func(list *[]wire.Field, all bool) {
		n := min(1, len(*list))
		if all {
			n = len(*list)
		}
		for _, f := range (*list)[:n] {
			if f.Raw != nil { // else dropped
				out = append(out, f)
			}
		}
		*list = (*list)[n:]
	}
	computed, inner := computedNames(g), innerValues(g)
	for i, f := range fields {
		switch f.Num {
		case graphNode:
			next(&nodes, structure)
		case graphInitializer:
			if r, ok := consts.replaced[i]; ok {
				out = append(out, r...)
			}
		case graphInput:
			next(&inputs, false)
		case graphOutput:
			next(&outputs, false)
		case graphValue:
			v := &pb.ValueInfoProto{}
			err := proto.Unmarshal(f.Payload, v)
			if structure && (err != nil || !computed[v.GetName()]) {
				continue // a note about a value that is no more
			}
			now := inner[v.GetName()]
			if now == nil {
				now = consts.changed[v.GetName()]
			}
			if err == nil && now != nil {
				if f, err = redeclare(f, v, now); err != nil {
					return nil, err
				}
			}
			out = append(out, f)
		default:
			out = append(out, f)
		}
	}
	next(&nodes, true)
	next(&inputs, true)
	next(&outputs, true)
	return append(out, consts.added...), nil
}

func computedNames(g *Graph) map[string]bool {
	out := map[string]bool{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out[v.Name] = true
			}
		}
	}
	return out
}

// innerValues are the values that notes in the file may describe: computed, and no outputs, which have declarations of their own.
func innerValues(g *Graph) map[string]*Value {
	out := map[string]*Value{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				out[v.Name] = v
			}
		}
	}
	for _, v := range g.Outputs {
		delete(out, v.Name)
	}
	return out
}
