package search

import (
	"math"
	"testing"
)

// TestWhatBeginsAnewIsNoProof: where a level ended with parts of which nothing is open but that are stuck, all begins anew on the next one; a search
// that ends before that has put its parts into the frontier has proven nothing. Nor has one that ends before its first level has.
func TestWhatBeginsAnewIsNoProof(t *testing.T) {
	for _, stuck := range []int{0, 1, 3} {
		r := &sides{common: common{g: Goal{Cases: make([]Case, 2)}, least: math.Inf(1)}, front: newFrontier[*leaf](10), open: []int{0, 1}}
		ended := func() Outcome { return outcome(&r.common, r.front, len(r.open)) }
		if out := ended(); out.Proven || out.Open == 0 {
			t.Errorf("a search without a level: %+v", out)
		}
		r.front.begin([]*leaf{{c: 0}, {c: 1}})
		r.front.take(1)
		r.front.give(nil)
		r.front.take(1)
		r.front.give(nil)
		for range stuck {
			r.stick("")
		}
		if out := ended(); out.Proven != (stuck == 0) {
			t.Errorf("%d parts are stuck: %+v", stuck, out)
		}
		r.reopen()
		if out := ended(); out.Proven != (stuck == 0) || out.Proven != (out.Open == 0) {
			t.Errorf("%d parts were stuck, and what is open begins anew: %+v", stuck, out)
		}
	}
}
