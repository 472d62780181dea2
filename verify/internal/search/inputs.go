package search

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// Inputs decides a goal by halving input boxes. It ends with a proof, with a point that Try took, with the context, or where halving gains nothing:
// at a box that cannot be halved any further, or at a point that no box around it can be proven for (pin.go). The verdict does not depend on the
// number of threads; which point is found first may.
func Inputs(ctx context.Context, net *bound.Network, d bound.Domain, o bound.Options, g Goal, s Settings) (Outcome, error) {
	s = s.filled()
	if d.Alone() {
		s.Batch = 1
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{common: common{ctx: ctx, g: g, s: s, least: math.Inf(1)}, net: net, d: d, o: o, front: newFrontier[*part](s.room(boxBytes(net, s))),
		first: make([]float64, len(g.Box.Lower))}
	root := &part{box: g.Box, volume: 1, worst: math.Inf(-1)}
	for i := range g.Cases {
		root.open = append(root.open, i)
	}
	for i, l := range g.Box.Lower {
		r.first[i] = g.Box.Upper[i] - l
	}
	r.pins.begin(firstBoxes)
	r.siege.begin()
	r.siege.least = math.Inf(1)
	r.settling.off, r.settling.after, r.settling.least = !net.Hinged(), s.Halved, s.Settle
	r.front.begin([]*part{root})
	drive(&r.common, r.front, r.work)
	if r.err != nil {
		return Outcome{}, r.err
	}
	out := outcome(&r.common, r.front, len(g.Cases))
	out.Settled = r.settling.parts
	return out, nil
}

// boxBytes is what an open part takes: its box, and half of what it shares with its sibling, the box and the sides of where they were cut from.
func boxBytes(net *bound.Network, s Settings) int {
	if s.Record != nil {
		return 24*net.Inputs() + net.AroundBytes()/2
	}
	return 24*net.Inputs() + net.Neurons()/8
}

// run is one search over boxes.
type run struct {
	common
	net   *bound.Network
	d     bound.Domain
	o     bound.Options
	front *frontier[*part]
	first []float64 // widths of the first box
	siege siege

	settling settling
}

// work bounds parts and gives what is left to do: parts that are still open, halved, or the parts themselves where the context ended first.
func (r *run) work(ps []*part) ([]*part, error) {
	if ps = r.left(ps); len(ps) == 0 {
		return nil, nil
	}
	now, later := r.settling.few(ps)
	next, err := r.on(now)
	return append(next, later...), err
}

// on is work on some of the parts.
func (r *run) on(ps []*part) ([]*part, error) {
	if ok, err := r.attack(ps[0]); ok || err != nil {
		r.front.end()
		return ps, err
	}
	start, settled := time.Now(), time.Duration(0)
	o := r.o
	o.Threads = r.front.spare(r.s.Threads)
	b, views, full, err := r.bounded(o, ps)
	if err != nil {
		return ps, r.mild(err)
	}
	defer b.Close()
	var next []*part
	for i, p := range ps {
		v := views[i]
		v.rank()
		if len(v.open) == 0 {
			r.keep(p, record.Node{Closed: v.closed})
			r.proved(p.volume, v.proof)
			r.became(p.trial, 0)
			continue
		}
		if r.all(b, i, v, full) {
			r.keep(p, record.Node{Closed: v.closed, Left: true})
			r.proved(p.volume, 0)
			r.became(p.trial, 0)
			continue
		}
		x := p.corner(v)
		ok, y, err := r.outputs(x)
		if !ok && err == nil {
			ok, err = r.pinned(r.net, r.d, r.o, x, p.open)
		}
		if ok || err != nil {
			r.front.end()
			return append(next, ps[i:]...), err
		}
		r.siege.saw(p, r.missed(v, y))
		kids, err := r.split(p, v, b, i, &settled)
		if err != nil {
			return append(next, ps[i:]...), err
		}
		r.inherit(b, i, kids)
		next = append(next, kids...)
	}
	r.settling.worked(time.Since(start)-settled, settled, len(ps))
	r.count(len(ps))
	return next, nil
}

// bounded bounds parts, and tells what that says of their open cases. Where the tree is kept, full are their rows without the margin.
func (r *run) bounded(o bound.Options, ps []*part) (b *bound.Bounds, views []*view, full []float64, err error) {
	problems := make([]bound.Problem, len(ps))
	for i, p := range ps {
		problems[i].Box, problems[i].Sides, problems[i].Around = p.box, p.sides, p.around
	}
	if r.s.Record != nil {
		plainly(&o)
	}
	made, err := r.d.Bound(r.ctx, r.net, o, problems)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			made.Close()
		}
	}()
	var rows [][]float64
	var owner []int32
	for i, p := range ps {
		for _, c := range p.open {
			rows = append(rows, r.g.Cases[c].Rows...)
			for range r.g.Cases[c].Rows {
				owner = append(owner, int32(i))
			}
		}
	}
	var t bound.Trace
	low, err := made.Lower(rows, owner, &t)
	if err != nil {
		return nil, nil, nil, err
	}
	full = r.lessen(ps, owner, low, &t)
	at := 0
	views = make([]*view, len(ps))
	for i, p := range ps {
		views[i] = r.view(made, i, p.open, low, &t, &at)
	}
	if err = r.together(made, ps, views); err == nil {
		err = r.mixing(made, ps, views)
	}
	return made, views, full, err
}

