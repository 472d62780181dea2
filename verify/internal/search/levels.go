package search

import (
	"context"
	"math"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// A level of a search over sides bounds the whole box, hinges by covers of some depth, and then searches for about as long. What is not done
// begins anew on the next one, with three times as much of both: bounds of hinges are worth more than what a search from loose ones has found,
// and what is lost is bounded by what all levels before have cost. The last level before the deadline searches until then.
//
// The first ones are short: covers of a tenth of a second are enough for most questions about small networks. Where rows, which every level lays
// anew, take longer than the next covers would, levels are left out.
const (
	firstSearch = 500 * time.Millisecond / (levelGrowth * levelGrowth)
	levelGrowth = 3
	firstCover  = time.Second // levels of shorter covers are left out where rows take longer
	searchShare = 0.7         // of what covers had
	coverMost   = 0.4         // of what is left
)

// level goes through one level; again tells that there is a next one.
func (r *sides) level(ctx context.Context, level int) (again bool, err error) {
	r.at = level
	cover, search := r.covering(level), r.s.First
	if level > 0 {
		search = time.Duration(searchShare * float64(cover))
	}
	inner := time.Duration(0)
	if t, ok := ctx.Deadline(); ok {
		left := time.Until(t)
		inner = time.Duration(innerShare * float64(left))
		if most := time.Duration(coverMost * float64(left)); levelGrowth*cover > most || levelGrowth*search > most {
			cover, search = min(cover, most), 0
		}
	}
	r.ctx = ctx
	start := time.Now()
	err = r.begin(inner, cover)
	r.rows = time.Since(start) - cover
	if err == nil {
		var left []*leaf
		e := (*exact)(nil)
		if r.s.Told != nil { // programs alone, of all that is asked
			if e = r.exactly(); e == nil {
				r.stick("it is not for linear programs")
				return false, nil
			}
			left = r.first()
		} else {
			left, err = r.whole(r.first())
		}
		if err == nil {
			if e == nil {
				e = r.exactly()
			}
			if search > 0 && e == nil { // programs lose more by beginning again than better bounds give them
				own, cancel := context.WithTimeout(ctx, search)
				defer cancel()
				r.ctx = own
			}
			r.front = newFrontier[*leaf](r.s.room(leafBytes * r.unstable))
			r.front.begin(left)
			if r.found {
				r.front.end()
			}
			work := r.work
			if e != nil {
				work = e.work
			}
			drive(&r.common, r.front, work)
			err = r.err
		}
	}
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil || r.found || r.over || r.ctx.Err() == nil {
		return false, err
	}
	r.reopen()
	return len(r.open) > 0, nil
}

// covering is how long covers of a level take.
func (r *sides) covering(level int) time.Duration {
	if level == 0 {
		return 0
	}
	return time.Duration(float64(2*r.s.First) * math.Pow(levelGrowth, float64(level+r.skipped-1)))
}

// skip leaves out the levels behind one whose covers take less time than rows do.
func (r *sides) skip(level int) {
	for c := r.covering(level + 1); c < r.rows && c < firstCover; c = r.covering(level + 1) {
		r.skipped++
	}
}

// reopen forgets the search but for the cases that it disproved: those of which nothing is open, and none of which a part may be stuck.
func (r *sides) reopen() {
	if r.stuck == 0 { // else it is not known of which case
		open := map[int]bool{}
		for _, l := range r.front.left() {
			open[l.c] = true
		}
		r.open = r.open[:0:0]
		for i := range r.g.Cases {
			if open[i] {
				r.open = append(r.open, i)
			}
		}
	}
	if len(r.open) > 0 {
		r.front.forget()
	}
	r.share = 1 - float64(len(r.open))/float64(len(r.g.Cases))
	r.stuck, r.why = 0, ""
}

// first is a leaf of the whole box for each case that is open.
func (r *sides) first() []*leaf {
	var out []*leaf
	for _, i := range r.open {
		out = append(out, &leaf{c: i, weight: r.g.Cases[i].level(), worst: math.Inf(-1), share: 1 / float64(len(r.g.Cases))})
	}
	return out
}

// begin bounds the whole box, or bounds it again: what is known of it already is inherited.
func (r *sides) begin(inner, cover time.Duration) error {
	b, err := r.bounded(inner, cover)
	if err != nil {
		return err
	}
	r.s0 = b.View()
	r.f.root, r.known, r.of = r.s0, r.s0, make([]int, len(r.g.Cases))
	r.unstable = 0
	for k := range r.s0.Slots() {
		r.unstable += len(r.s0.Unstable(k, 0))
	}
	r.anew = r.unstable <= maxAnew
	r.ends = exact{r: r}
	r.s.Batch = min(r.s.Batch, r.s0.Fits())
	return nil
}

// bounded are bounds of the whole box: those that others left, or new ones.
func (r *sides) bounded(inner, cover time.Duration) (*bound.Bounds, error) {
	if r.s.Root != nil && r.s0 == nil {
		r.f = r.s.Root.f
		return r.s.Root.Bounds, nil
	}
	o := r.o
	o.Threads = r.s.Threads
	r.f = influence{}
	h := &hinges{ctx: r.ctx, threads: r.s.Threads, steps: innerSteps, within: inner, f: &r.f, cover: cover, slots: r.net.Slots(),
		told: r.s.End, covered: r.s.Cover}
	o.Refine = h.refine()
	problem := bound.Problem{Box: r.g.Box, Around: r.s.Around}
	if r.s.Plainly {
		plainly(&o)
		o.Refine = nil
	}
	if r.s0 != nil {
		problem.Known = r.s0
	}
	b, err := bound.DeepPoly.Bound(r.ctx, r.net, o, []bound.Problem{problem})
	if err != nil {
		return nil, err
	}
	r.kept = append(r.kept, b)
	return b, nil
}
