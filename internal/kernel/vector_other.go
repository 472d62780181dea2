//go:build !amd64 || purego

package kernel

func dotVec(n int, a, b *float64) float64                    { panic("kernel: no assembly here") }
func absDotVec(n int, a, b *float64) float64                 { panic("kernel: no assembly here") }
func addToVec(n int, dst, src *float64)                      { panic("kernel: no assembly here") }
func boxMinVec(n int, row, lower, upper *float64) float64    { panic("kernel: no assembly here") }
func midRadVec(n int, w, x, y, z *float64) (a, b, c float64) { panic("kernel: no assembly here") }
func reluRowVec(n int, row, ls, us, li, ui *float64) float64 { panic("kernel: no assembly here") }
func plus256(n int, f float64, x, y *float64)                { panic("kernel: no assembly here") }
