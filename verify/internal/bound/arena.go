package bound

import (
	"sync"

	"github.com/shallow-waters/shoal/internal/affine"
)

// arena hands out zeroed memory that lives as long as the pass, and keeps its blocks for the next one.
type arena struct {
	blocks [][]float64
	at     int       // blocks in use
	free   []float64 // what is left of the last of them
	rows   rowSet    // of tighten, one after the other
}

const arenaBlock = 16384

func (a *arena) get(n int) []float64 {
	for len(a.free) < n {
		if a.at == len(a.blocks) {
			a.blocks = append(a.blocks, make([]float64, max(n, arenaBlock)))
		}
		a.free = a.blocks[a.at]
		a.at++
	}
	b := a.free[:n:n]
	a.free = a.free[n:]
	clear(b)
	return b
}

var arenaPool = sync.Pool{New: func() any { return new(arena) }}

var workPool = sync.Pool{New: func() any { return new(affine.Work) }}
