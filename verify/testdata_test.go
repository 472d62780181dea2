package verify

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Every network of testdata, each by another exporter: bounds of all domains hold at sampled points and corners of a ball, in both
// semantics, and deeppoly, which is cut with the intervals, is never looser than they are.
func TestExportedNetworksAreBounded(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "*.npz"))
	if len(files) < 5 {
		t.Fatalf("%d networks with images in testdata", len(files))
	}
	ctx := context.Background()
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			if testing.Short() && strings.HasPrefix(filepath.Base(f), "cifar") {
				t.Skip("a large network; not with -short")
			}
			m, err := onnxio.Load(strings.TrimSuffix(f, ".npz") + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			ref, err := dataset.ReadNPZ(f)
			if err != nil {
				t.Fatal(err)
			}
			s, err := engine.Open(ctx, m, engine.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			in := ref["inputs"]
			size := onnxio.NumElements(in.Shape[1:])
			rng := rand.New(rand.NewPCG(9, 9))
			for image := range 2 {
				c := in.Float32s()[image*size : (image+1)*size]
				const eps, points = 0.002, 64
				box := Box{Lower: make([]float64, size), Upper: make([]float64, size)}
				for i, x := range c {
					box.Lower[i], box.Upper[i] = max(0, float64(x)-eps), min(1, float64(x)+eps)
				}
				x := make([]float32, points*size)
				for p := range points {
					for i := range size {
						u := rng.Float64()
						if p%2 == 0 {
							u = math.Round(u)
						}
						v := float32(box.Lower[i] + u*(box.Upper[i]-box.Lower[i]))
						x[p*size+i] = min(max(v, up32(box.Lower[i])), down32(box.Upper[i]))
					}
				}
				out, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, append([]int{points}, in.Shape[1:]...)...)})
				if err != nil {
					t.Fatal(err)
				}
				y, _ := out[0].Float64s()
				n := len(y) / points
				rows := make([][]float64, 2*n)
				for i := range rows {
					rows[i] = make([]float64, n)
					rows[i][i/2] = float64(1 - 2*(i%2))
				}
				var interval []float64
				for _, o := range []Options{{Method: Interval}, {Method: FastLin}, {Method: DeepPoly}, {Method: DeepPoly, Semantics: Float32}} {
					v, err := Open(ctx, m, o)
					if err != nil {
						t.Fatal(err)
					}
					b, err := v.Bounds(ctx, box, rows, false)
					v.Close()
					if err != nil {
						t.Fatal(err)
					}
					for r, low := range b.Lower {
						for p := range points {
							got := rows[r][r/2] * y[p*n+r/2]
							slack := 0.0 // the outputs are of float32: only its own semantics covers their rounding
							if o.Semantics != Float32 {
								slack = 1e-4 * (1 + math.Abs(got))
							}
							if got < low-slack {
								t.Fatalf("%+v image %d row %d: bound %v above %v", o, image, r, low, got)
							}
						}
						if o.Method == Interval {
							interval = b.Lower
						} else if o.Semantics != Float32 && low < interval[r]-1e-9*(1+math.Abs(low)) {
							t.Errorf("%+v image %d row %d: %v looser than the interval's %v", o, image, r, low, interval[r])
						}
					}
				}
			}
		})
	}
}

// up32 is the least float32 not below x, down32 the largest not above.
func up32(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

func down32(x float64) float32 {
	f := float32(x)
	if float64(f) > x {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}
