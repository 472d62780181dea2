package tape

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// Parts is into how many parts work is split at most: a number of its own, so that sums do not depend on the cores.
const Parts = 16

// Pool is the workers that a graph's operators share, with a workspace for each. Graphs that run at the same time need pools of their own.
type Pool struct {
	work []kernel.Work
	ctx  context.Context
}

// NewPool gives n workers; 0 means all cores.
func NewPool(n int) *Pool {
	return &Pool{work: make([]kernel.Work, kernel.Workers(n)), ctx: context.Background()}
}

// Threads is the number of workers.
func (p *Pool) Threads() int { return len(p.work) }

// Each calls f(part, from, to) for every part of n items, split in at most Parts parts of at least `least` items, on the workers. Which items
// form a part depends on n and least alone, so that partial sums kept by part and added in order are the same on any number of cores. Where
// the context of the run has ended, parts are left out.
func (p *Pool) Each(n, least int, f func(part, from, to int)) {
	p.each(n, least, func(_ *kernel.Work, part, from, to int) { f(part, from, to) })
}

// each is Each, with the worker's workspace for kernels.
func (p *Pool) each(n, least int, f func(w *kernel.Work, part, from, to int)) {
	k := count(n, least)
	if k == 0 {
		return
	}
	if k == 1 || len(p.work) == 1 {
		for i := range k {
			if p.ctx.Err() != nil { // the step is thrown away
				return
			}
			f(&p.work[0], i, i*n/k, (i+1)*n/k)
		}
		return
	}
	var next atomic.Int64
	run := func(w *kernel.Work) {
		for {
			i := int(next.Add(1)) - 1
			if i >= k || p.ctx.Err() != nil {
				return
			}
			f(w, i, i*n/k, (i+1)*n/k)
		}
	}
	var wait sync.WaitGroup
	for i := 1; i < min(len(p.work), k); i++ {
		wait.Go(func() { run(&p.work[i]) })
	}
	run(&p.work[0])
	wait.Wait()
}

// count is the number of parts that each makes.
func count(n, least int) int {
	if n == 0 {
		return 0
	}
	return max(1, min(Parts, n/max(1, least)))
}

// addParts adds the parts' partial sums, each of len(out) elements, to out in order. The first part's replaces what is there.
func addParts[T Float](p *Pool, out, partial []T, k int) {
	p.each(len(out), 1<<12, func(_ *kernel.Work, _, from, to int) {
		copy(out[from:to], partial[from:to])
		for i := 1; i < k; i++ {
			kernel.AddTo(out[from:to], partial[i*len(out)+from:i*len(out)+to])
		}
	})
}

// scratch is an operator's own memory, made when it first runs.
type scratch[T Float] struct{ buf []T }

func (s *scratch[T]) get(n int) []T {
	if len(s.buf) < n {
		s.buf = make([]T, n)
	}
	return s.buf[:n]
}
