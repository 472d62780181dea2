package verify

import (
	"math/big"
	"math/bits"
)

// What a piecewise linear network gives on a box, exactly: the box falls into regions on each of which the network is affine. A region is the
// list of its corners, which carry their input and their values; where a value changes sign within a region it is cut in two. Cutting finds
// the edges by what their ends have in common (the double description method: Motzkin et al. 1953; Fukuda and Prodon 1996), so nothing is
// solved, and everything is a rational number.

// spot is a corner of a region: its input, the network's values there, those kept for a way round, and which cuts it lies on.
type spot struct {
	x, cur, skip []*big.Rat
	on           cuts
}

// cuts is a set of the half-spaces that bound a region.
type cuts [2]uint64

func (c cuts) and(d cuts) cuts      { return cuts{c[0] & d[0], c[1] & d[1]} }
func (c cuts) contains(d cuts) bool { return c.and(d) == d }
func (c cuts) with(i int) cuts      { c[i/64] |= 1 << (i % 64); return c }
func (r region) free() int {
	var all cuts
	for _, p := range r {
		all[0], all[1] = all[0]|p.on[0], all[1]|p.on[1]
	}
	if all[1] != 0 {
		return 64 + bits.Len64(all[1])
	}
	return bits.Len64(all[0])
}

type region []spot

// between is the point p + t*(q-p).
func between(p, q spot, t *big.Rat) spot {
	mix := func(a, b []*big.Rat) []*big.Rat {
		out := make([]*big.Rat, len(a))
		for i := range a {
			d := new(big.Rat).Sub(b[i], a[i])
			out[i] = d.Add(d.Mul(d, t), a[i])
		}
		return out
	}
	return spot{mix(p.x, q.x), mix(p.cur, q.cur), mix(p.skip, q.skip), p.on.and(q.on)}
}

// cut is the part of a region where h, linear on it and given at its corners, is at most 0; nil where there is none.
//
// New corners lie on the edges that cross the border. Two corners are the ends of an edge if no third one lies on all cuts that the two share.
func (r region) cut(h []*big.Rat) region {
	most := -1
	for _, v := range h {
		most = max(most, v.Sign())
	}
	if most <= 0 {
		return r
	}
	id := r.free()
	var out region
	for i, p := range r {
		if h[i].Sign() == 0 {
			p.on = p.on.with(id)
		}
		if h[i].Sign() <= 0 {
			out = append(out, p)
		}
	}
	for i, p := range r {
		if h[i].Sign() >= 0 {
			continue
		}
		for k, q := range r {
			if h[k].Sign() <= 0 || !r.edge(i, k) {
				continue
			}
			t := new(big.Rat).Sub(h[i], h[k])
			n := between(p, q, t.Quo(h[i], t))
			n.on = n.on.with(id)
			out = append(out, n)
		}
	}
	return out
}

func (r region) edge(i, k int) bool {
	shared := r[i].on.and(r[k].on)
	for j, p := range r {
		if j != i && j != k && p.on.contains(shared) {
			return false
		}
	}
	return true
}

// at collects a number of every point.
func (r region) at(f func(spot) *big.Rat) []*big.Rat {
	out := make([]*big.Rat, len(r))
	for i, p := range r {
		out[i] = f(p)
	}
	return out
}

// within cuts a region by a box of inputs.
func (r region) within(lower, upper []*big.Rat) region {
	for i := range lower {
		if r = r.cut(r.at(func(p spot) *big.Rat { return new(big.Rat).Sub(lower[i], p.x[i]) })); r == nil {
			return nil
		}
		if r = r.cut(r.at(func(p spot) *big.Rat { return new(big.Rat).Sub(p.x[i], upper[i]) })); r == nil {
			return nil
		}
	}
	return r
}

// boxRegion is a box of inputs.
func boxRegion(lower, upper []*big.Rat) region {
	r := region{{}}
	sides := 0
	for i := range lower {
		var next region
		for _, p := range r {
			low, high := p, p
			low.x = append(append([]*big.Rat(nil), p.x...), lower[i])
			if lower[i].Cmp(upper[i]) == 0 { // all corners lie there
				next = append(next, low)
				continue
			}
			low.on = low.on.with(sides)
			high.x = append(append([]*big.Rat(nil), p.x...), upper[i])
			high.on = high.on.with(sides + 1)
			next = append(next, low, high)
		}
		if lower[i].Cmp(upper[i]) < 0 {
			sides += 2
		}
		r = next
	}
	for i := range r {
		r[i].cur = r[i].x
	}
	return r
}

// meets tells whether a point of the region meets all constraints, and gives one that does.
//
// The closures are cut first. On what is left each strict constraint holds at least weakly; where each of them holds strictly somewhere, the
// mean of those places meets all.
func (r region) meets(cs []Constraint) (spot, bool) {
	side := func(q Constraint, p spot) *big.Rat {
		sum := new(big.Rat).Neg(q.Bound)
		for k, i := range q.Index {
			sum.Add(sum, new(big.Rat).Mul(q.Coef[k], p.cur[i]))
		}
		return sum
	}
	for _, q := range cs {
		if r = r.cut(r.at(func(p spot) *big.Rat { return side(q, p) })); r == nil {
			return spot{}, false
		}
	}
	found := r[:1:1]
	for _, q := range cs {
		if !q.Strict {
			continue
		}
		some := false
		for _, p := range r {
			if side(q, p).Sign() < 0 {
				found, some = append(found, p), true
				break
			}
		}
		if !some {
			return spot{}, false
		}
	}
	p := found[0]
	for i, q := range found[1:] {
		p = between(p, q, big.NewRat(1, int64(i+2)))
	}
	return p, true
}
