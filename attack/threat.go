package attack

import (
	"errors"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// Norm measures a perturbation.
type Norm string

// The norms.
const (
	Linf Norm = "linf"
	L2   Norm = "l2"
	L1   Norm = "l1"
)

// Threat is what an attacker may do: move a sample by at most Eps in a norm, in pixel units, inside the range of valid pixels.
type Threat struct {
	Norm Norm // "" means Linf
	Eps  float64
}

// Validate reports all faults.
func (t Threat) Validate() error {
	var errs []error
	if t.Norm != Linf && t.Norm != L2 && t.Norm != L1 {
		errs = append(errs, fmt.Errorf("norm %q is none of linf, l2, l1", t.Norm))
	}
	if !(t.Eps >= 0) || math.IsInf(t.Eps, 0) {
		errs = append(errs, fmt.Errorf("eps %v", t.Eps))
	}
	return errors.Join(errs...)
}

// Samples are what is attacked, in the model's units and layout: flat, Size numbers for each.
type Samples struct {
	Size   int
	X      []float32
	Labels []int
	// Index numbers the samples for the seed; nil means 0, 1, 2, ...
	Index []int
	// Lower and Upper are the valid inputs, one number for each element of one sample. Nil means [0,1].
	Lower, Upper []float32
	// Scale is how far the model's input moves for a pixel's change of 1, for each element of one sample: 1/std where pixels are normalised
	// outside the model. Nil means 1.
	Scale []float32
	// Ball, where set, gives the valid inputs of sample i within eps in linf, for callers that know their ends better than the float32
	// samples do: normalised pixels. Nil means x ± eps*scale, rounded inward.
	Ball func(i int, eps float64) (lower, upper []float32)
	// Image is the samples' geometry, for attacks that use it.
	Image Image
}

// Image is the form of a sample: channels, rows and columns; Last where channels are the innermost axis. The zero Image takes a sample as
// one row.
type Image struct {
	Channels, Height, Width int
	Last                    bool
}

// at is the element of channel c at row y and column x.
func (m Image) at(c, y, x int) int {
	if m.Last {
		return (y*m.Width+x)*m.Channels + c
	}
	return (c*m.Height+y)*m.Width + x
}

// Len is the number of samples.
func (s *Samples) Len() int { return len(s.Labels) }

// Validate reports all faults.
func (s *Samples) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Size < 1 || s.Size > 1<<31 || len(s.X) != s.Size*len(s.Labels) {
		bad("%d numbers for %d samples of %d", len(s.X), len(s.Labels), s.Size)
	}
	for _, v := range [][]float32{s.Lower, s.Upper, s.Scale} {
		if v != nil && len(v) != s.Size {
			bad("%d limits or scales for samples of %d numbers", len(v), s.Size)
		}
	}
	if s.Index != nil && len(s.Index) != len(s.Labels) {
		bad("%d indices for %d samples", len(s.Index), len(s.Labels))
	}
	for _, v := range s.Scale {
		if !(v > 0) {
			bad("scale %v", v)
			break
		}
	}
	if m := s.Image; m != (Image{}) && m.Channels*m.Height*m.Width != s.Size {
		bad("images of %dx%dx%d for samples of %d numbers", m.Channels, m.Height, m.Width, s.Size)
	}
	return errors.Join(errs...)
}

// box is where a sample's inputs may lie: the valid pixels, and for linf the ball as well. Every float32 in it is inside the ball.
//
// The ball is taken around the float32 sample x with the float64 radius eps*scale; its ends are rounded inward.
func (s *Samples) box(i int, t Threat) (lower, upper []float32) {
	if s.Ball != nil && t.Norm == Linf {
		return s.Ball(i, t.Eps)
	}
	lower, upper = make([]float32, s.Size), make([]float32, s.Size)
	x := s.X[i*s.Size : (i+1)*s.Size]
	for k, v := range x {
		lo, hi := float32(0), float32(1)
		if s.Lower != nil {
			lo = s.Lower[k]
		}
		if s.Upper != nil {
			hi = s.Upper[k]
		}
		if t.Norm == Linf {
			r := t.Eps * float64(s.scale(k))
			lo, hi = max(lo, sound.Float32AboveSum(float64(v), -r)), min(hi, -sound.Float32AboveSum(-float64(v), -r))
		}
		lower[k], upper[k] = min(lo, v), max(hi, v) // a sample outside the range stays where it is
	}
	return lower, upper
}

func (s *Samples) scale(k int) float32 {
	if s.Scale == nil {
		return 1
	}
	return s.Scale[k]
}
