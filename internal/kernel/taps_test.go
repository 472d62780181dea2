package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func checkTaps[T Float](t *testing.T, rng *rand.Rand, unit float64) {
	t.Helper()
	s := Taps[T]{From: rng.IntN(4), N: 1 + rng.IntN(11), Step: rng.IntN(50), C: 1 + rng.IntN(40), To: rng.IntN(3),
		Off: make([]int, 1+rng.IntN(9)), Lo: -0.4, Hi: 0.9}
	s.YStep = s.C + rng.IntN(3)
	reach := 0
	for i := range s.Off {
		s.Off[i] = rng.IntN(60)
		reach = max(reach, s.Off[i]+s.C)
	}
	s.X = random[T](rng, s.From+(s.N-1)*s.Step+reach)
	if rng.IntN(3) == 0 {
		s.X[rng.IntN(len(s.X))] = T(math.NaN())
	}
	s.W, s.Bias = random[T](rng, len(s.Off)*s.C), random[T](rng, s.C)
	before := random[T](rng, s.To+(s.N-1)*s.YStep+s.C)
	for _, sum := range []bool{false, true} {
		s.Y = append([]T{}, before...)
		if sum {
			s.Sum(&Work{})
		} else {
			s.Max(&Work{})
		}
		for i, v := range s.Y {
			p, c := (i-s.To)/s.YStep, (i-s.To)%s.YStep
			if i < s.To || c >= s.C {
				if v != before[i] {
					t.Fatalf("element %d was written and is no output", i)
				}
				continue
			}
			want, size := math.Inf(-1), 0.0
			if sum {
				want = float64(s.Bias[c])
			}
			for k, o := range s.Off {
				x := float64(s.X[s.From+p*s.Step+o+c])
				if sum {
					want += x * float64(s.W[k*s.C+c])
					size += math.Abs(x)
				} else {
					want = max(want, x)
				}
			}
			if sum {
				want = min(max(want, float64(s.Lo)), float64(s.Hi))
			}
			if math.IsNaN(want) != math.IsNaN(float64(v)) || math.Abs(want-float64(v)) > unit*(size+1)*10 {
				t.Fatalf("sum %v, pixel %d, channel %d of %d: %v, want %v", sum, p, c, s.C, v, want)
			}
		}
	}
}

func TestTapsEveryLevel(t *testing.T) {
	defer func(l level) { using = l }(using)
	for _, l := range levels() {
		using = l
		t.Run(Level(), func(t *testing.T) {
			for seed := range uint64(3000) {
				rng := rand.New(rand.NewPCG(seed, 8))
				checkTaps[float32](t, rng, 0x1p-23)
				checkTaps[float64](t, rng, 0x1p-52)
			}
		})
	}
}
