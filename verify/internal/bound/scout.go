package bound

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
)

// scout is laid nodes' network in float32, made ready for looking for parameters: matrices of the elements that are not proven dead, hinges whose
// side is open first among them. What it computes is nowhere near sound, and none of it leaves seek.go but the parameters that it ends at.
type scout struct {
	l     *Laid
	top   int // how many values lie below the rows' start
	known []place
	of    []int // by node: its place in known
	vals  []scouted
	width int // elements of all values together
	alpha int // slopes of a node
	slots []int
}

// place is a snapshot's problem.
type place struct {
	of      *Snapshot
	problem int
}

// scouted is one value.
type scouted struct {
	root int     // the value whose numbers these are: itself, unless it copies
	need bool    // something that rows pass rests on it
	all  bool    // every element is computed: it is an image of a convolution
	cols []int32 // stored elements that are computed
	bias []float32
	maps []matrix

	open         int         // hinges: how many of the first cols have lines to choose
	at           int         // hinges: where a node's slopes of it begin
	lo, up, icpt [][]float32 // hinges, by place in known: the lines of the open ones, the lower one's as they are at first; inputs: the box
	held         [][]int32   // hinges, by place in known: open elements whose lower line stays
	slot         int
	drawn        relax.Tangential // curves whose lines can be drawn nearly; nil for others
}

// matrix is a step between the elements that are computed: weights, outputs by inputs and inputs by outputs; or a factor of one input for each
// output, which is nowhere where from is -1; or a convolution between whole images.
type matrix struct {
	in    int
	w, t  []float32
	from  []int32
	times []float32
	conv  *affine.Single
}

// scoutFloats is how large a matrix may be that is written out though its step has a cheaper way.
const scoutFloats = 1 << 16

// scout makes laid nodes ready; nil where the network has steps that are dear as matrices, or nodes have splits, ceilings or cuts.
func (l *Laid) scout(from []*value) *scout {
	p := l.p
	if p.splits != nil || p.ceilings != nil || p.cuts != nil {
		return nil
	}
	sc := &scout{l: l, vals: make([]scouted, len(p.net.values)), of: make([]int, len(l.nodes))}
	for _, v := range from {
		sc.need(v)
	}
	if !sc.fits() {
		return nil
	}
	places := map[place]int{}
	for i, n := range l.nodes {
		at := place{n.Of, n.Problem}
		k, known := places[at]
		if !known {
			k = len(sc.known)
			places[at] = k
			sc.known = append(sc.known, at)
		}
		sc.of[i] = k
	}
	for _, v := range p.net.values[:sc.top] {
		if p.ctx.Err() != nil {
			return nil
		}
		if sc.vals[v.id].need {
			sc.make(v)
		}
	}
	return sc
}

// need marks a value and what it is made of.
func (sc *scout) need(v *value) {
	x := &sc.vals[v.id]
	if x.need {
		return
	}
	x.need, x.root = true, v.id
	sc.top = max(sc.top, v.id+1)
	for _, id := range v.in {
		sc.need(sc.l.p.net.values[id])
	}
	if v.copies() {
		x.root = sc.vals[v.in[0]].root
	}
}

// fits tells whether everything that is needed can be done.
func (sc *scout) fits() bool {
	net := sc.l.p.net
	readers := make([]int, len(net.values))
	for _, v := range net.values[:sc.top] {
		if !sc.vals[v.id].need || v.copies() {
			continue
		}
		for _, id := range v.in {
			readers[sc.vals[id].root]++
		}
	}
	floats := int64(0)
	for _, v := range net.values[:sc.top] {
		switch {
		case !sc.vals[v.id].need || v.copies() || v.kind == kindInput:
		case v.kind == kindAct:
			in := sc.vals[v.in[0]].root
			if !v.chosen() || len(v.in) != 1 || readers[in] != 1 || net.values[in].kind != kindAffine {
				return false
			}
		case v.kind == kindAffine:
			for k, s := range v.steps {
				if paired(s) {
					continue
				}
				in := net.values[v.in[k]].n
				if dear(v, in) {
					c, ok := s.(*affine.ConvStep)
					if !ok || c.Single() == nil {
						return false
					}
					sc.vals[v.id].all, sc.vals[sc.vals[v.in[k]].root].all = true, true
					continue
				}
				floats += int64(v.n) * int64(in)
			}
		default:
			return false
		}
	}
	for _, v := range net.values[:sc.top] { // a hinge has the elements of what it reads
		if v.kind == kindAct && sc.vals[v.id].need {
			x, in := &sc.vals[v.id], &sc.vals[sc.vals[v.in[0]].root]
			x.all, in.all = x.all || in.all, x.all || in.all
		}
	}
	return net.room.Ask("slopes in float32", 8*floats) == nil
}

// dear tells whether a matrix of a value by what it reads would take much longer than the step that it is of.
func dear(v *value, in int) bool { return in > 2*v.terms && v.n*in > scoutFloats }

// paired tells whether each output of a step is of one input alone.
func paired(s affine.Step) bool {
	switch s.(type) {
	case *affine.SameStep, *affine.DiagStep:
		return true
	}
	return false
}

