package bound

import (
	"context"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
)

// Straight is a network over a problem, written out between its unstable hinges. With x the inputs, flat in the model's order, and y what
// comes out of the hinges,
//
//	hinge u reads   sum of Input[u][i]*x[i] + sum of Hinge[u][k]*y[k] + Const[u],
//
// where Hinge[u] is 0 from u's own slot on, and what is asked of the outputs stands behind the hinges in the same way. Nothing of it is
// rounded soundly: it is to search in, and not to prove with.
type Straight struct {
	Hinges []Split // the unstable ones, by slot and stored order; On says nothing
	Input  [][]float64
	Hinge  [][]float64
	Const  []float64
}

// straightFloats is how many numbers may be written out: 128 MiB.
const straightFloats = 16 << 20

// Straight writes a problem's network out, with rows over the flat outputs at the end. ok is false where something in it is neither
// straight nor a hinge, where nothing is known of its executions, or where it is too large for that.
func (s *Snapshot) Straight(ctx context.Context, problem int, rows [][]float64) (t *Straight, ok bool, err error) {
	if s.beyond[problem] != nil || s.making {
		return nil, false, nil
	}
	for _, v := range s.net.values {
		if v.nonlinear() && !v.relu {
			return nil, false, nil
		}
	}
	t = &Straight{}
	widest := s.net.nIn
	for k, v := range s.slots {
		for _, j := range s.unstable[k][problem] {
			t.Hinges = append(t.Hinges, Split{Slot: int32(k), Elem: j})
		}
		widest += v.n
	}
	if (len(t.Hinges)+len(rows))*widest > straightFloats {
		return nil, false, nil
	}
	// With nothing coming out of unstable hinges, rows end in the inputs, and their coefficients in front of hinges are what these put in.
	l, err := Lay(ctx, []Node{{Of: s, Problem: problem, Splits: t.Hinges}}, 1)
	if err != nil {
		return nil, false, err
	}
	defer l.Close()
	for k := range s.slots {
		set := rowSet{index: s.unstable[k][problem]}
		n := len(set.index)
		set.sign, set.owner = make([]float64, n), make([]int32, n)
		for i := range set.sign {
			set.sign[i] = 1
		}
		in := s.net.values[s.slots[k].in[0]]
		if err := l.write(t, problem, n, s.net.values[:in.id], in, func(w *affine.Work, a, b int, tr *Trace, low []float64) {
			l.p.neurons(w, in, set.part(a, b), tr, low)
		}); err != nil {
			return nil, false, err
		}
	}
	owner := make([]int32, len(rows))
	err = l.write(t, problem, len(rows), s.net.values, s.net.values[len(s.net.values)-1], func(w *affine.Work, a, b int, tr *Trace, low []float64) {
		l.p.forms(w, l.p.rowsOver(rows[a:b]), owner[a:b], false, tr, low)
	})
	return t, err == nil, err
}

// write bounds n rows and writes where they end.
func (l *Laid) write(t *Straight, problem, n int, below []*value, from *value, rows func(w *affine.Work, a, b int, tr *Trace, low []float64)) error {
	var tr Trace
	l.trace(&tr, n, below)
	low := unknownLower(n)
	err := budget.Do(l.p.ctx, func() error {
		return l.p.chunks(from, n, func(w *affine.Work, a, b int) { rows(w, a, b, tr.part(a, b), low[a:b]) })
	})
	if err != nil {
		l.p.lost = true
		return err
	}
	for i := range n {
		hinge := make([]float64, len(t.Hinges))
		for u, h := range t.Hinges {
			if acts := tr.acts[l.s.slots[h.Slot].id]; acts != nil && l.s.slots[h.Slot].id < tr.top {
				hinge[u] = acts[i*l.s.slots[h.Slot].n+int(h.Elem)]
			}
		}
		t.Input, t.Hinge, t.Const = append(t.Input, tr.Coef[i]), append(t.Hinge, hinge), append(t.Const, tr.Const[i])
	}
	return nil
}