// view is what a part's bounds say of its open cases.
type view struct {
	open  []int // cases that stay open
	seen  []seen
	worst float64
	least int     // the open case with the worst margin
	proof float64 // least margin of the cases that are disproved
	// closed are these, where the tree is kept.
	closed []record.Proof
}

// seen is an open case: points that meet it have every form, which is at most the row, at most at the row's limit.
type seen struct {
	forms  [][]float64
	consts []float64
	limits []float64
	best   int       // the row nearest to a proof; -1 for none
	from   int       // the first of its rows among all that went down
	mixed  []float64 // weights of the form behind those of its rows
	margin float64   // its
	// touches tells that its form touches a curve's least point somewhere in the box: what it moves over the box says little of what it lacks.
	touches bool
}

// drop takes a case that was disproved after all out of those that are open.
func (v *view) drop(n int, margin float64) {
	v.proof = min(v.proof, margin)
	v.open, v.seen = slices.Delete(v.open, n, n+1), slices.Delete(v.seen, n, n+1)
}

// rank finds the worst open case.
func (v *view) rank() {
	v.worst = math.Inf(1)
	for n := range v.seen {
		if m := v.seen[n].margin; n == 0 || m < v.worst {
			v.worst, v.least = m, n
		}
	}
}

func (c *common) view(b *bound.Bounds, i int, open []int, low []float64, t *bound.Trace, at *int) *view {
	v := &view{proof: math.Inf(1)}
	var out *bound.Box
	for _, k := range open {
		q := &c.g.Cases[k]
		from := *at
		*at += len(q.Rows)
		best, row, gone := math.Inf(-1), -1, false
		for j := range q.Rows {
			if q.Loss != nil && out == nil {
				o := b.Outputs(i)
				out = &o
			}
			x := q.less(j, low[from+j], out)
			gone = gone || q.disproved(j, x)
			if m := margin(x, q.Bound[j]); row < 0 || m > best {
				best, row = m, j
			}
		}
		if gone {
			v.proof = min(v.proof, best)
			if c.s.Record != nil {
				v.closed = append(v.closed, record.Proof{Case: k, Row: row})
			}
			continue
		}
		v.open = append(v.open, k)
		v.seen = append(v.seen, seen{forms: slices.Clone(t.Coef[from:*at]), consts: slices.Clone(t.Const[from:*at]), limits: slices.Clone(q.Bound),
			best: row, from: from, margin: best})
	}
	return v
}

