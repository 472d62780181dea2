package verify

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestSumsThatLeaveTheirTypeAreNotVerified: x times 2^30, as int32, and 2^30 more is below 2^31 only where x is below 1; engines wrap around from
// there on. Whatever the real numbers say, nothing is verified of that, and what stays within int32 is.
func TestSumsThatLeaveTheirTypeAreNotVerified(t *testing.T) {
	for _, c := range []struct {
		up   float64
		want Verdict
	}{{0.9, Verified}, {1.1, Unknown}} {
		b, x := newBuilder(rand.New(rand.NewPCG(1, 2)), 1, 1)
		whole := b.node("Cast", onnxio.Attrs{"to": int64(onnxio.Int32)}, b.node("Mul", nil, x, b.scalar(1<<30)))
		more := &onnxio.Value{Name: "more", DType: onnxio.Int32, Const: &onnxio.Tensor{DType: onnxio.Int32, Shape: []int{1}, Data: []int32{1 << 30}}}
		sum := b.node("Add", nil, whole, more)
		whole.DType, sum.DType = onnxio.Int32, onnxio.Int32
		b.g.Outputs = []*onnxio.Value{b.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, sum)}
		v := openGraph(t, b.g, Options{})
		r, err := v.Verify(context.Background(), Property{Cases: []Case{{Box: Box{Lower: []float64{0.5}, Upper: []float64{c.up}},
			Constraints: []Constraint{{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: new(big.Rat)}}}}})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Verdict == Verified) != (c.want == Verified) {
			t.Errorf("up to %v: %s (%s), want %s", c.up, r.Verdict, r.Reason, c.want)
		}
	}
}
