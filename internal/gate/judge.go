package gate

import (
	"math"

	"github.com/shallow-waters/shoal/internal/report"
)

const (
	passed = report.Pass
	failed = report.Fail
	open   = report.Inconclusive
)

// limit is what a figure over samples must come to.
type limit struct {
	least bool // else at most
	value float64
	// change makes it about what is gained beside another model, relative about the gain as a part of what that had.
	change, relative bool
}

// test is a limit with the samples that it is about: those of a group where each is asked apart.
type test struct {
	limit
	group   string
	grouped bool

	outcome report.Outcome
	got     measure // at the look that decided, or the last
}

// judged is what came of answers.
type judged struct {
	outcome report.Outcome
	used    int // answers, from the first one, that the outcome is made of
	tests   []test
}

// sum is the figure that a test is about, of some answers.
func (t *test) sum(answers []answer) (*sum, bool) {
	s := &sum{weights: []float64{1}, counts: make([]int, 1)}
	if t.change {
		r := 0.0
		if t.relative {
			r = t.value
		}
		// by both models, by the new one alone, by the old one alone: new - (1+r)·old is at least 0 where the relative change is at least r
		s.weights, s.counts = []float64{-r, 1, -(1 + r)}, make([]int, 3)
	}
	for i := range answers {
		a := &answers[i]
		if t.grouped && a.Group != t.group {
			continue
		}
		s.n++
		switch {
		case !t.change:
			if a.Holds {
				s.counts[0]++
			}
		case a.Holds && a.before():
			s.counts[0]++
		case a.Holds:
			s.counts[1]++
		case a.before():
			s.counts[2]++
		}
	}
	return s, s.n > 0
}

// bar is what the sum is compared with.
func (l *limit) bar() float64 {
	if l.relative {
		return 0
	}
	return l.value
}

// look decides a test from answers, at an error; false where it stays open.
func (t *test) look(answers []answer, alpha float64) (report.Outcome, measure) {
	s, some := t.sum(answers)
	if !some {
		return open, unmeasured
	}
	m := measure{n: s.n}
	m.value = s.value()
	m.low, m.high = m.value, m.value
	if alpha > 0 {
		m.low, m.high = s.bounds(alpha)
	}
	bar := t.bar()
	pass, fail := m.low >= bar, m.high < bar
	if !t.least {
		pass, fail = m.high <= bar, m.low > bar
	}
	if t.relative {
		m = m.ratio(s, t.value)
	}
	switch {
	case pass:
		return passed, m
	case fail:
		return failed, m
	}
	return open, m
}

// measure is a figure over n samples with its bounds.
type measure struct {
	value, low, high float64
	n                int
}

// ratio turns new - (1+r)·old into what people know: the change as a part of the old figure. Its bounds are those of the difference, over the
// old figure of these samples; the decision is made before, without that division.
func (m measure) ratio(s *sum, r float64) measure {
	old := float64(s.counts[0]+s.counts[2]) / float64(s.n)
	m.value, m.low, m.high = m.value/old+r, m.low/old+r, m.high/old+r
	return m
}

// judge is the outcome of the first answers of `of`, in their order, held to limits. alpha is the error, 0 where the samples are all that there is.
// Groups are each held to the limits too, and share an error of their own: so the chance that any of them is failed wrongly stays below it.
// decided tells that no later answer changes the outcome.
func judge(answers []answer, of int, groups []string, limits []limit, alpha float64) (out judged, decided bool) {
	tests := testsOf(groups, limits)
	at := looks(of)
	if alpha == 0 {
		at = at[len(at)-1:]
	}
	used := 0
	for k, n := range at {
		if n > len(answers) {
			break
		}
		used = n
		undecided, lost := 0, false
		for i := range tests {
			t := &tests[i]
			if t.outcome == open {
				a := errorAt(alpha, k, len(at))
				if t.grouped {
					a /= float64(len(groups))
				}
				t.outcome, t.got = t.look(answers[:n], a)
			}
			undecided, lost = undecided+count(t.outcome == open), lost || t.outcome == failed
		}
		out = judged{passed, n, tests}
		switch {
		case lost:
			out.outcome = failed
		case undecided > 0:
			out.outcome = open
		}
		if out.outcome != open || k == len(at)-1 {
			return out, true
		}
	}
	return judged{open, used, tests}, false
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// testsOf are all that is asked: each limit of all samples, and of each group.
func testsOf(groups []string, limits []limit) (out []test) {
	for _, l := range limits {
		out = append(out, test{limit: l, outcome: open, got: unmeasured})
	}
	for _, g := range groups {
		for _, l := range limits {
			out = append(out, test{limit: l, outcome: open, group: g, grouped: true, got: unmeasured})
		}
	}
	return out
}

var unmeasured = measure{value: math.NaN(), low: math.NaN(), high: math.NaN()}
