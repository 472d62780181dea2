package relax

import (
	"math"
)

// Magnitude is the largest absolute value of element i.
func (b Box) Magnitude(i int) float64 { return max(math.Abs(b.Lower[i]), math.Abs(b.Upper[i])) }

// NewBox allocates a box of n elements.
func NewBox(n int) Box { return Box{make([]float64, n), make([]float64, n)} }

// Box bounds every element of a tensor: Lower[i] <= x[i] <= Upper[i], flat in row-major order. A constant has
// Lower == Upper (they may share memory). Results must hold for the real function on every point of the input boxes,
// so each float64 operation's rounding is directed outward (see Down and Up) or added.
type Box struct{ Lower, Upper []float64 }
