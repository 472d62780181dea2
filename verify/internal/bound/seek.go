package bound

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/kernel"
)

// Pace is how parameters are moved while they are looked for.
type Pace struct {
	Steps  int
	Until  time.Time                    // no step begins after that; zero means without end
	Hinges func(step int) kernel.Ascent // from 1 on
	// Curves is where a curve's parameter goes from x, up the derivative g, with its moments.
	Curves func(step int, of Choice, x, g float64, m, v *float64) float64
}

// SeekLower moves each node's parameters to where the bound of its row over the outputs is large, nearly: it looks in float32. What it says is where
// to look, and no bound; that is what Lower finds there. It tells whether it has moved anything: where it could not, parameters are as before.
func (l *Laid) SeekLower(rows [][]float64, p Pace) (bool, error) {
	var from []*value
	for _, id := range l.p.net.outputs {
		from = append(from, l.p.net.values[id])
	}
	return l.seek(p, from, func(sc *scout) []start { return sc.outputs(from, rows) })
}

// outputs are rows over the outputs where they begin.
func (sc *scout) outputs(from []*value, rows [][]float64) (starts []start) {
	for o, r := range sc.l.p.rowsOver(rows) {
		x := &sc.vals[sc.vals[from[o].id].root]
		s := start{sc.vals[from[o].id].root, make([]float32, len(rows)*len(x.cols))}
		for i := range rows {
			row := r.Row(i)
			for k, j := range x.cols {
				s.rows[i*len(x.cols)+k] = float32(row[j])
			}
		}
		starts = append(starts, s)
	}
	return starts
}

// SeekNeurons is SeekLower for rows of Neurons.
func (l *Laid) SeekNeurons(slot int, elems []int32, sign []float64, p Pace) (bool, error) {
	v := l.p.net.values[l.s.slots[slot].in[0]]
	if v.kind != kindAffine {
		return false, nil
	}
	var from []*value
	for _, id := range v.in {
		from = append(from, l.p.net.values[id])
	}
	return l.seek(p, from, func(sc *scout) []start { return sc.neurons(v, elems, sign) })
}

// neurons are rows over an affine value where they begin: at what it reads.
func (sc *scout) neurons(v *value, elems []int32, sign []float64) (starts []start) {
	for k, s := range v.steps {
		id := sc.vals[v.in[k]].root
		cols := sc.vals[id].cols
		x := start{id, make([]float32, len(elems)*len(cols))}
		sc.pick(s, elems, sign, cols, x.rows)
		starts = append(starts, x)
	}
	return starts
}

func (l *Laid) seek(p Pace, from []*value, starts func(sc *scout) []start) (sought bool, err error) {
	err = budget.Do(l.p.ctx, func() error {
		sc := l.scout(from)
		if sc == nil {
			return nil
		}
		sought = true
		return sc.seek(starts(sc), p)
	})
	if err != nil {
		l.p.lost = true
		return false, err
	}
	return sought, nil
}

// start is where rows begin: their coefficients over a value.
type start struct {
	id   int
	rows []float32
}

// seekFloats is how many numbers rows that move together may take: about what a second cache holds.
const seekFloats = 1 << 18

// seek moves parameters, and leaves the nodes at the best that it saw.
func (sc *scout) seek(starts []start, p Pace) error {
	l := sc.l
	few := min(96, max(8, seekFloats/max(1, 2*sc.width+4*sc.alpha)))
	return l.p.chunks(l.p.net.values[max(0, sc.top-1)], len(l.nodes), func(_ *affine.Work, from, to int) {
		k := seekers.Get().(*seeker)
		defer seekers.Put(k)
		for a := from; a < to && l.p.ctx.Err() == nil; a += few {
			k.run(sc, starts, p, a, min(to, a+few))
		}
	})
}

var seekers = sync.Pool{New: func() any { return new(seeker) }}

