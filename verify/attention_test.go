package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// TestExportedAttentionIsBounded: transformers as exporters write them (testdata/generate/attention_nets.py) give onnxruntime's outputs, and
// no sampled point or corner of a ball is under a bound, in any domain and semantics. Smaller balls have bounds that close on the value.
func TestExportedAttentionIsBounded(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "attention-*.npz"))
	if len(files) != 4 {
		t.Fatalf("%d networks", len(files))
	}
	ctx := context.Background()
	rows := [][]float64{{1, -1, 0}, {-1, 1, 0}, {0, 0.5, -1}}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			m, err := onnxio.Load(strings.TrimSuffix(f, ".npz") + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			ref, err := dataset.ReadNPZ(f)
			if err != nil {
				t.Fatal(err)
			}
			// The verdict is about the network whose constants were folded in float32: one of them is 3 to the power -1/2.
			prepared, err := Open(ctx, m, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer prepared.Close()
			exact, err := engine.OpenGraph(ctx, prepared.graph, engine.Options{Float64: true})
			if err != nil {
				t.Fatal(err)
			}
			defer exact.Close()
			single, err := engine.Open(ctx, m, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer single.Close()
			in, want := ref["inputs"], ref["outputs"].Float32s()
			shape := append([]int{1}, in.Shape[1:]...)
			size := onnxio.NumElements(shape)
			rng := rand.New(rand.NewPCG(5, 7))
			last := math.Inf(1)
			for _, eps := range []float64{0.1, 0.02, 0.001, 0} {
				c := in.Float32s()[:size]
				box := Box{Lower: make([]float64, size), Upper: make([]float64, size)}
				for i, x := range c {
					box.Lower[i], box.Upper[i] = float64(x)-eps, float64(x)+eps
				}
				var values [][]float64 // by point, in float64 and then in float32
				for p := range 80 {
					x := make([]float32, size)
					for i := range x {
						u := rng.Float64()
						if p%2 == 0 {
							u = math.Round(u)
						}
						x[i] = min(max(float32(box.Lower[i]+u*(box.Upper[i]-box.Lower[i])), up32(box.Lower[i])), down32(box.Upper[i]))
					}
					if p == 0 {
						copy(x, c)
					}
					wide := make([]float64, size)
					for i, v := range x {
						wide[i] = float64(v)
					}
					a, err := exact.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat64(wide, shape...)})
					if err != nil {
						t.Fatal(err)
					}
					b, err := single.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
					if err != nil {
						t.Fatal(err)
					}
					y, _ := a[0].Float64s()
					z, _ := b[0].Float64s()
					values = append(values, y, z)
					for k := range z {
						if p == 0 && !(math.Abs(z[k]-float64(want[k])) < 1e-5) { // some roundings of numbers of order 1
							t.Fatalf("output %d is %v, onnxruntime has %v", k, z[k], want[k])
						}
					}
				}
				for _, method := range []Method{Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha} {
					for _, sem := range []Semantics{Real, Float32} {
						v, err := Open(ctx, m, Options{Method: method, Semantics: sem, Threads: 2})
						if err != nil {
							t.Fatal(err)
						}
						res, err := v.Bounds(ctx, box, rows, false)
						v.Close()
						if err != nil {
							t.Fatal(err)
						}
						for r, low := range res.Lower {
							least := math.Inf(1)
							for k, y := range values {
								if k%2 == 1 && sem == Real {
									continue // a float32 execution, of which real semantics says nothing
								}
								s := 0.0
								for i, a := range rows[r] {
									s += a * y[i]
								}
								least = min(least, s)
							}
							// On the widest boxes variances may be 0, and a float32 difference of means below it.
							open := math.IsInf(low, -1) && sem == Float32 && (eps == 0.1 || eps == 0.02 && method == Interval)
							if math.IsNaN(low) || math.IsInf(low, 0) && !open || low > least+1e-12 {
								t.Fatalf("eps %v, %s, %s: row %d has bound %v and value %v", eps, method, sem, r, low, least)
							}
							if eps == 0 && sem == Real && !(least-low < 1e-6) {
								t.Errorf("%s: a point's bound is %v off", method, least-low)
							}
						}
						if method == DeepPoly && sem == Real {
							width := -(res.Lower[0] + res.Lower[1])
							t.Logf("eps %v: deeppoly's range of y0-y1 is %.4g wide", eps, width)
							if !(width < last) {
								t.Errorf("eps %v: a range of %v after one of %v", eps, width, last)
							}
							last = width
						}
					}
				}
			}
			if !slices.IsSorted([]float64{last, 1e-6}) {
				t.Errorf("a point's range is %v wide", last)
			}
		})
	}
}
