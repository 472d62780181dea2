package bound

import "github.com/shallow-waters/shoal/internal/affine"

// Trace is where rows end: for each a linear form in the inputs that is nowhere above the row, on the whole of its problem's box,
//
//	Coef[i]*x + Const[i] <= row i at x,
//
// with the rounding of everything on the way subtracted from Const. What evaluating the form rounds is the reader's. A row of which nothing is
// known has Const -Inf, and its coefficients say no more than where the bound would be least.
type Trace struct {
	Coef  [][]float64 // flat in the model's order of inputs
	Const []float64
	Off   []float64 // what was subtracted for it

	acts [][]float64 // by value: the rows' coefficients in front of each nonlinear value that they pass, in stored order; see Laid
	top  int         // how many values lie below the rows' start
}

// reset makes room for rows; a nil trace stays nil.
func (t *Trace) reset(rows, inputs int) {
	if t == nil {
		return
	}
	buf := make([]float64, rows*inputs)
	ends := make([]float64, 2*rows)
	t.Coef, t.Const, t.Off = make([][]float64, rows), ends[:rows], ends[rows:]
	for i := range t.Coef {
		t.Coef[i] = buf[i*inputs : (i+1)*inputs]
	}
}

// Take replaces row i by row k of another trace. A nil trace takes nothing.
func (t *Trace) Take(i int, of *Trace, k int) {
	if t == nil {
		return
	}
	copy(t.Coef[i], of.Coef[k])
	t.Const[i], t.Off[i] = of.Const[k], of.Off[k]
}

func (t *Trace) part(from, to int) *Trace {
	if t == nil {
		return nil
	}
	part := &Trace{Coef: t.Coef[from:to], Const: t.Const[from:to], Off: t.Off[from:to], top: t.top}
	if t.acts != nil {
		part.acts = make([][]float64, len(t.acts))
		for id, a := range t.acts {
			if a != nil {
				n := len(a) / len(t.Const)
				part.acts[id] = a[from*n : to*n]
			}
		}
	}
	return part
}

// Corner is where in a box the form of a row is least; the middle in coordinates on which it does not depend.
func (t *Trace) Corner(i int, box Box) []float64 {
	x := make([]float64, len(box.Lower))
	for k, c := range t.Coef[i] {
		switch {
		case c > 0:
			x[k] = box.Lower[k]
		case c < 0:
			x[k] = box.Upper[k]
		default:
			x[k] = 0.5*box.Lower[k] + 0.5*box.Upper[k]
		}
	}
	return x
}

// passes writes the coefficients of rows that are about to pass a nonlinear value.
func (t *rowsRun) passes(v *value, r *affine.Rows) {
	if t.trace == nil || t.trace.acts == nil || t.trace.acts[v.id] == nil {
		return
	}
	all := t.trace.acts[v.id]
	for i := range r.N {
		row, out := r.Row(i), all[i*v.n:(i+1)*v.n]
		if r.Index != nil {
			for k, j := range r.Index {
				out[j] = row[k]
			}
			continue
		}
		r.Run(i, func(off, at, n int) { copy(out[at:at+n], row[off:off+n]) })
	}
}

// keep writes the coefficients of rows that have come down to an input.
func (t *rowsRun) keep(id int, r *affine.Rows) {
	at := 0
	for _, in := range t.p.net.inputs {
		if in == id {
			break
		}
		at += t.p.net.values[in].n
	}
	v := t.p.net.values[id]
	for i := range r.N {
		v.order.Load(t.trace.Coef[i][at:at+v.n], r.Row(i))
	}
}
