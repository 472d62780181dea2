package search

import (
	"context"
	"math"
	"runtime"
	"time"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// Case is a conjunction of constraints: row*y <= Bound for every row, or < where Strict. It is disproved where one of the rows is proven to be
// larger (or as large, where Strict).
type Case struct {
	Rows   [][]float64 // over the flat outputs
	Bound  []float64   // rounded up
	Strict []bool
	// Loss bounds what row k lost when it became float64s, over outputs in a box; nil for nothing.
	Loss func(k int, out bound.Box) float64
}

// disproved tells whether a proven lower bound of row k rules the case out.
func (c *Case) disproved(k int, low float64) bool {
	return low > c.Bound[k] || c.Strict[k] && low >= c.Bound[k]
}

// less is a bound of row k less what the row lost, over outputs in a box; that may be nil where nothing is lost.
func (c *Case) less(k int, low float64, out *bound.Box) float64 {
	if c.Loss == nil {
		return low
	}
	if e := c.Loss(k, *out); e != 0 {
		return sound.Down(low - e)
	}
	return low
}

// Goal is what is to be proven: no point of the box meets a case.
type Goal struct {
	Box   bound.Box
	Cases []Case
	// Try is asked about points of the box where a case may be met; true ends the search. It gives the flat outputs at the point too, where it has them:
	// what is nearly met is looked at more closely. It is called by one goroutine at a time. nil for none.
	Try func(ctx context.Context, x []float64) (found bool, y []float64, err error)
	// Attack gives points of a part of the box that may meet a case, looking for longer than a point takes: about so long. It is called by one goroutine
	// at a time. nil for none.
	Attack func(ctx context.Context, box bound.Box, d time.Duration) ([][]float64, error)
}

// Settings of a search. The zero value is usable.
type Settings struct {
	Threads  int   // 0 means all cores
	Batch    int   // parts bounded together; 0 means 32
	MaxOpen  int   // parts that may be open; beyond it the search goes depth first. 0 means 200,000
	Memory   int64 // bytes that open parts may take; beyond it the search goes depth first too. 0 means no limit
	Progress func(Progress)
	Halved   int           // parts that Inputs halves before it settles some by sides of hinges; 0 means 4,000
	Settle   time.Duration // settling a part may take as long, however fast parts are halved; 0 means no longer than some hundreds of them take
	First    time.Duration // of Neurons' first level, without covers; 0 means firstSearch
	Rows     bool          // small networks are not left to linear programs from the start
	Told     func(Proof)   // of every proof by a linear program's multipliers, by any goroutine: then Neurons leaves everything to these; nil for nobody
	// Leaf is told of every leaf that Neurons' rows prove, and of every half-space that parts are bounded over, before these are, by any goroutine; nil
	// for nobody. Leaves then rest on what a certificate can say: curves have their usual lines.
	Leaf  func(Proof)
	End   func(End)     // of every row that bounds a hinge over the whole box; nil for nobody
	Cover func(Covered) // of every end of a hinge that cases bound better than rows did; nil for nobody
	// Record has Inputs keep its tree, for a network whose bends are all hinges that read no input; nil for none. Parts are then bounded, and proven
	// with a margin, so that the plain pass finds the same.
	Record *record.Tape
	// Plainly has Neurons bound its box so too, within what is known Around it, and prove with that margin; nil for nothing around.
	Plainly bool
	Around  *bound.Around
	Root    *Alpha // bounds of the goal's box that Neurons goes on from, and leaves open; nil for none
}

func (s Settings) filled() Settings {
	if s.Threads <= 0 {
		s.Threads = runtime.GOMAXPROCS(0)
	}
	if s.Batch <= 0 {
		s.Batch = 32
	}
	if s.Halved <= 0 {
		s.Halved = settleAfter
	}
	if s.First <= 0 {
		s.First = firstSearch
	}
	if s.MaxOpen <= 0 {
		s.MaxOpen = 200_000
	}
	return s
}

// room is how many parts of some bytes each may be open.
func (s Settings) room(each int) int {
	if s.Memory <= 0 {
		return s.MaxOpen
	}
	return max(1, min(s.MaxOpen, int(s.Memory/int64(each+partBytes))))
}

// partBytes is what a part takes beside its numbers: headers of slices, and its place in the frontier.
const partBytes = 256

// Progress is the state of a running search.
type Progress struct {
	Share float64 // proven share: of the first box' volume, sides without width left out, or of the tree, where a side is half of its parent
	Open  int     // parts
	Done  int     // parts bounded so far
	Worst float64 // least margin of an open part; +Inf for none
	Least float64 // least margin of a proven one, 0 where half-spaces proved it; +Inf for none
}

// Outcome is how a search ended: with a proof, with a point, or undecided.
type Outcome struct {
	Proven bool
	Found  bool   // Try said so
	Why    string // what stopped an undecided search other than its context
	// Untold says that a linear program proved something where rows alone are told.
	Untold bool
	// Settled is how many boxes Inputs settled by sides of hinges.
	Settled int
	Progress
}

// part is a box of the frontier.
type part struct {
	box    bound.Box
	open   []int   // cases
	worst  float64 // margin of the worst open case, of its parent until it is bounded itself
	volume float64 // share of the first box
	depth  int
	sides  *bound.Sides  // what the part that it was cut from knew of hinges
	around *bound.Around // and their boxes, where the tree is kept
	place  record.Place
	trial  *trial // that it is a part of; nil for none
}

func (p *part) rank() (worst float64, depth int) { return p.worst, p.depth }

// ahead puts the halves of a part that is tried both ways in front, so that it shows soon which way is cheaper.
func (p *part) ahead() bool { return p.trial != nil }

// halve cuts a part in two at the middle of a side, which both keep.
func (p *part) halve(i int) (a, b *part) {
	lo, up := p.box.Lower[i], p.box.Upper[i]
	mid := 0.5*lo + 0.5*up
	child := func(l, u float64) *part {
		box := bound.Box{Lower: append([]float64(nil), p.box.Lower...), Upper: append([]float64(nil), p.box.Upper...)}
		box.Lower[i], box.Upper[i] = l, u
		return &part{box: box, open: p.open, worst: p.worst, volume: p.volume / 2, depth: p.depth + 1, trial: p.trial}
	}
	return child(lo, mid), child(mid, up)
}

// margin is by how much a bound rules a constraint out; not positive where it does not.
func margin(low, limit float64) float64 {
	if math.IsNaN(low) {
		return math.Inf(-1)
	}
	return low - limit
}
