package bound

import (
	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/kernel"
)

// Points are where a trace says that rows are least, on their way up through the lines that the rows chose. Its numbers stand until the nodes
// that they are of are asked for points again.
type Points struct {
	Z [][][]float64 // by slot and row: what the hinge reads, at the snapshot's unstable elements
	C [][][]float64 // by slot and row: the rows' coefficients in front of the hinge, at the same elements
	G [][][]float64 // by slot and row: the bound's derivative in each parameter of a curve, up to a positive factor; in a hinge's slope it is C*Z, or 0
	Y [][]float64   // by row: what arrives at the outputs, flat in the model's order; nil for rows over neurons

	of *Laid
}

// X is the input at which row i is least, flat in the model's order.
func (p *Points) X(i int) []float64 {
	net, at := p.of.p.net, 0
	x := make([]float64, net.nIn)
	for _, id := range net.inputs {
		v := net.values[id]
		v.order.Load(x[at:at+v.n], p.of.vals[id][i*v.n:(i+1)*v.n])
		at += v.n
	}
	return x
}

// Points sends each row's least corner up, through the lower line of a nonlinear value where the row's coefficient in front of it is at least 0 and
// through the upper one else. What comes out are the derivatives of the bound in all slopes and multipliers; none of it is rounded soundly, and
// nothing sound may rest on it.
func (l *Laid) Points(t *Trace) (*Points, error) {
	net, rows := l.p.net, len(t.Const)
	for _, v := range net.values[:t.top] {
		if len(l.vals[v.id]) != rows*v.n {
			l.vals[v.id] = make([]float64, rows*v.n)
		}
	}
	out := l.room(t, rows)
	args := make([][]argument, len(net.values))
	for _, v := range net.values[:t.top] {
		if v.kind != kindInput && v.kind != kindAffine && v.kind != kindAct {
			var err error
			if args[v.id], err = l.arguments(v); err != nil {
				return nil, err
			}
		}
	}
	err := l.p.chunks(net.values[t.top-1], rows, func(w *affine.Work, from, to int) { l.points(t, out, args, w, from, to) })
	if err == nil {
		err = l.p.ctx.Err() // it may have ended in the last piece
	}
	return out, err
}

// room is where points go: what the last ones had, if they were of as many rows.
func (l *Laid) room(t *Trace, rows int) *Points {
	if l.pts != nil && l.ptsOf == [2]int{t.top, rows} {
		return l.pts
	}
	n := len(l.s.slots)
	out := &Points{of: l, Z: make([][][]float64, n), C: make([][][]float64, n), G: make([][][]float64, n)}
	for k, v := range l.s.slots {
		if v.id >= t.top {
			continue
		}
		all := 0
		for i := range rows {
			all += len(l.unstable(k, i))
		}
		out.Z[k], out.C[k] = make([][]float64, rows), make([][]float64, rows)
		z, c := make([]float64, all), make([]float64, all)
		var g []float64
		each := l.s.Each(k)
		if v.family != nil {
			out.G[k], g = make([][]float64, rows), make([]float64, all*each)
		}
		at := 0
		for i := range rows {
			to := at + len(l.unstable(k, i))
			out.Z[k][i], out.C[k][i] = z[at:to:to], c[at:to:to]
			if g != nil {
				out.G[k][i] = g[at*each : to*each : to*each]
			}
			at = to
		}
	}
	if t.top == len(l.p.net.values) {
		out.Y = make([][]float64, rows)
		for i := range out.Y {
			out.Y[i] = make([]float64, l.p.net.nOut)
		}
	}
	l.pts, l.ptsOf = out, [2]int{t.top, rows}
	return out
}

// unstable are the elements of a slot that a node's parameters are of.
func (l *Laid) unstable(slot, i int) []int32 { return l.nodes[i].Of.unstable[slot][l.nodes[i].Problem] }

// least writes where rows are least over an input of their boxes; the middle in coordinates on which they do not depend.
func (l *Laid) least(t *Trace, v *value, at int, w *affine.Work, from, to int) {
	for i := from; i < to; i++ {
		coef, own := t.Coef[i][at:at+v.n], []float64(nil)
		if v.order.Perm != nil {
			own = w.Get(v.n)
			v.order.Store(own, coef)
			coef = own
		}
		s, x := l.p.at(v.id, i), l.vals[v.id][i*v.n:(i+1)*v.n]
		kernel.Pick(x, coef, s.lo, s.up)
		for k, c := range coef {
			if c == 0 {
				x[k] = 0.5*s.lo[k] + 0.5*s.up[k]
			}
		}
		w.Put(own)
	}
}

