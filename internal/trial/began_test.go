package trial

import (
	"context"
	"testing"
	"time"
)

// TestSetUpTakesOfTheFirstQuestionsTime asks how long the first question and the ones behind it have.
func TestSetUpTakesOfTheFirstQuestionsTime(t *testing.T) {
	for _, c := range []struct{ timeout, gone, want time.Duration }{
		{10 * time.Second, 0, 10 * time.Second},
		{10 * time.Second, 7 * time.Second, 3 * time.Second},
		{10 * time.Second, time.Minute, leastAsked},
		{100 * time.Millisecond, time.Minute, 100 * time.Millisecond},
	} {
		p := Proofs{Timeout: c.timeout, Began: time.Now().Add(-c.gone)}
		for _, want := range []time.Duration{c.want, c.timeout} {
			asked := time.Now()
			ctx, cancel := p.within(context.Background())
			end, ok := ctx.Deadline()
			cancel()
			if got := end.Sub(asked); !ok || got < want-50*time.Millisecond || got > want+2*time.Second { // other work may run in between
				t.Errorf("%v after %v: %v, want %v", c.timeout, c.gone, got, want)
			}
		}
	}
}
