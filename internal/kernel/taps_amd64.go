//go:build amd64 && !purego

package kernel

//go:noescape
func maxTaps512F32x1(a *tapsArgs)

//go:noescape
func maxTaps512F32x4(a *tapsArgs)

//go:noescape
func maxTaps512F64x1(a *tapsArgs)

//go:noescape
func maxTaps512F64x4(a *tapsArgs)

//go:noescape
func sumTaps512F32x1(a *tapsArgs)

//go:noescape
func sumTaps512F32x4(a *tapsArgs)

//go:noescape
func sumTaps512F64x1(a *tapsArgs)

//go:noescape
func sumTaps512F64x4(a *tapsArgs)

// taps runs four pixels or one.
func taps(a *tapsArgs, sum bool, size, pixels int) {
	switch {
	case sum && size == 4 && pixels == 4:
		sumTaps512F32x4(a)
	case sum && size == 4:
		sumTaps512F32x1(a)
	case sum && pixels == 4:
		sumTaps512F64x4(a)
	case sum:
		sumTaps512F64x1(a)
	case size == 4 && pixels == 4:
		maxTaps512F32x4(a)
	case size == 4:
		maxTaps512F32x1(a)
	case pixels == 4:
		maxTaps512F64x4(a)
	default:
		maxTaps512F64x1(a)
	}
}
