package verify

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// BenchmarkSearch searches for two seconds a round and reports problems a second, with one worker and with two: parts of the input set of an ACAS Xu
// query that takes long, and sides of a network of two layers of 256, for a case that can be met.
func BenchmarkSearch(b *testing.B) {
	for _, q := range []struct{ family, model, property string }{
		{"acasxu", "ACASXU_run2a_2_2_batch_2000", "prop_1"},
		{"mnist_fc", "mnist-net_256x2", "prop_5_0.05"},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", q.family, workers), func(b *testing.B) { benchmarkSearch(b, q.family, q.model, q.property, workers) })
		}
	}
}

func benchmarkSearch(b *testing.B, family, model, property string, workers int) {
	dir := filepath.Join("..", "..", "shared", "bench", "vnncomp", family)
	m, err := onnxio.Load(filepath.Join(dir, "onnx", model+".onnx"))
	if err != nil {
		b.Skip("the public benchmarks are not here:", err)
	}
	q, err := vnnlib.Load(filepath.Join(dir, "vnnlib", property+".vnnlib"))
	if err != nil {
		b.Fatal(err)
	}
	v, err := Open(context.Background(), m, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	gs, err := v.groups(FromVNNLIB(q), Real)
	if err != nil {
		b.Fatal(err)
	}
	goal := search.Goal{Box: gs[0].box}
	for _, c := range gs[0].cases {
		goal.Cases = append(goal.Cases, c.asked())
	}
	done, seconds := 0, 0.0
	for b.Loop() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		start := time.Now()
		var out search.Outcome
		if o, s := (bound.Options{Threads: workers}), (search.Settings{Threads: workers}); family == "acasxu" {
			out, err = search.Inputs(ctx, v.net, bound.DeepPoly, o, goal, s)
		} else {
			out, err = search.Neurons(ctx, v.net, o, goal, s)
		}
		cancel()
		if err != nil {
			b.Fatal(err)
		}
		done += out.Done
		seconds += time.Since(start).Seconds()
	}
	b.ReportMetric(float64(done)/seconds, "problems/s")
}
