//go:build amd64 && !purego

package kernel

//go:noescape
func dot512(n int, a, b *float64) (s float64)

//go:noescape
func absDot512(n int, a, b *float64) (s float64)

//go:noescape
func addTo512(n int, dst, src *float64)

//go:noescape
func boxMin512(n int, row, lower, upper *float64) (s float64)

//go:noescape
func reluRow512(n int, row, loSlope, upSlope, loIcept, upIcept *float64) (s float64)

//go:noescape
func midRad512(n int, w, mid, rad, mag *float64) (a, b, c float64)

//go:noescape
func dot256(n int, a, b *float64) (s float64)

//go:noescape
func absDot256(n int, a, b *float64) (s float64)

//go:noescape
func addTo256(n int, dst, src *float64)

//go:noescape
func boxMin256(n int, row, lower, upper *float64) (s float64)

//go:noescape
func reluRow256(n int, row, loSlope, upSlope, loIcept, upIcept *float64) (s float64)

//go:noescape
func midRad256(n int, w, mid, rad, mag *float64) (a, b, c float64)

//go:noescape
func plus256(n int, f float64, x, y *float64)

//go:noescape
func turned512(n int, x float64, a, b *float64) (sa, sb float64)

//go:noescape
func turned256(n int, x float64, a, b *float64) (sa, sb float64)

//go:noescape
func pick512(n int, y, coef, lower, upper *float64)

//go:noescape
func line512(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float64)

//go:noescape
func ascend512(n int, x, c, z, m, v *float64, by *[7]float64)

//go:noescape
func pick256(n int, y, coef, lower, upper *float64)

//go:noescape
func line256(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float64)

//go:noescape
func ascend256(n int, x, c, z, m, v *float64, by *[7]float64)

//go:noescape
func pickF32x512(n int, y, coef, lower, upper *float32)

//go:noescape
func lineF32x512(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float32)

//go:noescape
func ascendF32x512(n int, x, c, z, m, v *float32, by *[7]float32)

//go:noescape
func slopedF32x512(n int, y, row, lower, upper *float32)

//go:noescape
func pickF32x256(n int, y, coef, lower, upper *float32)

//go:noescape
func lineF32x256(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float32)

//go:noescape
func ascendF32x256(n int, x, c, z, m, v *float32, by *[7]float32)

//go:noescape
func slopedF32x256(n int, y, row, lower, upper *float32)

//go:noescape
func chordMidRadF32x512(n int, row, mid, rad *float32) (a, b float32)

//go:noescape
func chordBelowF32x512(n int, y, row, slope, mid, rad *float32) (a, b float32)

//go:noescape
func chordAboveF32x512(n int, d, y, row, slope, mid, rad, ds, dm, dr *float32, a, b float32)

//go:noescape
func chordSignsF32x512(n int, y, row, mid, rad *float32, a, b float32)

//go:noescape
func chordMidRadF32x256(n int, row, mid, rad *float32) (a, b float32)

//go:noescape
func chordBelowF32x256(n int, y, row, slope, mid, rad *float32) (a, b float32)

//go:noescape
func chordAboveF32x256(n int, d, y, row, slope, mid, rad, ds, dm, dr *float32, a, b float32)

//go:noescape
func chordSignsF32x256(n int, y, row, mid, rad *float32, a, b float32)

// The vector loops take what blocked gives.

func dotVec(n int, a, b *float64) float64 {
	if using == levelAVX512 {
		return dot512(n, a, b)
	}
	return dot256(n, a, b)
}

func absDotVec(n int, a, b *float64) float64 {
	if using == levelAVX512 {
		return absDot512(n, a, b)
	}
	return absDot256(n, a, b)
}

func addToVec(n int, dst, src *float64) {
	if using == levelAVX512 {
		addTo512(n, dst, src)
		return
	}
	addTo256(n, dst, src)
}

