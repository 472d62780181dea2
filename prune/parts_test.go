package prune_test

import (
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// TestChannelsGoThroughOperatorsInParts: operators that are written out when a file is read stay in it as they are, and channels go through
// them: those of activations and fused layers, and whole heads of attentions. What is left does as zeros would, whatever goes. least is how
// many filters go at half.
func TestChannelsGoThroughOperatorsInParts(t *testing.T) {
	for name, least := range map[string]int{"apart": 24, "dense": 30, "groups": 42, "heads": 32, "images": 16, "joined": 30} {
		t.Run(name, func(t *testing.T) {
			m, err := onnxio.Load(filepath.Join("testdata", "parts", name+".onnx"))
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(6) {
				o := prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: seed, Ratio: []float64{0.25, 0.5, 0.75}[seed%3]}, AbsorbBias: seed%2 == 1}
				r := same(t, m.Graph, o)
				if n := r.Plan.Removed(); o.Choice.Ratio == 0.5 && !o.AbsorbBias && n < least {
					t.Errorf("%d filters went, want %d; pinned: %v", n, least, r.Plan.Pinned)
				}
				if o.AbsorbBias { // which may add a node
					continue
				}
				for i, n := range r.Graph.Nodes {
					if was := m.Graph.Nodes[i]; n.Op != was.Op || n.Domain != was.Domain || len(n.Inputs) != len(was.Inputs) {
						t.Fatalf("node %d is %s.%s of %d inputs, was %s.%s of %d", i, n.Domain, n.Op, len(n.Inputs), was.Domain, was.Op, len(was.Inputs))
					}
				}
			}
		})
	}
}

// TestHeadsThatAreToldApartStay: a mask that says another thing to each head keeps them.
func TestHeadsThatAreToldApartStay(t *testing.T) {
	for _, shared := range []bool{true, false} {
		b := newBuilder(1)
		x := b.input("x", 1, 5, 4)
		var in []*onnxio.Value
		for range 3 {
			in = append(in, b.node("MatMul", "", nil, x, b.weights(4, 16)))
		}
		heads := 4
		if shared {
			heads = 1
		}
		y := b.node("Attention", "attention", onnxio.Attrs{"q_num_heads": int64(4), "kv_num_heads": int64(4)}, append(in, b.weights(1, heads, 5, 5))...)
		y.Producer.Opset = 23
		g := b.outputs(b.node("MatMul", "", nil, y, b.weights(16, 3)))
		r := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Random, Ratio: 0.5}})
		if n := r.Plan.Removed(); (n > 0) != shared {
			t.Errorf("a mask that heads share: %v, and %d filters went: %v", shared, n, r.Plan.Pinned)
		}
	}
}

// TestFilesOfNoStandardOperators: the network that the smaller one is held against needs some.
func TestFilesOfNoStandardOperators(t *testing.T) {
	b := newBuilder(2)
	fused := func(x *onnxio.Value, in, out int) *onnxio.Value {
		y := b.node("FusedGemm", "", onnxio.Attrs{"activation": "Relu"}, x, b.weights(in, out), b.weights(out))
		y.Producer.Domain, y.Producer.Opset = "com.microsoft", 1
		return y
	}
	g := b.outputs(fused(fused(b.input("x", -1, 6), 6, 8), 8, 5))
	if r := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Random, Ratio: 0.5}}); r.Plan.Removed() != 4 {
		t.Errorf("%d filters went, want 4: %v", r.Plan.Removed(), r.Plan.Pinned)
	}
}

// TestCostsAreOfTheFilesNodes: what an operator in parts costs is told under its own name, not under those of its parts, and nothing twice.
func TestCostsAreOfTheFilesNodes(t *testing.T) {
	for _, name := range []string{"apart", "dense", "groups", "heads", "images", "joined"} {
		m, err := onnxio.Load(filepath.Join("testdata", "parts", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{} // the first output of a node, and the node's operator
		for _, n := range m.Graph.Nodes {
			made[n.Outputs[0].Name] = n.Op
		}
		c, err := prune.Analyse(m.Graph, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, layers, err := c.Costs(m.Graph)
		if err != nil {
			t.Fatal(err)
		}
		var sum prune.Cost
		inParts := 0
		for _, l := range layers {
			sum.Parameters, sum.MACs = sum.Parameters+l.Parameters, sum.MACs+l.MACs
			if l.Node.Domain != "" {
				inParts++
			}
			if op, ok := made[l.Node.Outputs[0].Name]; !ok || op != l.Op {
				t.Errorf("%s: layer %q (%s) is no node of the file", name, l.Name, l.Op)
			}
			delete(made, l.Node.Outputs[0].Name)
		}
		if sum != all {
			t.Errorf("%s: layers of %+v together, and %+v of all", name, sum, all)
		}
		if name == "dense" && inParts == 0 {
			t.Errorf("%s: no layer of com.microsoft", name)
		}
	}
}
