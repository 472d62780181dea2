package bound

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
	out := &Points{X: make([][]float64, rows), Z: make([][][]float64, len(l.s.slots)), C: make([][][]float64, len(l.s.slots)), G: make([][][]float64, len(l.s.slots))}
	w := l.p.work[0]
	slot := 0
	at := 0
	for i := range rows {
		out.X[i] = t.Corner(i, l.nodes[i].Of.Box(l.nodes[i].Problem))
	}
	for _, v := range net.values[:t.top] {
		if err := l.p.ctx.Err(); err != nil {
			return nil, err
		}
		if len(l.vals[v.id]) != rows*v.n {
			l.vals[v.id] = make([]float64, rows*v.n)
		}
		y := l.vals[v.id]
		switch {
		case v.kind == kindInput:
			for i := range rows {
				v.order.Store(y[i*v.n:(i+1)*v.n], out.X[i][at:at+v.n])
			}
			at += v.n
		case v.kind == kindAffine:
			for i := range rows {
				if v.bias != nil {
					copy(y[i*v.n:(i+1)*v.n], v.bias)
				} else {
					clear(y[i*v.n : (i+1)*v.n])
				}
			}
			for k, step := range v.steps {
				step.Forward(y, l.vals[v.in[k]], rows, false, w)
			}
		case v.kind == kindAct:
			z, coef := l.vals[v.in[0]], t.acts[v.id]
			for i := range rows {
				s := &l.p.at(v.id, i).lines
				for j := range v.n {
					k := i*v.n + j
					if coef[k] >= 0 {
						y[k] = s.LoSlope[j]*z[k] + s.LoIcept[j]
					} else {
						y[k] = s.UpSlope[j]*z[k] + s.UpIcept[j]
					}
				}
			}
		default:
			if err := l.through(v, t, y, rows); err != nil {
				return nil, err
			}
		}
		if v.chosen() {
			out.Z[slot], out.C[slot] = l.pick(slot, l.vals[v.in[0]], rows), l.pick(slot, t.acts[v.id], rows)
			out.G[slot] = l.derivatives(slot, out.Z[slot], out.C[slot])
			slot++
		}
	}
	if t.top < len(net.values) {
		return out, nil
	}
	out.Y = make([][]float64, rows)
	for i := range rows {
		out.Y[i] = make([]float64, net.nOut)
		at := 0
		for _, id := range net.outputs {
			v := net.values[id]
			v.order.Load(out.Y[i][at:at+v.n], l.vals[id][i*v.n:(i+1)*v.n])
			at += v.n
		}
	}
	return out, nil
}

// derivatives are those of the bounds in a slot's parameters.
func (l *Laid) derivatives(slot int, z, c [][]float64) [][]float64 {
	f, out := l.s.slots[slot].family, make([][]float64, len(z))
	for i := range out {
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
	return out
}

// At is what the hinge or curve of a split reads at a node's point, after Points.
func (l *Laid) At(node int, s Split) float64 {
	in := l.p.net.values[l.s.slots[s.Slot].in[0]]
	return l.vals[in.id][node*in.n+int(s.Elem)]
}

func (l *Laid) pick(slot int, x []float64, rows int) [][]float64 {
	n := l.s.slots[slot].n
	out := make([][]float64, rows)
	for i := range rows {
		u := l.nodes[i].Of.unstable[slot][l.nodes[i].Problem]
		out[i] = make([]float64, len(u))
		for k, j := range u {
			out[i][k] = x[i*n+int(j)]
		}
	}
	return out
}

// through sends points through sparse forms, or to the ends of a box.
func (l *Laid) through(v *value, t *Trace, y []float64, rows int) error {
	args, err := l.arguments(v)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := l.p.ctx.Err(); err != nil {
			return err
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
	return nil
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
