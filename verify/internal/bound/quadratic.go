package bound

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// quadratic is w'Qw for w in [-1, 1]^n with Q symmetric, row by row.
type quadratic struct {
	n int
	q []float64

	a, l, vec, rest []float64 // room: Q+D, its factor, eigenvectors, what is negative of Q
	y               []float64 // where under touched last
	free            []int
}

func newQuadratic(n int) *quadratic {
	buf := make([]float64, 5*n*n+n)
	cut := func(k int) []float64 { x := buf[:k:k]; buf = buf[k:]; return x }
	return &quadratic{n: n, q: cut(n * n), a: cut(n * n), l: cut(n * n), vec: cut(n * n), rest: cut(n * n), y: cut(n), free: make([]int, n)}
}

// under finds h and c with h*w + c <= w'Qw on the box, so that the least value of g*w + h*w + c is as large as it gets: what is negative of Q goes
// into a diagonal D, whose share is a constant over the box, and Q+D is convex and touched from below where it and g are least together. c has the
// rounding of everything, that of the reader's products with h excepted; -Inf says that nothing was found.
//
// For every diagonal D >= 0, every L and every y, with E = Q+D-LL',
//
//	w'Qw  =  w'(Q+D)w - w'Dw  >=  (w-y)'(Q+D)(w-y) + 2y'(Q+D)w - y'(Q+D)y - sum D_i
//	      =  |L'(w-y)|^2 + (w-y)'E(w-y) + ...  >=  2y'(Q+D)w - y'(Q+D)y - sum D_i - sum |E_ij| s_i s_j,    s_i = 1+|y_i|,
//
// so that nothing rests on how D, L and y were found. Sources: Adjiman et al. 1998 (alphaBB) for the diagonal; D is here the row sums of
// the magnitudes of Q's negative part, which it dominates.
func (f *quadratic) under(g, h []float64) (c float64) {
	n := f.n
	f.shift()
	f.factor()
	f.least(g)
	mag, off, own := 0.0, 0.0, 0.0
	for i := range n {
		si := 1 + math.Abs(f.y[i])
		sum := 0.0
		for j := range n {
			a, sj := f.a[i*n+j], 1+math.Abs(f.y[j])
			ll, size := 0.0, math.Abs(a)+math.Abs(f.q[i*n+j])
			for k := range min(i, j) + 1 {
				x := f.l[i*n+k] * f.l[j*n+k]
				ll += x
				size += math.Abs(x)
			}
			off += (math.Abs(a-ll) + sound.Gamma(n+4)*size) * si * sj
			mag += size * si * sj
			sum += a * f.y[j]
		}
		h[i] = 2 * sum
		own -= sum * f.y[i]
		c -= f.a[i*n+i] - f.q[i*n+i]
	}
	// Every sum above has at most n*n terms of at most four factors, whose magnitudes mag holds: for h twice, for its products with y, for D and for
	// off.
	c = sound.Down(c + own - off*(1+0x1p-20) - 8*sound.Gamma(n*n+8*n+16)*mag - sound.Tiny)
	if math.IsNaN(c) {
		c = math.Inf(-1)
	}
	return c
}

// shift makes a of Q and a diagonal that outweighs what is negative of it.
func (f *quadratic) shift() {
	n := f.n
	values := f.eigen()
	trace := 0.0
	clear(f.rest)
	for k, x := range values {
		trace += math.Abs(x)
		if x >= 0 {
			continue
		}
		for i := range n {
			for j := range n {
				f.rest[i*n+j] -= x * f.vec[i*n+k] * f.vec[j*n+k]
			}
		}
	}
	copy(f.a, f.q)
	for i := range n {
		d := 1e-14 * trace
		for j := range n {
			d += math.Abs(f.rest[i*n+j])
		}
		f.a[i*n+i] += d
	}
}

