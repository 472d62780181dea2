package trial

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

func source(x [][]float32, valid dataset.PixelRange) Source {
	s := Source{Name: "test", Size: len(x[0]), Valid: valid}
	for i := range x {
		s.Labels, s.Index = append(s.Labels, 0), append(s.Index, i)
	}
	s.Pixels = func(dst []float32, i int, _ bool) error {
		copy(dst, x[i])
		return nil
	}
	return s
}

// TestBallsAreCutAsSaidAndNoTighter: every point of the range that lies within eps of a sample is in its ball, for attacks and for proofs, whatever
// the other samples are; and without a range every point within eps.
func TestBallsAreCutAsSaidAndNoTighter(t *testing.T) {
	for seed := range 300 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		valid, err := dataset.ParsePixelRange([]string{"none", "0:1", "-1:1", "-1/3:0.7", "0:255"}[rng.IntN(5)])
		if err != nil {
			t.Fatal(err)
		}
		low, high := max(valid.Low, -3), min(valid.High, 3)
		if valid.High > 200 {
			high = 255
		}
		draw := func() float64 { return float64(float32(low + rng.Float64()*(high-low))) }
		x := make([][]float32, 3)
		for i := range x {
			for range 4 {
				x[i] = append(x[i], float32(min(max(draw(), valid.Low), valid.High)))
			}
		}
		s, err := Join(source(x, valid), []int{4}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		batch, err := s.Batch(0, len(x))
		if err != nil {
			t.Fatal(err)
		}
		eps := rng.Float64()
		for i := range x {
			c, err := s.Center(i)
			if err != nil {
				t.Fatal(err)
			}
			outer, inner := s.Ball(c, eps).Boxes()
			lower, upper := batch.Ball(i, eps)
			for range 20 {
				k := rng.IntN(4)
				p := float32(float64(c[k]) + (2*rng.Float64()-1)*eps*1.2)
				in := math.Abs(float64(p)-float64(c[k])) <= eps && float64(p) >= valid.Low && float64(p) <= valid.High
				for _, b := range []verify.Box{outer, inner} {
					if got := b.Lower[k] <= float64(p) && float64(p) <= b.Upper[k]; got != in {
						t.Fatalf("seed %d: %v within %v of %v, range [%v,%v]: %v, the box says %v", seed, p, eps, c[k], valid.Low, valid.High, in, got)
					}
				}
				if got := lower[k] <= p && p <= upper[k]; got != in {
					t.Fatalf("seed %d: %v within %v of %v, range [%v,%v]: %v, the attack's ball says %v", seed, p, eps, c[k], valid.Low, valid.High, in, got)
				}
				if in && (batch.Lower[k] > p || batch.Upper[k] < p) {
					t.Fatalf("seed %d: %v lies outside of the attack's limits [%v,%v]", seed, p, batch.Lower[k], batch.Upper[k])
				}
			}
		}
	}
}

// TestCenterRefusesWhatLiesOutside: no ball is laid around a sample outside of the range that was said, or one that holds no number.
func TestCenterRefusesWhatLiesOutside(t *testing.T) {
	unit, _ := dataset.ParsePixelRange("0:1")
	none, _ := dataset.ParsePixelRange("none")
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		v     float32
		valid dataset.PixelRange
		ok    bool
	}{{0, unit, true}, {1, unit, true}, {1.0001, unit, false}, {-1e-30, unit, false}, {nan, unit, false}, {nan, none, false},
		{inf, none, false}, {1e30, none, true}} {
		s, err := Join(source([][]float32{{0.5, c.v}}, c.valid), []int{1, 2}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Center(0); (err == nil) != c.ok {
			t.Errorf("%v in %+v: %v", c.v, c.valid, err)
		}
		if _, err := s.Batch(0, 1); (err == nil) != c.ok {
			t.Errorf("%v in %+v, a batch: %v", c.v, c.valid, err)
		}
	}
}
