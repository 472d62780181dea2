package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// radiusBatch is how many radii are tried together: their rows share one matrix, and the bracket shrinks to what is between two of them.
const radiusBatch = 3

// Radius finds for one point the largest eps for which property(eps) is proven. property must be monotone: a larger eps has
// larger boxes. The answer is always a proven value (0 if nothing is); upper is the smallest eps known to be falsified (+Inf if none).
// It is the largest eps that was proven on the way by whatever method, and, but for FastLinPlain, no less than what the interval domain alone
// answers. Auto and Complete go on by complete proofs where bounds end: where these end in their time, no more than Tol lies between the two.
//
// The search brackets the radius between a proven and an unproven eps. It begins with small ones, since bounds of large boxes take
// longest: many more neurons are unstable there. Each round tries a few of them in one batch, around the place
// where the line through the margins at both ends crosses 0 (regula falsi), or evenly spread where that did not halve the bracket. A
// proof at a larger eps than an unproven one counts: bounds need not be monotone.
func (v *Verifier) Radius(ctx context.Context, property func(eps float64) Property, o RadiusOptions) (radius, upper float64, err error) {
	if !(o.Max > 0) || math.IsInf(o.Max, 0) {
		return 0, 0, fmt.Errorf("%w: largest radius %v", ErrInput, o.Max)
	}
	if property == nil {
		return 0, 0, fmt.Errorf("%w: there is no property", ErrInput)
	}
	r := &bracket{hi: o.Max, tol: o.Tol, upper: math.Inf(1), low: math.NaN(), high: math.NaN()}
	if r.tol <= 0 {
		r.tol = o.Max / 1000
	}
	proven, broken := 0.0, math.Inf(1) // by the interval domain
	if v.o.Method != Interval && v.o.Method != FastLinPlain && !v.o.Plain {
		if proven, broken, err = v.atOnce(ctx, o.Max, r.tol, property); err != nil {
			return proven, broken, err
		}
	}
	r.lo, r.upper = proven, broken
	quick := v.o
	quick.Within = -1
	if quick.Method == Complete {
		quick.Method = Auto
	}
	radius, upper, err = v.search(ctx, quick, r, o.Max, property)
	if err != nil || !v.o.searches() || v.o.Plain || !(radius < min(upper, o.Max)) {
		return radius, upper, err
	}
	if o.Break != nil {
		broken, err := o.Break(ctx, radius, upper)
		if upper = min(upper, broken); err != nil {
			return radius, upper, err
		}
	}
	return v.narrow(ctx, radius, upper, o.Max, r.tol, property)
}

// narrow halves what bounds and attacks left between the proven and the falsified radius by complete proofs, one after the other: each has a share of
// the time that is left, auto's is Options.Within for all together. What stays open in its share counts as not proven.
func (v *Verifier) narrow(ctx context.Context, radius, upper, most, tol float64, property func(eps float64) Property) (float64, float64, error) {
	end, limited := ctx.Deadline()
	if !limited && v.o.Method == Auto {
		end, limited = time.Now().Add(v.o.within()), true
	}
	o := v.o
	o.Method = Complete
	for hi := min(upper, most); hi-radius > tol && ctx.Err() == nil; {
		own, cancel := ctx, context.CancelFunc(func() {})
		if limited {
			left := time.Until(end)
			if left <= 0 {
				break
			}
			own, cancel = context.WithTimeout(ctx, left/time.Duration(math.Ceil(math.Log2((hi-radius)/tol))+1))
		}
		eps := radius + (hi-radius)/2
		if hi == most && upper > most { // nothing speaks against the largest yet
			eps = most
		}
		rs, err := v.verify(own, o, []Property{property(eps)})
		cancel()
		if err != nil {
			return radius, upper, err
		}
		switch r := rs[0]; {
		case r.Verdict == Verified:
			radius = eps
		case r.Refutes(v.o.Semantics):
			hi, upper = eps, eps
		case eps < hi:
			hi = eps
		default:
			hi = math.Nextafter(most, 0)
		}
	}
	return radius, upper, ctx.Err()
}

