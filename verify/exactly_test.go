package verify

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestExactlyIsTheRealNetwork runs small piecewise linear networks at points of few bits: what Exactly says of an output is what rational
// numbers give, to the last bit.
func TestExactlyIsTheRealNetwork(t *testing.T) {
	t.Parallel()
	said, some := 0, 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 515))
		net := drawPL(rng, 1+rng.IntN(3))
		m, err := onnxio.NewModel(net.graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(context.Background(), m, Options{Method: Interval, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, net.in)
		for i := range x {
			x[i] = float64(rng.IntN(65)-32) / 16
			if rng.IntN(4) == 0 {
				x[i] = float64(float32(rng.NormFloat64()))
			}
		}
		y := v.net.Exactly(x)
		v.Close()
		known := 0
		for _, f := range y {
			if !math.IsNaN(f) {
				known++
			}
		}
		if known == 0 {
			continue
		}
		said++
		if known < len(y) {
			some++
		}
		at := rats(x)
		rs, fits := net.regions(at, at)
		if !fits {
			continue
		}
		for k, f := range y {
			if math.IsNaN(f) {
				continue
			}
			for _, r := range rs {
				for _, p := range r {
					if want := p.cur[k]; want.Cmp(new(big.Rat).SetFloat64(f)) != 0 {
						t.Fatalf("seed %d: output %d is said to be exactly %v, and is %v", seed, k, f, want)
					}
				}
			}
		}
	}
	t.Logf("%d of 3000 networks, of %d of which some outputs only", said, some)
	if said < 200 || some < 20 {
		t.Error("too few to tell anything")
	}
}