// seeker moves the parameters of some nodes.
type seeker struct {
	sc         *scout
	from, n    int
	coef, vals [][]float32 // by value and node
	has        []bool      // coefficients have come there
	alpha      []float32   // by node: the slopes of all hinges
	best       []float32
	m, v       []float32
	score      []float64 // the largest
	last       []float64
	bent       [][]float32 // by curve's value and node: lines
	turned     []float64   // by node: parameters of all curves, the best ones
	curves     []int       // by node: where its own begin there; nil for none
	m1, v1     []float64   // their moments
	none       []float32
	spare      []float32
	work       kernel.Work
	images     affine.SingleWork
}

func floats(of *[]float32, n int) []float32 {
	if cap(*of) < n {
		*of = make([]float32, n)
	}
	*of = (*of)[:n]
	return *of
}

func (k *seeker) run(sc *scout, starts []start, p Pace, from, to int) {
	k.begin(sc, from, to)
	for step := 0; ; step++ {
		k.down(starts)
		k.up()
		if resting := k.judge(starts); resting || step == p.Steps || sc.l.p.ctx.Err() != nil || !p.Until.IsZero() && time.Now().After(p.Until) {
			break
		}
		k.move(step+1, p)
	}
	k.end()
}

// begin takes the nodes' parameters over.
func (k *seeker) begin(sc *scout, from, to int) {
	l := sc.l
	k.sc, k.from, k.n = sc, from, to-from
	if n := len(sc.vals); len(k.coef) < n {
		k.coef, k.vals, k.has, k.bent = make([][]float32, n), make([][]float32, n), make([]bool, n), make([][]float32, n)
	}
	for id := range sc.vals[:sc.top] {
		if x := &sc.vals[id]; x.need && x.root == id {
			floats(&k.coef[id], k.n*len(x.cols))
			floats(&k.vals[id], k.n*len(x.cols))
			if x.open > len(k.none) {
				k.none = make([]float32, x.open)
			}
		}
	}
	clear(floats(&k.m, k.n*sc.alpha))
	clear(floats(&k.v, k.n*sc.alpha))
	floats(&k.alpha, k.n*sc.alpha)
	floats(&k.best, k.n*sc.alpha)
	k.score, k.last = slices.Repeat([]float64{math.Inf(-1)}, k.n), slices.Repeat([]float64{math.NaN()}, k.n)
	k.turned, k.curves = k.turned[:0], k.curves[:0]
	for i := range k.n {
		k.curves = append(k.curves, len(k.turned))
		for _, id := range sc.slots {
			x, v := &sc.vals[id], l.p.net.values[id]
			if v.relu {
				copy(k.alpha[i*sc.alpha+x.at:], x.lo[sc.of[from+i]])
				continue
			}
			floats(&k.bent[id], k.n*4*v.n)
			sc.bent(&l.p.at(id, from+i).lines, k.bent[id][i*4*v.n:(i+1)*4*v.n])
			k.turned = append(k.turned, l.alpha[from+i][x.slot]...)
		}
	}
	copy(k.best, k.alpha)
	k.m1, k.v1 = make([]float64, len(k.turned)), make([]float64, len(k.turned))
}

// down carries rows to the inputs. Coefficients in front of hinges and curves stay where they were.
func (k *seeker) down(starts []start) {
	sc, net := k.sc, k.sc.l.p.net
	clear(k.has)
	for _, s := range starts {
		w := len(sc.vals[s.id].cols)
		rows := s.rows[k.from*w : (k.from+k.n)*w]
		if to := k.coef[s.id]; k.has[s.id] {
			kernel.AddTo(to, rows)
		} else {
			copy(to, rows)
		}
		k.has[s.id] = true
	}
	for id := sc.top - 1; id >= 0; id-- {
		x, v := &sc.vals[id], net.values[id]
		if !k.has[id] {
			continue
		}
		w := len(x.cols)
		switch v.kind {
		case kindAffine:
			for _, m := range x.maps {
				in := len(sc.vals[m.in].cols)
				m.back(k.n, w, in, k.coef[id], k.coef[m.in], k.has[m.in], k)
				k.has[m.in] = true
			}
		case kindAct:
			to := sc.vals[v.in[0]].root
			for i := range k.n {
				from, out := k.coef[id][i*w:(i+1)*w], k.coef[to][i*w:(i+1)*w]
				if v.relu {
					kernel.Sloped32(out[:x.open], from[:x.open], k.slopes(i, x), x.up[sc.of[k.from+i]])
					copy(out[x.open:], from[x.open:])
					continue
				}
				y := k.bent[id][i*4*w:]
				kernel.Sloped32(out, from, y[:w], y[w:2*w])
			}
			k.has[to] = true
		}
	}
}

