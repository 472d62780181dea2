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
func tInterval(v []float64) Interval {
	n := float64(len(v))
	if n == 0 {
		return Interval{math.NaN(), math.NaN(), math.NaN(), 0}
	}
	mean := 0.0
	for _, x := range v {
		mean += x / n
	}
	if n < 2 {
		return Interval{mean, math.NaN(), math.NaN(), 1}
	}
	q := 0.0
	for _, x := range v {
		q += (x - mean) * (x - mean)
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.5+trial.Level/2) * math.Sqrt(q/(n-1)/n)
	return Interval{mean, mean - half, mean + half, len(v)}
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}
