package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPackIsNewFilter packs other weights into a filter, block by block, and compares with one that was made of them.
func TestPackIsNewFilter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range [][3]int{{1, 1, 1}, {5, 3, 4}, {16, 2, 7}, {33, 1, 300}, {40, 5, 50}} {
		m, segs, run := s[0], s[1], s[2]
		w := make([]float32, m*segs*run)
		for i := range w {
			w[i] = rng.Float32()
		}
		offsets := make([]int, segs)
		want := NewFilter(m, run, offsets, func(o, s, i int) float32 { return w[(o*segs+s)*run+i] })
		got, other := NewFilter[float32](m, run, offsets, nil), NewFilter[float32](m, run, offsets, nil)
		turned := make([]float32, len(w))
		Transpose(m, segs*run, w, turned)
		for b := range got.Blocks() {
			got.Pack(w, b, b+1)
			other.PackTurned(turned, b, b+1)
		}
		if !slices.Equal(got.w, want.w) {
			t.Errorf("%v: packed otherwise", s)
		}
		if !slices.Equal(other.w, want.w) {
			t.Errorf("%v: packed otherwise from the other side", s)
		}
	}
}

// TestAdamIsThePublishedRule makes steps in float64 beside the kernel's.
func TestAdamIsThePublishedRule(t *testing.T) {
	const n, rate, b1, b2, eps = 37, 1e-3, 0.9, 0.999, 1e-8
	rng := rand.New(rand.NewPCG(1, 1))
	w, g, m, v := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	var w64, m64, v64 [n]float64
	for i := range w {
		w[i] = float32(rng.NormFloat64())
		w64[i] = float64(w[i])
	}
	for step := 1.0; step <= 20; step++ {
		for i := range g {
			g[i] = float32(rng.NormFloat64())
			m64[i] = b1*m64[i] + (1-b1)*float64(g[i])
			v64[i] = b2*v64[i] + (1-b2)*float64(g[i])*float64(g[i])
			w64[i] -= rate * m64[i] / (1 - math.Pow(b1, step)) / (math.Sqrt(v64[i]/(1-math.Pow(b2, step))) + eps)
		}
		Adam(w, g, m, v, float32(rate/(1-math.Pow(b1, step))), float32(1/math.Sqrt(1-math.Pow(b2, step))), 1, b1, b2, eps)
	}
	for i := range w {
		if math.Abs(float64(w[i])-w64[i]) > 2e-6 { // twenty roundings of numbers of about 1
			t.Errorf("weight %d is %v, want %v", i, w[i], w64[i])
		}
	}
}
