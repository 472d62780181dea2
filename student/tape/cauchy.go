package tape

import (
	"fmt"
	"math"

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
				out[i] = T(cauchy(Mix(start + uint64(i)*0x9e3779b97f4a7c15)))
			}
		})
	}
}

// cauchy makes a standard Cauchy number of 64 random bits: the tangent of an angle between a quarter turn back and one on, to 1e-9 of itself. One bit
// is its sign, one says whether it is larger than 1, where it is one over another, and the others are an angle up to an eighth of a turn, never 0.
func cauchy(bits uint64) float64 {
	y := math.Pi / 4 * ((float64(bits>>12) + 0.5) * 0x1p-52)
	z := y * y
	sin := y * (1 + z*(-1.0/6+z*(1.0/120+z*(-1.0/5040+z*(1.0/362880+z*(-1.0/39916800))))))
	cos := 1 + z*(-1.0/2+z*(1.0/24+z*(-1.0/720+z*(1.0/40320+z*(-1.0/3628800)))))
	if bits&2 != 0 {
		sin, cos = cos, sin
	}
	if bits&1 != 0 {
		sin = -sin
	}
	return sin / cos
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

// middles calls f with what the medians of some samples' numbers are made of: the place of each number's first row, and the sizes in the middle.
func middles[T Float](p *Pool, v []T, k, size int, f func(sample, place int, low, high T)) {
	sorting := sortingMiddle(k)
	p.each(len(v)/size/k, 1, func(_ *kernel.Work, _, from, to int) {
		sizes := make([][sortedAtOnce]uint64, k)
		for i := from; i < to; i++ {
			for j := 0; j < size; j += sortedAtOnce {
				place, n := i*k*size+j, min(sortedAtOnce, size-j)
				for r := range sizes {
					for q, x := range v[place+r*size:][:n] {
						sizes[r][q] = math.Float64bits(float64(x)) &^ (1 << 63) // ordered as the numbers are
					}
				}
				for _, c := range sorting {
					sortPairs(&sizes[c[0]], &sizes[c[1]])
				}
				for q := range n {
					f(i, place+q, T(math.Float64frombits(sizes[(k-1)/2][q])), T(math.Float64frombits(sizes[k/2][q])))
				}
			}
		}
	})
}

func largeness[T Float](x T) T {
	if x < 0 {
		return -x
	}
	return x
}

func medianRun[T Float](p *Pool, k, size int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		middles(p, in[0], k, size, func(i, place int, low, high T) { out[i*size+place-i*k*size] = (low + high) / 2 })
	}
}

// medianRowsRun gives the gradient to the rows in the middle: half to the first of the lower one's size, half to the last of the higher one's.
func medianRowsRun[T Float](p *Pool, k, size int) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		v, g := in[0], in[1]
		clear(out)
		middles(p, v, k, size, func(i, place int, low, high T) {
			half := g[i*size+place-i*k*size] / 2
			give := func(at int) {
				switch x := v[at]; {
				case x > 0:
					out[at] += half
				case x < 0:
					out[at] -= half
				}
			}
			first, last := -1, 0
			for r := range k {
				x := largeness(v[place+r*size])
				if x == low && first < 0 {
					first = r
				}
				if x == high && (k%2 == 0 || first == r) {
					last = r
				}
			}
			give(place + max(first, 0)*size)
			give(place + last*size)
		})
	}
}
