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
	for i, g := range groups {
		r := g.result
		switch r.Verdict {
		case Falsified:
			return r
		case Verified:
		default: // also where nobody has said anything
			r.Verdict = Unknown
			open++
		}
		timeout = timeout || r.Timeout
		if i == 0 || decides(r, res) {
			res = Result{Verdict: r.Verdict, Margin: r.Margin, Method: r.Method, Reason: r.Reason, Timeout: r.Timeout}
		}
	}
	if timeout {
		res.Timeout = true
		if len(groups) > 1 { // of some nothing was seen
			res.Margin, res.Method = math.NaN(), o.Method
		}
	}
	if open > 0 && len(groups) > 1 {
		res.Reason = fmt.Sprintf("%d of %d input boxes stay open; %s", open, len(groups), res.Reason)
	}
	return res
}

// decides tells whether one box's result is the property's rather than another's: an open one before a proven one, then that of the least margin, and
// of no margin before any. The margin, the method and the reason are always those of one box.
func decides(a, b Result) bool {
	if a.Verdict != b.Verdict {
		return a.Verdict == Unknown
	}
	return math.IsNaN(a.Margin) && !math.IsNaN(b.Margin) || a.Margin < b.Margin
}
