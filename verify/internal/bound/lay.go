package bound

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// Split says on which side of a number what a hinge or curve reads is: at or above At where On, else at or below it. Hinges are split at 0 alone.
type Split struct {
	Slot int32   // see Snapshot.Slots
	Elem int32   // in stored order
	At   float64 // finite
	On   bool
}

// splitAt is a split as rows meet it on their way down: at the value that the hinge reads.
type splitAt struct {
	node, at int // place in Laid.beta
	elem     int32
	of       float64
	on       bool
}

// Node is a part of a snapshot's problem: the points at which the splits hold.
type Node struct {
	Of       *Snapshot
	Problem  int
	Splits   []Split
	Ceilings []Ceiling
}

// Laid is nodes with lines of their own over the boxes of a snapshot: the split hinges have the line of their side, the unstable ones any lower
// slope from 0 to 1, curves any line of their family over what their splits leave of the box (curves.go), and each split a multiplier. Rows over node
// i are bounded from below on the part of the problem where its splits hold:
//
// what is split to z >= t gives every row a term -beta*(z-t), beta >= 0, which is at most 0 there, and z <= t likewise +beta*(z-t). So every choice
// of parameters and multipliers is a sound bound, and they can be chosen by what they lead to. Source: Wang et al. 2021 (beta-CROWN), theorem 3.1; Xu
// et al. 2021 (alpha-CROWN); Shi et al. 2024 (GenBaB), section 3, for splits of other functions.
//
// It is used by one goroutine at a time.
type Laid struct {
	s     *Snapshot // of the first node; what is asked of it is the same in all
	p     *pass
	nodes []Node
	alpha [][][]float64 // by node and slot
	beta  [][]float64   // by node and split
	curve [][]*curves   // by node and slot; nil for hinges
	fixed [][][]bool    // by node and slot: unstable elements that are split; nil for none
	live  [][]int32     // by slot: places in the snapshot's live list; nil for none
	vals  [][]float64   // by value: points on their way up, see Points
	pts   *Points       // the last ones; nil for none
	ptsOf [2]int        // of how many values and rows
}

// layFloats is how many numbers nodes that are laid together may take: 128 MiB.
const layFloats = 16 << 20

// Fits is how many nodes may be laid together: each takes its lines, and its rows' coefficients and points at every value.
func (s *Snapshot) Fits() int {
	each := 0
	for _, v := range s.net.values {
		each += v.n
		if v.nonlinear() {
			each += 2 * v.n
		}
		if v.family != nil {
			each += 16 * v.n
		}
	}
	return max(1, layFloats/max(1, each))
}

