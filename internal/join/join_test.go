package join

import (
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// twice is a network with two nodes that compute the same, and one that does not.
func twice() *onnxio.Graph {
	value := func(name string) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, Shape: []int{1, 2}, HasShape: true}
	}
	x := value("x")
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	for i, op := range []string{"Relu", "Relu", "Neg"} {
		y := value([]string{"a", "b", "c"}[i])
		n := &onnxio.Node{Op: op, Opset: 13, Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}}
		y.Producer = n
		g.Nodes, g.Outputs = append(g.Nodes, n), append(g.Outputs, y)
	}
	return g
}

// TestScopesSayWhatBecomesOne joins a network with itself: without a scope what is computed alike is one, within one each node is one with
// itself, and of two scopes nothing is.
func TestScopesSayWhatBecomesOne(t *testing.T) {
	for _, c := range []struct {
		scopes [2]string
		nodes  int
	}{{[2]string{"", ""}, 2}, {[2]string{"m", "m"}, 3}, {[2]string{"m", "n"}, 6}} {
		j := New("both")
		var outs [2][]*onnxio.Value
		var in *onnxio.Value
		for k, scope := range c.scopes {
			g := twice()
			if in == nil {
				in = j.Input(g.Inputs[0])
			}
			var err error
			if outs[k], err = j.Add(scope, g, map[*onnxio.Value]*onnxio.Value{g.Inputs[0]: in}); err != nil {
				t.Fatal(err)
			}
		}
		same := outs[0][0] == outs[1][0]
		if len(j.Graph.Nodes) != c.nodes || same != (c.nodes < 6) || (outs[0][0] == outs[0][1]) != (c.nodes == 2) {
			t.Errorf("scopes %q: %d nodes, want %d", c.scopes, len(j.Graph.Nodes), c.nodes)
		}
		if err := j.Graph.Check(); err != nil {
			t.Error(err)
		}
	}
	if _, err := New("none").Add("", twice(), nil); err == nil {
		t.Error("a network without its input is joined")
	}
}
