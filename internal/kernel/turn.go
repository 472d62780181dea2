package kernel

// Turn copies a rows x cols matrix to its transpose, whose rows are `step` elements apart in dst; eight rows at a time, which suits matrices of few
// columns.
func Turn[T any](rows, cols int, src, dst []T, step int) {
	r := 0
	for ; r+8 <= rows; r += 8 {
		s := src[r*cols : (r+8)*cols]
		a, b, c, d := s[:cols], s[cols:][:cols], s[2*cols:][:cols], s[3*cols:][:cols]
		e, f, g, h := s[4*cols:][:cols], s[5*cols:][:cols], s[6*cols:][:cols], s[7*cols:][:cols]
		at := r
		for i := range a {
			to := (*[8]T)(dst[at : at+8])
			to[0], to[1], to[2], to[3] = a[i], b[i], c[i], d[i]
			to[4], to[5], to[6], to[7] = e[i], f[i], g[i], h[i]
			at += step
		}
	}
	for ; r < rows; r++ {
		at := r
		for _, v := range src[r*cols : (r+1)*cols] {
			dst[at] = v
			at += step
		}
	}
}

// Runs copies n runs of `run` elements, which begin step elements apart in src, to dst, where they begin every `next` elements. It is for short runs.
func Runs[T Float](n, run int, src []T, step int, dst []T, next int) {
	switch {
	case run == 4:
		for i := range n {
			*(*[4]T)(dst[i*next : i*next+4]) = [4]T(src[i*step : i*step+4])
		}
	case run%4 == 0 && run <= 64:
		for i := range n {
			d, s := dst[i*next:i*next+run], src[i*step:i*step+run]
			for len(d) >= 4 && len(s) >= 4 {
				*(*[4]T)(d[:4]) = [4]T(s[:4])
				d, s = d[4:], s[4:]
			}
		}
	default:
		for i := range n {
			copy(dst[i*next:i*next+run], src[i*step:])
		}
	}
}
