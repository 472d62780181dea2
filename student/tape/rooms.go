package tape

import "sync"

// rooms is memory that operators use in turn, each worker some of its own. What is in it is of no meaning to the next.
type rooms[T Float] struct {
	mu   sync.Mutex
	free [][]T
}

func (r *rooms[T]) get(n int) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := len(r.free) - 1; k >= 0 {
		m := r.free[k]
		r.free = r.free[:k]
		if len(m) >= n {
			return m[:n]
		}
	}
	return make([]T, n)
}

func (r *rooms[T]) put(m []T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, m[:cap(m)])
}
