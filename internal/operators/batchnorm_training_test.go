package operators

import (
	"errors"
	"math"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestBatchNormalizationOfConstantsInTraining: weights that are standardised in use are brought to their own mean and deviation, channel by channel;
// what the input moves is refused.
func TestBatchNormalizationOfConstantsInTraining(t *testing.T) {
	f := func(v []float32, shape ...int) *onnxio.Value {
		return &onnxio.Value{Name: "c", DType: onnxio.Float, Shape: shape, Const: onnxio.FromFloat32(v, shape...)}
	}
	x := f([]float32{1, 2, 3, 6, -1, 0, 4, 5}, 1, 2, 4)
	in := []*onnxio.Value{x, f([]float32{2, 1}, 2), f([]float32{0, 10}, 2), f([]float32{7, 7}, 2), f([]float32{9, 9}, 2)}
	n := &onnxio.Node{Op: "BatchNormalization", Opset: 15, Attrs: onnxio.Attrs{"training_mode": int64(1), "momentum": float32(0.75)}, Inputs: in,
		Outputs: []*onnxio.Value{{Name: "y"}, {Name: "mean"}, {Name: "variance"}}}
	if _, err := batchnormShape(n); err != nil {
		t.Fatal(err)
	}
	c := &op.Call{Node: n, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Float, 1, 2, 4), onnxio.NewTensor(onnxio.Float, 2),
		onnxio.NewTensor(onnxio.Float, 2)}, Work: &op.Workspace{}}
	for _, v := range in {
		c.In = append(c.In, v.Const)
	}
	if err := batchnormEval(c); err != nil {
		t.Fatal(err)
	}
	first, second := math.Sqrt(3.5+1e-5), math.Sqrt(6.5+1e-5) // of 1 2 3 6 around 3, and -1 0 4 5 around 2
	want := []float64{-4 / first, -2 / first, 0, 6 / first, 10 - 3/second, 10 - 2/second, 10 + 2/second, 10 + 3/second}
	for i, y := range c.Out[0].F32() {
		if math.Abs(float64(y)-want[i]) > 1e-5 {
			t.Errorf("element %d is %v, want %v", i, y, want[i])
		}
	}
	// three quarters of 7 and 9
	if mean, variance := c.Out[1].F32(), c.Out[2].F32(); mean[0] != 6 || mean[1] != 5.75 || variance[0] != 7.625 || variance[1] != 8.375 {
		t.Errorf("statistics %v and %v", mean, variance)
	}
	in[0] = &onnxio.Value{Name: "x", DType: onnxio.Float, Shape: []int{1, 2, 4}}
	var no *onnxio.UnsupportedError
	if _, err := batchnormShape(n); !errors.As(err, &no) {
		t.Errorf("of a variable: %v", err)
	}
}
