package kernel

// Plus adds a*x to y, each product rounded before its sum or not, as the processor likes: for who can do with either.
func Plus(a float64, x, y []float64) {
	y = y[:len(x)]
	if n := len(x) &^ 3; n > 0 && using >= levelAVX2 {
		plus256(n, a, &x[0], &y[0])
		x, y = x[n:], y[n:]
	}
	for i, v := range x {
		y[i] += a * v
	}
}
