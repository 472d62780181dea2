package relax

import (
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Magnitude is the largest absolute value of element i.
func (b Box) Magnitude(i int) float64 { return max(math.Abs(b.Lower[i]), math.Abs(b.Upper[i])) }

// NewBox allocates a box of n elements.
func NewBox(n int) Box { return Box{make([]float64, n), make([]float64, n)} }

// Box bounds every element of a tensor: Lower[i] <= x[i] <= Upper[i], flat in row-major order. A constant has
// Lower == Upper (they may share memory). Results must hold for the real function on every point of the input boxes,
// so each float64 operation's rounding is directed outward (see Down and Up) or added.
type Box struct{ Lower, Upper []float64 }

// Clone is a copy with memory of its own.
func (b Box) Clone() Box { return Box{slices.Clone(b.Lower), slices.Clone(b.Upper)} }

// Empty tells that the ends of an element cross.
func (b Box) Empty() bool {
	for i, l := range b.Lower {
		if l > b.Upper[i] {
			return true
		}
	}
	return false
}

// Finite tells whether all ends are finite numbers.
func (b Box) Finite() bool { return sound.AllFinite(b.Lower) && sound.AllFinite(b.Upper) }

// Within makes a box smaller by another one, in place. What is no number is no end, and the other one's counts.
func (b Box) Within(o Box) {
	for i, l := range o.Lower {
		if !(b.Lower[i] > l) {
			b.Lower[i] = l
		}
		if u := o.Upper[i]; !(b.Upper[i] < u) {
			b.Upper[i] = u
		}
	}
}
