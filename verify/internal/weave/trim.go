package weave

import (
	"math"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// ended is a row of a case, with what it was made of: points that meet the case have its form at most 0.
type ended struct {
	p    certificate.Disproof
	form affine
}

// cut is a slice of a box beyond at of an input, in which rows disprove every open case.
type cut struct {
	input  int
	at     float64
	above  bool // the slice lies above
	proofs []certificate.Disproof
}

const (
	// cutLeast is the share of an input's width that a slice must have to be worth its rows.
	cutLeast = 0.1
	// cutBack is the share of the width by which a slice ends before its rows do: what is 0 there is rounded.
	cutBack = 1e-9
)

// cuts are slices of a box in which no open case can be met, by the forms that its rows ended in: of each case the form that reaches farthest, of
// all cases what is common. Each lies in what those before leave.
func (w *weaver) cuts(s *plain.State, cases []*open) (out []cut) {
	var l, u []float64
	for i := range w.net.In {
		v, k := w.net.Input(i)
		a, b := s.Range(v, k)
		l, u = append(l, a), append(u, b)
	}
	for i := range l {
		for _, above := range []bool{true, false} {
			width := u[i] - l[i]
			c := cut{input: i, above: above, at: l[i]}
			if !above {
				c.at = u[i]
			}
			for _, k := range cases {
				at, p := k.reach(l, u, i, above)
				c.proofs = append(c.proofs, p)
				if above {
					c.at = max(c.at, at)
				} else {
					c.at = min(c.at, at)
				}
			}
			if above {
				if c.at += cutBack * width; c.at < u[i]-cutLeast*width {
					out, u[i] = append(out, c), c.at
				}
			} else if c.at -= cutBack * width; c.at > l[i]+cutLeast*width {
				out, l[i] = append(out, c), c.at
			}
		}
	}
	return out
}

// reach is from where on, upward where above, a row of the case shows that no input of a box meets it, and the row.
func (c *open) reach(l, u []float64, i int, above bool) (at float64, p certificate.Disproof) {
	if at = u[i]; !above {
		at = l[i]
	}
	p = certificate.Disproof{Case: c.number}
	for _, e := range c.ended {
		a := e.form.a[i]
		if above != (a > 0) || a == 0 {
			continue
		}
		rest := e.form.c
		for j, x := range e.form.a {
			if j != i {
				rest += min(x*l[j], x*u[j])
			}
		}
		end := max(l[i], min(u[i], -rest/a))
		if math.IsNaN(end) || above && end >= at || !above && end <= at {
			continue
		}
		at, p = end, e.p
	}
	return at, p
}

// trimmed takes slices off a box, and halves what is left. A slice that the checker's rows do not disprove stays.
func (w *weaver) trimmed(s *plain.State, cases []*open, list []cut, depth int) error {
	if len(list) == 0 {
		return w.halve(s, cases, depth)
	}
	c := list[0]
	v, k := w.net.Input(c.input)
	rest, slice := s.Halves(v, k, c.at)
	if !c.above {
		rest, slice = slice, rest
	}
	for _, p := range c.proofs {
		if _, _, ok, err := slice.Disprove(w.p.Cases[p.Case].Constraints, p, nil); err != nil || !ok {
			return w.trimmed(s, cases, list[1:], depth)
		}
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Input, Index: c.input, At: c.at}); err != nil {
		return err
	}
	done := certificate.Step{Kind: certificate.Closed, Proofs: c.proofs}
	w.parts++
	if c.above {
		if err := w.trimmed(rest, cases, list[1:], depth+1); err != nil {
			return err
		}
		return w.out.Write(done)
	}
	if err := w.out.Write(done); err != nil {
		return err
	}
	return w.trimmed(rest, cases, list[1:], depth+1)
}