// points is Points for some of the rows.
func (l *Laid) points(t *Trace, out *Points, args [][]argument, w *affine.Work, from, to int) {
	net := l.p.net
	at, slot := 0, 0
	for _, v := range net.values[:t.top] {
		if l.p.ctx.Err() != nil {
			return
		}
		y := l.vals[v.id][from*v.n : to*v.n]
		switch {
		case v.kind == kindInput:
			l.least(t, v, at, w, from, to)
			at += v.n
		case v.kind == kindAffine:
			for i := range to - from {
				if v.bias != nil {
					copy(y[i*v.n:(i+1)*v.n], v.bias)
				} else {
					clear(y[i*v.n : (i+1)*v.n])
				}
			}
			for k, step := range v.steps {
				n := net.values[v.in[k]].n
				step.Forward(y, l.vals[v.in[k]][from*n:to*n], to-from, false, w)
			}
		case v.kind == kindAct:
			z, coef := l.vals[v.in[0]], t.acts[v.id]
			for i := from; i < to; i++ {
				s, a, b := &l.p.at(v.id, i).lines, i*v.n, (i+1)*v.n
				kernel.Line(l.vals[v.id][a:b], coef[a:b], z[a:b], s.LoSlope, s.UpSlope, s.LoIcept, s.UpIcept)
			}
		default:
			l.through(v, t, args[v.id], from, to)
		}
		if v.chosen() {
			l.pick(out.Z[slot], slot, l.vals[v.in[0]], from, to)
			l.pick(out.C[slot], slot, t.acts[v.id], from, to)
			if v.family != nil {
				l.derivatives(out.G[slot], slot, out.Z[slot], out.C[slot], from, to)
			}
			slot++
		}
	}
	if out.Y == nil {
		return
	}
	for i := from; i < to; i++ {
		at := 0
		for _, id := range net.outputs {
			v := net.values[id]
			v.order.Load(out.Y[i][at:at+v.n], l.vals[id][i*v.n:(i+1)*v.n])
			at += v.n
		}
	}
}

// derivatives writes those of the bounds in the parameters of a slot of curves.
func (l *Laid) derivatives(out [][]float64, slot int, z, c [][]float64, from, to int) {
	for i := from; i < to; i++ {
		if l.alpha[i][slot] == nil { // the last slot of a pass that is under way
			continue
		}
		clear(out[i])
		for u, x := range c[i] {
			if x >= 0 {
				out[i][2*u] = x * l.pull(false, i, slot, u, z[i][u])
			} else {
				out[i][2*u+1] = -x * l.pull(true, i, slot, u, z[i][u])
			}
		}
	}
}

// At is what the hinge or curve of a split reads at a node's point, after Points.
func (l *Laid) At(node int, s Split) float64 {
	in := l.p.net.values[l.s.slots[s.Slot].in[0]]
	return l.vals[in.id][node*in.n+int(s.Elem)]
}

// pick writes what stands at the unstable elements of a slot.
func (l *Laid) pick(out [][]float64, slot int, x []float64, from, to int) {
	n := l.s.slots[slot].n
	for i := from; i < to; i++ {
		row, to := x[i*n:(i+1)*n], out[i]
		for k, j := range l.unstable(slot, i) {
			to[k] = row[j]
		}
	}
}

// through sends points through sparse forms, or to the ends of a box.
func (l *Laid) through(v *value, t *Trace, args []argument, from, to int) {
	y := l.vals[v.id]
	for i := from; i < to; i++ {
		if l.p.ctx.Err() != nil {
			return
		}
		s, coef := l.p.at(v.id, i), t.acts[v.id][i*v.n:(i+1)*v.n]
		for k := range v.n {
			if v.kind == kindOpaque || s.forms == nil {
				y[i*v.n+k] = s.lo[k]
				if coef[k] < 0 {
					y[i*v.n+k] = s.up[k]
				}
				continue
			}
			f := &s.forms.Lower
			if coef[k] < 0 {
				f = &s.forms.Upper
			}
			j := v.order.At(k)
			sum := f.Const[j]
			for q := f.Start[j]; q < f.Start[j+1]; q++ {
				arg := int32(0)
				if f.Input != nil {
					arg = f.Input[q]
				}
				sum += f.Coef[q] * args[arg].at(i, f.Index[q])
			}
			y[i*v.n+k] = sum
		}
	}
}

// argument is a node's input as forms index it: points of a value, by row, or a constant.
type argument struct {
	points  []float64
	n       int     // of a value; 0 for a constant
	inverse []int32 // where an element is stored; nil where it stands in its place
}

func (a *argument) at(row int, index int32) float64 {
	if a.inverse != nil {
		index = a.inverse[index]
	}
	return a.points[row*a.n+int(index)]
}

func (l *Laid) arguments(v *value) ([]argument, error) {
	out := make([]argument, len(v.args))
	for k, a := range v.args {
		if a >= 0 {
			in := l.p.net.values[a]
			out[k] = argument{l.vals[a], in.n, in.order.Inverse()}
			continue
		}
		if c := v.node.ConstInput(k); c != nil {
			f, err := c.Float64s()
			if err != nil {
				return nil, err
			}
			out[k] = argument{points: f}
		}
	}
	return out, nil
}
