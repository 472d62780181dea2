package verify

import (
	"bytes"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/search"
	"github.com/shallow-waters/shoal/verify/internal/weave"
)

// maxFound is how many numbers are kept of what the searches of a question, or of a certificate's box, tell: 64 MiB. What is beyond is found again.
const maxFound = 8 << 20

// teller keeps what the search over sides of hinges finds of a box, for a certificate to be made of: by linear programs where these decide, else by
// rows. Nothing of it needs to be right.
type teller struct {
	exact   bool
	neurons int
	number  []int  // by case of the search's goal, its number in the property
	full    func() // when there is more than is kept; nil for nothing
	room    int    // numbers that may be kept

	mu    sync.Mutex
	size  int
	short bool        // something was told and not kept
	level map[int]int // by case, the last that told something
	out   weave.Findings
}

func (v *Verifier) teller(number []int, room int, full func()) *teller {
	return &teller{exact: v.small() && !v.o.rows, neurons: v.net.Hinges(), number: number, room: room, full: full, level: map[int]int{},
		out: weave.Findings{Ends: map[weave.End][]byte{}, Covers: map[weave.End]weave.Cover{}}}
}

// listens are a search's settings that tell it.
func (t *teller) listens(with search.Settings) search.Settings {
	if t.exact {
		with.Told = t.proof
		return with
	}
	with.Leaf, with.End, with.Cover = t.row, t.end, t.cover
	return with
}

// more makes room for some numbers, and tells whether there is any. It is for who has the lock.
func (t *teller) more(size int) bool {
	if t.size+size <= t.room {
		t.size += size
		return true
	}
	if t.short = true; t.full != nil {
		t.full()
	}
	return false
}

func (t *teller) proof(p search.Proof) {
	f := p.Found(t.number[p.Case])
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more(f.Size()) {
		t.out.Proofs = append(t.out.Proofs, f)
	}
}

func (t *teller) row(p search.Proof) {
	r := weave.Row{Case: t.number[p.Case], Level: p.Level, Path: search.Turns(p.Path), Beta: p.Beta, Slopes: slopesOf(p.Slopes, t.neurons),
		Weights: p.Weights, Half: p.Half}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Level > t.level[r.Case] { // it began anew
		t.level[r.Case] = r.Level
		t.out.Rows = slices.DeleteFunc(t.out.Rows, func(o weave.Row) bool {
			if o.Case == r.Case {
				t.size -= o.Size()
			}
			return o.Case == r.Case
		})
	}
	if t.more(r.Size()) {
		t.out.Rows = append(t.out.Rows, r)
	}
}

func (t *teller) end(e search.End) {
	slopes := slopesOf(e.Slopes, t.neurons)
	t.mu.Lock()
	defer t.mu.Unlock()
	k := weave.End{Hinge: e.Hinge, Upper: e.Upper}
	if t.out.Ends[k] != nil || t.more(len(slopes)/8) {
		t.out.Ends[k] = slopes
	}
}

// cover keeps the last level's cover of an end: what is told is better than what was.
func (t *teller) cover(c search.Covered) {
	cover := weave.Cover{Low: c.Low, Slopes: slopesOf(c.Slopes, t.neurons)}
	for _, path := range c.Parts {
		cover.Parts = append(cover.Parts, search.Turns(path))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	k := weave.End{Hinge: c.Hinge, Upper: c.Upper}
	was := t.out.Covers[k]
	if t.more(cover.Size() - was.Size()) {
		t.out.Covers[k] = cover
	}
}

// proofs are what the search over sides of hinges finds of a claim, box by box; nil where it is not the one that decides.
func (v *Verifier) proofs(ctx context.Context, claim certificate.Property) weave.Search {
	if !v.net.Told() {
		return nil
	}
	return func(i int) (out weave.Findings, err error) {
		o := v.o
		o.Method = Complete
		goal, number, err := v.goalOf(claim, i)
		if err != nil {
			return out, err
		}
		if !v.bySides(o, &group{box: goal.Box}) {
			return out, nil
		}
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		t := v.teller(number, maxFound, cancel)
		with := search.Settings{Threads: o.Threads, First: v.o.first, Rows: v.o.rows || !t.exact}
		if _, err = search.Neurons(own, v.net, boundOptions(o), goal, t.listens(with)); err == nil {
			err = ctx.Err()
		}
		return t.out, err
	}
}

// slopesOf are slopes as a certificate has them: of so many hinges, of which the last ones have none.
func slopesOf(bySlot [][]float64, hinges int) []byte {
	out := bytes.Repeat([]byte{plain.Own}, hinges)
	at := 0
	for _, list := range bySlot {
		for _, x := range list {
			if x >= 0 && at < hinges {
				out[at] = byte(math.Round(x * plain.Steep))
			}
			at++
		}
	}
	return out
}
