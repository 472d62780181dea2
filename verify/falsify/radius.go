package falsify

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify"
)

// Radii is where UpperRadius searches. Distances are in the units of Property's eps.
type Radii struct {
	// Property is the question for each eps: balls of that size around Centre, each of which holds the smaller ones.
	Property func(eps float64) verify.Property
	Centre   []float32 // of the balls, in the model's inputs
	Scale    []float64 // for each input, what turns its distance from Centre into eps: std where pixels are normalised outside of the model
	Proven   float64   // an eps for which the property is proven: nothing smaller is tried
	Known    float64   // the smallest eps that is falsified already; +Inf where there is none
	Most     float64   // the largest eps that is asked about
	Tol      float64   // how narrow the bracket has to get
	Steps    int       // how often it is halved at most
}

// UpperRadius is the smallest eps, above the proven one and at most Most, at which the attack breaks the property, or Known where it breaks it
// nowhere below. A point counts as far as it lies from the centre, once the verifier has replayed it in that ball. When the context ends it returns
// what is known by then.
func UpperRadius(ctx context.Context, v *verify.Verifier, f verify.Falsifier, o Radii) (float64, error) {
	if v == nil || o.Property == nil {
		return o.Known, fmt.Errorf("%w: a verifier and a property for each eps are needed", verify.ErrInput)
	}
	lo, hi := o.Proven, min(o.Known, o.Most)
	best := o.Known
	for step := range o.Steps {
		eps := (lo + hi) / 2
		if step == 0 && best > o.Most {
			eps = o.Most
		}
		r, err := v.Falsify(ctx, o.Property(eps), f)
		if err != nil || r.Timeout {
			return best, err
		}
		if r.Verdict != verify.Falsified {
			if lo = eps; step == 0 && best > o.Most { // nothing even in the largest ball
				return best, nil
			}
		} else {
			near := eps
			d := 0.0
			if n := len(r.Counterexample.Inputs); len(o.Centre) < n || len(o.Scale) < n {
				return best, fmt.Errorf("%w: %d numbers of a centre and %d scales for %d inputs", verify.ErrInput, len(o.Centre), len(o.Scale), n)
			}
			for k, x := range r.Counterexample.Inputs {
				d = max(d, math.Abs(float64(x)-float64(o.Centre[k]))*o.Scale[k])
			}
			// The next float64s cover what the subtraction rounds; the replay decides.
			if d = sound.Up(d * (1 + 0x1p-40)); d < near {
				x := make([]float64, len(r.Counterexample.Inputs))
				for k, f := range r.Counterexample.Inputs {
					x[k] = float64(f)
				}
				c, err := v.Replay(ctx, o.Property(d), x)
				if err != nil {
					return best, err
				}
				if c != nil {
					near = d
				}
			}
			best, hi = near, near
		}
		if hi-lo <= o.Tol || ctx.Err() != nil {
			break
		}
	}
	return best, nil
}
