package attack_test

import (
	"testing"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestCastsToHalfComeBack: a gradient's file casts to half precision only what is cast back at once. Beside that its values are float32, which other
// operators do not take together with half precision.
func TestCastsToHalfComeBack(t *testing.T) {
	m, err := onnxio.Load("../cmd/shoal/testdata/forms/bfloat16-casts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g, err := attack.Gradient(m.Graph, attack.Loss{Kind: attack.CE}, attack.GradientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	casts := 0
	for _, n := range g.Nodes {
		to := onnxio.DType(n.Attrs.Int("to", 0))
		if n.Op == "Cast" && to.Half() {
			casts++
			if n.Outputs[0].DType != to {
				t.Errorf("node %q casts to %v, and its value is of %v", n.Name, to, n.Outputs[0].DType)
			}
			continue
		}
		for _, v := range n.Inputs {
			if v != nil && v.DType.Half() && n.Op != "Cast" {
				t.Errorf("node %q (%s) reads half precision", n.Name, n.Op)
			}
		}
	}
	if casts == 0 {
		t.Error("there are no casts")
	}
}