// make chooses the elements of a value and writes its steps out.
func (sc *scout) make(v *value) {
	x := &sc.vals[v.id]
	net := sc.l.p.net
	if x.root != v.id {
		return
	}
	switch v.kind {
	case kindInput:
		x.cols = all(v.n)
		for _, at := range sc.known {
			s := at.of.at(v.id, at.problem)
			x.lo, x.up = append(x.lo, float32s(s.lo)), append(x.up, float32s(s.up))
		}
	case kindAffine:
		x.cols = all(v.n)
		for _, a := range net.values[v.id+1 : min(sc.top, len(net.values))] { // the only reader chooses
			if a.kind == kindAct && sc.vals[a.id].need && sc.vals[a.in[0]].root == v.id {
				sc.choose(a)
				x.cols = sc.vals[a.id].cols
			}
		}
		if v.bias != nil {
			x.bias = make([]float32, len(x.cols))
			for k, j := range x.cols {
				x.bias[k] = float32(v.bias[j])
			}
		}
		for k := range v.steps {
			x.maps = append(x.maps, sc.matrix(v, k))
		}
	}
	sc.width += len(x.cols)
}

// choose orders a hinge's elements, those with an open side first, and notes their lines.
func (sc *scout) choose(v *value) {
	x := &sc.vals[v.id]
	x.slot = slices.Index(sc.l.s.slots, v)
	sc.slots = append(sc.slots, v.id)
	if !v.relu {
		x.cols = all(v.n)
		x.drawn, _ = v.family.(relax.Tangential)
		return
	}
	open, dead := make([]bool, v.n), make([]bool, v.n)
	for j := range dead {
		dead[j] = true
	}
	for _, at := range sc.known {
		in := at.of.at(v.in[0], at.problem)
		for j, l := range in.lo {
			open[j] = open[j] || l < 0 && in.up[j] > 0
			dead[j] = dead[j] && !(in.up[j] > 0)
		}
	}
	for j := range open {
		if open[j] || x.all {
			x.cols = append(x.cols, int32(j))
		}
	}
	x.open = len(x.cols)
	for j := range open {
		if !open[j] && !dead[j] && !x.all {
			x.cols = append(x.cols, int32(j))
		}
	}
	// A hinge that is dead in one problem and active in another has lines too.
	for _, j := range x.cols[x.open:] {
		for _, at := range sc.known[1:] {
			if !(at.of.at(v.in[0], at.problem).up[j] > 0) || !(sc.known[0].of.at(v.in[0], sc.known[0].problem).up[j] > 0) {
				x.open = len(x.cols)
			}
		}
	}
	x.at = sc.alpha
	sc.alpha += x.open
	for _, at := range sc.known {
		s := &at.of.at(v.id, at.problem).lines
		in := at.of.at(v.in[0], at.problem)
		lo, up, icpt := make([]float32, x.open), make([]float32, x.open), make([]float32, x.open)
		var held []int32
		for u, j := range x.cols[:x.open] {
			lo[u], up[u], icpt[u] = float32(s.LoSlope[j]), float32(s.UpSlope[j]), float32(s.UpIcept[j])
			if !(in.lo[j] < 0 && in.up[j] > 0) {
				held = append(held, int32(u))
			}
		}
		x.lo, x.up, x.icpt, x.held = append(x.lo, lo), append(x.up, up), append(x.icpt, icpt), append(x.held, held)
	}
}

// matrix writes step k of a value out.
func (sc *scout) matrix(v *value, k int) matrix {
	id := sc.vals[v.in[k]].root
	rows, cols := sc.vals[v.id].cols, sc.vals[id].cols
	m := matrix{in: id}
	if c, ok := v.steps[k].(*affine.ConvStep); ok && dear(v, sc.l.p.net.values[v.in[k]].n) {
		m.conv = c.Single()
		return m
	}
	if paired(v.steps[k]) {
		m.from, m.times = make([]int32, len(rows)), make([]float32, len(rows))
		at := livePlaces(cols, sc.l.p.net.values[id].n)
		d, _ := v.steps[k].(*affine.DiagStep)
		for i, j := range rows {
			m.from[i], m.times[i] = at[j], 1
			if d != nil {
				m.times[i] = float32(d.D[j])
			}
		}
		return m
	}
	m.w, m.t = make([]float32, len(rows)*len(cols)), make([]float32, len(rows)*len(cols))
	sc.pick(v.steps[k], rows, nil, cols, m.w)
	for i := range rows {
		for j, y := range m.w[i*len(cols) : (i+1)*len(cols)] {
			m.t[j*len(rows)+i] = y
		}
	}
	return m
}

// pick writes rows of a step's matrix, restricted to some columns, times signs; nil for 1.
func (sc *scout) pick(s affine.Step, rows []int32, sign []float64, cols []int32, to []float32) {
	w := sc.l.p.work[0]
	if sign == nil {
		sign = slices.Repeat([]float64{1}, len(rows))
	}
	if d, dense := s.(*affine.DenseStep); dense {
		for i, r := range rows {
			from, out := d.W[int(r)*d.N:(int(r)+1)*d.N], to[i*len(cols):(i+1)*len(cols)]
			f := float32(sign[i])
			for k, j := range cols {
				out[k] = f * float32(from[j])
			}
		}
		return
	}
	const few = 64
	for a := 0; a < len(rows); a += few {
		b := min(a+few, len(rows))
		r := s.Pick(rows[a:b], sign[a:b], nil, w).Expand(w)
		for i := range b - a {
			from, out := r.Row(i), to[(a+i)*len(cols):(a+i+1)*len(cols)]
			for k, j := range cols {
				out[k] = float32(from[j])
			}
		}
		w.Put(r.Data)
	}
}

func all(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, y := range x {
		out[i] = float32(y)
	}
	return out
}

// bent writes a node's lines of a curve in float32: two slopes and two intercepts for each element.
func (sc *scout) bent(x *relax.Lines, to []float32) {
	n := len(x.LoSlope)
	for k, from := range [][]float64{x.LoSlope, x.UpSlope, x.LoIcept, x.UpIcept} {
		for j, y := range from {
			to[k*n+j] = float32(y)
		}
	}
}
