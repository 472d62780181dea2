//go:build !amd64 || purego

package kernel

func dotVec(n int, a, b *float64) float64                    { panic("kernel: no assembly here") }
func absDotVec(n int, a, b *float64) float64                 { panic("kernel: no assembly here") }
func addToVec(n int, dst, src *float64)                      { panic("kernel: no assembly here") }
func boxMinVec(n int, row, lower, upper *float64) float64    { panic("kernel: no assembly here") }
func midRadVec(n int, w, x, y, z *float64) (a, b, c float64) { panic("kernel: no assembly here") }
func reluRowVec(n int, row, ls, us, li, ui *float64) float64 { panic("kernel: no assembly here") }
func plus256(n int, f float64, x, y *float64)                { panic("kernel: no assembly here") }
func turnedVec(n int, x float64, a, b *float64) (sa, sb float64) {
	panic("kernel: no assembly here")
}
func pickVec(n int, y, coef, lower, upper *float64)      { panic("kernel: no assembly here") }
func lineVec(n int, y, coef, z, ls, us, li, ui *float64) { panic("kernel: no assembly here") }
func ascendVec(n int, x, c, z, m, v *float64, by *[7]float64) {
	panic("kernel: no assembly here")
}
func pickVec32(n int, y, coef, lower, upper *float32)      { panic("kernel: no assembly here") }
func lineVec32(n int, y, coef, z, ls, us, li, ui *float32) { panic("kernel: no assembly here") }
func slopedVec32(n int, y, row, lower, upper *float32)     { panic("kernel: no assembly here") }
func ascendVec32(n int, x, c, z, m, v *float32, by *[7]float32) {
	panic("kernel: no assembly here")
}
func chordMidRadVec(n int, row, mid, rad *float32) (a, b float32) { panic("kernel: no assembly here") }
func chordBelowVec(n int, y, row, s, mid, rad *float32) (a, b float32) {
	panic("kernel: no assembly here")
}
func chordAboveVec(n int, d, y, row, s, mid, rad, ds, dm, dr *float32, a, b float32) {
	panic("kernel: no assembly here")
}
func chordSignsVec(n int, y, row, mid, rad *float32, a, b float32) {
	panic("kernel: no assembly here")
}
