package prune_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// TestNothingRemovedIsTheSameFile: a plan that removes nothing gives the file's own bytes; one that removes some leaves what is not coupled to
// it as it was.
func TestNothingRemovedIsTheSameFile(t *testing.T) {
	for _, path := range []string{"../testdata/fmnist-conv-ts.onnx", "../testdata/cifar-residual-dyn.onnx", "../testdata/fmnist-keras-conv.onnx"} {
		m, err := onnxio.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		before, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		whole := m.Graph
		r, err := prune.Run(context.Background(), whole, prune.Options{Choice: prune.Choice{Ratio: 0.5, Exclude: []string{"*"}}})
		if err != nil {
			t.Fatal(err)
		}
		m.Graph = r.Graph
		if after, err := m.Encode(); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s: removing nothing changed the file, %v", path, err)
		}
		if r, err = prune.Run(context.Background(), whole, prune.Options{Choice: prune.Choice{Ratio: 0.5}}); err != nil {
			t.Fatal(err)
		}
		m.Graph = r.Graph
		after, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		now, err := onnxio.Parse(after, "")
		if err != nil {
			t.Fatal(err)
		}
		if now.Producer != m.Producer || now.IR != m.IR || len(now.Graph.Nodes) > len(whole.Nodes) || len(now.Metadata) != len(m.Metadata) {
			t.Errorf("%s: %q, IR %d, %d nodes became %q, IR %d, %d nodes", path, m.Producer, m.IR, len(whole.Nodes),
				now.Producer, now.IR, len(now.Graph.Nodes))
		}
		declared := map[string][]onnxio.Dim{}
		for _, n := range whole.Nodes {
			for _, v := range n.Outputs {
				declared[v.Name] = v.Dims
			}
		}
		for _, n := range now.Graph.Nodes {
			for _, v := range n.Outputs {
				was := declared[v.Name]
				for axis, d := range v.Dims {
					if d.Known() && axis < len(was) && was[axis].Known() && d.Size > was[axis].Size {
						t.Errorf("%s: value %q is declared with %v, before %v", path, v.Name, v.Dims, was)
					}
				}
			}
		}
	}
}

// TestActivationRanksByData: channels that data leave silent go first.
func TestActivationRanksByData(t *testing.T) {
	b := newBuilder(71)
	y := b.conv("a", b.input("x", -1, 3, 6, 6), 3, 12, 1, false)
	bias := b.g.Nodes[0].Inputs[2].Const.F32()
	quiet := []int{1, 4, 7, 8}
	for i := range bias {
		bias[i] = 1
		if slices.Contains(quiet, i) {
			bias[i] = -100
		}
	}
	g := b.classifier(b.conv("b", b.node("Relu", "", nil, y), 12, 8, 1, false), 8)
	samples := func(ctx context.Context, f func([]*onnxio.Tensor) error) error {
		for range 3 {
			x := onnxio.NewTensor(onnxio.Float, 5, 3, 6, 6)
			for i := range x.F32() {
				x.F32()[i] = b.rng.Float32()
			}
			if err := f([]*onnxio.Tensor{x}); err != nil {
				return err
			}
		}
		return nil
	}
	r := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Activation, Ratio: 4. / 12}, Samples: samples})
	if got := r.Plan.Classes[0].Layers[0].Remove; !slices.Equal(got, quiet) {
		t.Errorf("removed %v, want %v", got, quiet)
	}
	for i, s := range r.Plan.Classes[0].Scores {
		if (s == 0) != slices.Contains(quiet, i) || math.IsNaN(s) {
			t.Errorf("channel %d has the score %v", i, s)
		}
	}
}