func boxMinVec(n int, row, lower, upper *float64) float64 {
	if using == levelAVX512 {
		return boxMin512(n, row, lower, upper)
	}
	return boxMin256(n, row, lower, upper)
}

func reluRowVec(n int, row, loSlope, upSlope, loIcept, upIcept *float64) float64 {
	if using == levelAVX512 {
		return reluRow512(n, row, loSlope, upSlope, loIcept, upIcept)
	}
	return reluRow256(n, row, loSlope, upSlope, loIcept, upIcept)
}

func midRadVec(n int, w, mid, rad, mag *float64) (a, b, c float64) {
	if using == levelAVX512 {
		return midRad512(n, w, mid, rad, mag)
	}
	return midRad256(n, w, mid, rad, mag)
}

func pickVec(n int, y, coef, lower, upper *float64) {
	if using == levelAVX512 {
		pick512(n, y, coef, lower, upper)
		return
	}
	pick256(n, y, coef, lower, upper)
}

func lineVec(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float64) {
	if using == levelAVX512 {
		line512(n, y, coef, z, loSlope, upSlope, loIcept, upIcept)
		return
	}
	line256(n, y, coef, z, loSlope, upSlope, loIcept, upIcept)
}

func ascendVec(n int, x, c, z, m, v *float64, by *[7]float64) {
	if using == levelAVX512 {
		ascend512(n, x, c, z, m, v, by)
		return
	}
	ascend256(n, x, c, z, m, v, by)
}

func turnedVec(n int, x float64, a, b *float64) (sa, sb float64) {
	if using == levelAVX512 {
		return turned512(n, x, a, b)
	}
	return turned256(n, x, a, b)
}

// The same of float32.

func pickVec32(n int, y, coef, lower, upper *float32) {
	if using == levelAVX512 {
		pickF32x512(n, y, coef, lower, upper)
		return
	}
	pickF32x256(n, y, coef, lower, upper)
}

func lineVec32(n int, y, coef, z, loSlope, upSlope, loIcept, upIcept *float32) {
	if using == levelAVX512 {
		lineF32x512(n, y, coef, z, loSlope, upSlope, loIcept, upIcept)
		return
	}
	lineF32x256(n, y, coef, z, loSlope, upSlope, loIcept, upIcept)
}

func ascendVec32(n int, x, c, z, m, v *float32, by *[7]float32) {
	if using == levelAVX512 {
		ascendF32x512(n, x, c, z, m, v, by)
		return
	}
	ascendF32x256(n, x, c, z, m, v, by)
}

func slopedVec32(n int, y, row, lower, upper *float32) {
	if using == levelAVX512 {
		slopedF32x512(n, y, row, lower, upper)
		return
	}
	slopedF32x256(n, y, row, lower, upper)
}

func chordMidRadVec(n int, row, mid, rad *float32) (a, b float32) {
	if using == levelAVX512 {
		return chordMidRadF32x512(n, row, mid, rad)
	}
	return chordMidRadF32x256(n, row, mid, rad)
}

func chordBelowVec(n int, y, row, slope, mid, rad *float32) (a, b float32) {
	if using == levelAVX512 {
		return chordBelowF32x512(n, y, row, slope, mid, rad)
	}
	return chordBelowF32x256(n, y, row, slope, mid, rad)
}

func chordAboveVec(n int, d, y, row, slope, mid, rad, ds, dm, dr *float32, a, b float32) {
	if using == levelAVX512 {
		chordAboveF32x512(n, d, y, row, slope, mid, rad, ds, dm, dr, a, b)
		return
	}
	chordAboveF32x256(n, d, y, row, slope, mid, rad, ds, dm, dr, a, b)
}

func chordSignsVec(n int, y, row, mid, rad *float32, a, b float32) {
	if using == levelAVX512 {
		chordSignsF32x512(n, y, row, mid, rad, a, b)
		return
	}
	chordSignsF32x256(n, y, row, mid, rad, a, b)
}
