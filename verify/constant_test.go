package verify

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestConstantOutputsAreDecidedAtOnce: outputs that are constants over the set, behind dead hinges or products with zero, are compared as the numbers
// that they are, ties too, and nothing is searched for.
func TestConstantOutputsAreDecidedAtOnce(t *testing.T) {
	for name, dead := range map[string]func(b *builder, x *onnxio.Value) *onnxio.Value{
		"dead hinges": func(b *builder, x *onnxio.Value) *onnxio.Value {
			return b.node("Relu", nil, b.node("Sub", nil, b.dense(b.node("Relu", nil, b.dense(x, 30, 20)), 20, 10), b.scalar(1000)))
		},
		"products with zero": func(b *builder, x *onnxio.Value) *onnxio.Value {
			return b.node("Mul", nil, b.dense(b.node("Relu", nil, b.dense(x, 30, 20)), 20, 10), b.scalar(0))
		},
	} {
		for _, softmax := range []bool{false, true} {
			b, x := newBuilder(rand.New(rand.NewPCG(5, 6)), 1, 30)
			w := onnxio.NewTensor(onnxio.Float, 10, 4)
			for i := range w.F32() {
				w.F32()[i] = float32(b.rng.NormFloat64())
			}
			bias := onnxio.FromFloat32([]float32{0.3, 0.3, 0.29999998, -1}, 4) // the third is one step less
			y := b.node("Gemm", nil, dead(b, x), &onnxio.Value{Name: "W", DType: onnxio.Float, Const: w},
				&onnxio.Value{Name: "B", DType: onnxio.Float, Const: bias})
			if softmax {
				y = b.node("Softmax", onnxio.Attrs{"axis": int64(1)}, y)
			}
			b.g.Outputs = []*onnxio.Value{y}
			for _, sem := range []Semantics{Real, Float32} {
				v := openGraph(t, b.g, Options{Semantics: sem, DropSoftmax: softmax})
				ball := Ball{Center: make([]float32, 30), Eps: 0.05, PixelLow: -1, PixelHigh: 1}
				for i := range ball.Center {
					ball.Center[i] = float32(b.rng.Float64())
				}
				for class := range 4 {
					r, err := v.Verify(context.Background(), Robust(ball, class, 4))
					if err != nil {
						t.Fatal(err)
					}
					if last := r.Rungs[len(r.Rungs)-1]; r.Verdict != Falsified || last.Name != "centre" && last.Name != "interval" || sem == Real &&
						r.FalsifiedIn != Real {
						t.Errorf("%s, softmax %v, %s: class %d is %s (%s) after %s: %s", name, softmax, sem, class, r.Verdict, r.FalsifiedIn, last.Name, r.Reason)
					}
				}
				if sem == Float32 {
					continue // what executions may be off is more than a step
				}
				higher := Robust(ball, 1, 4)
				higher.Cases = higher.Cases[1:] // without the tie
				r, err := v.Verify(context.Background(), higher)
				if err != nil {
					t.Fatal(err)
				}
				if last := r.Rungs[len(r.Rungs)-1]; r.Verdict != Verified || last.Name != "interval" {
					t.Errorf("%s, softmax %v, %s: %s after %s: %s", name, softmax, sem, r.Verdict, last.Name, r.Reason)
				}
			}
		}
	}
}
