package sound

import "math"

// Unit is float64's unit roundoff: an operation whose result x is a normal number is off by at most Unit*|x|.
const Unit = 0x1p-53

// Tiny is added to a sum of magnitudes before it is multiplied by Gamma, and covers what its n products lose by gradual underflow: a result
// below the normal numbers is off by at most 2^-1075 (sums of float64s are exact there), where Gamma(n)*Tiny is above n*2^-953.
const Tiny = 0x1p-900

// Down is the largest float64 below x: one step toward -Inf. -Inf and NaN stay; +Inf becomes the largest float64.
//
// Of the operations that IEEE 754 rounds to nearest (+, -, *, /, FMA and the square root), no float64 lies strictly between the result and the
// exact value. So the exact value is at least Down of the result.
func Down(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

// Up is the smallest float64 above x: one step toward +Inf (see Down). +Inf and NaN stay; -Inf becomes the lowest float64.
func Up(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }

// MulDown is a number that is not above a*b. See MulUp.
func MulDown(a, b float64) float64 { return -MulUp(-a, b) }

// MulUp is a number that is not below a*b. A product with 0 is 0, also against infinity: the infinite end of a box stands for arbitrarily
// large numbers, not for a number. Products with ±1 are exact, and so keep bounds of what is only moved or negated.
func MulUp(a, b float64) float64 {
	switch {
	case a == 0 || b == 0:
		return 0
	case a == 1:
		return b
	case b == 1:
		return a
	case a == -1:
		return -b
	case b == -1:
		return -a
	}
	return Up(a * b)
}

// AddUp is a number that is not below a+b. Sums with 0 and of opposites are exact and stay so; of opposite infinities
// nothing is known: the sum is NaN.
func AddUp(a, b float64) float64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case a == -b:
		return a + b // 0; of infinities NaN
	}
	return Up(a + b)
}

// AddDown is a number that is not above a+b. See AddUp.
func AddDown(a, b float64) float64 { return -AddUp(-a, -b) }

// Gamma bounds the relative error of n float64 operations one after the other: |error| <= Gamma(n) * the sum of the exact terms' magnitudes,
// for a sum of n products in any order. It is n*u/(1-n*u), rounded up; +Inf where n*u is a half or more. Source: Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd ed., section 3.1.
//
// n*u is exact below 2^52 (a power of two as a factor), so is 1-n*u there, and the quotient rounds once: one step up covers it. The factor
// behind has room for the product in which Gamma is used.
func Gamma(n int) float64 {
	x := float64(n) * Unit
	if x >= 0.5 {
		return math.Inf(1)
	}
	return math.Nextafter(x/(1-x), 1) * (1 + 0x1p-50)
}

// Finite tells whether a number is neither infinite nor NaN.
func Finite(x float64) bool { return x-x == 0 }

// AllFinite tells whether no number of a list is infinite or NaN.
func AllFinite(list []float64) bool {
	for _, x := range list {
		if !Finite(x) {
			return false
		}
	}
	return true
}
