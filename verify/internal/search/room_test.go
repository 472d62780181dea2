package search

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// piece is a node of a made-up tree of splits.
type piece struct {
	worst float64
	level int
}

func (p *piece) rank() (worst float64, depth int) { return p.worst, p.level }
func (p *piece) ahead() bool                      { return false }

// child has a better margin than p, as bounds of smaller parts have.
func (p *piece) child(rng *rand.Rand) *piece {
	return &piece{float64(p.level) + rng.Float64(), p.level + 1}
}

// TestMemoryBoundsWhatIsOpen: a search of a tree of 2^14 leaves, worst margin first, keeps most of a level open; with memory for a few
// hundred it keeps these, and one path's worth of batches for each worker beside them, and visits the same nodes.
func TestMemoryBoundsWhatIsOpen(t *testing.T) {
	const levels, each, batch = 14, 1000, 8
	search := func(s Settings) (most, visited int) {
		s.Batch = batch
		s = s.filled()
		f := newFrontier[*piece](s.room(each))
		f.begin([]*piece{{worst: math.Inf(-1)}})
		rng := rand.New(rand.NewPCG(15, 4))
		var mu sync.Mutex
		drive(&common{ctx: context.Background(), s: s}, f, func(ps []*piece) (next []*piece, err error) {
			f.mu.Lock()
			open := len(f.heap.list)
			f.mu.Unlock()
			mu.Lock()
			defer mu.Unlock()
			most = max(most, open+len(ps))
			visited += len(ps)
			for _, p := range ps {
				if p.level < levels {
					next = append(next, p.child(rng), p.child(rng))
				}
			}
			return next, nil
		})
		return most, visited
	}
	for _, threads := range []int{1, 2, 5} {
		free, all := search(Settings{Threads: threads})
		for _, memory := range []int64{1, 100_000, 500_000} {
			s := Settings{Threads: threads, Memory: memory}
			limit := s.filled().room(each) + threads*batch*(levels+1)
			most, visited := search(s)
			if all != 1<<(levels+1)-1 || visited != all {
				t.Fatalf("%d threads, %d bytes: %d nodes of %d visited", threads, memory, visited, all)
			}
			if most > limit || free < 10*limit {
				t.Errorf("%d threads, %d bytes: %d parts open, and %d without a limit; want at most %d and many more", threads, memory, most, free, limit)
			}
		}
	}
	if rooms := []int{Settings{Memory: 1}.filled().room(each), Settings{Memory: 10 * (each + partBytes)}.filled().room(each),
		Settings{}.filled().room(each)}; !slices.Equal(rooms, []int{1, 10, 200_000}) {
		t.Errorf("room for %v parts", rooms)
	}
}
