package verify

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
)

// Radius finds for one point the largest eps for which property(eps) is proven. property must be monotone: a larger eps has
// larger boxes. The answer is always a proven value (0 if nothing is); upper is the smallest eps known to be falsified (+Inf if none).
//
// The search brackets the radius between a proven and an unproven eps and cuts the bracket at several places at once, one per core. A
// proof at a larger eps than an unproven one counts: bounds need not be monotone.
func (v *Verifier) Radius(ctx context.Context, property func(eps float64) Property, o RadiusOptions) (radius, upper float64, err error) {
	if !(o.Max > 0) || math.IsInf(o.Max, 0) {
		return 0, 0, fmt.Errorf("%w: largest radius %v", ErrInput, o.Max)
	}
	tol := o.Tol
	if tol <= 0 {
		tol = o.Max / 1000
	}
	workers := v.o.Threads
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	lo, hi := 0.0, o.Max
	upper = math.Inf(1)
	try := func(points []float64) error {
		verdicts := make([]Result, len(points))
		errs := make([]error, len(points))
		one := v.o
		one.Threads = 1
		if len(points) == 1 {
			one.Threads = v.o.Threads
		}
		var wg sync.WaitGroup
		for i, eps := range points {
			wg.Add(1)
			go func() {
				defer wg.Done()
				verdicts[i], errs[i] = v.verify(ctx, one, property(eps))
			}()
		}
		wg.Wait()
		for i, eps := range points {
			if errs[i] != nil {
				return errs[i]
			}
			switch verdicts[i].Verdict {
			case Verified:
				lo = max(lo, eps)
			case Falsified:
				upper = min(upper, eps)
			}
			if verdicts[i].Timeout {
				return ctx.Err()
			}
		}
		for i, eps := range points {
			if verdicts[i].Verdict != Verified && eps > lo {
				hi = min(hi, eps)
			}
		}
		return nil
	}
	if err := try([]float64{o.Max}); err != nil {
		return lo, upper, err
	}
	for lo < o.Max && hi-lo > tol && ctx.Err() == nil {
		points := make([]float64, workers)
		for i := range points {
			points[i] = lo + (hi-lo)*float64(i+1)/float64(workers+1)
		}
		before := hi - lo
		if err := try(points); err != nil {
			return lo, upper, err
		}
		if !(hi-lo < before) {
			break
		}
	}
	return lo, upper, ctx.Err()
}
