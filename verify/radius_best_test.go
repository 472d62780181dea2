package verify

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestRadiusIsNoLessThanThatOfIntervals asks for radii with wide brackets, which end where a search happened to look: on a network that was
// trained for intervals, of which they prove most, every method answers at least what they answer alone.
func TestRadiusIsNoLessThanThatOfIntervals(t *testing.T) {
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-conv-dyn-robust.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open("fmnist:../testdata/fmnist", dataset.Options{Range: "0:12"})
	if err != nil {
		t.Fatal(err)
	}
	images := set.Len()
	if testing.Short() {
		images = 4
	}
	x, labels := make([]float32, images*784), set.Labels
	for i := range images {
		if err := set.Pixels(x[i*784:(i+1)*784], i, false); err != nil {
			t.Fatal(err)
		}
	}
	radius := func(method Method, i int, o RadiusOptions) float64 {
		v, err := Open(context.Background(), m, Options{Method: method, DropSoftmax: true, Within: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		r, _, err := v.Radius(context.Background(), func(eps float64) Property {
			return Robust(Ball{Center: x[i*784 : (i+1)*784], Eps: eps}, labels[i], 10)
		}, o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	some := 0
	for i := range images {
		for _, o := range []RadiusOptions{{Max: 0.3, Tol: 0.02}, {Max: 0.25, Tol: 0.05}, {Max: 0.4, Tol: 0.01}} {
			least := radius(Interval, i, o)
			if least > 0 {
				some++
			}
			for _, method := range []Method{Auto, DeepPoly, FastLin} {
				if r := radius(method, i, o); r < least {
					t.Errorf("image %d, %+v: %s answers %v, intervals %v", i, o, method, r, least)
				}
			}
		}
	}
	if some < images {
		t.Errorf("intervals prove only %d radii", some)
	}
}