func (k *seeker) slopes(i int, x *scouted) []float32 {
	at := i*k.sc.alpha + x.at
	return k.alpha[at : at+x.open]
}

// back adds rows times the matrix.
func (m *matrix) back(n, rows, cols int, from, to []float32, acc bool, k *seeker) {
	switch {
	case m.conv != nil && !acc:
		m.conv.Back(to, from, n, &k.images)
		return
	case m.conv != nil:
		m.conv.Back(floats(&k.spare, n*cols), from, n, &k.images)
		kernel.AddTo(to, k.spare)
		return
	case m.from == nil:
		kernel.Gemm(false, false, n, cols, rows, from, rows, m.w, cols, to, cols, acc, &k.work)
		return
	}
	if !acc {
		clear(to)
	}
	for i := range n {
		x, y := from[i*rows:(i+1)*rows], to[i*cols:(i+1)*cols]
		for r, at := range m.from {
			if at >= 0 {
				y[at] += m.times[r] * x[r]
			}
		}
	}
}

// forth adds points times the matrix the other way.
func (m *matrix) forth(n, rows, cols int, from, to []float32, k *seeker) {
	switch {
	case m.conv != nil:
		m.conv.Forth(to, from, n, &k.images)
		return
	case m.from == nil:
		kernel.Gemm(false, false, n, rows, cols, from, cols, m.t, rows, to, rows, true, &k.work)
		return
	}
	for i := range n {
		x, y := from[i*cols:(i+1)*cols], to[i*rows:(i+1)*rows]
		for r, at := range m.from {
			if at >= 0 {
				y[r] += m.times[r] * x[at]
			}
		}
	}
}

// up sends the corners where rows are least through the lines that they chose.
func (k *seeker) up() {
	sc, net := k.sc, k.sc.l.p.net
	for id := range sc.vals[:sc.top] {
		x, v := &sc.vals[id], net.values[id]
		if !x.need || x.root != id {
			continue
		}
		w, y := len(x.cols), k.vals[id]
		if !k.has[id] { // no row depends on it
			clear(k.coef[id])
		}
		switch v.kind {
		case kindInput:
			for i := range k.n {
				at := sc.of[k.from+i]
				kernel.Pick32(y[i*w:(i+1)*w], k.coef[id][i*w:(i+1)*w], x.lo[at], x.up[at])
			}
		case kindAffine:
			for i := range k.n {
				if x.bias != nil {
					copy(y[i*w:(i+1)*w], x.bias)
				} else {
					clear(y[i*w : (i+1)*w])
				}
			}
			for _, m := range x.maps {
				m.forth(k.n, w, len(sc.vals[m.in].cols), k.vals[m.in], y, k)
			}
		case kindAct:
			from := k.vals[sc.vals[v.in[0]].root]
			for i := range k.n {
				z, c, out := from[i*w:(i+1)*w], k.coef[id][i*w:(i+1)*w], y[i*w:(i+1)*w]
				if v.relu {
					at, n := sc.of[k.from+i], x.open
					kernel.Line32(out[:n], c[:n], z[:n], k.slopes(i, x), x.up[at], k.none[:n], x.icpt[at])
					copy(out[n:], z[n:])
					continue
				}
				l := k.bent[id][i*4*w:]
				kernel.Line32(out, c, z, l[:w], l[w:2*w], l[2*w:3*w], l[3*w:4*w])
			}
		}
	}
}

// atRest is how little, relative to its value, a row moves in a step that moves none of its parameters: float32 sums the same numbers the same way.
const atRest = 1e-7