// Lay gives nodes lines of their own, at first those of their snapshots, and multipliers 0. There is at least one, and their snapshots are of one
// family: one that knows of no other, and those whose problems are parts of it. The result must be closed.
func Lay(ctx context.Context, nodes []Node, threads int) (*Laid, error) {
	s := nodes[0].Of
	for _, n := range nodes {
		if n.Of.family != s.family {
			return nil, fmt.Errorf("bound: nodes of unrelated snapshots")
		}
	}
	o := s.o
	o.Threads = threads
	p, err := stateless(ctx, s.net, o, len(nodes))
	if err != nil {
		return nil, err
	}
	p.rows, p.shared = true, s.shared
	l := &Laid{s: s, p: p, nodes: nodes, alpha: make([][][]float64, len(nodes)), beta: make([][]float64, len(nodes)),
		fixed: make([][][]bool, len(nodes)), curve: make([][]*curves, len(nodes)),
		live: make([][]int32, len(s.slots)), vals: make([][]float64, len(s.net.values))}
	for id := range s.net.values {
		for i, n := range nodes {
			p.st[id*p.n+i] = n.Of.at(id, n.Problem)
		}
	}
	slots := s.slots
	if s.making {
		slots = slots[:len(slots)-1]
	}
	own := make([]state, len(slots)*len(nodes)) // all that nodes change is lines
	for k, v := range slots {
		for i := range nodes {
			x := &own[k*len(nodes)+i]
			*x = *p.at(v.id, i)
			p.st[v.id*p.n+i] = x
		}
		if live := s.shared[v.id].live; live != nil {
			l.live[k] = livePlaces(live, v.n)
		}
	}
	for i, n := range nodes {
		p.beyond[i], p.empty[i] = n.Of.beyond[n.Problem], n.Of.empty[n.Problem]
		if n.Of.cuts != nil && len(n.Of.cuts[n.Problem]) > 0 {
			if p.cuts == nil {
				p.cuts = make([][]storedCut, len(nodes))
			}
			p.cuts[i] = n.Of.cuts[n.Problem]
		}
		l.beta[i] = make([]float64, len(n.Splits))
		l.alpha[i] = make([][]float64, len(s.slots))
		l.fixed[i] = make([][]bool, len(s.slots))
		l.curve[i] = make([]*curves, len(s.slots))
		for at, q := range n.Splits {
			in := s.slots[q.Slot].in[0]
			if p.splits == nil {
				p.splits = make([][]splitAt, len(s.net.values))
			}
			p.splits[in] = append(p.splits[in], splitAt{i, at, q.Elem, q.At, q.On})
		}
		for k := range slots {
			l.lines(i, k)
		}
	}
	p.beta = l.beta
	if err := l.ceilings(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// own copies numbers into the pass' memory.
func (l *Laid) own(x []float64) []float64 {
	if x == nil {
		return nil
	}
	y := l.p.arena.get(len(x))
	copy(y, x)
	return y
}

// lines gives a node's slot arrays of its own, with the sides of its splits.
func (l *Laid) lines(i, k int) {
	s, n := l.s, l.nodes[i]
	v := s.slots[k]
	if v.family != nil {
		l.curves(i, k)
		return
	}
	unstable := n.Of.unstable[k][n.Problem]
	l.alpha[i][k] = make([]float64, len(unstable))
	st := l.p.at(v.id, i)
	own := l.own
	for q, j := range unstable {
		l.alpha[i][k][q] = st.lines.LoSlope[j]
	}
	st.lines.LoSlope, st.cl.LoSlope = own(st.lines.LoSlope), own(st.cl.LoSlope)
	split := false
	for _, q := range n.Splits {
		if int(q.Slot) != k {
			continue
		}
		if !split {
			split = true
			st.lines.UpSlope, st.lines.UpIcept = own(st.lines.UpSlope), own(st.lines.UpIcept)
			st.cl.UpSlope, st.cl.UpIcept = own(st.cl.UpSlope), own(st.cl.UpIcept)
			l.fixed[i][k] = make([]bool, len(unstable))
		}
		slope := 0.0
		if q.On {
			slope = 1
		}
		j := q.Elem
		set := func(x *relax.Lines, j int32) {
			x.LoSlope[j], x.LoIcept[j], x.UpSlope[j], x.UpIcept[j] = slope, 0, slope, 0
		}
		set(&st.lines, j)
		if l.live[k] != nil && l.live[k][j] >= 0 && st.cl.LoSlope != nil {
			set(&st.cl, l.live[k][j])
		}
		for u, e := range unstable {
			if e == j {
				l.fixed[i][k][u] = true
			}
		}
	}
}

// Alpha are a node's parameters at the unstable elements of a slot: of hinges the lower slopes, from 0 to 1; of curves two for each, between their
// Ends. The caller may write into it, and says so by Moved.
func (l *Laid) Alpha(node, slot int) []float64 { return l.alpha[node][slot] }

// Beta are a node's multipliers, one for each of its splits. The caller may write numbers of at least 0 into it.
func (l *Laid) Beta(node int) []float64 { return l.beta[node] }

// Split tells whether an unstable hinge of a slot is split in a node; nil where none is, and for curves.
func (l *Laid) Split(node, slot int) []bool { return l.fixed[node][slot] }

// Moved takes a node's parameters over into its lines. Slopes outside of 0 to 1 are brought there, parameters of curves between their ends, and
// multipliers to at least 0: nothing that a caller writes can make a bound unsound.
func (l *Laid) Moved(node int) {
	n := l.nodes[node]
	for k, v := range l.s.slots {
		if l.alpha[node][k] == nil { // the last one of a pass that is under way
			continue
		}
		if v.family != nil {
			l.bend(node, k)
			continue
		}
		st := l.p.at(v.id, node)
		a, fixed, live := l.alpha[node][k], l.fixed[node][k], l.live[k]
		for u, j := range n.Of.unstable[k][n.Problem] {
			if fixed != nil && fixed[u] {
				continue
			}
			if !(a[u] >= 0) {
				a[u] = 0
			} else if a[u] > 1 {
				a[u] = 1
			}
			st.lines.LoSlope[j] = a[u]
			if live != nil && live[j] >= 0 && st.cl.LoSlope != nil {
				st.cl.LoSlope[live[j]] = a[u]
			}
		}
	}
	for k, b := range l.beta[node] {
		if !(b >= 0) || math.IsInf(b, 0) {
			l.beta[node][k] = 0
		}
	}
}

// Close gives the memory back.
func (l *Laid) Close() { l.p.close() }

// Lower bounds rows over the flat outputs from below, row i over node i. A trace, unless nil, gets what Trace says and what Points needs.
func (l *Laid) Lower(rows [][]float64, t *Trace) ([]float64, error) {
	owner := make([]int32, len(rows))
	for i := range owner {
		owner[i] = int32(i)
	}
	low := unknownLower(len(rows))
	l.trace(t, len(rows), l.p.net.values)
	err := budget.Do(l.p.ctx, func() error {
		return l.p.chunks(l.p.net.values[len(l.p.net.values)-1], len(rows), func(w *affine.Work, a, b int) {
			l.p.forms(w, l.p.rowsOver(rows[a:b]), owner[a:b], false, t.part(a, b), low[a:b])
		})
	})
	if err != nil {
		l.p.lost = true
		return nil, err
	}
	return low, nil
}

// Neurons bounds sign[i] times an element of what a slot reads from below, over node i.
func (l *Laid) Neurons(slot int, elems []int32, sign []float64, t *Trace) ([]float64, error) {
	set := rowSet{elems, sign, make([]int32, len(elems))}
	for i := range set.owner {
		set.owner[i] = int32(i)
	}
	low := unknownLower(len(elems))
	in := l.p.net.values[l.s.slots[slot].in[0]]
	l.trace(t, len(elems), l.p.net.values[:in.id])
	err := budget.Do(l.p.ctx, func() error {
		return l.p.chunks(in, len(elems), func(w *affine.Work, a, b int) {
			l.p.neurons(w, in, set.part(a, b), t.part(a, b), low[a:b])
		})
	})
	if err != nil {
		l.p.lost = true
		return nil, err
	}
	if l.s.making {
		l.tighten(in, set, low)
	}
	return low, nil
}

// tighten takes bounds of neurons over into the pass that is under way.
func (l *Laid) tighten(in *value, set rowSet, low []float64) {
	for i, x := range low {
		n, j := l.nodes[i], set.index[i]
		if len(n.Splits) > 0 {
			continue
		}
		s := n.Of.at(in.id, n.Problem)
		lo, up := s.lo[j], s.up[j]
		switch set.sign[i] {
		case 1:
			lo = max(lo, x)
		case -1:
			up = min(up, -x)
		}
		if lo <= up && (lo > s.lo[j] || up < s.up[j]) {
			s.lo[j], s.up[j] = lo, up
			n.Of.less[n.Problem] = true
		}
	}
}

// trace makes room for rows over what comes out of the values.
func (l *Laid) trace(t *Trace, rows int, values []*value) {
	if t == nil {
		return
	}
	t.reset(rows, l.p.net.nIn)
	t.top = len(values)
	acts := t.acts
	if acts == nil {
		acts = make([][]float64, len(l.p.net.values))
	}
	for _, v := range values {
		if !v.nonlinear() {
			continue
		}
		if len(acts[v.id]) != rows*v.n {
			acts[v.id] = make([]float64, rows*v.n)
		} else {
			clear(acts[v.id])
		}
	}
	t.acts = acts
}

// multiplied is at most (was-now)*at: what a split at a number adds to a row's constant, of the multiplier that rounding left of the one asked for.
// That has its sign still, for was + b and was round in the order in which they stand.
func multiplied(was, now, at float64) float64 {
	lo, up := sound.Down(was-now), sound.Up(was-now)
	return min(sound.MulDown(lo, at), sound.MulDown(up, at))
}

// multipliers adds the splits' terms to rows over the value that the hinge reads.
func (t *rowsRun) multipliers(v *value, r *affine.Rows) *affine.Rows {
	first := 0 // of the rows' owners: they ascend by one
	if len(t.own) > 0 {
		first = int(t.own[0])
	}
	wide := r.Index == nil && r.Dense()
	for _, q := range t.p.splits[v.id] {
		b := t.p.beta[q.node][q.at]
		if b == 0 {
			continue
		}
		i := q.node - first
		if i < 0 || i >= r.N {
			continue
		}
		if !wide {
			r, wide = r.Expand(t.w), true
		}
		if q.on {
			b = -b
		}
		d := &r.Data[i*r.Width()+int(q.elem)]
		was := *d
		*d += b
		if q.of != 0 {
			t.addConst(i, multiplied(was, *d, q.of))
		}
	}
	return r
}