// eigen finds about the eigenvalues of Q, with vectors in the columns of vec: Jacobi's rotations, in which every pair is turned until it is
// diagonal. Source: Golub and Van Loan, Matrix Computations, 4th ed., section 8.5.
func (f *quadratic) eigen() []float64 {
	const sweeps = 8
	n, a, v := f.n, f.a, f.vec
	copy(a, f.q)
	clear(v)
	for i := range n {
		v[i*n+i] = 1
	}
	for range sweeps {
		off, all := 0.0, 0.0
		for i := range n {
			for j := range n {
				if i != j {
					off += math.Abs(a[i*n+j])
				}
				all += math.Abs(a[i*n+j])
			}
		}
		if !(off > 1e-13*all) {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if a[p*n+q] == 0 {
					continue
				}
				theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
				t := math.Copysign(1, theta) / (math.Abs(theta) + math.Sqrt(1+theta*theta))
				c := 1 / math.Sqrt(1+t*t)
				s := t * c
				for k := range n {
					x, y := a[k*n+p], a[k*n+q]
					a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
				}
				for k := range n {
					x, y := a[p*n+k], a[q*n+k]
					a[p*n+k], a[q*n+k] = c*x-s*y, s*x+c*y
				}
				for k := range n {
					x, y := v[k*n+p], v[k*n+q]
					v[k*n+p], v[k*n+q] = c*x-s*y, s*x+c*y
				}
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = a[i*n+i]
	}
	return out
}

// factor makes L of a: Cholesky's, with zeros where a pivot is none.
func (f *quadratic) factor() {
	n := f.n
	clear(f.l)
	for j := range n {
		d := f.a[j*n+j]
		for k := range j {
			d -= f.l[j*n+k] * f.l[j*n+k]
		}
		if !(d > 0) {
			continue
		}
		root := math.Sqrt(d)
		f.l[j*n+j] = root
		for i := j + 1; i < n; i++ {
			s := f.a[i*n+j]
			for k := range j {
				s -= f.l[i*n+k] * f.l[j*n+k]
			}
			f.l[i*n+j] = s / root
		}
	}
}

// least finds about where in the box g*w + w'Aw is least, for the convex A that a holds: one coordinate after the other, and, once it is known which
// stand at an end, the others at once.
func (f *quadratic) least(g []float64) {
	const sweeps, rounds, close = 10, 4, 1e-9
	clear(f.y)
	for range rounds {
		for range sweeps {
			if f.sweep(g) < close {
				return
			}
		}
		f.newton(g)
	}
}

// slope is half the derivative in coordinate i.
func (f *quadratic) slope(g []float64, i int) float64 {
	s := 0.5 * g[i]
	for j, y := range f.y {
		s += f.a[i*f.n+j] * y
	}
	return s
}

// sweep moves every coordinate to where it is best, and tells how far the furthest went.
func (f *quadratic) sweep(g []float64) (most float64) {
	for i, y := range f.y {
		s, d := f.slope(g, i), f.a[i*f.n+i]
		at := y
		switch {
		case d > 0:
			at = max(-1, min(1, y-s/d))
		case s < 0:
			at = 1
		case s > 0:
			at = -1
		}
		if math.IsNaN(at) {
			at = 0
		}
		most = max(most, math.Abs(at-y))
		f.y[i] = at
	}
	return most
}

// newton moves the coordinates that stand at no end to where all of them are best together.
func (f *quadratic) newton(g []float64) {
	n, m := f.n, 0
	free, l, b := f.free, f.vec, f.rest // room that is not in use
	for i, y := range f.y {
		if math.Abs(y) < 1 {
			free[m] = i
			b[m] = -f.slope(g, i)
			m++
		}
	}
	for j := range m {
		for i := j; i < m; i++ {
			s := f.a[free[i]*n+free[j]]
			for k := range j {
				s -= l[i*n+k] * l[j*n+k]
			}
			if i > j {
				l[i*n+j] = s / l[j*n+j]
				continue
			}
			if !(s > 0) {
				return
			}
			l[j*n+j] = math.Sqrt(s)
		}
	}
	for i := range m {
		for k := range i {
			b[i] -= l[i*n+k] * b[k]
		}
		b[i] /= l[i*n+i]
	}
	for i := m - 1; i >= 0; i-- {
		for k := i + 1; k < m; k++ {
			b[i] -= l[k*n+i] * b[k]
		}
		b[i] /= l[i*n+i]
	}
	for i := range m {
		if y := f.y[free[i]] + b[i]; !math.IsNaN(y) {
			f.y[free[i]] = max(-1, min(1, y))
		}
	}
}