// judge keeps the parameters of rows that are larger than before. A row's value at its corner is its bound, but for what is the same in all steps.
// It tells whether the last step has moved no row: nothing pulls at them, or against their ends alone, and no step that follows will.
func (k *seeker) judge(starts []start) (resting bool) {
	sc, l := k.sc, k.sc.l
	resting = true
	for i := range k.n {
		sum := 0.0
		for _, s := range starts {
			w := len(sc.vals[s.id].cols)
			row, at := s.rows[(k.from+i)*w:(k.from+i+1)*w], k.vals[s.id][i*w:(i+1)*w]
			for j, c := range row {
				sum += float64(c) * float64(at[j])
			}
		}
		resting = resting && math.Abs(sum-k.last[i]) <= atRest*math.Abs(sum)
		k.last[i] = sum
		if !(sum > k.score[i]) {
			continue
		}
		k.score[i] = sum
		copy(k.best[i*sc.alpha:(i+1)*sc.alpha], k.alpha[i*sc.alpha:(i+1)*sc.alpha])
		at := k.curves[i]
		for _, id := range sc.slots {
			if !l.p.net.values[id].relu {
				at += copy(k.turned[at:], l.alpha[k.from+i][sc.vals[id].slot])
			}
		}
	}
	return resting
}

// move takes a step.
func (k *seeker) move(step int, p Pace) {
	sc, l := k.sc, k.sc.l
	hinges := p.Hinges(step)
	for i := range k.n {
		at := k.curves[i]
		for _, id := range sc.slots {
			x, v := &sc.vals[id], l.p.net.values[id]
			w := len(x.cols)
			c, z := k.coef[id][i*w:(i+1)*w], k.vals[sc.vals[v.in[0]].root][i*w:(i+1)*w]
			if !v.relu {
				at += k.bend(step, p, i, id, at, c, z)
				continue
			}
			a, n := k.slopes(i, x), x.open
			from := i*sc.alpha + x.at
			hinges.Slopes32(a, c[:n], z[:n], k.m[from:from+n], k.v[from:from+n])
			box := sc.of[k.from+i]
			for _, u := range x.held[box] {
				a[u] = x.lo[box][u]
			}
		}
	}
}

// bend moves the parameters of a curve, and draws its lines anew: nearly, where the family can do so.
func (k *seeker) bend(step int, p Pace, i, id, at int, c, z []float32) int {
	sc, l := k.sc, k.sc.l
	x, node := &sc.vals[id], k.from+i
	a, of := l.alpha[node][x.slot], l.curve[node][x.slot]
	n := l.s.slots[x.slot].n
	lines := k.bent[id][i*4*n : (i+1)*4*n]
	for u, j := range l.unstable(x.slot, node) {
		q, end, g := 2*u, &of.ends[u].Lo, float64(c[j])
		upper := !(g >= 0)
		if upper {
			q, end, g = q+1, &of.ends[u].Up, -g
		}
		if g == 0 || !end.Open() {
			continue
		}
		if g *= l.s.slots[x.slot].family.Pull(upper, of.lo[u], of.up[u], float64(z[j]), a[q]); g == 0 {
			continue
		}
		a[q] = p.Curves(step, *end, a[q], g, &k.m1[at+q], &k.v1[at+q])
		if x.drawn != nil {
			slope, icept := x.drawn.Tangent(a[q])
			if upper {
				lines[n+int(j)], lines[3*n+int(j)] = float32(slope), float32(icept)
			} else {
				lines[int(j)], lines[2*n+int(j)] = float32(slope), float32(icept)
			}
		}
	}
	if x.drawn == nil {
		l.bend(node, x.slot)
		sc.bent(&l.p.at(id, node).lines, lines)
	}
	return len(a)
}

// end leaves the nodes at the best parameters.
func (k *seeker) end() {
	sc, l := k.sc, k.sc.l
	for i := range k.n {
		node, at := k.from+i, k.curves[i]
		for _, id := range sc.slots {
			x := &sc.vals[id]
			a := l.alpha[node][x.slot]
			if !l.p.net.values[id].relu {
				at += copy(a, k.turned[at:at+len(a)])
				continue
			}
			best, u := k.best[i*sc.alpha+x.at:], 0
			open := l.unstable(x.slot, node)
			for q, j := range x.cols[:x.open] {
				if u < len(open) && open[u] == j {
					a[u] = float64(best[q])
					u++
				}
			}
		}
		l.Moved(node)
	}
}
