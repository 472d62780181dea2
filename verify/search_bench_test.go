package verify

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// BenchmarkSearch halves the input set of an ACAS Xu query that takes long, for two seconds a round, and reports boxes a second.
func BenchmarkSearch(b *testing.B) {
	dir := filepath.Join("..", "..", "shared", "bench", "vnncomp", "acasxu")
	m, err := onnxio.Load(filepath.Join(dir, "onnx", "ACASXU_run2a_2_2_batch_2000.onnx"))
	if err != nil {
		b.Skip("the public benchmarks are not here:", err)
	}
	q, err := vnnlib.Load(filepath.Join(dir, "vnnlib", "prop_1.vnnlib"))
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
		out, err := search.Inputs(ctx, v.net, bound.DeepPoly, bound.Options{}, goal, search.Settings{})
		cancel()
		if err != nil {
			b.Fatal(err)
		}
		done += out.Done
		seconds += time.Since(start).Seconds()
	}
	b.ReportMetric(float64(done)/seconds, "boxes/s")
}
