package affine

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSingleIsTheConvolution compares convolutions in float32 with the written-out matrix, both ways: of every shape that steps are tested with, over
// buffers that hold what other images left.
func TestSingleIsTheConvolution(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 7))
	w := &SingleWork{}
	tried := 0
	for _, c := range mapCases(rng) {
		m, ok := c.m.(*Conv)
		if !ok {
			continue
		}
		s := NewConvStep(m).Single()
		if s == nil {
			if m.Groups == 1 {
				t.Errorf("%s has none", c.name)
			}
			continue
		}
		tried++
		a := matrix(m)
		nin, nout := m.Dims()
		const n = 3
		x, rows := singles(rng, n*nin), singles(rng, n*nout)
		y, was, back := make([]float32, n*nout), singles(rng, n*nout), singles(rng, n*nin)
		copy(y, was)
		s.Forth(y, x, n, w)
		s.Back(back, rows, n, w)
		for b := range n {
			for k := range nout {
				want := float64(was[b*nout+k])
				for j := range nin {
					want += a[c.out.At(k)][c.in.At(j)] * float64(x[b*nin+j])
				}
				if got := float64(y[b*nout+k]); !(math.Abs(got-want) <= 1e-4*(1+math.Abs(want))) {
					t.Fatalf("%s: output %d of point %d is %v, want %v", c.name, k, b, got, want)
				}
			}
			for j := range nin {
				want := 0.0
				for k := range nout {
					want += a[c.out.At(k)][c.in.At(j)] * float64(rows[b*nout+k])
				}
				if got := float64(back[b*nin+j]); !(math.Abs(got-want) <= 1e-4*(1+math.Abs(want))) {
					t.Fatalf("%s: coefficient %d of row %d is %v, want %v", c.name, j, b, got, want)
				}
			}
		}
	}
	if tried < 200 {
		t.Errorf("%d convolutions were tried", tried)
	}
}

func singles(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}
