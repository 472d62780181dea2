package verify

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// cutting is a falsifier that ends the time as soon as a domain other than intervals is about to begin.
type cutting struct{ cut context.CancelFunc }

func (c cutting) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) {
	c.cut()
	return nil, nil
}

// TestRadiusInTimeIsWhatIntervalsProve: where the time runs out before the asked domain has come to anything, the radius is no less than the
// one that the cheapest domain proves, and not 0.
func TestRadiusInTimeIsWhatIntervalsProve(t *testing.T) {
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-mlp-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := dataset.ReadNPZ(filepath.Join("..", "testdata", "fmnist-mlp-ts.npz"))
	if err != nil {
		t.Fatal(err)
	}
	open := func(o Options) *Verifier {
		o.DropSoftmax = true
		v, err := Open(context.Background(), m, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		return v
	}
	const most, tol = 0.05, 1e-4
	intervals := open(Options{Method: Interval})
	for i := range 4 {
		c := ref["inputs"].Float32s()[i*784 : (i+1)*784]
		property := func(eps float64) Property {
			return Robust(Ball{Center: c, Eps: eps}, int(ref["labels"].Ints[i]), 10)
		}
		least, _, err := intervals.Radius(context.Background(), property, RadiusOptions{Max: most, Tol: tol})
		if err != nil {
			t.Fatal(err)
		}
		if least == 0 {
			t.Fatalf("image %d: intervals prove nothing, so that nothing can be lost", i)
		}
		for _, method := range []Method{Auto, DeepPoly, FastLin, Symbolic} {
			ctx, cut := context.WithTimeout(context.Background(), time.Hour)
			v := open(Options{Method: method, Falsifier: cutting{cut}, Within: -1})
			r, upper, err := v.Radius(ctx, property, RadiusOptions{Max: most, Tol: tol})
			if err == nil || r < least || upper < r {
				t.Errorf("image %d, %s: radius %v (falsified at %v), intervals prove %v; %v", i, method, r, upper, least, err)
			}
			cut()
		}
		for _, method := range []Method{Auto, DeepPoly, FastLin, Complete} { // not even by the bracket's width
			ask := func(d time.Duration) (float64, error) {
				ctx, cancel := context.WithTimeout(context.Background(), d)
				defer cancel()
				whole, _, err := open(Options{Method: method, Within: -1}).Radius(ctx, property, RadiusOptions{Max: most, Tol: tol})
				return whole, err
			}
			long := time.Hour
			if method == Complete {
				long = 3 * time.Second
			}
			whole, err := ask(long)
			for ; method == Complete && whole < least && long < hangs; long *= 4 { // on a slow machine not even intervals are done by then
				whole, err = ask(4 * long)
			}
			if err != nil && !errors.Is(err, context.DeadlineExceeded) || whole < least {
				t.Errorf("image %d, %s: radius %v with time enough, intervals prove %v; %v", i, method, whole, least, err)
			}
			if method == Complete { // it ends with the time
				continue
			}
			whole, _, err = open(Options{Method: method, Within: -1}).Radius(context.Background(), property, RadiusOptions{Max: most, Tol: tol})
			if err != nil || whole < least {
				t.Errorf("image %d, %s: radius %v without a deadline, intervals prove %v; %v", i, method, whole, least, err)
			}
		}
		if res, _ := intervals.Verify(context.Background(), property(least)); res.Verdict != Verified {
			t.Errorf("image %d: %v is %s", i, least, res.Verdict)
		}
	}
}
