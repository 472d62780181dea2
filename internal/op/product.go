package op

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// constFactor returns the constant input k of a binary node spread to the output's shape, and that shape.
func constFactor(n *onnxio.Node, k int) (c []float64, shape []int, err error) {
	if shape, err = broadcastInputs(n); err != nil {
		return nil, nil, err
	}
	t := n.ConstInput(k)
	if c, err = t.Float64s(); err != nil {
		return nil, nil, err
	}
	for _, v := range c {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, unsupported(n, "Linear", fmt.Sprintf("a constant of %v", v))
		}
	}
	return broadcastTo(c, t.Shape, shape), shape, nil
}

// mulLinear scales by a constant; two variables get McCormick's planes, and the same variable twice the lines of a square.
func mulLinear(n *onnxio.Node) (*Linear, error) {
	for k := range 2 {
		if n.ConstInput(k) == nil {
			continue
		}
		c, shape, err := constFactor(n, k)
		if err != nil {
			return nil, err
		}
		l := &Linear{Maps: make([]affine.Map, 2), Execution: Sums(0, 1, "one rounded product")}
		l.Maps[1-k] = scaleMap(n.Inputs[1-k].Shape, shape, c)
		return l, nil
	}
	if n.Inputs[0] == n.Inputs[1] {
		return &Linear{Lines: curveLines(squareCurve, convex), Execution: Within(0.5, 0, "one rounded product")}, nil
	}
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	ia, ib := broadcastIndex(n.Inputs[0].Shape, shape), broadcastIndex(n.Inputs[1].Shape, shape)
	return &Linear{
		Relax:     func(_ Slope, in []Box) (*Relaxation, error) { return mcCormick(product(shape), ia, ib, in), nil },
		Execution: Within(0.5, 0, "one rounded product"),
	}, nil
}

// mcCormick bounds the products of pairs by planes (see productSheets), and those of infinite boxes by their box.
func mcCormick(n int, ia, ib []int32, in []Box) *Relaxation {
	lower, upper := newForms(n, 2), newForms(n, 2)
	for i := range n {
		x, y := at(ia, i), at(ib, i)
		a, b, c, d := in[0].Lower[x], in[0].Upper[x], in[1].Lower[y], in[1].Upper[y]
		if finite(a) && finite(b) && finite(c) && finite(d) {
			lo, up := productSheets(a, b, c, d)
			lower.add(0, x, lo.p)
			lower.add(1, y, lo.q)
			lower.close(lo.c)
			upper.add(0, x, up.p)
			upper.add(1, y, up.q)
			upper.close(up.c)
			continue
		}
		l, u := mulBounds(a, b, c, d)
		lower.close(l)
		upper.close(u)
	}
	return &Relaxation{*lower, *upper}
}

func finite(x float64) bool { return x-x == 0 }

// newForms starts a list of n forms with room for the given number of terms each.
func newForms(n, terms int) *Forms {
	return &Forms{
		Start: make([]int32, 1, n+1),
		Input: make([]int32, 0, n*terms), Index: make([]int32, 0, n*terms), Coef: make([]float64, 0, n*terms),
		Const: make([]float64, 0, n),
	}
}

// add adds a term to the form in work.
func (f *Forms) add(input, index int, coef float64) {
	f.Input = append(f.Input, int32(input))
	f.Index = append(f.Index, int32(index))
	f.Coef = append(f.Coef, coef)
}

// close ends the form in work.
func (f *Forms) close(c float64) {
	f.Const = append(f.Const, c)
	f.Start = append(f.Start, int32(len(f.Index)))
}

// mulBounds bounds the products of two intervals.
func mulBounds(a, b, c, d float64) (lo, hi float64) {
	lo = min(sound.MulDown(a, c), sound.MulDown(a, d), sound.MulDown(b, c), sound.MulDown(b, d))
	hi = max(sound.MulUp(a, c), sound.MulUp(a, d), sound.MulUp(b, c), sound.MulUp(b, d))
	return lo, hi
}

func mulInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	out, a, b, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	square := n.Inputs[0] == n.Inputs[1]
	for i := range out.Lower {
		if square {
			out.Lower[i], out.Upper[i] = squareBounds(a.Lower[i], a.Upper[i])
			continue
		}
		out.Lower[i], out.Upper[i] = mulBounds(a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i])
	}
	return []Box{out}, nil
}

// squareBounds bounds x*x on [l, u].
func squareBounds(l, u float64) (lo, hi float64) {
	hi = max(sound.MulUp(l, l), sound.MulUp(u, u))
	switch {
	case l > 0:
		lo = sound.MulDown(l, l)
	case u < 0:
		lo = sound.MulDown(u, u)
	}
	return max(lo, 0), hi
}

// divInterval bounds quotients of intervals; a divisor that may be 0 gives everything. Integers divide toward zero.
func divInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	out, a, b, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	integer := n.Inputs[0].DType != onnxio.Undefined && !n.Inputs[0].DType.IsFloat()
	for i := range out.Lower {
		l, u := divBounds(a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i])
		if integer {
			l, u = math.Trunc(l), math.Trunc(u)
		}
		out.Lower[i], out.Upper[i] = l, u
	}
	return []Box{out}, nil
}

// divBounds bounds [a, b] / [c, d].
func divBounds(a, b, c, d float64) (lo, hi float64) {
	if !(c > 0 || d < 0) || math.IsInf(a, 0) || math.IsInf(b, 0) {
		return math.Inf(-1), math.Inf(1)
	}
	p, q, r, s := a/c, a/d, b/c, b/d
	return sound.Down(min(p, q, r, s)), sound.Up(max(p, q, r, s))
}

// divLinear scales by the reciprocals of a constant; a constant over a variable is a hyperbola with lines; two variables have planes (see
// quotientForms).
func divLinear(n *onnxio.Node) (*Linear, error) {
	if d := n.Inputs[0].DType; d != onnxio.Undefined && !d.IsFloat() {
		return boxForms(divInterval, Exact("whole numbers"))(n)
	}
	switch {
	case n.ConstInput(1) != nil:
		c, shape, err := constFactor(n, 1)
		if err != nil {
			return nil, err
		}
		l := &Linear{Maps: make([]affine.Map, 2), Execution: Sums(1, 1, "one rounding for the division or the rounded reciprocal")}
		inv, flushed := make([]float64, len(c)), false
		for i, v := range c {
			inv[i] = 1 / v
			if a := math.Abs(inv[i]); !(a >= 0x1p-1022 && a <= math.MaxFloat64) {
				return nil, unsupported(n, "Linear", fmt.Sprintf("division by %v", v))
			}
			if m, _ := math.Frexp(v); m != 0.5 && m != -0.5 {
				l.RelErr = sound.Unit
			}
			flushed = flushed || math.Abs(v) < 2*sound.Flush
		}
		if flushed { // a divisor that may count as zero
			l.Execution = l.Execution.Depending(func(_ []Box, err []float64) {
				for i := range err {
					err[i] = math.Inf(1)
				}
			})
		}
		l.Maps[0] = scaleMap(n.Inputs[0].Shape, shape, inv)
		return l, nil
	case n.ConstInput(0) != nil:
		c, shape, err := constFactor(n, 0)
		if err != nil {
			return nil, err
		}
		if product(shape) == product(n.Inputs[1].Shape) {
			l := &Linear{Input: 1, Execution: divExecution.Depending(func(in []Box, err []float64) {
				for i := range err { // a dividend that may count as zero
					if v := math.Abs(c[i]); v > 0 && v < 2*sound.Flush {
						l, u := in[1].Lower[i], in[1].Upper[i]
						if !(l > 0 || u < 0) {
							err[i] = math.Inf(1)
							continue
						}
						err[i] += 2 * sound.Flush / min(math.Abs(l), math.Abs(u)) * (1 + 0x1p-20)
					}
				}
			})}
			if uniform(c) {
				l.Lines = hyperbolaLines(c)
			} else {
				l.Relax = linesAsForms(1, hyperbolaLines(c))
			}
			return l, nil
		}
	}
	ia, ib, err := pairIndex(n)
	if err != nil {
		return nil, err
	}
	return &Linear{Relax: func(_ Slope, in []Box) (*Relaxation, error) {
		z, err := divInterval(n, in)
		if err != nil {
			return nil, err
		}
		return quotientForms(ia, ib, in, z[0]), nil
	}, Execution: divExecution.Depending(func(in []Box, err []float64) {
		for i := range err {
			x, y := at(ia, i), at(ib, i)
			least := 0.0
			if l, u := in[1].Lower[y], in[1].Upper[y]; l > 0 || u < 0 {
				least = min(math.Abs(l), math.Abs(u))
			}
			if !(least > 2*sound.Flush) { // a divisor that may be flushed to zero
				err[i] = math.Inf(1)
				continue
			}
			// The dividend, the reciprocal and the quotient may be flushed, each by itself.
			err[i] += sound.Flush * (1/least + magnitude(in[0], x) + 1) * (1 + 0x1p-20)
		}
	})}, nil
}

