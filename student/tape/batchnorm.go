package tape

import (
	"math"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// BatchNormEps is what BatchNorm adds to variances, as PyTorch and the ONNX operator do where nothing is said.
const BatchNormEps = 1e-5

// Moments holds what a batch normalisation has seen in the last run: mean and variance (of the sample: over n) for each channel, and n.
type Moments struct {
	Mean, Var []float64
	N         int
}

// BatchNorm is w*(x-mean)/sqrt(var+eps) + v with mean and variance over everything but the last dimension of x, which it also leaves in m.
// Its gradient cannot be differentiated again. Source: Ioffe and Szegedy 2015, algorithm 1, and the derivatives after it.
func (b *Builder) BatchNorm(x, w, v *Node, m *Moments) *Node {
	shape := x.Shape()
	c := shape[len(shape)-1]
	mustFit(w.Shape().TotalSize() == c && v.Shape().TotalSize() == c, "batch normalisation of", x, w, v)
	*m = Moments{Mean: make([]float64, c), Var: make([]float64, c), N: shape.TotalSize() / c}
	o := (&operator{name: "batchnorm", out: shape}).both(batchNormRun[float32](b.Pool, m), batchNormRun[float64](b.Pool, m))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		// xhat once more, from the moments that the forward run has left: y makes sure that it has run
		xhat := b.apply((&operator{name: "normalised", out: shape}).both(normalisedRun[float32](b.Pool, m), normalisedRun[float64](b.Pool, m)),
			in[0], in[1], in[2])
		dw, dv := b.SumRows(b.Mul(g, xhat)), b.SumRows(g)
		o := (&operator{name: "batchnorminput", out: shape}).both(batchNormInputRun[float32](b.Pool, m), batchNormInputRun[float64](b.Pool, m))
		return []*Node{b.apply(o, g, xhat, in[1], dw, dv), dw, dv}
	}
	return b.apply(o, x, w, v)
}

// momentsOf adds in float64, in parts of fixed ends.
func momentsOf[T Float](p *Pool, m *Moments, x []T) {
	c := len(m.Mean)
	least := max(1, ElementsEach/c)
	k := count(m.N, least)
	sums := make([]float64, k*c)
	sweep := func(out []float64, f func(s *float64, v float64, c int)) {
		clear(sums)
		p.each(m.N, least, func(_ *kernel.Work, part, from, to int) {
			s := sums[part*c : (part+1)*c]
			for i := from; i < to; i++ {
				for j, v := range x[i*c : (i+1)*c] {
					f(&s[j], float64(v), j)
				}
			}
		})
		clear(out)
		for i := range k {
			kernel.AddTo(out, sums[i*c:(i+1)*c])
		}
		for j := range out {
			out[j] /= float64(m.N)
		}
	}
	sweep(m.Mean, func(s *float64, v float64, _ int) { *s += v })
	sweep(m.Var, func(s *float64, v float64, j int) { d := v - m.Mean[j]; *s += d * d })
}

// affineRows writes y = a*x + d, with a and d for each channel.
func affineRows[T Float](p *Pool, y, x, a, d []T) {
	c := len(a)
	p.each(len(y)/c, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) {
		for i := from; i < to; i++ {
			to, row := y[i*c:(i+1)*c], x[i*c:(i+1)*c]
			for j, v := range row {
				to[j] = a[j]*v + d[j]
			}
		}
	})
}

func batchNormRun[T Float](p *Pool, m *Moments) func([]T, [][]T) {
	return func(y []T, in [][]T) {
		momentsOf(p, m, in[0])
		a, d := make([]T, len(m.Mean)), make([]T, len(m.Mean))
		for j := range a {
			s := float64(in[1][j]) / math.Sqrt(m.Var[j]+BatchNormEps)
			a[j], d[j] = T(s), T(float64(in[2][j])-s*m.Mean[j])
		}
		affineRows(p, y, in[0], a, d)
	}
}

func normalisedRun[T Float](p *Pool, m *Moments) func([]T, [][]T) {
	return func(y []T, in [][]T) {
		a, d := make([]T, len(m.Mean)), make([]T, len(m.Mean))
		for j := range a {
			s := 1 / math.Sqrt(m.Var[j]+BatchNormEps)
			a[j], d[j] = T(s), T(-s*m.Mean[j])
		}
		affineRows(p, y, in[0], a, d)
	}
}

// batchNormInputRun is dx = w/sqrt(var+eps) * (g - dv/n - xhat*dw/n).
func batchNormInputRun[T Float](p *Pool, m *Moments) func([]T, [][]T) {
	return func(dx []T, in [][]T) {
		g, xhat, w, dw, dv := in[0], in[1], in[2], in[3], in[4]
		c, n := len(w), T(m.N)
		s := make([]T, c)
		for j := range s {
			s[j] = w[j] / T(math.Sqrt(m.Var[j]+BatchNormEps))
		}
		p.each(m.N, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) {
			for i := from * c; i < to*c; i += c {
				for j := range c {
					dx[i+j] = s[j] * (g[i+j] - (dv[j]+xhat[i+j]*dw[j])/n)
				}
			}
		})
	}
}
