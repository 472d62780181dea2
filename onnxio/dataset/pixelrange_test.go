package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// writeSet writes inputs and zero labels as an npz file.
func writeSet(t *testing.T, path string, x []float64, shape ...int) {
	t.Helper()
	err := WriteNPZ(path, map[string]*Array{"inputs": {Shape: shape, Floats: x}, "labels": {Shape: shape[:1], Ints: make([]int64, shape[0])}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPixelRangeIsTheWholeSets: whichever samples of a set are asked for, the range is the same, and it is [0,1] only where all numbers of a file of
// pictures lie in it.
func TestPixelRangeIsTheWholeSets(t *testing.T) {
	shapes := [][]int{{2}, {4}, {3, 4}, {1, 2, 2}, {3, 2, 2}, {2, 2, 3}, {2, 2, 2}, {3, 1, 1}, {1, 1, 4}, {1, 4, 4}, {4, 4, 1}, {1, 2, 2, 2}}
	pictures := map[string]bool{"[1 2 2]": true, "[3 2 2]": true, "[2 2 3]": true, "[1 4 4]": true, "[4 4 1]": true}
	path := filepath.Join(t.TempDir(), "set.npz")
	seen := map[bool]int{}
	for seed := range 200 {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		shape := shapes[rng.IntN(len(shapes))]
		n, size := 1+rng.IntN(6), 1
		for _, d := range shape {
			size *= d
		}
		x := make([]float64, n*size)
		for i := range x {
			x[i] = float64(rng.IntN(11)) / 10
		}
		inside := true
		if rng.IntN(2) == 0 {
			x[rng.IntN(len(x))] = []float64{-0.1, 1.5, 255, math.NaN(), math.Inf(1), math.Nextafter(1, 2) + 1e-6, -1e-30}[rng.IntN(7)]
			inside = false
		}
		writeSet(t, path, x, append([]int{n}, shape...)...)
		want := inside && pictures[fmt.Sprint(shape)]
		seen[want]++
		for a := range n {
			for b := a + 1; b <= n; b++ {
				s, err := Open("npz:"+path, Options{Range: fmt.Sprintf("%d:%d", a, b)})
				if err != nil {
					t.Fatal(err)
				}
				if s.Valid.Cut() != want || want && (s.Valid.Low != 0 || s.Valid.High != 1) || s.Valid.Why == "" {
					t.Fatalf("seed %d: samples %d:%d of %d of shape %v, all in [0,1] %v: %+v", seed, a, b, n, shape, inside, s.Valid)
				}
			}
		}
		s, err := Open("npz:"+path, Options{PixelRange: "-1/3:2"})
		if err != nil || s.Valid.From != "flag" || s.Valid.Low > -1.0/3 || s.Valid.High != 2 {
			t.Fatalf("seed %d: %+v, %v", seed, s.Valid, err)
		}
	}
	if seen[true] < 20 || seen[false] < 20 {
		t.Errorf("decisions %v: too one-sided to show anything", seen)
	}
}

// TestPixelRangeIsNeverTighterThanSaid: an end is a float32 at or beyond what is written, the nearest such.
func TestPixelRangeIsNeverTighterThanSaid(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for range 2000 {
		a, b := rng.NormFloat64()*math.Pow(10, float64(rng.IntN(9)-4)), rng.NormFloat64()
		if a > b {
			a, b = b, a
		}
		r, err := ParsePixelRange(fmt.Sprintf("%v:%v", a, b))
		if err != nil {
			t.Fatal(err)
		}
		if r.Low > a || r.High < b || float64(float32(r.Low)) != r.Low || float64(float32(r.High)) != r.High {
			t.Fatalf("[%v,%v] became [%v,%v]", a, b, r.Low, r.High)
		}
		inf := float32(math.Inf(1))
		if float64(math.Nextafter32(float32(r.Low), inf)) <= a || float64(math.Nextafter32(float32(r.High), -inf)) >= b {
			t.Fatalf("[%v,%v] became [%v,%v], which is wider than it must be", a, b, r.Low, r.High)
		}
	}
	for _, bad := range []string{"", "0", "1:0", "0:0", "a:b", "0:1:2", ":", "0:", ":1", "NaN:1", "-Inf:Inf", "0:1e60", "None", "0,1"} {
		if r, err := ParsePixelRange(bad); err == nil {
			t.Errorf("%q became %+v", bad, r)
		}
	}
}
