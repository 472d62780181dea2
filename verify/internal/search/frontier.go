package search

import (
	"container/heap"
	"sync"
)

// open is a part of the goal that is neither proven nor in work.
type open interface {
	// rank is the margin of its worst case, or of its parent's until it is bounded itself, and how often it was split.
	rank() (worst float64, depth int)
	// ahead tells whether it comes before all that are not.
	ahead() bool
}

// frontier holds the open parts. The worst margin comes first: a counterexample is likeliest there, and a proof needs all of them anyway. Beyond a
// number of open parts the deepest comes first instead, which bounds memory. What is ahead comes before both.
type frontier[T open] struct {
	mu      sync.Mutex
	more    *sync.Cond
	heap    parts[T]
	limit   int
	working int
	ended   bool
	// whole says that what is not proven stands here, is at work, or was told to be stuck: that nothing stands here is a proof only then. It is
	// false before the first parts are in, so that a search that ended before has none.
	whole bool
}

func newFrontier[T open](limit int) *frontier[T] {
	f := &frontier[T]{limit: limit}
	f.more = sync.NewCond(&f.mu)
	return f
}

// begin puts the first parts in.
func (f *frontier[T]) begin(ps []T) {
	f.working = 1
	f.whole = true
	f.give(ps)
}

// take waits for parts and gives up to n of them; none once the search has ended or nothing is left.
func (f *frontier[T]) take(n int) []T {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.heap.list) == 0 && f.working > 0 && !f.ended {
		f.more.Wait()
	}
	if f.ended || len(f.heap.list) == 0 {
		f.more.Broadcast()
		return nil
	}
	// Leave something for the others while there is little.
	n = min(n, max(1, (len(f.heap.list)+1)/2))
	out := make([]T, 0, n)
	for len(out) < n {
		out = append(out, heap.Pop(&f.heap).(T))
	}
	f.working++
	return out
}

// give returns what a worker made of the parts that it took.
func (f *frontier[T]) give(ps []T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.working--
	for _, p := range ps {
		heap.Push(&f.heap, p)
	}
	if deep := len(f.heap.list) > f.limit; deep != f.heap.deep && (deep || len(f.heap.list) < f.limit/2) {
		f.heap.deep = deep
		heap.Init(&f.heap)
	}
	f.more.Broadcast()
}

// spare is how many threads a worker's own parts may take: parts are spread over the workers, and their rows where there are too few parts.
func (f *frontier[T]) spare(threads int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.heap.list) > 0 {
		return 1
	}
	return max(1, threads/max(1, f.working))
}

func (f *frontier[T]) end() {
	f.mu.Lock()
	f.ended = true
	f.more.Broadcast()
	f.mu.Unlock()
}

// forget says that what is open begins anew elsewhere: what stands here tells no more than how far the search was.
func (f *frontier[T]) forget() { f.whole = false }

// left is what is open, once all workers have stopped.
func (f *frontier[T]) left() []T { return f.heap.list }

type parts[T open] struct {
	list []T
	deep bool
}

func (h *parts[T]) Len() int { return len(h.list) }
func (h *parts[T]) Less(i, j int) bool {
	if first := h.list[i].ahead(); first != h.list[j].ahead() {
		return first
	}
	a, da := h.list[i].rank()
	b, db := h.list[j].rank()
	if h.deep && da != db {
		return da > db
	}
	return a < b
}
func (h *parts[T]) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *parts[T]) Push(x any)    { h.list = append(h.list, x.(T)) }
func (h *parts[T]) Pop() any {
	n := len(h.list) - 1
	p := h.list[n]
	var none T
	h.list[n] = none
	h.list = h.list[:n]
	return p
}
