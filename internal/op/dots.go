package op

import (
	"github.com/shallow-waters/shoal/internal/sound"
)

// dots are sums of products of two variable operands: y[i] = sum over p < k of a[ia] * b[ib], with ia, ib = at(i, p).
type dots struct {
	n, k int
	at   func(i, p int) (ia, ib int)
}

// maxDotTerms is how many terms the forms of one node's products may have: 256 MB. Beyond, their box serves.
const maxDotTerms = 1 << 24

// interval bounds every sum. The k rounded products and sums are off by at most gamma_{k+1} times the sum of their magnitudes; where
// something is infinite, every step is rounded outward instead. See boxDot.
func (d *dots) interval(a, b Box) Box {
	out := newBox(d.n)
	for i := range d.n {
		lo, up, mag := 0.0, 0.0, 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			q, r := a.Lower[x]*b.Lower[y], a.Lower[x]*b.Upper[y]
			s, t := a.Upper[x]*b.Lower[y], a.Upper[x]*b.Upper[y]
			l, u := min(q, r, s, t), max(q, r, s, t)
			lo, up, mag = lo+l, up+u, mag+max(-l, u)
		}
		if finite(mag) {
			e := sound.Up(sound.Gamma(2*d.k+8)*mag) + float64(d.k)*0x1p-1073
			out.Lower[i], out.Upper[i] = sound.Down(lo-e), sound.Up(up+e)
			continue
		}
		lo, up = 0, 0
		for p := range d.k {
			x, y := d.at(i, p)
			l, u := mulBounds(a.Lower[x], a.Upper[x], b.Lower[y], b.Upper[y])
			lo, up = sound.AddDown(lo, l), sound.AddUp(up, u)
		}
		out.Lower[i], out.Upper[i] = lo, up
	}
	return out
}

// linear relaxes every product by McCormick's planes (see productSheets) and sums them; interval serves where there are too many terms.
func (d *dots) linear(interval func(in []Box) (Box, error)) *Linear {
	return &Linear{
		Execution: Within(0, 0, "sums of products in any order").Depending(func(in []Box, err []float64) { d.execution(in[0], in[1], err) }),
		Relax: func(_ Slope, in []Box) (*Relaxation, error) {
			if d.n > maxDotTerms/max(1, 2*d.k) {
				b, err := interval(in)
				if err != nil {
					return nil, err
				}
				return constantForms(b), nil
			}
			return d.relax(in[0], in[1]), nil
		},
	}
}

func (d *dots) relax(a, b Box) *Relaxation {
	lower, upper := newForms(d.n, 2*d.k), newForms(d.n, 2*d.k)
	for i := range d.n {
		lo, up := 0.0, 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			xl, xu, yl, yu := a.Lower[x], a.Upper[x], b.Lower[y], b.Upper[y]
			if !finite(xl) || !finite(xu) || !finite(yl) || !finite(yu) {
				l, u := mulBounds(xl, xu, yl, yu)
				lo, up = sound.AddDown(lo, l), sound.AddUp(up, u)
				continue
			}
			under, over := productSheets(xl, xu, yl, yu)
			lower.add(0, x, under.p)
			lower.add(1, y, under.q)
			upper.add(0, x, over.p)
			upper.add(1, y, over.q)
			lo, up = sound.AddDown(lo, under.c), sound.AddUp(up, over.c)
		}
		lower.close(lo)
		upper.close(up)
	}
	return &Relaxation{*lower, *upper}
}

// execution bounds the error of float32 executions: gamma_{k+2} times the sum of the products' magnitudes.
func (d *dots) execution(a, b Box, out []float64) {
	for i := range out {
		sum := 0.0
		for p := range d.k {
			x, y := d.at(i, p)
			sum += magnitude(a, x) * magnitude(b, y)
		}
		out[i] += sound.Sum32(d.k+2, sum)
	}
}
