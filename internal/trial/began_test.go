package trial

import (
	"context"
	"testing"
	"time"
)

// TestSetUpTakesOfTheFirstQuestionsTime asks how long the first question and the ones behind it have.
func TestSetUpTakesOfTheFirstQuestionsTime(t *testing.T) {
	for _, c := range []struct{ timeout, gone time.Duration }{
		{10 * time.Second, 0},
		{10 * time.Second, 7 * time.Second},
		{10 * time.Second, time.Minute},
		{100 * time.Millisecond, time.Minute},
	} {
		began := time.Now().Add(-c.gone)
		p := Proofs{Timeout: c.timeout, Began: began}
		for k := range 2 {
			before := time.Now()
			ctx, cancel := p.within(context.Background())
			after := time.Now() // other work may run in between
			end, ok := ctx.Deadline()
			cancel()
			from, to := before.Add(c.timeout), after.Add(c.timeout)
			if least := min(c.timeout, leastAsked); k == 0 {
				from, to = later(began.Add(c.timeout), before.Add(least)), later(began.Add(c.timeout+after.Sub(before)), after.Add(least))
			}
			if !ok || end.Before(from) || end.After(to) {
				t.Errorf("%v after %v: question %d has %v to %v, want %v to %v", c.timeout, c.gone, k, ok, end, from, to)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
