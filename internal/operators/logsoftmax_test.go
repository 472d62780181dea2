package operators

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// bigLog is ln(x) by Newton's method on exp, to far more digits than float64 has.
func bigLog(x *big.Float) *big.Float {
	mant := new(big.Float)
	e := x.MantExp(mant)
	m, _ := mant.Float64()
	y := bigFloat(math.Log(m) + float64(e)*math.Ln2)
	for range 2 {
		q := big0().Quo(x, bigExp(y))
		y.Add(y, q.Sub(q, bigFloat(1)))
	}
	return y
}

func TestLogSoftmaxBoundsHold(t *testing.T) {
	for _, c := range []struct {
		n    *onnxio.Node
		rows func(i int) int
		size int
	}{
		{node(t, "LogSoftmax", 13, nil, variable(2, 3)), func(i int) int { return i / 3 }, 3},
		{node(t, "LogSoftmax", 13, onnxio.Attrs{"axis": int64(0)}, variable(2, 3)), func(i int) int { return i % 3 }, 2},
		{node(t, "LogSoftmax", 11, nil, variable(2, 2, 1)), func(i int) int { return i / 2 }, 2},
		{node(t, "LogSoftmax", 13, nil, variable(2, 1)), func(i int) int { return i }, 1},
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
				out[i] = big0().Neg(bigLog(sum))
				if c.size == 1 {
					out[i] = big0()
				}
			}
			return out
		}
		float32s := func(x [][]float32) [][]float32 {
			var one, two []float32
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
				l := float32(math.Log(float64(sum)))
				one, two = append(one, float32(v-top)-l), append(two, v-float32(top+l))
			}
			return [][]float32{one, two}
		}
		checkRelaxation(t, relaxTest{fmt.Sprint("log softmax ", c.n.Attrs, c.n.Opset), c.n, truth, float32s}, 15)
	}
}

// TestLogSoftmaxFormsAreTight: the planes are off by the square of the width.
func TestLogSoftmaxFormsAreTight(t *testing.T) {
	n := node(t, "LogSoftmax", 13, nil, variable(1, 3))
	d, _ := Lookup(n)
	l, _ := d.Linear(n)
	x := []float64{0.5, -1, 2}
	for _, w := range []float64{1e-2, 1e-4} {
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

func TestLRNBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(93, 94))
	for _, beta := range []float32{0.75, 0.5, 1, 2, -0.5} {
		for _, size := range []int{1, 2, 3, 9} {
			alpha, bias := []float32{1e-4, 0.3, 2, 0}[rng.IntN(4)], []float32{1, 0.25, 2}[rng.IntN(3)]
			if rng.IntN(6) == 0 {
				alpha = -1e-3
			}
			const channels, area = 4, 2
			n := node(t, "LRN", 13, onnxio.Attrs{"alpha": alpha, "beta": beta, "bias": bias, "size": int64(size)}, variable(1, channels, area))
			truth := func(x [][]float64) []*big.Float {
				out := make([]*big.Float, len(x[0]))
				for i, v := range x[0] {
					ch := i / area
					sum := big0()
					for k := range channels {
						if k >= ch-(size-1)/2 && k <= ch+size/2 {
							w := bigFloat(x[0][k*area+i%area])
							sum.Add(sum, w.Mul(w, w))
						}
					}
					sum.Mul(sum, bigFloat(float64(alpha))).Quo(sum, bigFloat(float64(size)))
					sum.Add(sum, bigFloat(float64(bias)))
					if sum.Sign() <= 0 {
						continue
					}
					quarter := big0().Sqrt(sum)
					quarter.Sqrt(quarter)
					p := bigFloat(1)
					for range int(4 * math.Abs(float64(beta))) {
						p.Mul(p, quarter)
					}
					if beta < 0 {
						out[i] = p.Mul(p, bigFloat(v))
					} else {
						out[i] = big0().Quo(bigFloat(v), p)
					}
				}
				return out
			}
			float32s := func(x [][]float32) [][]float32 {
				var out []float32
				for i, v := range x[0] {
					var sum float32
					for k := range channels {
						if ch := i / area; k >= ch-(size-1)/2 && k <= ch+size/2 {
							w := x[0][k*area+i%area]
							sum += float32(w * w)
						}
					}
					base := bias + float32(float32(alpha/float32(size))*sum)
					out = append(out, v/float32(math.Pow(float64(base), float64(beta))))
				}
				return [][]float32{out}
			}
			checkRelaxation(t, relaxTest{fmt.Sprint("lrn ", n.Attrs), n, truth, float32s}, 25)
		}
	}
}
