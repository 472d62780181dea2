package study

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a number with its 95 % interval; Low and High are NaN where there is none.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n"`
}

// level is the intervals' confidence.
const level = 0.95

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
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.5+level/2) * math.Sqrt(q/(n-1)/n)
	return Interval{mean, mean - half, mean + half, len(v)}
}

// wilson is the interval of a share of n. Wilson 1927, "Probable inference, the law of succession, and statistical inference".
func wilson(k, n int) (low, high float64) {
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	z := distuv.UnitNormal.Quantile(0.5 + level/2)
	p, m := float64(k)/float64(n), float64(n)
	middle, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, middle-half), min(1, middle+half)
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}