// corner is where the worst open case's best row is least.
func (p *part) corner(v *view) []float64 {
	x := make([]float64, len(p.box.Lower))
	var a []float64
	if s := &v.seen[v.least]; s.best >= 0 {
		a = s.forms[s.best]
	}
	for i, l := range p.box.Lower {
		switch {
		case a != nil && a[i] > 0:
			x[i] = l
		case a != nil && a[i] < 0:
			x[i] = p.box.Upper[i]
		default:
			x[i] = 0.5*l + 0.5*p.box.Upper[i]
		}
	}
	return x
}

// split cuts a part by its open cases and settles or halves what is left. It adds the time that settling took.
func (r *run) split(p *part, v *view, b *bound.Bounds, i int, settling *time.Duration) ([]*part, error) {
	node := record.Node{Closed: v.closed}
	hull, left := r.cut(p, v, &node)
	if len(left) == 0 {
		r.keep(p, node)
		r.proved(p.volume, 0)
		r.became(p.trial, 0)
		return nil, nil
	}
	var kept []int
	var forms [][]float64
	lack := 0.0
	for _, n := range left {
		s := &v.seen[n]
		kept = append(kept, v.open[n])
		if s.best >= 0 && !s.touches {
			forms = append(forms, s.forms[s.best])
			lack -= min(s.margin, 0)
		}
	}
	share := 1.0
	for i, l := range p.box.Lower {
		if w := p.box.Upper[i] - l; w > 0 {
			share *= (hull.Upper[i] - hull.Lower[i]) / w
		}
	}
	next := &part{box: hull, open: kept, worst: v.worst, volume: p.volume * share, depth: p.depth + 1, trial: p.trial}
	r.proved(p.volume-next.volume, math.Inf(1))
	if next.trial == nil {
		start := time.Now()
		sides, t, err := r.settle(next, b, i)
		*settling += time.Since(start)
		if err != nil {
			return nil, err
		}
		if sides != nil && t == nil {
			node.Left, node.Sides = true, sides.found
			r.keep(p, node)
			return nil, nil
		}
		if next.trial = t; t != nil && r.s.Record != nil {
			t.place, t.node = p.place, node
			t.node.Left, t.node.Sides = true, sides.found
		}
	}
	var kids []*part
	if share < 0.25 {
		kids = []*part{next}
	} else if i := next.side(forms, lack, r.first); i >= 0 {
		below, above := next.halve(i)
		kids = []*part{below, above}
		node.Input, node.At = i, below.box.Upper[i]
	} else if next.trial != nil { // it is settled
		r.proved(next.volume, 0)
		defer r.stands(next.trial)
	} else {
		r.stick("a box that is too small to halve stays open: the property's border is within rounding there")
		r.front.end()
	}
	node.Parts = len(kids)
	r.keep(p, node, kids...)
	r.became(next.trial, len(kids))
	return kids, nil
}

// cut gives what a part's open cases leave of it, each cut by itself, and the places of those that are left in v.
func (r *run) cut(p *part, v *view, node *record.Node) (hull bound.Box, left []int) {
	if r.s.Record != nil {
		return r.slice(p, v, node)
	}
	for n := range v.open {
		s := &v.seen[n]
		box := bound.Box{Lower: slices.Clone(p.box.Lower), Upper: slices.Clone(p.box.Upper)}
		some := true
		for range 2 {
			for j, form := range s.forms {
				if some && r.cuts(v, n, j) {
					some = clip(box, form, s.consts[j], s.limits[j])
				}
			}
		}
		if !some {
			continue
		}
		left = append(left, n)
		if hull.Lower == nil {
			hull = box
			continue
		}
		for i := range box.Lower {
			hull.Lower[i], hull.Upper[i] = min(hull.Lower[i], box.Lower[i]), max(hull.Upper[i], box.Upper[i])
		}
	}
	return hull, left
}

// cuts tells whether form j of an open case may cut a part. A mixed row's limit has what it lost.
func (r *run) cuts(v *view, n, j int) bool {
	c := &r.g.Cases[v.open[n]]
	return c.Loss == nil || j >= len(c.Rows)
}
