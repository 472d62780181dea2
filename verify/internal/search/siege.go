package search

import (
	"math"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

const (
	// attackAfter is how long boxes are halved before an attack is tried again: what is proven in a moment needs none.
	attackAfter = 100 * time.Millisecond
	// attackFirst is how long the first one looks, attackFor each that follows, and attackShare what they all may take of the time.
	attackFirst, attackFor, attackShare = 100 * time.Millisecond, 50 * time.Millisecond, 0.1
)

// siege has attacks take turns with the halving: the first one looks at the whole box, those that follow at the part whose corner was the nearest to
// a counterexample, once, or else at the one with the worst bound.
type siege struct {
	mu    sync.Mutex
	start time.Time
	spent time.Duration
	count int
	least float64 // by how much the nearest point misses
	near  *part   // where that was; nil once it was looked at
}

// saw notes by how much a point of a part misses a counterexample.
func (s *siege) saw(p *part, miss float64) {
	s.mu.Lock()
	if miss < s.least {
		s.least, s.near = miss, p
	}
	s.mu.Unlock()
}

// nearest is the part to look at, if there is a new one.
func (s *siege) nearest() *part {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.near
	s.near = nil
	return p
}

// missed is by how much outputs miss the nearest open case, in its worst constraint; infinite where they are not known.
func (r *run) missed(v *view, y []float64) float64 {
	least := math.Inf(1)
	if y == nil {
		return least
	}
	for _, k := range v.open {
		c := &r.g.Cases[k]
		worst := math.Inf(-1)
		for j, row := range c.Rows {
			sum := -c.Bound[j]
			for i, a := range row {
				if a != 0 {
					sum += a * y[i]
				}
			}
			worst = max(worst, sum)
		}
		least = min(least, worst)
	}
	return least
}

func (s *siege) begin() { s.start = time.Now() }

// due tells whether an attack is to begin, and how many came before it.
func (s *siege) due() (count int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := time.Since(s.start)
	if all < attackAfter || float64(s.spent) > attackShare*float64(all) {
		return 0, false
	}
	s.spent += attackFor // until it is known how long it took
	s.count++
	return s.count - 1, true
}

// took corrects what an attack was thought to take.
func (s *siege) took(d time.Duration) {
	s.mu.Lock()
	s.spent += d - attackFor
	s.mu.Unlock()
}

// attack looks for a counterexample if it is time to, in the whole box or in a part of it.
func (r *run) attack(p *part) (bool, error) {
	if r.g.Attack == nil {
		return false, nil
	}
	count, ok := r.siege.due()
	if !ok {
		return false, nil
	}
	box, d := p.box, attackFor
	if count == 0 {
		box, d = r.g.Box, attackFirst
	} else if near := r.siege.nearest(); near != nil {
		box = near.box
	}
	start := time.Now()
	points, err := r.g.Attack(r.ctx, bound.Box{Lower: box.Lower, Upper: box.Upper}, d)
	r.siege.took(time.Since(start))
	if err != nil {
		return false, r.mild(err)
	}
	for _, x := range points {
		if ok, err := r.try(x); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
