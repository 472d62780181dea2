package attack

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Kind names a loss. Attacks make it larger.
type Kind string

// The losses, of logits z and the weights that are an input of the gradient graph: one-hot rows of the label y (and of the target t).
const (
	// CE is the cross-entropy -log softmax(z)_y. Goodfellow et al. 2015.
	CE Kind = "ce"
	// DLR is the difference of logits ratio -(z_y - max_{i!=y} z_i) / (z_1st - z_3rd). It needs 3 classes. Croce and Hein 2020, equation 6.
	DLR Kind = "dlr"
	// DLRT is the targeted one, -(z_y - z_t) / (z_1st - (z_3rd + z_4th)/2). It needs 4 classes. Croce and Hein 2020, equation 7.
	DLRT Kind = "dlr-t"
	// Margin is max_{i!=y} z_i - z_y, positive where another class wins. Carlini and Wagner 2017, loss f6 turned around.
	Margin Kind = "margin"
	// Linear is sum_i w_i z_i with any weights.
	Linear Kind = "linear"
	// Away is max_i |z_i - w_i|: how far outputs are from the weights, which are what they are at the sample.
	Away Kind = "away"
	// Rows is minus the largest of some linear functions of the outputs, see Loss.Cases.
	Rows Kind = "rows"
)

// Loss is what a gradient graph computes for each sample of a batch.
type Loss struct {
	Kind Kind
	// Cases, for Rows, are conjunctions of constraints a*z <= b on the outputs: the loss of case c is -max over its constraints of a*z - b,
	// which is at least 0 where all of them are met. The weights, one number for each case, choose among them.
	Cases [][]Constraint
}

// Constraint is sum_i Row[i]*z_i <= Bound over the flat outputs of one sample.
type Constraint struct {
	Row   []float64
	Bound float64
}

// Classes is the least number of outputs that a loss is defined for.
func (k Kind) Classes() int {
	switch k {
	case DLR:
		return 3
	case DLRT:
		return 4
	case CE, Margin:
		return 2
	}
	return 1
}

// targeted tells whether the loss reads one-hot rows of a target.
func (k Kind) targeted() bool { return k == DLRT }

// weights is the number of weights of a sample for a model of some outputs.
func (l Loss) weights(outputs int) int {
	if l.Kind == Rows {
		return len(l.Cases)
	}
	return outputs
}

// far is below every logit; float32 holds it.
const far = -1e30

// tiny keeps the ratio's denominator from zero, as in the authors' code.
const tiny = 1e-12

// emit computes the loss [batch, 1] of logits z [batch, outputs].
func (l Loss) emit(e *op.Emitter, z, w, t *onnxio.Value) *onnxio.Value {
	sum := func(v *onnxio.Value) *onnxio.Value { return e.ReduceSum(v, 1) }
	chosen := func(w *onnxio.Value) *onnxio.Value { return sum(e.Mul(z, w)) }
	others := func() *onnxio.Value { return e.ReduceMax(e.Add(z, e.MulC(w, far)), 1) }
	switch l.Kind {
	case CE:
		return e.Neg(sum(e.Mul(w, e.Op("LogSoftmax", onnxio.Attrs{"axis": int64(1)}, z))))
	case Margin:
		return e.Sub(others(), chosen(w))
	case Linear:
		return chosen(w)
	case Away:
		return e.ReduceMax(e.Op("Abs", nil, e.Sub(z, w)), 1)
	case DLR:
		top := e.TopK(z, 3)
		gap := e.Sub(e.Slice(top, 1, 0, 1), e.Slice(top, 1, 2, 3))
		return e.Div(e.Sub(others(), chosen(w)), e.AddC(gap, tiny))
	case DLRT:
		top := e.TopK(z, 4)
		low := e.MulC(e.Add(e.Slice(top, 1, 2, 3), e.Slice(top, 1, 3, 4)), 0.5)
		gap := e.Sub(e.Slice(top, 1, 0, 1), low)
		return e.Div(e.Sub(chosen(t), chosen(w)), e.AddC(gap, tiny))
	case Rows:
		return l.emitRows(e, z, w)
	}
	e.Err = fmt.Errorf("loss %q is not known", l.Kind)
	return z
}

// emitRows lays the cases out as a matrix, shorter ones filled up with their first constraint.
func (l Loss) emitRows(e *op.Emitter, z, w *onnxio.Value) *onnxio.Value {
	longest, outputs := 0, z.Shape[1]
	for _, c := range l.Cases {
		longest = max(longest, len(c))
	}
	if longest == 0 {
		e.Err = fmt.Errorf("a loss without constraints")
		return z
	}
	columns := len(l.Cases) * longest
	a, b := make([]float64, outputs*columns), make([]float64, columns)
	for k, c := range l.Cases {
		for i := range longest {
			q := Constraint{Row: make([]float64, outputs), Bound: 0}
			if len(c) > 0 {
				q = c[min(i, len(c)-1)]
			}
			if len(q.Row) != outputs {
				e.Err = fmt.Errorf("a constraint over %d outputs of a model of %d", len(q.Row), outputs)
				return z
			}
			at := k*longest + i
			for o, v := range q.Row {
				a[o*columns+at] = v
			}
			b[at] = q.Bound
		}
	}
	s := e.Sub(e.Op("MatMul", nil, z, e.Reals(z, a, outputs, columns)), e.Reals(z, b, columns))
	if e.Err != nil {
		return z
	}
	worst := e.ReduceMax(e.Reshape(s, z.Shape[0], len(l.Cases), longest), 2)
	if e.Err != nil {
		return z
	}
	return e.Neg(e.ReduceSum(e.Mul(e.Reshape(worst, z.Shape[0], len(l.Cases)), w), 1))
}
