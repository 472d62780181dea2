package verify

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// BenchmarkReference times the cases of the reference bounds on one thread, beside the reference's own time (ratio: ours over
// theirs; theirs were taken on another, busy machine).
func BenchmarkReference(b *testing.B) {
	dir, files := refCases(b)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		for _, k := range []struct {
			m   Method
			ref string
		}{{Interval, "ibp"}, {DeepPoly, "crown"}} {
			b.Run(name+"/"+string(k.m), func(b *testing.B) {
				c := readRef(b, f)
				m, err := onnxio.Load(filepath.Join(dir, c.Model))
				if err != nil {
					b.Fatal(err)
				}
				v, err := Open(context.Background(), m, Options{Method: k.m, Threads: 1, DropSoftmax: c.Softmax})
				if err != nil {
					b.Fatal(err)
				}
				defer v.Close()
				box := Box{Lower: c.RawLower, Upper: c.RawUpper}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Bounds(context.Background(), box, c.Rows, false); err != nil {
						b.Fatal(err)
					}
				}
				if ref := c.Seconds[k.ref]; ref > 0 {
					b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/ref, "ratio")
				}
			})
		}
	}
}
