package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
)

// dots are sums of products of two variable operands: y[i] = sum over p < k of a[ia] * b[ib], with ia, ib = at(i, p).
type dots struct {
	n, k int
	at   func(i, p int) (ia, ib int)
}

// formTerms is how many terms each of n forms has, or 0 where they would be too many and the box serves.
func formTerms(n, each int) int {
	if n > maxDotTerms/max(1, each) {
		return 0
	}
	return each
}

// maxDotTerms is how many terms the forms of one node's products may have: 256 MB. Beyond, their box serves.
const maxDotTerms = 1 << 24

// interval bounds every sum. The k rounded products and sums are off by at most gamma_{k+1} times the sum of their magnitudes; where
// something is infinite, every step is rounded outward instead. See boxDot.
func (d *dots) interval(a, b relax.Box) relax.Box {
	out := relax.NewBox(d.n)
	for i := range d.n {
		lo, up, mag := 0.0, 0.0, 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			q, r := a.Lower[x]*b.Lower[y], a.Lower[x]*b.Upper[y]
			s, t := a.Upper[x]*b.Lower[y], a.Upper[x]*b.Upper[y]
			l, u := min(q, r, s, t), max(q, r, s, t)
			lo, up, mag = lo+l, up+u, mag+max(-l, u)
		}
		if sound.Finite(mag) {
			e := sound.Up(sound.Gamma(2*d.k+8)*mag) + float64(d.k)*0x1p-1073
			out.Lower[i], out.Upper[i] = sound.Down(lo-e), sound.Up(up+e)
			continue
		}
		lo, up = 0, 0
		for p := range d.k {
			x, y := d.at(i, p)
			l, u := relax.MulBounds(a.Lower[x], a.Upper[x], b.Lower[y], b.Upper[y])
			lo, up = sound.AddDown(lo, l), sound.AddUp(up, u)
		}
		out.Lower[i], out.Upper[i] = lo, up
	}
	return out
}

// linear relaxes every product by McCormick's planes (see ProductSheets) and sums them; interval serves where there are too many terms.
func (d *dots) linear(interval func(in []relax.Box) (relax.Box, error)) *op.Linear {
	terms := formTerms(d.n, 2*d.k)
	return &op.Linear{
		Terms:     terms,
		Execution: op.Within(0, 0, "sums of products in any order").Depending(func(in []relax.Box, err []float64) { d.execution(in[0], in[1], err) }),
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			if terms == 0 {
				b, err := interval(in)
				if err != nil {
					return nil, err
				}
				return relax.ConstantForms(b), nil
			}
			return d.relax(in[0], in[1]), nil
		},
	}
}

func (d *dots) relax(a, b relax.Box) *relax.Relaxation {
	lower, upper := relax.NewForms(d.n, 2*d.k), relax.NewForms(d.n, 2*d.k)
	for i := range d.n {
		lo, up := 0.0, 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			xl, xu, yl, yu := a.Lower[x], a.Upper[x], b.Lower[y], b.Upper[y]
			if !sound.Finite(xl) || !sound.Finite(xu) || !sound.Finite(yl) || !sound.Finite(yu) {
				l, u := relax.MulBounds(xl, xu, yl, yu)
				lo, up = sound.AddDown(lo, l), sound.AddUp(up, u)
				continue
			}
			under, over := relax.ProductSheets(xl, xu, yl, yu)
			lower.Add(0, x, under.P)
			lower.Add(1, y, under.Q)
			upper.Add(0, x, over.P)
			upper.Add(1, y, over.Q)
			lo, up = sound.AddDown(lo, under.C), sound.AddUp(up, over.C)
		}
		lower.Close(lo)
		upper.Close(up)
	}
	return &relax.Relaxation{Lower: *lower, Upper: *upper}
}

// execution bounds the error of float32 executions: gamma_{k+2} times the sum of the products' magnitudes.
func (d *dots) execution(a, b relax.Box, out []float64) {
	for i := range out {
		sum := 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			sum += a.Magnitude(x) * b.Magnitude(y)
		}
		out[i] += sound.Sum32(d.k+2, sum)
	}
}
