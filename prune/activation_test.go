package prune_test

import (
	"context"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune"
)

// TestActivationsOfMoreSamplesThanTheFileFixes: a node that sums over all axes, the samples' too, is no obstacle to data of several samples.
func TestActivationsOfMoreSamplesThanTheFileFixes(t *testing.T) {
	b := newBuilder(90)
	x := b.input("x", 1, 3, 8, 8)
	y := b.conv("front", x, 3, 8, 1, true)
	all := b.node("Greater", "", nil, b.node("ReduceSum", "", onnxio.Attrs{"keepdims": int64(0)}, x), b.fixed(onnxio.FromFloat32([]float32{0})))
	all.DType = onnxio.Bool
	y = b.choice(all, b.unary("Relu", y, 8), b.unary("Sigmoid", y, 8))
	g := b.classifier(b.conv("behind", y, 8, 8, 1, true), 8)
	data := func(_ context.Context, f func([]*onnxio.Tensor) error) error {
		return f([]*onnxio.Tensor{b.weights(3, 3, 8, 8).Const})
	}
	r := same(t, g, prune.Options{Choice: prune.Choice{Score: prune.Activation, Ratio: 0.5}, Samples: data})
	if n := len(went(r.Plan, "front")); n != 4 {
		t.Errorf("%d filters went", n)
	}
}
