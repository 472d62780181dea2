package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
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
			return nil, nil, op.Unsupported(n, "Linear", fmt.Sprintf("a constant of %v", v))
		}
	}
	return broadcastTo(c, t.Shape, shape), shape, nil
}

// mulLinear scales by a constant; two variables get McCormick's planes, and the same variable twice the lines of a square.
func mulLinear(n *onnxio.Node) (*op.Linear, error) {
	for k := range 2 {
		if n.ConstInput(k) == nil {
			continue
		}
		c, shape, err := constFactor(n, k)
		if err != nil {
			return nil, err
		}
		l := &op.Linear{Maps: make([]affine.Map, 2), Execution: op.Sums(0, 1, "one rounded product")}
		l.Maps[1-k] = scaleMap(n.Inputs[1-k].Shape, shape, c)
		return l, nil
	}
	if n.Inputs[0] == n.Inputs[1] {
		return &op.Linear{Lines: relax.CurveLines(squareCurve, relax.Convex), Family: squares, Execution: op.Within(0.5, 0, "one rounded product")}, nil
	}
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	ia, ib := broadcastIndex(n.Inputs[0].Shape, shape), broadcastIndex(n.Inputs[1].Shape, shape)
	return &op.Linear{
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			return mcCormick(product(shape), ia, ib, in), nil
		},
		Factors:   &[2][]int32{placesOf(ia, shape), placesOf(ib, shape)},
		Execution: op.Within(0.5, 0, "one rounded product"),
	}, nil
}

// placesOf writes out a nil index: every element its own.
func placesOf(index []int32, shape []int) []int32 {
	if index == nil {
		return iota32(product(shape))
	}
	return index
}

// mcCormick bounds the products of pairs by planes (see ProductSheets), and those of infinite boxes by their box.
func mcCormick(n int, ia, ib []int32, in []relax.Box) *relax.Relaxation {
	lower, upper := relax.NewForms(n, 2), relax.NewForms(n, 2)
	for i := range n {
		x, y := at(ia, i), at(ib, i)
		a, b, c, d := in[0].Lower[x], in[0].Upper[x], in[1].Lower[y], in[1].Upper[y]
		if sound.Finite(a) && sound.Finite(b) && sound.Finite(c) && sound.Finite(d) {
			lo, up := relax.ProductSheets(a, b, c, d)
			lower.Add(0, x, lo.P)
			lower.Add(1, y, lo.Q)
			lower.Close(lo.C)
			upper.Add(0, x, up.P)
			upper.Add(1, y, up.Q)
			upper.Close(up.C)
			continue
		}
		l, u := relax.MulBounds(a, b, c, d)
		lower.Close(l)
		upper.Close(u)
	}
	return &relax.Relaxation{Lower: *lower, Upper: *upper}
}

func mulInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
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
		out.Lower[i], out.Upper[i] = relax.MulBounds(a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i])
	}
	return []relax.Box{out}, nil
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
func divInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
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
	return []relax.Box{out}, nil
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
func divLinear(n *onnxio.Node) (*op.Linear, error) {
	if d := n.Inputs[0].DType; d != onnxio.Undefined && !d.IsFloat() {
		return boxForms(divInterval, op.Exact("whole numbers"))(n)
	}
	switch {
	case n.ConstInput(1) != nil:
		c, shape, err := constFactor(n, 1)
		if err != nil {
			return nil, err
		}
		l := &op.Linear{Maps: make([]affine.Map, 2), Execution: op.Sums(1, 1, "one rounding for the division or the rounded reciprocal")}
		inv, flushed := make([]float64, len(c)), false
		for i, v := range c {
			inv[i] = 1 / v
			if a := math.Abs(inv[i]); !(a >= 0x1p-1022 && a <= math.MaxFloat64) {
				return nil, op.Unsupported(n, "Linear", fmt.Sprintf("division by %v", v))
			}
			if m, _ := math.Frexp(v); m != 0.5 && m != -0.5 {
				l.RelErr = sound.Unit
			}
			flushed = flushed || math.Abs(v) < 2*sound.Flush
		}
		if flushed { // a divisor that may count as zero
			l.Execution = l.Execution.Depending(func(_ []relax.Box, err []float64) {
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
			l := &op.Linear{Input: 1, Execution: divExecution.Depending(func(in []relax.Box, err []float64) {
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
				l.Relax = relax.LinesAsForms(1, hyperbolaLines(c))
			}
			return l, nil
		}
	}
	ia, ib, err := pairIndex(n)
	if err != nil {
		return nil, err
	}
	return &op.Linear{Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
		z, err := divInterval(n, in)
		if err != nil {
			return nil, err
		}
		return quotientForms(ia, ib, in, z[0]), nil
	}, Execution: divExecution.Depending(func(in []relax.Box, err []float64) {
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
			err[i] += sound.Flush * (1/least + in[0].Magnitude(x) + 1) * (1 + 0x1p-20)
		}
	})}, nil
}

// divExecution is a division, or a product with a rounded reciprocal.
var divExecution = op.Within(1, 0, "IEEE 754 division, or a product with the rounded reciprocal")

// pairIndex tells for every element of a broadcast pair which elements of the two inputs it reads; nil for its own.
func pairIndex(n *onnxio.Node) (a, b []int32, err error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, nil, err
	}
	return broadcastIndex(n.Inputs[0].Shape, shape), broadcastIndex(n.Inputs[1].Shape, shape), nil
}

// hyperbolaLines bounds c/x: convex on the side where c*x > 0, concave on the other; nothing is known across 0.
func hyperbolaLines(c []float64) relax.LinesFunc {
	return func(_ relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			v := c[i]
			if !(l[i] > 0 || u[i] < 0) || v == 0 || !sound.Finite(u[i]-l[i]) {
				lo, hi := divBounds(v, v, l[i], u[i])
				if v == 0 && (l[i] > 0 || u[i] < 0) {
					lo, hi = 0, 0
				}
				out.Set(i, 0, lo, 0, hi)
				continue
			}
			f := relax.Curve{
				F: func(x float64) (float64, float64) { q := v / x; return sound.Down(q), sound.Up(q) },
				D: func(x float64) (float64, float64) { return relax.Widen(-v/x/x, 4*0x1p-52) },
			}
			kind := relax.Convex
			if (v > 0) != (l[i] > 0) {
				kind = relax.Concave
			}
			out.Curve(i, f, kind, l[i], u[i])
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
		return k, max(relax.Above(k, l, p), relax.Above(k, u, q))
	}
	uk, uc = over(l, u)
	lk, lc = over(-u, -l)
	lc = -lc
	m := l + (u-l)/2
	if !(uk*m+uc < yu) || !sound.Finite(uk) || !sound.Finite(uc) {
		uk, uc = 0, yu
	}
	if !(lk*m+lc > yl) || !sound.Finite(lk) || !sound.Finite(lc) {
		lk, lc = 0, yl
	}
	return lk, lc, uk, uc
}
