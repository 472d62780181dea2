package verify

import (
	"fmt"
	"math"
)

// join is the verdict over all boxes of a property.
func join(groups []*group, o Options) Result {
	res := Result{Verdict: Verified, Margin: math.Inf(1), Method: o.Method, Reason: "no input meets the property's conditions"}
	if len(groups) == 0 {
		res.Margin = math.NaN()
		return res
	}
	open, timeout := 0, false
	for _, g := range groups {
		r := g.result
		switch r.Verdict {
		case Falsified:
			return r
		case Verified:
		default: // also where nobody has said anything
			r.Verdict = Unknown
		}
		timeout = timeout || r.Timeout
		if r.Verdict == Unknown {
			open++
		}
		if r.Margin <= res.Margin || res.Verdict == Verified && r.Verdict == Unknown {
			margin := min(res.Margin, r.Margin)
			verdict := res.Verdict
			if r.Verdict == Unknown {
				verdict = Unknown
			}
			reason := r.Reason
			if verdict == Unknown && r.Verdict != Unknown {
				reason = res.Reason
			}
			res = Result{Verdict: verdict, Margin: margin, Method: r.Method, Reason: reason}
		}
	}
	if timeout {
		return Result{Verdict: Unknown, Reason: "the time ran out", Margin: math.NaN(), Method: o.Method, Timeout: true}
	}
	if open > 0 && len(groups) > 1 {
		res.Reason = fmt.Sprintf("%d of %d input boxes stay open; %s", open, len(groups), res.Reason)
	}
	return res
}