// atOnce is the radius that intervals prove, which takes a few passes forward. Every search begins with it: one that is cut off is owed what is known
// by then, and one that is not must answer no less than the cheapest domain does, not even by the width of a bracket. The domains other than plain
// ones are intersected with intervals.
func (v *Verifier) atOnce(ctx context.Context, most, tol float64, property func(eps float64) Property) (radius, upper float64, err error) {
	o := v.o
	o.Method, o.Falsifier = Interval, nil
	r := &bracket{hi: most, tol: tol, upper: math.Inf(1), low: math.NaN(), high: math.NaN()}
	return v.search(ctx, o, r, most, property)
}

// search narrows a bracket until it is tol wide or the context ends; what is proven until then is returned beside the context's error.
func (v *Verifier) search(ctx context.Context, o Options, r *bracket, most float64, property func(eps float64) Property) (radius,
	upper float64, err error) {
	above := func(points ...float64) []float64 {
		return slices.DeleteFunc(points, func(e float64) bool { return e <= r.lo })
	}
	points := above(most/27, most/9, most/3)
	for even, first := true, true; ; first = false {
		if err := v.tryRadii(ctx, o, r, points, property); err != nil {
			return r.lo, r.upper, err
		}
		if first && r.hi == most && r.lo >= most/3 && ctx.Err() == nil { // nothing failed so far
			if err := v.tryRadii(ctx, o, r, above(0.6*most, most), property); err != nil {
				return r.lo, r.upper, err
			}
		}
		if r.lo >= most || r.hi-r.lo <= r.tol || ctx.Err() != nil {
			return r.lo, r.upper, ctx.Err()
		}
		before := r.hi - r.lo
		points = r.next(even)
		if len(points) == 0 {
			return r.lo, r.upper, nil
		}
		even = before > 0.5*r.width && r.width > 0
		r.width = before
	}
}

// bracket is what is known of a radius.
type bracket struct {
	lo, hi    float64 // proven; not proven
	low, high float64 // their margins, NaN where not known
	upper     float64 // falsified
	tol       float64
	width     float64 // of the round before
}

// next chooses the radii of a round, ascending and inside the bracket.
func (r *bracket) next(even bool) []float64 {
	w := r.hi - r.lo
	var points []float64
	root := r.lo + w*r.low/(r.low-r.high)
	if even || !(r.low > 0) || !(r.high < 0) || !(root > r.lo && root < r.hi) {
		for i := range radiusBatch {
			points = append(points, r.lo+w*float64(i+1)/(radiusBatch+1))
		}
	} else {
		near := max(0.45*r.tol, 0.04*w)
		for i := range radiusBatch {
			points = append(points, root+near*float64(i-radiusBatch/2))
		}
	}
	return slices.DeleteFunc(points, func(e float64) bool { return !(e > r.lo && e < r.hi) })
}

func (v *Verifier) tryRadii(ctx context.Context, o Options, r *bracket, points []float64, property func(eps float64) Property) error {
	ps := make([]Property, len(points))
	for i, eps := range points {
		ps[i] = property(eps)
	}
	results, err := v.verify(ctx, o, ps)
	if err != nil {
		return err
	}
	cut := false
	for i, eps := range points { // what is settled counts, whether or not the time ran out for the others
		switch res := results[i]; {
		case res.Timeout:
			cut = true
		case res.Verdict == Verified:
			if eps > r.lo {
				r.lo, r.low = eps, res.Margin
			}
		case res.Refutes(v.o.Semantics):
			r.upper = min(r.upper, eps)
		}
	}
	if cut {
		return ctx.Err()
	}
	for i, eps := range points {
		if results[i].Verdict != Verified && eps > r.lo && eps <= r.hi {
			r.hi, r.high = eps, results[i].Margin
			break // the points ascend
		}
	}
	return nil
}
