package tape

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Cauchy gives each sample of v [N, ...] k rows of independent standard Cauchy numbers, [N*k, ...], times its own: their sums with any
// coefficients are Cauchy numbers whose scale is the l1 norm of coefficients times v. The numbers come from (noise, layer, place), new ones at
// every step. Its gradient cannot be differentiated again.
// Source: Li, Hastie and Church 2007, "Nonlinear Estimators and Tail Bounds for Dimension Reduction in l1
// Using Cauchy Random Projections"; Wong et al. 2018, "Scaling provable adversarial defenses", section 3.2.
func (b *Builder) Cauchy(v *Node, k, layer int, noise *Noise) *Node {
	mustFit(k > 0 && v.Dims() > 1, fmt.Sprintf("%d projections of", k), v)
	shape := append(tensor.Shape{v.Shape()[0] * k}, v.Shape()[1:]...)
	o := (&operator{name: fmt.Sprintf("cauchy(%d,%d)", k, layer), out: shape, wrt: []bool{false}}).
		both(cauchyRun[float32](b.Pool, layer, noise), cauchyRun[float64](b.Pool, layer, noise))
	o.diff = func([]*Node, *Node, *Node) []*Node { return []*Node{nil} }
	return b.RowScale(b.apply(o, v), v)
}

func cauchyRun[T Float](p *Pool, layer int, noise *Noise) func([]T, [][]T) {
	return func(out []T, _ [][]T) {
		start := Mix(Mix(noise.Seed^0x9e3779b97f4a7c15)+noise.Step) ^ Mix(uint64(layer)+0x2545f491)
		p.each(len(out), ElementsEach/16, func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				// the middle of one of 2^52 parts of a turn's half: never its ends
				u := (float64(Mix(start+uint64(i)*0x9e3779b97f4a7c15)>>12) + 0.5) * 0x1p-52
				out[i] = T(math.Tan(math.Pi * (u - 0.5)))
			}
		})
	}
}

// MedianSize is the median of the absolute values of a sample's k rows, number by number: v [N*k, ...] gives [N, ...]. Of an even number of rows
// it is the mean of the two in the middle. Of Cauchy numbers it estimates the scale: from above as often as from below where k is odd. Its
// gradient cannot be differentiated again.
func (b *Builder) MedianSize(v *Node, k int) *Node {
	s := v.Shape()
	mustFit(k > 0 && s[0]%k == 0, fmt.Sprintf("medians of %d rows of", k), v)
	shape := append(tensor.Shape{s[0] / k}, s[1:]...)
	size := shape.TotalSize() / shape[0]
	o := (&operator{name: fmt.Sprintf("mediansize(%d)", k), out: shape}).both(medianRun[float32](b.Pool, k, size), medianRun[float64](b.Pool, k, size))
	o.diff = func(in []*Node, _, g *Node) []*Node {
		d := (&operator{name: "mediansizerows", out: s}).both(medianRowsRun[float32](b.Pool, k, size), medianRowsRun[float64](b.Pool, k, size))
		return one(b.apply(d, in[0], g))
	}
	return b.apply(o, v)
}

// middles calls f with what the medians of some samples' numbers are made of: the place of each number's first row, and the rows in the middle.
func middles[T Float](p *Pool, v []T, k, size int, f func(sample, place, low, high int)) {
	p.each(len(v)/size/k, 1, func(_ *kernel.Work, _, from, to int) {
		order, sizes := make([]int, k), make([]T, k)
		for i := from; i < to; i++ {
			for j := range size {
				for r := range k {
					order[r], sizes[r] = r, max(v[(i*k+r)*size+j], -v[(i*k+r)*size+j])
				}
				slices.SortFunc(order, func(a, b int) int {
					switch x, y := sizes[a], sizes[b]; {
					case x < y:
						return -1
					case x > y:
						return 1
					}
					return a - b
				})
				f(i, i*k*size+j, order[(k-1)/2], order[k/2])
			}
		}
	})
}

func medianRun[T Float](p *Pool, k, size int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		v := in[0]
		middles(p, v, k, size, func(i, at, low, high int) {
			a, b := v[at+low*size], v[at+high*size]
			out[i*size+(at-i*k*size)] = (max(a, -a) + max(b, -b)) / 2
		})
	}
}

func medianRowsRun[T Float](p *Pool, k, size int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		v, g := in[0], in[1]
		clear(out)
		middles(p, v, k, size, func(i, at, low, high int) {
			half := g[i*size+(at-i*k*size)] / 2
			for _, r := range [...]int{low, high} {
				switch x := v[at+r*size]; {
				case x > 0:
					out[at+r*size] += half
				case x < 0:
					out[at+r*size] -= half
				}
			}
		})
	}
}
