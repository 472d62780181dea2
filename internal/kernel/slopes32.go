package kernel

import "math"

// What looks for slopes in float32: the loops of slopes.go with twice the lanes. Nothing sound may rest on them.

// blocked32 is blocked of float32s.
func blocked32(n int) int {
	if n = blocked(n); using == levelAVX512 {
		return n
	}
	return n &^ 7
}

// Pick32 is Pick in float32.
func Pick32(y, coef, lower, upper []float32) {
	coef, lower, upper = coef[:len(y)], lower[:len(y)], upper[:len(y)]
	if n := blocked32(len(y)); n > 0 {
		pickVec32(n, &y[0], &coef[0], &lower[0], &upper[0])
		y, coef, lower, upper = y[n:], coef[n:], lower[n:], upper[n:]
	}
	pick(y, coef, lower, upper)
}

// Line32 is Line in float32.
func Line32(y, coef, z, loSlope, upSlope, loIcept, upIcept []float32) {
	coef, z, loSlope, upSlope, loIcept, upIcept = coef[:len(y)], z[:len(y)], loSlope[:len(y)], upSlope[:len(y)], loIcept[:len(y)], upIcept[:len(y)]
	if n := blocked32(len(y)); n > 0 {
		lineVec32(n, &y[0], &coef[0], &z[0], &loSlope[0], &upSlope[0], &loIcept[0], &upIcept[0])
		y, coef, z, loSlope, upSlope, loIcept, upIcept = y[n:], coef[n:], z[n:], loSlope[n:], upSlope[n:], loIcept[n:], upIcept[n:]
	}
	line(y, coef, z, loSlope, upSlope, loIcept, upIcept)
}

// Sloped32 writes row[i] times lower[i] where row[i] >= 0, and times upper[i] elsewhere.
func Sloped32(y, row, lower, upper []float32) {
	row, lower, upper = row[:len(y)], lower[:len(y)], upper[:len(y)]
	if n := blocked32(len(y)); n > 0 {
		slopedVec32(n, &y[0], &row[0], &lower[0], &upper[0])
		y, row, lower, upper = y[n:], row[n:], lower[n:], upper[n:]
	}
	for i, c := range row {
		if c >= 0 {
			y[i] = c * lower[i]
		} else {
			y[i] = c * upper[i]
		}
	}
}

// Slopes32 is Slopes in float32.
func (a *Ascent) Slopes32(x, c, z, m, v []float32) {
	c, z, m, v = c[:len(x)], z[:len(x)], m[:len(x)], v[:len(x)]
	var b [7]float32
	for k, y := range a.by {
		b[k] = float32(y)
	}
	if n := blocked32(len(x)); n > 0 {
		ascendVec32(n, &x[0], &c[0], &z[0], &m[0], &v[0], &b)
		x, c, z, m, v = x[n:], c[n:], z[n:], m[n:], v[n:]
	}
	for i, f := range c {
		g := float32(0)
		if f > 0 {
			g = f * z[i]
		}
		m[i] = b[0]*m[i] + b[1]*g
		v[i] = b[2]*v[i] + b[3]*g*g
		x[i] = min(1, max(0, x[i]+m[i]/(b[4]*float32(math.Sqrt(float64(v[i])))+b[5])))
	}
}
