package verify

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestWhatDependsOnTheProcessorIsNotOnnxruntimesReading: a product of 8 bits that may saturate is named under the standard's reading, and refused
// with that reason under onnxruntime's; one that cannot is neither. DequantizeLinear around a product is what onnxruntime computes in integers.
func TestWhatDependsOnTheProcessorIsNotOnnxruntimesReading(t *testing.T) {
	for most, named := range map[int]bool{64: false, 127: true} {
		rng := rand.New(rand.NewPCG(2, 5))
		b, x := newBuilder(rng, 1, 4)
		zero := &onnxio.Value{Name: "zero", DType: onnxio.Uint8, Const: &onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{}, Data: []uint8{128}}}
		w := &onnxio.Tensor{DType: onnxio.Int8, Shape: []int{4, 3}, Data: make([]int8, 12)}
		for i := range w.Data.([]int8) {
			w.Data.([]int8)[i] = int8(rng.IntN(2*most+1) - most)
		}
		w.Data.([]int8)[0], w.Data.([]int8)[1] = int8(most), int8(-most)
		q := b.node("QuantizeLinear", nil, x, b.scalar(0.02), zero)
		q.DType = onnxio.Uint8
		wide := b.node("DequantizeLinear", nil, &onnxio.Value{Name: "w", DType: onnxio.Int8, Const: w}, b.scalar(0.01))
		b.g.Outputs = []*onnxio.Value{b.node("MatMul", nil, b.node("DequantizeLinear", nil, q, b.scalar(0.02), zero), wide)}
		v := openGraph(t, b.g, Options{})
		d := v.Info().Departures
		if (len(d) == 1 && d[0].Varies && strings.Contains(d[0].Why, "saturate")) != named || !named && len(d) != 0 {
			t.Errorf("weights up to %d: departures %+v", most, d)
		}
		_, err := Open(context.Background(), &onnxio.Model{Graph: b.g}, Options{Reading: onnxio.ONNXRuntime})
		var u *onnxio.UnsupportedError
		if (err != nil) != named || named && (!errors.As(err, &u) || u.Op != "MatMul" || !strings.Contains(u.Why, "saturate")) {
			t.Errorf("weights up to %d under onnxruntime's reading: %v", most, err)
		}
	}
}
