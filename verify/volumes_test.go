package verify

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestVolumesAreSummedInAnyOrder adds up a convolution over three axes in an order of its own, in float32: 1, two hundred numbers that are lost
// beside it, and -1. What is left lies within float32 bounds, or nothing is said.
func TestVolumesAreSummedInAnyOrder(t *testing.T) {
	const small, tiny = 200, 5.9e-8
	rng := rand.New(rand.NewPCG(1, 1))
	weights := []float32{1, -1}
	sum := float32(1)
	for range small {
		weights = append(weights, tiny)
		sum += tiny
	}
	sum--
	k := len(weights)
	for _, name := range []string{"Conv", "ConvTranspose", "AveragePool"} {
		t.Run(name, func(t *testing.T) {
			b, x := newBuilder(rng, 1, 1, k, 1, 1)
			want := sum
			box := Box{Lower: make([]float64, k), Upper: make([]float64, k)}
			for i := range k {
				box.Lower[i] = 1
			}
			w := &onnxio.Value{Name: "w", DType: onnxio.Float, Const: onnxio.FromFloat32(weights, 1, 1, k, 1, 1)}
			y := x
			switch name {
			case "Conv":
				y = b.node("Conv", nil, x, w)
			case "ConvTranspose": // the element that all weights but the last reach
				for i := range k {
					w.Const.F32()[k-1-i] = weights[i]
				}
				y = b.node("ConvTranspose", onnxio.Attrs{"pads": []int64{int64(k - 1), 0, 0, int64(k - 1), 0, 0}}, x, w)
			case "AveragePool":
				want /= float32(k)
				for i, v := range weights {
					box.Lower[i] = float64(v)
				}
				y = b.node("AveragePool", onnxio.Attrs{"kernel_shape": []int64{int64(k), 1, 1}}, x)
			}
			copy(box.Upper, box.Lower)
			b.g.Outputs = append(b.g.Outputs, b.node("Reshape", nil, y, fixedInts(1, -1)))
			for _, m := range []Method{Interval, DeepPoly} {
				v := openGraph(t, b.g, Options{Method: m, Semantics: Float32, Threads: 1})
				lower, upper, err := boundsOf(v, box, 1)
				var no *onnxio.UnsupportedError
				if errors.As(err, &no) && no.Face == "Execution" {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if outside(want, lower[0], upper[0]) {
					t.Errorf("%s: an execution gives %v, bounds are [%v, %v]", m, want, lower[0], upper[0])
				}
			}
		})
	}
}
