package student

import (
	"context"
	"testing"
)

// BenchmarkStep is a training step on one core: batch, forward, gradients, Adam. The robust ones have their whole graphs.
func BenchmarkStep(bench *testing.B) {
	for _, c := range []struct {
		name, preset string
		robust       *Robust
	}{
		{name: "plain", preset: "small-fmnist-8-16"},
		{name: "windows", preset: "thesis-a-cifar-one-16"},
		{name: "ibp", preset: "small-fmnist-8-16", robust: &Robust{Method: IBP, Eps: 0.1, EpsStart: 0.1}},
		{name: "crown-ibp", preset: "small-fmnist-8-16", robust: &Robust{Method: CrownIBP, Eps: 0.1, EpsStart: 0.1, BetaEnd: 0.5}},
	} {
		bench.Run(c.name, func(bench *testing.B) {
			a, err := Preset(c.preset, [3]int{})
			if err != nil {
				bench.Fatal(err)
			}
			d := blobs(a.Input, a.Classes(), 128, 1)
			t, err := Open(a, d, nil, Config{Batch: 128, Threads: 1, Robust: c.robust}, Options{})
			if err != nil {
				bench.Fatal(err)
			}
			index := make([]int, d.Len())
			for i := range index {
				index[i] = i
			}
			bench.ReportAllocs()
			for bench.Loop() {
				if err := t.step(context.Background(), index, 1<<30); err != nil {
					bench.Fatal(err)
				}
			}
		})
	}
}
