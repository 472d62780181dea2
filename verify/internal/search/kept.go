package search

import (
	"context"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// What is different where the tree is kept (Settings.Record), so that the plain pass of who checks a certificate finds on every part what the search
// found, but for rounding: boxes are inherited and bounded in its order, rows prove by themselves and with a margin, and a part is cut only by slices
// of what all its open cases leave, which a certificate can say.

const (
	// roundingRoom is how many times what a row lost to rounding it must prove more than its case asks. Two sound passes over the same lines differ by
	// less than both lose, but each box on the way is rounded too, and lines follow boxes; and the plain pass counts terms less narrowly.
	roundingRoom = 1 << 16
	// sliceLeast is the share of an input's width that a slice must have to be worth the rows that prove it once more.
	sliceLeast = 0.05
	// sliceBack is the share of the width by which a slice ends before its forms do: the last of it is proven by nothing.
	sliceBack = 1e-9
)

// Whole tells whether rows over the goal's box alone disprove all of its cases, with the margin of a tree that is kept, and keeps that tree, of one
// part, if so. The network's values are affine, or elementwise of others.
func Whole(ctx context.Context, net *bound.Network, o bound.Options, g Goal, t *record.Tape) (bool, error) {
	r := &run{common: common{ctx: ctx, g: g, s: Settings{Record: t}}, net: net, d: bound.DeepPoly, o: o}
	p := &part{box: g.Box}
	for i := range g.Cases {
		p.open = append(p.open, i)
	}
	b, views, _, err := r.bounded(o, []*part{p})
	if err != nil {
		return false, err
	}
	defer b.Close()
	if len(views[0].open) > 0 {
		return false, nil
	}
	r.keep(p, record.Node{Closed: views[0].closed})
	return true, nil
}

// plainly has parts bounded as the plain pass does.
func plainly(o *bound.Options) { o.Near, o.Ahead = true, math.MaxInt }

// lessen takes from rows, and from the forms that they ended in, what the plain pass may lose beside, and gives what the rows were.
func (r *run) lessen(ps []*part, owner []int32, low []float64, t *bound.Trace) (full []float64) {
	if r.s.Record == nil {
		return nil
	}
	full = slices.Clone(low)
	for i, x := range low {
		less := room(ps[owner[i]].box, t, i)
		low[i], t.Const[i] = sound.Down(x-less), sound.Down(t.Const[i]-less)
	}
	return full
}

// room is what the plain pass may lose of row i beside.
func room(box bound.Box, t *bound.Trace, i int) float64 {
	size := math.Abs(t.Const[i])
	for k, a := range t.Coef[i] {
		size += math.Abs(a) * max(math.Abs(box.Lower[k]), math.Abs(box.Upper[k]))
	}
	return roundingRoom * (t.Off[i] + sound.Unit*size)
}

// all tells whether rows disprove every open case of a part, if by less than was taken from them.
func (r *run) all(b *bound.Bounds, i int, v *view, full []float64) bool {
	if full == nil {
		return false
	}
	var out *bound.Box
	for n, k := range v.open {
		q, gone := &r.g.Cases[k], false
		for j := range q.Rows {
			if q.Loss != nil && out == nil {
				o := b.Outputs(i)
				out = &o
			}
			gone = gone || q.disproved(j, q.less(j, full[v.seen[n].from+j], out))
		}
		if !gone {
			return false
		}
	}
	return true
}

// keep notes what became of a part, and where its own parts hang.
func (r *run) keep(p *part, n record.Node, kids ...*part) {
	if r.s.Record == nil {
		return
	}
	number := r.s.Record.Put(p.place, n)
	for i, k := range kids {
		k.place = record.Place{Of: number, Side: i}
	}
}

// inherit gives parts what is known of hinges on the part that they were cut from.
func (r *run) inherit(b *bound.Bounds, i int, kids []*part) {
	if len(kids) == 0 {
		return
	}
	if r.s.Record != nil {
		around := b.Around(i)
		for _, k := range kids {
			k.around = around
		}
		return
	}
	sides := b.Sides(i)
	for _, k := range kids {
		k.sides = sides
	}
}

// slice cuts off a part, at one input after the other, what forms of all its open cases leave nothing of. The places of all of these in v are left,
// or none where the forms leave nothing of the rest.
func (r *run) slice(p *part, v *view, node *record.Node) (rest bound.Box, left []int) {
	rest = bound.Box{Lower: slices.Clone(p.box.Lower), Upper: slices.Clone(p.box.Upper)}
	for i := range rest.Lower {
		for _, above := range []bool{true, false} {
			if rest.Lower[i] == rest.Upper[i] {
				continue
			}
			at, proofs := r.reach(v, rest, i, above)
			if proofs == nil {
				continue
			}
			l, u := rest.Lower[i], rest.Upper[i]
			all := above && at <= l || !above && at >= u
			back := sliceBack * (u - l)
			switch {
			case all:
				at = u
				if above {
					at = l
				}
			case above:
				at += back
			default:
				at -= back
			}
			if width := sliceLeast * (u - l); above && at > u-width || !above && at < l+width {
				continue
			}
			if !r.gone(v, rest, i, above, at, proofs) {
				continue
			}
			said := make([]record.Proof, len(proofs))
			for n, j := range proofs {
				said[n] = v.shown(n, j)
			}
			if all {
				node.Last = said
				return rest, nil
			}
			node.Slices = append(node.Slices, record.Slice{Input: i, At: at, Above: above, Proofs: said})
			if above {
				rest.Upper[i] = at
			} else {
				rest.Lower[i] = at
			}
		}
	}
	for n := range v.open {
		left = append(left, n)
	}
	return rest, left
}

// reach is from where on, upward where above, each open case has a form that no point of a box meets, and these forms; nil where one has none.
func (r *run) reach(v *view, box bound.Box, i int, above bool) (at float64, forms []int) {
	forms = make([]int, len(v.open))
	for n := range v.open {
		s := &v.seen[n]
		best, end := -1, 0.0
		for j, form := range s.forms {
			a := form[i]
			if a == 0 || above != (a > 0) || !r.cuts(v, n, j) {
				continue
			}
			rest := s.consts[j] - s.limits[j]
			for k, x := range form {
				if k != i {
					rest += min(x*box.Lower[k], x*box.Upper[k])
				}
			}
			x := -rest / a
			if math.IsNaN(x) || math.IsInf(rest, 0) {
				continue
			}
			if best < 0 || above && x < end || !above && x > end {
				best, end = j, x
			}
		}
		if best < 0 {
			return 0, nil
		}
		forms[n] = best
		if n == 0 || above && end > at || !above && end < at {
			at = end
		}
	}
	return at, forms
}

// gone tells whether a form of each open case leaves nothing of the slice of a box beyond at.
func (r *run) gone(v *view, box bound.Box, i int, above bool, at float64, forms []int) bool {
	slice := bound.Box{Lower: slices.Clone(box.Lower), Upper: slices.Clone(box.Upper)}
	for n, j := range forms {
		copy(slice.Lower, box.Lower)
		copy(slice.Upper, box.Upper)
		if above {
			slice.Lower[i] = at
		} else {
			slice.Upper[i] = at
		}
		s := &v.seen[n]
		if clip(slice, s.forms[j], s.consts[j], s.limits[j]) {
			return false
		}
	}
	return true
}

// shown is form j of an open case as a proof.
func (v *view) shown(n, j int) record.Proof {
	s := &v.seen[n]
	if s.mixed != nil && j == len(s.forms)-1 {
		return record.Proof{Case: v.open[n], Weights: s.mixed}
	}
	return record.Proof{Case: v.open[n], Row: j}
}
