package study

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/shallow-waters/shoal/internal/trial"
)

// Interval is a number with its 95 % interval; Low and High are NaN where there is none.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n"`
}

// tInterval is the mean of v and Student's interval for it. One number has none; numbers that are all the same have one of width 0.
func tInterval(v []float64) Interval { return tIntervalAt(v, trial.Level) }

func tIntervalAt(v []float64, level float64) Interval {
	if len(v) == 0 {
		return Interval{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	m := mean(v)
	if len(v) < 2 {
		return Interval{m, math.NaN(), math.NaN(), 1}
	}
	half := halfWidth(v, level)
	return Interval{m, m - half, m + half, len(v)}
}

// halfWidth is half of Student's interval for the mean of two or more numbers.
func halfWidth(v []float64, level float64) float64 {
	n := float64(len(v))
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.5+level/2) * math.Sqrt(variance(v)/n)
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// crossed joins what seeds and what images leave open of an effect. Every image is asked with every seed, so the two are crossed random effects: the
// variance of a mean over both is that over seeds and that over images, and what belongs to neither counts once in each, which makes the interval
// wider and not narrower. A mixed model would say the same of a difference; of a ratio of means it has no closed form, and a bootstrap of three seeds
// is too narrow. Halves are joined as the root of their squares (Zou and Donner 2008, "Construction of confidence limits about effect measures").
func (i Interval) crossed(seeds, below, above float64) Interval {
	i.Low, i.High = i.Mean-math.Hypot(seeds, below), i.Mean+math.Hypot(seeds, above)
	return i
}

// newcombe is how far the difference of two shares of n may lie below and above, as if they had been measured on different images: too wide rather
// than too narrow. Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10.
func newcombe(p, q float64, n, m int, level float64) (below, above float64) {
	lowP, highP := trial.WilsonAt(p, n, level)
	lowQ, highQ := trial.WilsonAt(q, m, level)
	return math.Hypot(p-lowP, highQ-q), math.Hypot(highP-p, q-lowQ)
}
