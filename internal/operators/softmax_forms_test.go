package operators

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

func TestSoftmaxBoundsHold(t *testing.T) {
	for _, c := range []struct {
		n    *onnxio.Node
		rows func(i int) int
	}{
		{node(t, "Softmax", 13, nil, variable(2, 3)), func(i int) int { return i / 3 }},
		{node(t, "Softmax", 13, onnxio.Attrs{"axis": int64(0)}, variable(4, 2)), func(i int) int { return i % 2 }},
		{node(t, "Softmax", 13, onnxio.Attrs{"axis": int64(1)}, variable(2, 2, 2)), func(i int) int { return i/4*2 + i%2 }},
		{node(t, "Softmax", 11, nil, variable(2, 2, 1)), func(i int) int { return i / 2 }},
		{node(t, "Softmax", 13, nil, variable(2, 1)), func(i int) int { return i }},
	} {
		truth := func(x [][]float64) []*big.Float {
			out := make([]*big.Float, len(x[0]))
			for i, v := range x[0] {
				sum := big0()
				for j, w := range x[0] {
					if c.rows(i) == c.rows(j) {
						sum.Add(sum, bigExp(big0().Sub(bigFloat(w), bigFloat(v))))
					}
				}
				out[i] = big0().Quo(bigFloat(1), sum)
			}
			return out
		}
		float32s := func(x [][]float32) [][]float32 {
			var one []float32
			for i, v := range x[0] {
				top, sum := float32(math.Inf(-1)), float32(0)
				for j, w := range x[0] {
					if c.rows(i) == c.rows(j) {
						top = max(top, w)
					}
				}
				for j, w := range x[0] {
					if c.rows(i) == c.rows(j) {
						sum += float32(math.Exp(float64(w - top)))
					}
				}
				one = append(one, float32(math.Exp(float64(v-top)))/sum)
			}
			return [][]float32{one}
		}
		checkRelaxation(t, relaxTest{fmt.Sprint("softmax ", c.n.Attrs, c.n.Opset), c.n, truth, float32s}, 15)
	}
}

// TestSoftmaxFormsAreTight: the planes are off by the square of the width.
func TestSoftmaxFormsAreTight(t *testing.T) {
	n := node(t, "Softmax", 13, nil, variable(1, 3))
	d, _ := Lookup(n)
	l, _ := d.Linear(n)
	x := []float64{0.5, -1, 2}
	for _, w := range []float64{1e-1, 1e-2, 1e-4} {
		b := relax.NewBox(3)
		for i, v := range x {
			b.Lower[i], b.Upper[i] = v-w, v+w
		}
		r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{b})
		if err != nil {
			t.Fatal(err)
		}
		for i := range x {
			lo, _ := form(&r.Lower, i, [][]float64{x}).Float64()
			hi, _ := form(&r.Upper, i, [][]float64{x}).Float64()
			if !(hi-lo < 2*w*w+1e-12) {
				t.Errorf("width %v: gap %v", w, hi-lo)
			}
		}
	}
}
