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
}

// reset makes room for rows; a nil trace stays nil.
func (t *Trace) reset(rows, inputs int) {
	if t == nil {
		return
	}
	buf := make([]float64, rows*inputs)
	t.Coef, t.Const = make([][]float64, rows), make([]float64, rows)
	for i := range t.Coef {
		t.Coef[i] = buf[i*inputs : (i+1)*inputs]
	}
}

func (t *Trace) part(from, to int) *Trace {
	if t == nil {
		return nil
	}
	return &Trace{Coef: t.Coef[from:to], Const: t.Const[from:to]}
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
		out := t.trace.Coef[i]
		for k, c := range r.Row(i) {
			out[at+v.order.At(k)] = c
		}
	}
}
