package kernel

import "math"

// Pick writes lower[i] where coef[i] >= 0 and upper[i] elsewhere.
func Pick(y, coef, lower, upper []float64) {
	coef, lower, upper = coef[:len(y)], lower[:len(y)], upper[:len(y)]
	if n := blocked(len(y)); n > 0 {
		pickVec(n, &y[0], &coef[0], &lower[0], &upper[0])
		y, coef, lower, upper = y[n:], coef[n:], lower[n:], upper[n:]
	}
	pick(y, coef, lower, upper)
}

// pick is Pick without vectors.
func pick[F Float](y, coef, lower, upper []F) {
	for i, c := range coef {
		if c >= 0 {
			y[i] = lower[i]
		} else {
			y[i] = upper[i]
		}
	}
}

// Line sends points through elementwise lines: the lower one where coef[i] >= 0, the upper one elsewhere.
func Line(y, coef, z, loSlope, upSlope, loIcept, upIcept []float64) {
	coef, z, loSlope, upSlope, loIcept, upIcept = coef[:len(y)], z[:len(y)], loSlope[:len(y)], upSlope[:len(y)], loIcept[:len(y)], upIcept[:len(y)]
	if n := blocked(len(y)); n > 0 {
		lineVec(n, &y[0], &coef[0], &z[0], &loSlope[0], &upSlope[0], &loIcept[0], &upIcept[0])
		y, coef, z, loSlope, upSlope, loIcept, upIcept = y[n:], coef[n:], z[n:], loSlope[n:], upSlope[n:], loIcept[n:], upIcept[n:]
	}
	line(y, coef, z, loSlope, upSlope, loIcept, upIcept)
}

// line is Line without vectors.
func line[F Float](y, coef, z, loSlope, upSlope, loIcept, upIcept []F) {
	for i, c := range coef {
		if c >= 0 {
			y[i] = loSlope[i]*z[i] + loIcept[i]
		} else {
			y[i] = upSlope[i]*z[i] + upIcept[i]
		}
	}
}

// Ascent is a step of Adam towards what is larger.
type Ascent struct{ by [7]float64 }

// NewAscent is step number n, from 1 on, of length rate.
func NewAscent(n int, rate, b1, b2, eps float64) Ascent {
	fix1, fix2 := 1-math.Pow(b1, float64(n)), 1-math.Pow(b2, float64(n))
	return Ascent{[7]float64{b1, 1 - b1, b2, 1 - b2, fix1 / (rate * math.Sqrt(fix2)), eps * fix1 / rate, 1}}
}

// Slopes moves x, which stay between 0 and 1, up the derivatives c[i]*z[i] where c[i] > 0, and 0 elsewhere; m and v are their moments.
func (a *Ascent) Slopes(x, c, z, m, v []float64) {
	c, z, m, v = c[:len(x)], z[:len(x)], m[:len(x)], v[:len(x)]
	if n := blocked(len(x)); n > 0 {
		ascendVec(n, &x[0], &c[0], &z[0], &m[0], &v[0], &a.by)
		x, c, z, m, v = x[n:], c[n:], z[n:], m[n:], v[n:]
	}
	b := &a.by
	for i, f := range c {
		g := 0.0
		if f > 0 {
			g = f * z[i]
		}
		m[i] = b[0]*m[i] + b[1]*g
		v[i] = b[2]*v[i] + b[3]*g*g
		x[i] = min(1, max(0, x[i]+m[i]/(b[4]*math.Sqrt(v[i])+b[5])))
	}
}

// AbsSum is the sum of |x[i]|.
func AbsSum(x []float64) float64 {
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += math.Abs(x[i])
		s1 += math.Abs(x[i+1])
		s2 += math.Abs(x[i+2])
		s3 += math.Abs(x[i+3])
	}
	for ; i < len(x); i++ {
		s0 += math.Abs(x[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// Turned gives the sums of a and of b, each element with the sign of a[i] + x*b[i], of which a zero has any; in any order and rounded anyhow, for
// who can do with that.
func Turned(x float64, a, b []float64) (sa, sb float64) {
	b = b[:len(a)]
	if n := blocked(len(a)); n > 0 {
		sa, sb = turnedVec(n, x, &a[0], &b[0])
		a, b = a[n:], b[n:]
	}
	for i, v := range a {
		if w := b[i]; v+x*w >= 0 {
			sa, sb = sa+v, sb+w
		} else {
			sa, sb = sa-v, sb-w
		}
	}
	return sa, sb
}
