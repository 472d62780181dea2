package verify

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// Boxes that are bounded together get the bounds that they get alone: other boxes only add columns of neurons that are dead in this one.
func TestBoxesOfABatchAreBoundedAsAlone(t *testing.T) {
	ctx := context.Background()
	names := []string{"fmnist-mlp-ts", "fmnist-keras-branches", "fmnist-keras-conv", "fmnist-conv-ts"}
	if testing.Short() {
		names = names[:1] // dense layers alone
	}
	for _, name := range names {
		m, err := onnxio.Load(filepath.Join("..", "testdata", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		ref, err := dataset.ReadNPZ(filepath.Join("..", "testdata", "fmnist-mlp-ts.npz")) // the same pixels in every layout
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []Method{Interval, FastLin, DeepPoly} {
			for _, sem := range []Semantics{Real, Float32} {
				v, err := Open(ctx, m, Options{Method: method, Semantics: sem, DropSoftmax: true})
				if err != nil {
					t.Fatal(err)
				}
				var boxes []Box
				for i, eps := range []float64{0.001, 0.01, 0, 0.003} {
					b := Box{Lower: make([]float64, 784), Upper: make([]float64, 784)}
					for k, x := range ref["inputs"].Float32s()[i*784 : (i+1)*784] {
						b.Lower[k], b.Upper[k] = float64(x)-eps, float64(x)+eps
					}
					boxes = append(boxes, b)
				}
				var rows [][]float64
				var owner []int32
				for b := range boxes {
					for k := range 9 {
						row := make([]float64, 10)
						row[k], row[k+1] = 1, -1
						rows, owner = append(rows, row), append(owner, int32(b))
					}
				}
				together, err := v.bound(ctx, v.o, method, boxes...)
				if err != nil {
					t.Fatal(err)
				}
				low, err := together.Lower(rows, owner, nil)
				if err != nil {
					t.Fatal(err)
				}
				together.Close()
				for b, box := range boxes {
					res, err := v.Bounds(ctx, box, rows[b*9:(b+1)*9], false)
					if err != nil {
						t.Fatal(err)
					}
					for k, want := range res.Lower {
						if got := low[b*9+k]; !(math.Abs(got-want) <= 1e-9*(1+math.Abs(want))) {
							t.Fatalf("%s %s %s box %d row %d: %v together, %v alone", name, method, sem, b, k, got, want)
						}
					}
				}
				v.Close()
			}
		}
	}
}

// VerifyAll and Verify agree, also where one property is falsified and another has several boxes.
func TestVerifyAllAnswersLikeVerify(t *testing.T) {
	ctx := context.Background()
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-mlp-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := dataset.ReadNPZ(filepath.Join("..", "testdata", "fmnist-mlp-ts.npz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []Method{Auto, Interval, DeepPoly} {
		v, err := Open(ctx, m, Options{Method: method, DropSoftmax: true, Within: -1}) // what has a time answers as far as it comes
		if err != nil {
			t.Fatal(err)
		}
		var ps []Property
		for i := range 6 {
			c := ref["inputs"].Float32s()[i*784 : (i+1)*784]
			label := int(ref["labels"].Ints[i])
			for _, eps := range []float64{0.001, 0.02, 0.3} {
				ps = append(ps, Robust(Ball{Center: c, Eps: eps}, label, 10))
			}
			ps = append(ps, Property{append(append([]Case{}, ps[len(ps)-3].Cases...), ps[len(ps)-1].Cases...)}, Property{})
		}
		all, err := v.VerifyAll(ctx, ps)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[Verdict]int{}
		for i, p := range ps {
			one, err := v.Verify(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			seen[one.Verdict]++
			if all[i].Verdict != one.Verdict || math.Abs(all[i].Margin-one.Margin) > 1e-9*(1+math.Abs(one.Margin)) {
				t.Errorf("%s property %d: %v with margin %v together, %v with %v alone", method, i, all[i].Verdict, all[i].Margin, one.Verdict, one.Margin)
			}
		}
		if seen[Verified] == 0 || seen[Falsified]+seen[Unknown] == 0 {
			t.Errorf("%s: verdicts %v", method, seen)
		}
		v.Close()
	}
}

// A radius is proven, and a little more is not: the bracket ends on the proven side within the tolerance.
func TestRadiusEndsOnTheProvenSide(t *testing.T) {
	ctx := context.Background()
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-mlp-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	ref, err := dataset.ReadNPZ(filepath.Join("..", "testdata", "fmnist-mlp-ts.npz"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(ctx, m, Options{Method: DeepPoly, DropSoftmax: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	const tol = 1e-4
	for i := range 8 {
		c := ref["inputs"].Float32s()[i*784 : (i+1)*784]
		property := func(eps float64) Property {
			return Robust(Ball{Center: c, Eps: eps}, int(ref["labels"].Ints[i]), 10)
		}
		for _, most := range []float64{0.3, 0.05, 0.004} {
			r, upper, err := v.Radius(ctx, property, RadiusOptions{Max: most, Tol: tol})
			if err != nil {
				t.Fatal(err)
			}
			if r > 0 {
				if res, _ := v.Verify(ctx, property(r)); res.Verdict != Verified {
					t.Errorf("image %d: radius %v is %s", i, r, res.Verdict)
				}
			}
			if r < most {
				if res, _ := v.Verify(ctx, property(min(most, r+1.01*tol))); res.Verdict == Verified {
					t.Errorf("image %d, at most %v: radius %v, and %v is verified", i, most, r, r+1.01*tol)
				}
			}
			if upper < r {
				t.Errorf("image %d: radius %v, falsified at %v", i, r, upper)
			}
		}
	}
}
