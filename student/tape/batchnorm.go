package tape

import (
	"fmt"
	"math"

	"gorgonia.org/tensor"

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
func (b *Builder) BatchNorm(x, w, v *Node, m *Moments) *Node { return b.batchNorm(x, w, v, m, false) }

// BatchNormRelu is BatchNorm, cut off at 0.
func (b *Builder) BatchNormRelu(x, w, v *Node, m *Moments) *Node {
	return b.batchNorm(x, w, v, m, true)
}

func (b *Builder) batchNorm(x, w, v *Node, m *Moments, relu bool) *Node {
	shape := x.Shape()
	c := shape[len(shape)-1]
	mustFit(w.Shape().TotalSize() == c && v.Shape().TotalSize() == c, "batch normalisation of", x, w, v)
	*m = Moments{Mean: make([]float64, c), Var: make([]float64, c), N: shape.TotalSize() / c}
	o := (&operator{name: fmt.Sprintf("batchnorm(%t)", relu), out: shape}).
		both(batchNormRun(b.Pool, m, relu, affineRows32), batchNormRun(b.Pool, m, relu, affineRows64))
	o.diff = func(in []*Node, y, g *Node) []*Node {
		if relu {
			g = b.Where(y, g)
		}
		// the moments are those that the forward run has left: g comes out of what follows it
		dv := b.SumRows(g)
		dw := b.apply((&operator{name: "batchnormweight", out: tensor.Shape{c}}).
			both(batchNormWeightRun[float32](b.Pool, m), batchNormWeightRun[float64](b.Pool, m)), g, in[0])
		dx := b.apply((&operator{name: "batchnorminput", out: shape}).
			both(batchNormInputRun[float32](b.Pool, m), batchNormInputRun[float64](b.Pool, m)), g, in[0], in[1], dw, dv)
		return []*Node{dx, dw, dv}
	}
	return b.apply(o, x, w, v)
}

// channelSums adds up, for each of c channels of n rows, what f adds to the sums of rows [from, to). It adds in float64, in parts of fixed ends.
func channelSums(p *Pool, n int, out []float64, partial *scratch[float64], f func(sums []float64, from, to int)) {
	c := len(out)
	least := max(1, ElementsEach/c)
	k := count(n, least)
	sums := partial.get(k * c)
	p.each(n, least, func(_ *kernel.Work, part, from, to int) {
		own := sums[part*c : (part+1)*c]
		clear(own)
		f(own, from, to)
	})
	clear(out)
	for i := range k {
		kernel.AddTo(out, sums[i*c:(i+1)*c])
	}
}

// momentsOf sees x twice: a variance as the difference of two large sums would lose what it is made of.
func momentsOf[T Float](p *Pool, m *Moments, x []T, partial *scratch[float64]) {
	c, n := len(m.Mean), float64(m.N)
	channelSums(p, m.N, m.Mean, partial, func(sums []float64, from, to int) {
		for i := from * c; i < to*c; i += c {
			for j, v := range x[i : i+len(sums)] {
				sums[j] += float64(v)
			}
		}
	})
	for j := range m.Mean {
		m.Mean[j] /= n
	}
	channelSums(p, m.N, m.Var, partial, func(sums []float64, from, to int) {
		mean := m.Mean[:len(sums)]
		for i := from * c; i < to*c; i += c {
			for j, v := range x[i : i+len(sums)] {
				d := float64(v) - mean[j]
				sums[j] += d * d
			}
		}
	})
	for j := range m.Var {
		m.Var[j] /= n
	}
}

// affineRows32 writes y = a*x + d for rows of x, with a and d for each channel; with relu it leaves out what is below 0, by bits as relu32 does.
func affineRows32(y, x, a, d []float32, relu bool) {
	d = d[:len(a)]
	for len(y) >= len(a) && len(x) >= len(a) {
		to, from := y[:len(a)], x[:len(a)]
		if relu {
			for j, s := range a {
				v := math.Float32bits(s*from[j] + d[j])
				to[j] = math.Float32frombits(v &^ uint32(int32(v)>>31))
			}
		} else {
			for j, s := range a {
				to[j] = s*from[j] + d[j]
			}
		}
		y, x = y[len(a):], x[len(a):]
	}
}

func affineRows64(y, x, a, d []float64, relu bool) {
	for i, v := range x {
		y[i] = a[i%len(a)]*v + d[i%len(a)]
		if relu {
			y[i] = max(y[i], 0)
		}
	}
}

func batchNormRun[T Float](p *Pool, m *Moments, relu bool, affine func(y, x, a, d []T, relu bool)) func([]T, [][]T) {
	c := len(m.Mean)
	var partial scratch[float64]
	a, d := make([]T, c), make([]T, c)
	return func(y []T, in [][]T) {
		momentsOf(p, m, in[0], &partial)
		for j := range a {
			s := float64(in[1][j]) / math.Sqrt(m.Var[j]+BatchNormEps)
			a[j], d[j] = T(s), T(float64(in[2][j])-s*m.Mean[j])
		}
		p.each(m.N, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) { affine(y[from*c:to*c], in[0][from*c:to*c], a, d, relu) })
	}
}

// batchNormWeightRun is dw, the sum of g (x-mean)/sqrt(var+eps) over a channel.
func batchNormWeightRun[T Float](p *Pool, m *Moments) func([]T, [][]T) {
	c := len(m.Mean)
	var partial scratch[float64]
	sums := make([]float64, c)
	return func(dw []T, in [][]T) {
		g, x := in[0], in[1]
		channelSums(p, m.N, sums, &partial, func(sums []float64, from, to int) {
			mean := m.Mean[:len(sums)]
			for i := from * c; i < to*c; i += c {
				row := x[i : i+len(sums)]
				for j, v := range g[i : i+len(sums)] {
					sums[j] += float64(v) * (float64(row[j]) - mean[j])
				}
			}
		})
		for j, s := range sums {
			dw[j] = T(s / math.Sqrt(m.Var[j]+BatchNormEps))
		}
	}
}

// batchNormInputRun is dx = w/sqrt(var+eps) * (g - dv/n - xhat*dw/n) with xhat = (x-mean)/sqrt(var+eps).
func batchNormInputRun[T Float](p *Pool, m *Moments) func([]T, [][]T) {
	c := len(m.Mean)
	ofG, ofX, mean, rest := make([]T, c), make([]T, c), make([]T, c), make([]T, c)
	return func(dx []T, in [][]T) {
		g, x, w, dw, dv := in[0], in[1], in[2], in[3], in[4]
		n := float64(m.N)
		for j := range ofG {
			r := 1 / math.Sqrt(m.Var[j]+BatchNormEps)
			s := float64(w[j]) * r
			ofG[j], ofX[j], mean[j], rest[j] = T(s), T(-s*r*float64(dw[j])/n), T(m.Mean[j]), T(-s*float64(dv[j])/n)
		}
		p.each(m.N, max(1, ElementsEach/c), func(_ *kernel.Work, _, from, to int) {
			for i := from * c; i < to*c; i += c {
				to, gs, xs := dx[i:i+len(ofG)], g[i:i+len(ofG)], x[i:i+len(ofG)]
				ofX, mean, rest := ofX[:len(ofG)], mean[:len(ofG)], rest[:len(ofG)]
				for j, s := range ofG {
					to[j] = s*gs[j] + ofX[j]*(xs[j]-mean[j]) + rest[j]
				}
			}
		})
	}
}
