package falsify

import (
	"context"
	"math"

	"github.com/shallow-waters/shoal/verify"
)

// UpperRadius is the smallest eps, above a proven one and at most `most`, at which the attack breaks the property; known is the smallest
// that is falsified already, infinite where there is none. scale turns the distance of inputs into eps. The bracket is halved at most
// `steps` times, or until it is tol wide. A point counts as far as it lies from the centre, once the verifier has replayed it in that ball.
func UpperRadius(ctx context.Context, v *verify.Verifier, f verify.Falsifier, property func(eps float64) verify.Property, centre []float32, scale []float64, proven, known, most, tol float64, steps int) (float64, error) {
	lo, hi := proven, min(known, most)
	best := known
	for step := range steps {
		eps := (lo + hi) / 2
		if step == 0 && best > most {
			eps = most
		}
		r, err := v.Falsify(ctx, property(eps), f)
		if err != nil || r.Timeout {
			return best, err
		}
		if r.Verdict != verify.Falsified {
			if lo = eps; step == 0 && best > most { // nothing even in the largest ball
				return best, nil
			}
		} else {
			near := eps
			d := 0.0
			for k, x := range r.Counterexample.Inputs {
				d = max(d, math.Abs(float64(x)-float64(centre[k]))*scale[k])
			}
			// The next float64s cover what the subtraction rounds; the replay decides.
			if d = math.Nextafter(d*(1+0x1p-40), math.Inf(1)); d < near {
				x := make([]float64, len(r.Counterexample.Inputs))
				for k, f := range r.Counterexample.Inputs {
					x[k] = float64(f)
				}
				c, err := v.Replay(ctx, property(d), x)
				if err != nil {
					return best, err
				}
				if c != nil {
					near = d
				}
			}
			best, hi = near, near
		}
		if hi-lo <= tol || ctx.Err() != nil {
			break
		}
	}
	return best, nil
}
