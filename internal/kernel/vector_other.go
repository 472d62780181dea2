//go:build !amd64 || purego

package kernel

func dot512(n int, a, b *float64) float64                    { panic("kernel: no assembly here") }
func absDot512(n int, a, b *float64) float64                 { panic("kernel: no assembly here") }
func addTo512(n int, dst, src *float64)                      { panic("kernel: no assembly here") }
func boxMin512(n int, row, lower, upper *float64) float64    { panic("kernel: no assembly here") }
func midRad512(n int, w, x, y, z *float64) (a, b, c float64) { panic("kernel: no assembly here") }
func reluRow512(n int, row, ls, us, li, ui *float64) float64 { panic("kernel: no assembly here") }
func plus256(n int, a float64, x, y *float64)                { panic("kernel: no assembly here") }
