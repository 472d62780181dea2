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
func plus256(n int, a float64, x, y *float64)
