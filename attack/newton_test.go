package attack

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestLeastStepMeetsAllAtOnce: the step has the wanted products, is 0 where it must be, and no shorter one has them (it lies in the span of
// the rows).
func TestLeastStepMeetsAllAtOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		size := 3 + rng.IntN(6)
		n := 1 + rng.IntN(size-2)
		a, want := make([]float64, n*size), make([]float64, n)
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		for i := range want {
			want[i] = rng.NormFloat64()
		}
		fixed := make([]bool, size)
		fixed[rng.IntN(size)] = true
		d := make([]float64, size)
		if !leastStep(d, a, want, fixed) {
			t.Fatal("no step")
		}
		length := 0.0
		for k, v := range d {
			length += v * v
			if fixed[k] && v != 0 {
				t.Errorf("coordinate %d moves by %v", k, v)
			}
		}
		for r, w := range want {
			sum := 0.0
			for k, v := range d {
				sum += a[r*size+k] * v
			}
			if math.Abs(sum-w) > 1e-2*(1+math.Sqrt(length)) { // the ridge
				t.Errorf("row %d: %v, want %v", r, sum, w)
			}
		}
		// Any direction that changes no product, and no fixed coordinate, is at right angles.
		e := make([]float64, size)
		for k := range e {
			if !fixed[k] {
				e[k] = rng.NormFloat64()
			}
		}
		across := make([]float64, n)
		for r := range across {
			for k, v := range e {
				across[r] += a[r*size+k] * v
			}
		}
		part := make([]float64, size)
		leastStep(part, a, across, fixed)
		dot := 0.0
		for k := range e {
			dot += (e[k] - part[k]) * d[k]
		}
		if math.Abs(dot) > 1e-2*(1+length) {
			t.Errorf("a shorter step exists: %v", dot)
		}
	}
	if leastStep(make([]float64, 2), []float64{1, 2}, []float64{1}, []bool{true, true}) {
		t.Error("a step of nothing")
	}
}

// TestSearchMeetsManyConstraintsTogether: five constraints that no point of a million random ones meets together.
func TestSearchMeetsManyConstraintsTogether(t *testing.T) {
	const model = "../../shared/bench/vnncomp/reach_prob_density/onnx/robot.onnx"
	if _, err := os.Stat(model); err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal(err)
		}
		t.Skip("../shared/bench is not at hand")
	}
	m, err := onnxio.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	for _, c := range [][2]float64{{0.16943059486986362, 0.16744696798540254}, {0.1715538135524651, 0.269040247178918}} {
		row := func(i int, v float64) []float64 { r := make([]float64, 5); r[i] = v; return r }
		list := []Constraint{{row(1, 1), c[0]}, {row(1, -1), c[0]}, {row(2, 1), c[0]}, {row(2, -1), c[0]}, {row(0, -1), -c[1]}}
		r := &Region{Lower: []float64{-1.8, -1.8, 0, 1, 0}, Upper: []float64{-1.2, -1.2, 1.5707963267948966, 1.5, 2.5}, Cases: [][]Constraint{list}}
		f, err := target.Search(context.Background(), r, SearchOptions{Duration: 10 * time.Minute})
		if err != nil || f == nil {
			t.Fatalf("%v, %v", f, err)
		}
		z, err := target.Logits(context.Background(), f.Input)
		if err != nil {
			t.Fatal(err)
		}
		if _, v := violation(list, z); v > 0 {
			t.Errorf("the point misses by %v", v)
		}
	}
}
