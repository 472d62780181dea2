package infer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// counting is a Loop whose turns add their number to x and keep what they have: y = x + 0 + 1 + ... A turn goes on while its number is below last.
func counting(most, last int64, gathers bool) (*onnxio.Graph, *onnxio.Node) {
	add := func(to *onnxio.Graph, op, out string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: op + "_" + out, Op: op, Opset: 13, Inputs: in, Attrs: attrs}
		v := &onnxio.Value{Name: out, Producer: n}
		n.Outputs = []*onnxio.Value{v}
		to.Nodes = append(to.Nodes, n)
		return v
	}
	number := func(name string, v int64) *onnxio.Value {
		t := onnxio.FromInt64([]int64{v})
		return &onnxio.Value{Name: name, DType: t.DType, Const: t, Shape: t.Shape}
	}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 2}}}
	turn, on, sum := &onnxio.Value{Name: "turn", DType: onnxio.Int64}, &onnxio.Value{Name: "on", DType: onnxio.Bool}, &onnxio.Value{Name: "sum"}
	body := &onnxio.Graph{Inputs: []*onnxio.Value{turn, on, sum}}
	more := add(body, "Less", "more", nil, turn, number("last", last))
	next := add(body, "Add", "next", nil, sum, add(body, "Cast", "number", onnxio.Attrs{"to": int64(1)}, turn))
	body.Outputs = []*onnxio.Value{more, next}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	y := add(g, "Loop", "y", onnxio.Attrs{"body": body}, number("most", most), nil, x)
	g.Outputs = []*onnxio.Value{y}
	if gathers {
		body.Outputs = append(body.Outputs, next)
		all := &onnxio.Value{Name: "all", Producer: y.Producer}
		y.Producer.Outputs = append(y.Producer.Outputs, all)
		g.Outputs = []*onnxio.Value{all, y}
	}
	return g, y.Producer
}

func TestLoopsEndWhereTheirConditionOrCountDoes(t *testing.T) {
	in := onnxio.FromFloat32([]float32{10, 20}, 2)
	for _, c := range []struct {
		most, last int64
		want       float64 // of the first
	}{{0, 9, 10}, {1, 9, 10}, {4, 9, 16}, {1 << 40, 3, 16}, {5, 0, 10}, {5, 1, 11}} {
		g, _ := counting(c.most, c.last, false)
		if got := outputs(t, g, in); got[0] != c.want || got[1] != c.want+10 {
			t.Errorf("%d turns at most, until %d: %v, want %v", c.most, c.last, got, c.want)
		}
	}
	g, _ := counting(3, 9, true)
	got := outputs(t, g, in)
	for i, want := range []float64{10, 20, 11, 21, 13, 23} {
		if got[i] != want {
			t.Errorf("%v, want 10 20 11 21 13 23", got)
			break
		}
	}
}

func TestLoopsOverWhatIsNotKnownAreRefused(t *testing.T) {
	refused := func(what, want string, change func(g *onnxio.Graph, n *onnxio.Node)) {
		g, n := counting(3, 9, true)
		change(g, n)
		if _, err := infer.Prepare(context.Background(), g, infer.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	input := func(g *onnxio.Graph, n *onnxio.Node, k int, d onnxio.DType) {
		n.Inputs[k] = &onnxio.Value{Name: "asked", DType: d, HasShape: true, Dims: []onnxio.Dim{}}
		g.Inputs = append(g.Inputs, n.Inputs[k])
	}
	refused("count", "how often it runs depends on the input's values", func(g *onnxio.Graph, n *onnxio.Node) { input(g, n, 0, onnxio.Int64) })
	refused("condition", "whether it goes on after 0 turns", func(g *onnxio.Graph, n *onnxio.Node) { input(g, n, 1, onnxio.Bool) })
	refused("no turns", `it has no turn, and "all" gathers`, func(_ *onnxio.Graph, n *onnxio.Node) { n.Inputs[0].Const = onnxio.FromInt64([]int64{0}) })
	refused("body", "its body is missing", func(_ *onnxio.Graph, n *onnxio.Node) { n.Inputs = n.Inputs[:2] })
	refused("without end", "it takes more than", func(_ *onnxio.Graph, n *onnxio.Node) {
		n.Inputs[0] = nil
		body := n.Attrs["body"].(*onnxio.Graph)
		body.Outputs[0] = body.Inputs[1]
	})
	refused("scan", "are scanned", func(_ *onnxio.Graph, n *onnxio.Node) {
		n.Op, n.Attrs = "Scan", onnxio.Attrs{"body": n.Attrs["body"], "num_scan_inputs": int64(9)}
	})
}

// TestWrittenOutNodesHaveNamesOfTheirOwn: the nodes of a body stand in the graph once a turn, and runtimes refuse files with two of one name.
func TestWrittenOutNodesHaveNamesOfTheirOwn(t *testing.T) {
	g, _ := counting(4, 9, true)
	ready, err := infer.Prepare(context.Background(), g, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, n := range ready.Nodes {
		if seen[n.Name] {
			t.Errorf("two nodes are called %q", n.Name)
		}
		seen[n.Name] = true
	}
	if len(ready.Nodes) < 4 {
		t.Errorf("%d nodes, want one at least for each turn", len(ready.Nodes))
	}
}
