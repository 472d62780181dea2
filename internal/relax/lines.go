package relax

import "github.com/shallow-waters/shoal/internal/sound"

// LinesFunc writes for every element i two lines that hold on [l[i], u[i]]:
//
//	LoSlope[i]*x + LoIcept[i] <= f(x) <= UpSlope[i]*x + UpIcept[i]
//
// for every real x in the interval, with the slopes and intercepts taken as the exact values of the float64s written:
// rounding is already directed into the intercepts.
type LinesFunc func(s Slope, l, u []float64, out *Lines)

// Lines holds two lines per element, flat.
type Lines struct{ LoSlope, LoIcept, UpSlope, UpIcept []float64 }

// Set writes the two lines of element i.
func (out *Lines) Set(i int, loSlope, loIcept, upSlope, upIcept float64) {
	out.LoSlope[i], out.LoIcept[i], out.UpSlope[i], out.UpIcept[i] = loSlope, loIcept, upSlope, upIcept
}

// Flat writes two constants for element i.
func (out *Lines) Flat(i int, lo, hi float64) { out.Set(i, 0, lo, 0, hi) }

// Tidy replaces lines of element i that are not finite by what the interval gives.
func (out *Lines) Tidy(i int, lo, hi float64) {
	if !sound.Finite(out.LoSlope[i]) || !sound.Finite(out.LoIcept[i]) {
		out.LoSlope[i], out.LoIcept[i] = 0, lo
	}
	if !sound.Finite(out.UpSlope[i]) || !sound.Finite(out.UpIcept[i]) {
		out.UpSlope[i], out.UpIcept[i] = 0, hi
	}
}
