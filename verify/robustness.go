package verify

import (
	"fmt"
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/sound"
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

// Floats is the largest box of float32s inside the ball, in model units. It may be empty in a coordinate (lower > upper).
func (b Ball) Floats() (lower, upper []float32) {
	_, inner := b.Boxes()
	lower, upper = make([]float32, len(inner.Lower)), make([]float32, len(inner.Upper))
	for k := range lower {
		lower[k], upper[k] = sound.Float32Above(inner.Lower[k]), -sound.Float32Above(-inner.Upper[k])
	}
	return lower, upper
}

// Boxes returns the ball in model units: the smallest float64 box that holds it, and the largest that it holds. They differ where
// an end has no float64; inner may be empty in a coordinate (Lower > Upper).
func (b Ball) Boxes() (outer, inner Box) {
	lo, hi := b.PixelLow, b.PixelHigh
	if lo == 0 && hi == 0 {
		hi = 1
	}
	n := len(b.Center)
	outer = Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	inner = Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i, c := range b.Center {
		l, u := sound.Sum(float64(c), -b.Eps), sound.Sum(float64(c), b.Eps)
		l, u = sound.Ends{Down: max(lo, l.Down), Up: max(lo, l.Up)}, sound.Ends{Down: min(hi, u.Down), Up: min(hi, u.Up)}
		if b.Mean != nil {
			m, s := b.norm(i)
			l, u = l.Less(m).Over(s), u.Less(m).Over(s)
		}
		outer.Lower[i], outer.Upper[i] = l.Down, u.Up
		inner.Lower[i], inner.Upper[i] = l.Up, u.Down
	}
	return outer, inner
}

// check tells what of a ball has no meaning.
func (b Ball) check() error {
	if !(b.Eps >= 0) || math.IsInf(b.Eps, 0) {
		return fmt.Errorf("%w: a ball of radius %v", ErrInput, b.Eps)
	}
	if b.Mean == nil {
		return nil
	}
	if len(b.Mean) != len(b.Std) {
		return fmt.Errorf("%w: a ball with %d means and %d deviations", ErrInput, len(b.Mean), len(b.Std))
	}
	for i := range b.Center {
		if m, s := b.norm(i); math.IsNaN(m) || !(s > 0) || math.IsInf(s, 0) {
			return fmt.Errorf("%w: element %d of the ball's centre has no mean and deviation: Channel names one of %d for each element",
				ErrInput, i, len(b.Mean))
		}
	}
	return nil
}

// norm is the mean and the deviation of an element's channel, NaN where it has none: then nothing is proven of it.
func (b Ball) norm(i int) (mean, std float64) {
	if i >= len(b.Channel) || b.Channel[i] < 0 || b.Channel[i] >= len(b.Mean) || b.Channel[i] >= len(b.Std) {
		return math.NaN(), math.NaN()
	}
	return b.Mean[b.Channel[i]], b.Std[b.Channel[i]]
}

// Robust is the property that every point of the ball is classified as label: no other output is as large.
// Each other class is one case, with the constraint y[label] - y[other] <= 0.
//
// classes is the number of the model's outputs, at least 2, and label one of them: a property of one class, which has no opposing case, would hold
// of every model. Asking a verifier about anything else is an error (ErrInput).
func Robust(ball Ball, label, classes int) Property {
	var p Property
	if classes < 2 || label < 0 || label >= classes {
		p.Cases = []Case{{fault: fmt.Errorf("%w: robustness of class %d of %d: there is no other class to tell it from", ErrInput, label, classes)}}
		return p
	}
	if err := ball.check(); err != nil {
		p.Cases = []Case{{fault: err}}
		return p
	}
	outer, inner := ball.Boxes()
	one, minus, zero := big.NewRat(1, 1), big.NewRat(-1, 1), new(big.Rat)
	for k := range classes {
		if k == label {
			continue
		}
		p.Cases = append(p.Cases, Case{Box: outer, Inner: &inner, Constraints: []Constraint{{
			Index: []int{label, k}, Coef: []*big.Rat{one, minus}, Bound: zero,
		}}})
	}
	return p
}

// OneSided is the property that one score stays on its side of a threshold all over the ball: above it for label 1, and not above it for label 0.
// Its one case is the score on the other side: y <= at for label 1, y > at for label 0. It is a property of models of one output; any other label
// is an error (ErrInput) where it is asked.
func OneSided(ball Ball, label int, at *big.Rat) Property {
	if label != 0 && label != 1 || at == nil {
		return Property{Cases: []Case{{fault: fmt.Errorf("%w: side %d of a threshold, which has 0 and 1", ErrInput, label)}}}
	}
	if err := ball.check(); err != nil {
		return Property{Cases: []Case{{fault: err}}}
	}
	outer, inner := ball.Boxes()
	q := Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: at}
	if label == 0 {
		q = Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(-1, 1)}, Bound: new(big.Rat).Neg(at), Strict: true}
	}
	return Property{Cases: []Case{{Box: outer, Inner: &inner, Constraints: []Constraint{q}}}}
}
