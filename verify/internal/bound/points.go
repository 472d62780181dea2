package bound

import "github.com/shallow-waters/shoal/internal/affine"

// Points are where a trace says that rows are least, on their way up through the lines that the rows chose.
type Points struct {
	X [][]float64   // by row: an input, flat in the model's order
	Z [][][]float64 // by slot and row: what the hinge reads, at the snapshot's unstable elements
	C [][][]float64 // by slot and row: the rows' coefficients in front of the hinge, at the same elements
	G [][][]float64 // by slot and row: the bound's derivative in each parameter, see Laid.Alpha; of curves up to a positive factor
	Y [][]float64   // by row: what arrives at the outputs, flat in the model's order; nil for rows over neurons
}

// Points sends each row's least corner up, through the lower line of a nonlinear value where the row's coefficient in front of it is at least 0 and
// through the upper one else. What comes out are the derivatives of the bound in all slopes and multipliers; none of it is rounded soundly, and
// nothing sound may rest on it.
func (l *Laid) Points(t *Trace) (*Points, error) {
	net, rows := l.p.net, len(t.Const)
	out := &Points{X: make([][]float64, rows), Z: make([][][]float64, len(l.s.slots)), C: make([][][]float64, len(l.s.slots)),
		G: make([][][]float64, len(l.s.slots))}
	for _, v := range net.values[:t.top] {
		if len(l.vals[v.id]) != rows*v.n {
			l.vals[v.id] = make([]float64, rows*v.n)
		}
	}
	for k, v := range l.s.slots {
		if v.id < t.top {
			out.Z[k], out.C[k], out.G[k] = make([][]float64, rows), make([][]float64, rows), make([][]float64, rows)
		}
	}
	if t.top == len(net.values) {
		out.Y = make([][]float64, rows)
	}
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

// points is Points for some of the rows.
func (l *Laid) points(t *Trace, out *Points, args [][]argument, w *affine.Work, from, to int) {
	net := l.p.net
	at, slot := 0, 0
	for i := from; i < to; i++ {
		out.X[i] = t.Corner(i, l.nodes[i].Of.Box(l.nodes[i].Problem))
	}
	for _, v := range net.values[:t.top] {
		if l.p.ctx.Err() != nil {
			return
		}
		y := l.vals[v.id][from*v.n : to*v.n]
		switch {
		case v.kind == kindInput:
			for i := from; i < to; i++ {
				v.order.Store(l.vals[v.id][i*v.n:(i+1)*v.n], out.X[i][at:at+v.n])
			}
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
				s := &l.p.at(v.id, i).lines
				for j := range v.n {
					k := i*v.n + j
					if coef[k] >= 0 {
						l.vals[v.id][k] = s.LoSlope[j]*z[k] + s.LoIcept[j]
					} else {
						l.vals[v.id][k] = s.UpSlope[j]*z[k] + s.UpIcept[j]
					}
				}
			}
		default:
			l.through(v, t, args[v.id], from, to)
		}
		if v.chosen() {
			l.pick(out.Z[slot], slot, l.vals[v.in[0]], from, to)
			l.pick(out.C[slot], slot, t.acts[v.id], from, to)
			l.derivatives(out.G[slot], slot, out.Z[slot], out.C[slot], from, to)
			slot++
		}
	}
	if out.Y == nil {
		return
	}
	for i := from; i < to; i++ {
		out.Y[i] = make([]float64, net.nOut)
		at := 0
		for _, id := range net.outputs {
			v := net.values[id]
			v.order.Load(out.Y[i][at:at+v.n], l.vals[id][i*v.n:(i+1)*v.n])
			at += v.n
		}
	}
}

// derivatives writes those of the bounds in a slot's parameters.
func (l *Laid) derivatives(out [][]float64, slot int, z, c [][]float64, from, to int) {
	f := l.s.slots[slot].family
	for i := from; i < to; i++ {
		out[i] = make([]float64, len(z[i])*l.s.Each(slot))
		if f != nil && l.alpha[i][slot] == nil { // the last slot of a pass that is under way
			continue
		}
		for u, x := range c[i] {
			switch {
			case f == nil && x > 0:
				out[i][u] = x * z[i][u]
			case f == nil:
			case x >= 0:
				out[i][2*u] = x * l.pull(false, i, slot, u, z[i][u])
			default:
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
		u := l.nodes[i].Of.unstable[slot][l.nodes[i].Problem]
		out[i] = make([]float64, len(u))
		for k, j := range u {
			out[i][k] = x[i*n+int(j)]
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
