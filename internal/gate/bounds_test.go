package gate

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// TestSharesAreBoundedAsBinomialsSay holds the bounds against sums of binomial probabilities: at the lower bound what was seen, or more, has
// at most the error, and a little above it more than that.
func TestSharesAreBoundedAsBinomialsSay(t *testing.T) {
	upTo := func(k, n int, p float64) float64 { // P(X <= k), by summing
		s := 0.0
		for i := 0; i <= k; i++ {
			s += distuv.Binomial{N: float64(n), P: p}.Prob(float64(i))
		}
		return s
	}
	const step = 1e-6
	for _, n := range []int{1, 2, 7, 32, 100, 500} {
		for _, k := range []int{0, 1, n / 3, n / 2, n - 1, n} {
			if k < 0 || k > n {
				continue
			}
			for _, alpha := range []float64{0.2, 0.05, 0.00125, 1e-6} {
				low, high := shareAtLeast(k, n, alpha), shareAtMost(k, n, alpha)
				if k == 0 && low != 0 || k == n && high != 1 {
					t.Errorf("%d of %d: [%v, %v]", k, n, low, high)
				}
				if k > 0 {
					if at, above := 1-upTo(k-1, n, low), 1-upTo(k-1, n, low+step); at > alpha*(1+1e-6)+1e-12 || above < alpha*(1-1e-6)-1e-12 {
						t.Errorf("%d of %d at %v: %v lies below, %v above", k, n, alpha, at, above)
					}
				}
				if k < n {
					if at, below := upTo(k, n, high), upTo(k, n, high-step); at > alpha*(1+1e-6)+1e-12 || below < alpha*(1-1e-6)-1e-12 {
						t.Errorf("%d of %d at %v: %v lies above, %v below", k, n, alpha, at, below)
					}
				}
			}
		}
	}
}

// TestErrorsStayBelowTheirRate plays many runs of models at the limit itself, a hair to its wrong side, where errors are most frequent: passing a
// model that misses the limit, and failing one that meets it, happen at most as often as the confidence says, though a run stops at the first look
// that decides. A wrong method is caught: the same looks with the whole error each go wrong more often.
func TestErrorsStayBelowTheirRate(t *testing.T) {
	const runs, alpha = 1500, 0.1
	rng := rand.New(rand.NewPCG(7, 7))
	type cells [4]float64 // right by both, by the new one, by the old one, by none
	for name, c := range map[string]struct {
		limits []limit
		p      cells
		n      int
		missed bool // the model misses its limit
	}{
		"a share just missed": {[]limit{{least: true, value: 0.9}}, cells{0.8999, 0, 0, 0.1001}, 600, true},
		"a share just met":    {[]limit{{least: true, value: 0.9}}, cells{0.9001, 0, 0, 0.0999}, 600, false},
		"a half, missed":      {[]limit{{least: true, value: 0.5}}, cells{0.4999, 0, 0, 0.5001}, 250, true},
		"a change, missed":    {[]limit{{least: true, value: -0.05, change: true}}, cells{0.7, 0.0999, 0.15, 0.0501}, 600, true},
		"a change, met":       {[]limit{{least: true, value: -0.05, change: true}}, cells{0.7, 0.1001, 0.15, 0.0499}, 600, false},
		"a relative change":   {[]limit{{least: true, value: -0.1, change: true, relative: true}}, cells{0.7, 0.0199, 0.1, 0.1801}, 600, true},
	} {
		wrong := 0
		for range runs {
			answers := make([]answer, c.n)
			for i := range answers {
				u, cell := rng.Float64(), 0
				for u >= c.p[cell] && cell < 3 {
					u -= c.p[cell]
					cell++
				}
				old := cell == 0 || cell == 2
				answers[i] = answer{Holds: cell < 2, Before: &old}
			}
			got, decided := judge(answers, len(answers), nil, c.limits, alpha)
			if !decided {
				t.Fatal("all answers are there, and nothing is decided")
			}
			if got.outcome == passed && c.missed || got.outcome == failed && !c.missed {
				wrong++
			}
		}
		rate := float64(wrong) / runs
		if bar := alpha + 3*math.Sqrt(alpha*(1-alpha)/runs); rate > bar {
			t.Errorf("%s: %.4f of the runs go wrong; at most %.4f may", name, rate, bar)
		}
		t.Logf("%s: %.4f", name, rate)
	}
	early, wrong := 0, 0
	for range runs { // as if every look had the whole error
		k, stop := 0, false
		for i := 1; i <= 600 && !stop; i++ {
			if rng.Float64() < 0.8999 {
				k++
			}
			for _, l := range looks(600) {
				stop = stop || l == i && shareAtLeast(k, i, alpha) >= 0.9
			}
		}
		if stop {
			wrong++
		}
	}
	if rate := float64(wrong) / runs; rate < alpha*1.2 {
		t.Errorf("looking with the whole error goes wrong in %v of the runs: this test would not see it", rate)
	}
	for range 200 { // a model far above its limit is not asked to the end
		answers := make([]answer, 2000)
		for i := range answers {
			answers[i].Holds = rng.Float64() < 0.97
		}
		if got, _ := judge(answers, len(answers), nil, []limit{{least: true, value: 0.8}}, 0.05); got.outcome == passed && got.used < 2000 {
			early++
		}
	}
	if early < 190 {
		t.Errorf("%d of 200 runs ended early", early)
	}
}
