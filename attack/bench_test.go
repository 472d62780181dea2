package attack

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// BenchmarkGradient reports how many samples a second go through the gradient graph on one thread, and what a gradient costs in
// evaluations of the logits.
func BenchmarkGradient(b *testing.B) {
	files, err := filepath.Glob("../testdata/*.onnx")
	if err != nil {
		b.Fatal(err)
	}
	shared, _ := filepath.Glob("../../shared/teachers/*.onnx")
	for _, f := range append(files, shared...) {
		b.Run(filepath.Base(f), func(b *testing.B) {
			m, err := onnxio.Load(f)
			if err != nil {
				b.Fatal(err)
			}
			t, err := Open(context.Background(), m, Options{Engine: engine.Options{Threads: 1}})
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			const n = 16
			x, w := make([]float32, n*t.size), make([]float32, n*t.outputs)
			for i := range x {
				x[i] = float32(i%255) / 255
			}
			for i := range n {
				w[i*t.outputs] = 1
			}
			loss := &Loss{Kind: CE}
			if _, err := t.Gradient(context.Background(), loss, x, w, nil); err != nil { // made once
				b.Fatal(err)
			}
			var forward time.Duration
			for b.Loop() {
				if _, err := t.Gradient(context.Background(), loss, x, w, nil); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				start := time.Now()
				if _, err := t.Logits(context.Background(), x); err != nil {
					b.Fatal(err)
				}
				forward += time.Since(start)
				b.StartTimer()
			}
			each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
			b.ReportMetric(n*1e9/each, "samples/s")
			b.ReportMetric(each/(float64(forward.Nanoseconds())/float64(b.N)), "forwards")
		})
	}
}
