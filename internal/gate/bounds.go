package gate

import (
	"gonum.org/v1/gonum/mathext"
)

// What an outcome about samples says: the chance that a model which misses its limit passes is at most 1 less the confidence, and so is the chance
// that one which meets it fails. Samples stand for what the model will meet, as if they had been drawn from it at random.
//
// Bounds of one share are Clopper's and Pearson's ("The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26,
// 1934): exact, and on the safe side. A figure that several shares make up (a change: samples that only one of two models gets right, each way) has
// the sum of their bounds, each with its part of the error (Boole's inequality).
//
// A run may stop early, and may look only at times that are fixed before: after firstLook samples, then after twice as many each time, and at the
// end. The looks share the error, half of it for the last one and the rest in equal parts for those before. By Boole's inequality the chance that
// any look is wrong is at most their sum, so that stopping at the first look that decides is valid, however often was looked: group sequential
// testing with a Bonferroni spending of the error. Stopping at will would need other bounds. TestErrorsStayBelowTheirRate simulates both errors.

// firstLook is how many samples are asked before the first look.
const firstLook = 32

// looks are the numbers of samples at which a run of n is looked at, the last of them n.
func looks(n int) []int {
	var out []int
	for k := firstLook; k < n; k *= 2 {
		out = append(out, k)
	}
	return append(out, n)
}

// errorAt is the part of an error that look k of n has.
func errorAt(alpha float64, k, n int) float64 {
	switch {
	case n == 1:
		return alpha
	case k == n-1:
		return alpha / 2
	}
	return alpha / 2 / float64(n-1)
}

// slack is what the inverse of a distribution may be off here: bounds are taken that much further out.
const slack = 1e-9

// shareAtLeast is a lower bound, at an error of alpha, of a share of which k of n were seen; shareAtMost an upper one.
func shareAtLeast(k, n int, alpha float64) float64 {
	if k == 0 || n == 0 {
		return 0
	}
	// the smallest p with P(X >= k) > alpha, and P(X >= k) = I_p(k, n-k+1)
	return max(0, root(func(p float64) float64 { return mathext.RegIncBeta(float64(k), float64(n-k+1), p) }, alpha)-slack)
}

func shareAtMost(k, n int, alpha float64) float64 {
	if k == n || n == 0 {
		return 1
	}
	// the largest p with P(X <= k) > alpha, and P(X <= k) = 1 - I_p(k+1, n-k)
	return min(1, root(func(p float64) float64 { return mathext.RegIncBeta(float64(k+1), float64(n-k), p) }, 1-alpha)+slack)
}

// root is where a growing function of [0,1] comes to y.
func root(f func(float64) float64, y float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if mid := (low + high) / 2; f(mid) < y {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// sum is a figure over samples: each falls into one of some cells, and a cell weighs what it weighs. A share is one cell of weight 1.
type sum struct {
	weights []float64
	counts  []int
	n       int
}

// value is the figure of the samples themselves.
func (s *sum) value() float64 {
	v := 0.0
	for i, w := range s.weights {
		v += w * float64(s.counts[i])
	}
	return v / float64(s.n)
}

// bounds are a lower and an upper bound of the figure, each at an error of alpha.
func (s *sum) bounds(alpha float64) (low, high float64) {
	parts := 0
	for _, w := range s.weights {
		if w != 0 {
			parts++
		}
	}
	alpha /= float64(max(1, parts))
	for i, w := range s.weights {
		l, h := shareAtLeast(s.counts[i], s.n, alpha), shareAtMost(s.counts[i], s.n, alpha)
		if w < 0 {
			l, h = h, l
		}
		low, high = low+w*l, high+w*h
	}
	return low, high
}
