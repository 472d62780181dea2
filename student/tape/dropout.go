package tape

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Noise is where dropout gets its masks from: the same Seed and Step give the same masks. The trainer counts the steps.
type Noise struct{ Seed, Step uint64 }

// Dropout zeroes a share of x and divides the rest by 1-share. A mask comes from (noise, layer, place), so that the gradient, which is the same
// operator, finds it again without keeping it.
func (b *Builder) Dropout(x *Node, share float64, layer int, noise *Noise) *Node {
	o := (&operator{name: fmt.Sprintf("dropout(%v,%d)", share, layer), out: x.Shape()}).
		both(dropoutRun[float32](b.Pool, share, layer, noise), dropoutRun[float64](b.Pool, share, layer, noise))
	o.diff = func(_ []*Node, _, g *Node) []*Node {
		return one(b.Dropout(g, share, layer, noise))
	}
	return b.apply(o, x)
}

func dropoutRun[T Float](p *Pool, share float64, layer int, noise *Noise) func([]T, [][]T) {
	keep, limit := T(1/(1-share)), uint64(share*(1<<32))
	return func(out []T, in [][]T) {
		start := Mix(Mix(noise.Seed^0x9e3779b97f4a7c15)+noise.Step) ^ Mix(uint64(layer)+0x51ed270b)
		p.each(len(out), ElementsEach/4, func(_ *kernel.Work, _, from, to int) {
			for i := from; i < to; i++ {
				out[i] = 0
				if Mix(start+uint64(i)*0x9e3779b97f4a7c15)>>32 >= limit {
					out[i] = in[0][i] * keep
				}
			}
		})
	}
}

// Mix makes well-spread bits of a number, one to one: the finaliser of SplitMix64. Numbers that are counted, such as steps and places, become
// masks with it, or seeds. Source: Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators", with Stafford's constants
// (variant 13).
func Mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
