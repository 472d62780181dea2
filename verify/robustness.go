package verify

import (
	"math"
	"math/big"
)

// Ball is the input set of local robustness.
//
// Center holds the pixels in [0,1] units, flat in the model's layout; Eps is in pixel units. The set is the l-infinity ball cut by
// the valid pixels [PixelLow, PixelHigh] (both zero means [0,1]), then normalised per channel: (x-Mean[c])/Std[c]. Channel gives
// each element's channel; nil with Mean nil.
type Ball struct {
	Center              []float32
	Eps                 float64
	PixelLow, PixelHigh float64
	Mean, Std           []float64
	Channel             []int
}

// Box returns the ball as a box in model units, rounded outward.
func (b Ball) Box() Box {
	lo, hi := b.PixelLow, b.PixelHigh
	if lo == 0 && hi == 0 {
		hi = 1
	}
	n := len(b.Center)
	box := Box{make([]float64, n), make([]float64, n)}
	down := func(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }
	up := func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }
	for i, c := range b.Center {
		l, u := max(lo, down(float64(c)-b.Eps)), min(hi, up(float64(c)+b.Eps))
		if b.Mean != nil {
			m, s := b.Mean[b.Channel[i]], b.Std[b.Channel[i]]
			l, u = down(down(l-m)/s), up(up(u-m)/s)
		}
		box.Lower[i], box.Upper[i] = l, u
	}
	return box
}

// Robust is the property that every input of the box is classified as label: no other output is as large.
// Each other class is one case, with the constraint y[label] - y[other] <= 0.
func Robust(box Box, label, classes int) Property {
	var p Property
	one, minus, zero := big.NewRat(1, 1), big.NewRat(-1, 1), new(big.Rat)
	for k := range classes {
		if k == label {
			continue
		}
		p.Cases = append(p.Cases, Case{Box: box, Constraints: []Constraint{{
			Index: []int{label, k}, Coef: []*big.Rat{one, minus}, Bound: zero,
		}}})
	}
	return p
}
