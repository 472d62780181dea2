package search

import (
	"container/heap"
	"sync"
)

// frontier holds the parts that are neither proven nor in work. The worst margin comes first: a counterexample is likeliest there, and a
// proof needs all of them anyway. Beyond a number of open parts the deepest comes first instead, which bounds memory.
type frontier struct {
	mu      sync.Mutex
	more    *sync.Cond
	heap    parts
	limit   int
	working int
	ended   bool
}

func newFrontier(limit int) *frontier {
	f := &frontier{limit: limit}
	f.more = sync.NewCond(&f.mu)
	return f
}

// take waits for parts and gives up to n of them; none once the search has ended or nothing is left.
func (f *frontier) take(n int) []*part {
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
	out := make([]*part, 0, n)
	for len(out) < n {
		out = append(out, heap.Pop(&f.heap).(*part))
	}
	f.working++
	return out
}

// give returns what a worker made of the parts that it took.
func (f *frontier) give(ps []*part) {
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

func (f *frontier) end() {
	f.mu.Lock()
	f.ended = true
	f.more.Broadcast()
	f.mu.Unlock()
}

// left is what is open, once all workers have stopped.
func (f *frontier) left() []*part { return f.heap.list }

type parts struct {
	list []*part
	deep bool
}

func (h *parts) Len() int { return len(h.list) }
func (h *parts) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if h.deep && a.depth != b.depth {
		return a.depth > b.depth
	}
	return a.worst < b.worst
}
func (h *parts) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *parts) Push(x any)    { h.list = append(h.list, x.(*part)) }
func (h *parts) Pop() any {
	n := len(h.list) - 1
	p := h.list[n]
	h.list[n] = nil
	h.list = h.list[:n]
	return p
}
