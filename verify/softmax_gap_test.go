package verify

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSoftmaxGap computes softmax and its logarithm in float32 in several ways, each with exponentials and logarithms that are off by as much
// as softmaxGap allows for, and wants the larger of two logits that differ by the gap to stay strictly larger.
func TestSoftmaxGap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 13))
	// off moves a float32 by up to ulps units in the last place, to one side or the other.
	off := func(x float64, ulps int) float32 {
		f := float32(x)
		k := rng.IntN(2*ulps+1) - ulps
		for range max(k, -k) {
			f = math.Nextafter32(f, float32(math.Inf(k)))
		}
		if x > 0 {
			f = max(f, 0)
		}
		return f
	}
	ways := []func(z []float32, top float32) []float32{
		func(z []float32, top float32) []float32 { // exp(z-top) / sum
			y, sum := make([]float32, len(z)), float32(0)
			for i, x := range z {
				y[i] = off(math.Exp(float64(x-top)), 2)
				sum += y[i]
			}
			for i := range y {
				y[i] /= sum
			}
			return y
		},
		func(z []float32, top float32) []float32 { // exp(z-top) * (1/sum)
			y, sum := make([]float32, len(z)), float32(0)
			for i, x := range z {
				y[i] = off(math.Exp(float64(x-top)), 2)
				sum += y[i]
			}
			r := 1 / sum
			for i := range y {
				y[i] *= r
			}
			return y
		},
		func(z []float32, top float32) []float32 { // (z-top) - log(sum)
			y, sum := make([]float32, len(z)), float32(0)
			for _, x := range z {
				sum += off(math.Exp(float64(x-top)), 2)
			}
			l := off(math.Log(float64(sum)), 4)
			for i, x := range z {
				y[i] = (x - top) - l
			}
			return y
		},
		func(z []float32, top float32) []float32 { // log of softmax
			y, sum := make([]float32, len(z)), float32(0)
			for i, x := range z {
				y[i] = off(math.Exp(float64(x-top)), 2)
				sum += y[i]
			}
			for i := range y {
				y[i] = off(math.Log(float64(y[i]/sum)), 4)
			}
			return y
		},
	}
	rounds := 40000
	if testing.Short() {
		rounds = 4000
	}
	ties := 0
	for round := range rounds {
		n := 2 + rng.IntN(12)
		if round%50 == 0 {
			n = 1000
		}
		z := make([]float32, n)
		scale := math.Exp(rng.Float64()*8 - 5)
		for i := range z {
			z[i] = float32(scale * rng.NormFloat64())
		}
		top := float32(math.Inf(-1))
		for _, x := range z[1:] {
			top = max(top, x)
		}
		for _, share := range []float64{1, 1e-3} {
			z[0] = top + float32(share*softmaxGap(n))
			if share == 1 {
				for float64(z[0])-float64(top) < softmaxGap(n) {
					z[0] = math.Nextafter32(z[0], float32(math.Inf(1)))
				}
			}
			for k, way := range ways {
				y := way(z, z[0])
				for i := 1; i < n; i++ {
					if y[i] < y[0] {
						continue
					}
					if share == 1 {
						t.Fatalf("way %d: %v and %v of logits %v and %v, n %d", k, y[0], y[i], z[0], z[i], n)
					}
					ties++
				}
			}
		}
	}
	if ties == 0 {
		t.Error("a thousandth of the gap made no tie: the test shows nothing")
	}
}
