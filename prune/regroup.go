package prune

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// regroup is a run of axes whose elements another run holds in the same order, as Reshape makes them: (C, H, W) and (C*H*W).
//
// Removing slots must leave a box of elements on either side, so one axis of each side carries the channels and the others stay whole.
// Which one it is shows when the rest of the graph is known: the image's axes are pinned by the convolutions that read them. Where several
// are free the longest carries: of an attention's (heads, channels of a head) or a shuffle's (groups, channels) the finer choice.
type regroup struct {
	a, b []op.Axis
	node *onnxio.Node
}

// maxRegroup limits the elements that are followed one by one.
const maxRegroup = 1 << 24

// Regroup implements op.Coupler: it finds the shortest runs of equal size on both sides.
func (k *nodeCoupler) Regroup(a, b []op.Axis) {
	one := func(x op.Axis) bool { return x.Size() == 1 }
	empty := func(x op.Axis) bool { return x.Size() == 0 }
	if slices.ContainsFunc(a, empty) || slices.ContainsFunc(b, empty) {
		for _, x := range slices.Concat(a, b) {
			k.Pin(x, "the value is empty")
		}
		return
	}
	a, b = slices.DeleteFunc(slices.Clone(a), one), slices.DeleteFunc(slices.Clone(b), one)
	for len(a) > 0 && len(b) > 0 {
		i, j, p, q := 1, 1, a[0].Size(), b[0].Size()
		for p != q {
			if p < q {
				p *= a[i].Size()
				i++
			} else {
				q *= b[j].Size()
				j++
			}
		}
		if i == 1 && j == 1 {
			for s := range p {
				k.Tie(a[0], s, b[0], s)
			}
		} else {
			k.c.regroups = append(k.c.regroups, &regroup{a[:i], b[:j], k.n})
		}
		a, b = a[i:], b[j:]
	}
}

// resolve chooses the axes that carry, until none is left.
func (c *Coupling) resolve() {
	open := slices.Clone(c.regroups)
	for len(open) > 0 {
		before := len(open)
		open = slices.DeleteFunc(open, func(r *regroup) bool { return c.carry(r, false) })
		if len(open) == before { // nothing decides: the first in the graph takes its longest
			c.carry(open[0], true)
			open = open[1:]
		}
	}
}

// carry settles a regroup where there is no choice left, or where it is told to choose.
func (c *Coupling) carry(r *regroup, choose bool) bool {
	free := func(side []op.Axis) (int, int) { // the longest, and how many
		best, count := -1, 0
		for i, a := range side {
			if !c.pinned(a) {
				count++
				if best < 0 || a.Size() >= side[best].Size() {
					best = i
				}
			}
		}
		return best, count
	}
	k := nodeCoupler{c, r.node}
	i, p := free(r.a)
	j, q := free(r.b)
	total := 1
	for _, a := range r.a {
		total *= a.Size()
	}
	if p == 0 || q == 0 || total > maxRegroup {
		for _, a := range slices.Concat(r.a, r.b) {
			k.Pin(a, r.node.Op+" joins it with axes that stay")
		}
		return true
	}
	if !choose && (p > 1 || q > 1) {
		return false
	}
	for _, side := range []struct {
		axes []op.Axis
		at   int
	}{{r.a, i}, {r.b, j}} {
		for x, a := range side.axes {
			if x != side.at {
				k.Pin(a, r.node.Op+" joins it with an axis that carries channels")
			}
		}
	}
	inner := func(side []op.Axis, at int) int {
		n := 1
		for _, a := range side[at+1:] {
			n *= a.Size()
		}
		return n
	}
	a, b := r.a[i], r.b[j]
	innerA, innerB := inner(r.a, i), inner(r.b, j)
	firstA, firstB := c.slot(a, 0), c.slot(b, 0)
	for f := range total {
		c.tie(firstA+int32(f/innerA%a.Size()), firstB+int32(f/innerB%b.Size()))
	}
	return true
}
