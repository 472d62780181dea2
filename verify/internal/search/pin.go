package search

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

const (
	// firstBoxes and firstLeaves are how many parts are bounded before a point is asked about, by halving and over sides; each time that follows comes
	// after twice as many, so that all of them together cost next to nothing.
	firstBoxes, firstLeaves = 512, 64
	// grace is how long a search without hope of a proof goes on for a counterexample, at least: as long again as it took to see that, where that is
	// more.
	grace = time.Second
)

// pins tells when a point is to be asked about, and how long a search goes on without hope of a proof.
type pins struct {
	mu    sync.Mutex
	start time.Time
	next  int
	until time.Time // zero where there is hope
}

// begin tells after how many parts the first point is asked about.
func (p *pins) begin(first int) { p.start, p.next = time.Now(), first }

// due tells whether it is time to ask, after so many parts, or to end.
func (p *pins) due(done int) (ask, end bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.until.IsZero() {
		return false, time.Now().After(p.until)
	}
	if done < p.next {
		return false, false
	}
	p.next = 2 * done
	return true, false
}

// lost notes that there is no hope of a proof.
func (p *pins) lost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.until = now.Add(max(grace, now.Sub(p.start)))
}

// pinned tells whether a search is to end because splitting gains nothing. Once in a while it asks whether bounds of the box that is one point x
// disprove some cases. A bound over any part that holds the point lies below what the network gives there, and bounds of the point itself lie below
// that by no more than rounding; so where these do not disprove a case, no part around the point will, however small, and there is no proof. An
// example is y - z where y and z are one value that different nodes round. It is asked of points that Try did not take: counterexamples end the
// search as such, and may still be found elsewhere, for which there is some time.
func (c *common) pinned(net *bound.Network, d bound.Domain, o bound.Options, x []float64, cases []int) (bool, error) {
	c.mu.Lock()
	done := c.done
	c.mu.Unlock()
	ask, end := c.pins.due(done)
	if ask {
		open, err := c.openAt(net, d, o, x, cases)
		if err != nil {
			return false, c.mild(err)
		}
		if open {
			c.pins.lost()
		}
	}
	if end {
		c.mu.Lock()
		c.why, c.over = "at a point of it bounds decide nothing, and no part around it is small enough: the property's border is within rounding there", true
		c.mu.Unlock()
	}
	return end, nil
}

// openAt tells whether bounds of one point leave some of the cases open, of those that are one constraint: several may have a sum that rounding
// leaves alone. Memory that is not there is no answer.
func (c *common) openAt(net *bound.Network, d bound.Domain, o bound.Options, x []float64, cases []int) (bool, error) {
	cases = slices.DeleteFunc(slices.Clone(cases), func(k int) bool { return len(c.g.Cases[k].Rows) != 1 })
	if len(cases) == 0 {
		return false, nil
	}
	var full *budget.Error
	o.Threads = 1
	b, err := d.Bound(c.ctx, net, o, []bound.Problem{{Box: bound.Box{Lower: x, Upper: x}}})
	if errors.As(err, &full) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer b.Close()
	var rows [][]float64
	for _, k := range cases {
		rows = append(rows, c.g.Cases[k].Rows...)
	}
	var t bound.Trace
	low, err := b.Lower(rows, make([]int32, len(rows)), &t)
	if errors.As(err, &full) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at := 0
	return len(c.view(b, 0, cases, low, &t, &at).open) > 0, nil
}