// divExecution is a division, or a product with a rounded reciprocal.
var divExecution = Within(1, 0, "IEEE 754 division, or a product with the rounded reciprocal")

// pairIndex tells for every element of a broadcast pair which elements of the two inputs it reads; nil for its own.
func pairIndex(n *onnxio.Node) (a, b []int32, err error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, nil, err
	}
	return broadcastIndex(n.Inputs[0].Shape, shape), broadcastIndex(n.Inputs[1].Shape, shape), nil
}

// hyperbolaLines bounds c/x: convex on the side where c*x > 0, concave on the other; nothing is known across 0.
func hyperbolaLines(c []float64) LinesFunc {
	return func(_ Slope, l, u []float64, out *Lines) {
		for i := range l {
			v := c[i]
			if !(l[i] > 0 || u[i] < 0) || v == 0 || !finite(u[i]-l[i]) {
				lo, hi := divBounds(v, v, l[i], u[i])
				if v == 0 && (l[i] > 0 || u[i] < 0) {
					lo, hi = 0, 0
				}
				out.set(i, 0, lo, 0, hi)
				continue
			}
			f := curve{
				f: func(x float64) (float64, float64) { q := v / x; return sound.Down(q), sound.Up(q) },
				d: func(x float64) (float64, float64) { return widen(-v/x/x, 4*0x1p-52) },
			}
			kind := convex
			if (v > 0) != (l[i] > 0) {
				kind = concave
			}
			out.curve(i, f, kind, l[i], u[i])
		}
	}
}

// scaledLines gives a lower and an upper line in x over r*x, for r in [rl, ru] and x in [l, u]; or the ends of [yl, yu], in which r*x is known
// to be, where these are nearer in the middle. Over the interval the greatest of rl*x and ru*x is convex, and under its chord.
func scaledLines(rl, ru, l, u, yl, yu float64) (lk, lc, uk, uc float64) {
	over := func(l, u float64) (k, c float64) {
		p, q := max(sound.MulUp(rl, l), sound.MulUp(ru, l)), max(sound.MulUp(rl, u), sound.MulUp(ru, u))
		k = rl + (ru-rl)/2
		if u-l > 1e-9*(math.Abs(l)+math.Abs(u)) && u-l > 1e-150 {
			k = (q - p) / (u - l)
		}
		return k, max(above(k, l, p), above(k, u, q))
	}
	uk, uc = over(l, u)
	lk, lc = over(-u, -l)
	lc = -lc
	m := l + (u-l)/2
	if !(uk*m+uc < yu) || !finite(uk) || !finite(uc) {
		uk, uc = 0, yu
	}
	if !(lk*m+lc > yl) || !finite(lk) || !finite(lc) {
		lk, lc = 0, yl
	}
	return lk, lc, uk, uc
}
