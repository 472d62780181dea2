package opset

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// ofKind is a value that is no tensor, declared: a sequence has field 4 of a type, an optional one field 9.
func ofKind(name string, field protowire.Number) *pb.ValueInfoProto {
	typ := &pb.TypeProto{}
	typ.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), nil))
	return &pb.ValueInfoProto{Name: str(name), Type: typ}
}

func graphAttribute(name string, g *pb.GraphProto) *pb.AttributeProto {
	return &pb.AttributeProto{Name: str(name), G: g, Type: proto.Int32(5)}
}

// TestKindsHaveALowestOpset: what is no tensor goes through Identity, If and Loop only since some opset, also where nothing declares it, and files
// are not written for an opset below.
func TestKindsHaveALowestOpset(t *testing.T) {
	const sequenceField, optionalField = 4, 9
	empty, own := op("SequenceEmpty", "s"), op("Unknown", "s", "x")
	own.Domain = str("my.own")
	declared := func(field protowire.Number) []*pb.ValueInfoProto { return []*pb.ValueInfoProto{ofKind("s", field)} }
	last := op("ConcatFromSequence", "y", "r")
	last.Attribute = []*pb.AttributeProto{attribute("axis", int64(0))}
	branch := func(name string, declared bool) *pb.GraphProto {
		out := &pb.ValueInfoProto{Name: str(name)}
		if declared {
			out = ofKind(name, sequenceField)
		}
		return &pb.GraphProto{Name: str(name), Node: []*pb.NodeProto{op("SequenceConstruct", name, "x")}, Output: []*pb.ValueInfoProto{out}}
	}
	choice := func(declared bool) *pb.NodeProto {
		n := op("If", "r", "c")
		n.Attribute = []*pb.AttributeProto{graphAttribute("then_branch", branch("a", declared)), graphAttribute("else_branch", branch("b", declared))}
		return n
	}
	cond := &pb.NodeProto{Name: str("cond"), OpType: str("Cast"), Input: []string{"x"}, Output: []string{"c"},
		Attribute: []*pb.AttributeProto{attribute("to", int64(9))}}
	turns := op("Loop", "r", "n", "", "s")
	turns.Attribute = []*pb.AttributeProto{graphAttribute("body", &pb.GraphProto{Name: str("body"),
		Input:  []*pb.ValueInfoProto{{Name: str("i")}, {Name: str("go")}, ofKind("carried", sequenceField)},
		Output: []*pb.ValueInfoProto{{Name: str("on")}, ofKind("next", sequenceField)},
		Node:   []*pb.NodeProto{op("Identity", "on", "go"), op("SequenceInsert", "next", "carried", "x")}})}
	trips := &pb.NodeProto{Name: str("trips"), OpType: str("Cast"), Input: []string{"x"}, Output: []string{"n"},
		Attribute: []*pb.AttributeProto{attribute("to", int64(7))}}
	for name, c := range map[string]struct {
		lowest int
		kind   string
		nodes  []*pb.NodeProto
		values []*pb.ValueInfoProto
	}{
		"a copy of a sequence":      {14, "sequence", []*pb.NodeProto{empty, op("Identity", "r", "s"), last}, nil},
		"of a declared one":         {14, "sequence", []*pb.NodeProto{own, op("Identity", "r", "s"), last}, declared(sequenceField)},
		"of what may be absent":     {16, "optional", []*pb.NodeProto{own, op("Identity", "y", "s")}, declared(optionalField)},
		"branches":                  {13, "sequence", []*pb.NodeProto{cond, choice(true), last}, nil},
		"branches that say no type": {13, "sequence", []*pb.NodeProto{cond, choice(false), last}, nil},
		"a loop that carries one":   {13, "sequence", []*pb.NodeProto{trips, empty, turns, last}, nil},
	} {
		g := pair(c.nodes...)
		g.ValueInfo = c.values
		m := opsetModel(t, 18, 8, g)
		toOpset(t, m, c.lowest)
		if _, err := rewritten(m, c.lowest-1); err == nil || !strings.Contains(err.Error(), "of type "+c.kind) {
			t.Errorf("%s: for opset %d: %v", name, c.lowest-1, err)
		}
	}
}
