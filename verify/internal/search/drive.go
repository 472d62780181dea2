package search

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/together"
)

// common is what both ways to split have of a search that is under way.
type common struct {
	ctx context.Context
	g   Goal
	s   Settings

	mu    sync.Mutex
	share float64
	done  int
	least float64
	found bool
	why   string
	stuck int // parts that cannot be split
	err   error
	said  time.Time // when progress was told last
	pins  pins
	over  bool // no proof can come about

	trying sync.Mutex
}

// drive has workers take parts, work on them, and give what is left to do, until nothing is or the search ends.
func drive[T open](c *common, f *frontier[T], work func([]T) ([]T, error)) {
	together.Run(c.s.Threads, func(int) {
		whole := false
		defer func() {
			if !whole { // a panic, which is handed on once the others have ended
				f.end()
			}
		}()
		for {
			ps := f.take(c.s.Batch)
			if ps == nil {
				break
			}
			next, err := work(ps)
			f.give(next)
			if err != nil || c.ctx.Err() != nil {
				c.mu.Lock()
				if c.err == nil && c.ctx.Err() == nil {
					c.err = err
				}
				c.mu.Unlock()
				f.end()
				break
			}
			tell(c, f)
		}
		whole = true
	})
}

// tell says how far a search is, a few times a second.
func tell[T open](c *common, f *frontier[T]) {
	if c.s.Progress == nil {
		return
	}
	f.mu.Lock()
	open, worst := len(f.heap.list), math.Inf(1)
	if open > 0 {
		worst, _ = f.heap.list[0].rank()
	}
	f.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.said) >= 200*time.Millisecond {
		c.said = now
		c.s.Progress(Progress{Share: c.share, Open: open, Done: c.done, Worst: worst, Least: c.least})
	}
}

// outcome is how a search ended. Cases are those that are open where the frontier does not have them.
func outcome[T open](c *common, f *frontier[T], cases int) Outcome {
	left := f.left()
	out := Outcome{Found: c.found, Why: c.why, Progress: Progress{Share: c.share, Open: len(left) + c.stuck, Done: c.done,
		Worst: math.Inf(1), Least: c.least}}
	if !f.whole {
		out.Open = max(out.Open, cases)
	}
	for _, p := range left {
		worst, _ := p.rank()
		out.Worst = min(out.Worst, worst)
	}
	out.Proven = f.whole && !c.found && out.Open == 0
	if out.Proven {
		out.Share = 1
	}
	return out
}

// try asks the goal about a point.
func (c *common) try(x []float64) (bool, error) {
	ok, _, err := c.outputs(x)
	return ok, err
}

// outputs asks the goal about a point, and gives the outputs there, nil where they are not known.
func (c *common) outputs(x []float64) (bool, []float64, error) {
	if c.g.Try == nil {
		return false, nil, nil
	}
	c.trying.Lock()
	defer c.trying.Unlock()
	c.mu.Lock()
	found := c.found // by another worker, meanwhile
	c.mu.Unlock()
	if found {
		return true, nil, nil
	}
	ok, y, err := c.g.Try(c.ctx, x)
	if ok {
		c.mu.Lock()
		c.found = true
		c.mu.Unlock()
	}
	if err != nil && c.ctx.Err() != nil {
		return false, nil, nil
	}
	return ok, y, err
}

// isFound tells whether the search has its point.
func (c *common) isFound() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found
}

func (c *common) proved(share, margin float64) {
	c.mu.Lock()
	c.share += share
	c.least = min(c.least, margin)
	c.mu.Unlock()
}

func (c *common) count(parts int) {
	c.mu.Lock()
	c.done += parts
	c.mu.Unlock()
}

// stick notes a part that cannot be split.
func (c *common) stick(why string) {
	c.mu.Lock()
	c.stuck++
	c.why = why
	c.mu.Unlock()
}

// mild is an error unless it is the search's end.
func (c *common) mild(err error) error {
	if c.ctx.Err() != nil {
		return nil
	}
	return err
}
