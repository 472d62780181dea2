package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// foldAxes is the opset from which the axes of these reductions are an input.
const foldAxes = 18

// fold is a reduction that takes one element after the other: floats in float64, integers in their own width.
type fold struct {
	start  float64
	f      func(acc, x float64) float64
	finish func(acc float64) float64 // nil for none
	// whole and natural are f on signed and unsigned integers, wrapping around; nil to compute them as floats.
	whole   func(acc, x int64) int64
	natural func(acc, x uint64) uint64
}

// walkFold folds x into acc along the dimensions of a reduction.
func walkFold[T, A any](acc []A, x []T, dims []moveDim, d0, s0 int, f func(A, T) A) {
	d := dims[0]
	switch {
	case len(dims) > 1:
		for range d.n {
			walkFold(acc, x, dims[1:], d0, s0, f)
			d0 += d.dst
			s0 += d.src
		}
	case d.dst == 0:
		a := acc[d0]
		for _, v := range x[s0 : s0+d.n] {
			a = f(a, v)
		}
		acc[d0] = a
	default:
		row := acc[d0 : d0+d.n]
		for i, v := range x[s0 : s0+d.n] {
			row[i] = f(row[i], v)
		}
	}
}

// foldInto starts every accumulator and folds x into them.
func foldInto[T, A any](r *reduction, acc []A, x []T, start A, f func(A, T) A) {
	for i := range acc {
		acc[i] = start
	}
	if len(x) > 0 && len(acc) > 0 {
		walkFold(acc, x, r.dims, 0, 0, f)
	}
}

func (o *fold) eval(c *op.Call) error {
	r, err := reductionState(c, foldAxes)
	if err != nil {
		return err
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return foldFloats(o, c, r, x)
	case []float64:
		return foldFloats(o, c, r, x)
	case []int64:
		return foldWhole(o, c, r, x)
	case []int32:
		return foldWhole(o, c, r, x)
	case []uint64:
		return foldNatural(o, c, r, x)
	case []uint32:
		return foldNatural(o, c, r, x)
	}
	return unsupportedType(c, "no reduction of type %v", c.In[0].DType)
}

func foldFloats[T numeric](o *fold, c *op.Call, r *reduction, x []T) error {
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return fmt.Errorf("cannot reduce %T to %T", x, c.Out[0].Data)
	}
	acc := c.Work.Float64(len(y))
	foldInto(r, acc, x, o.start, func(a float64, v T) float64 { return o.f(a, float64(v)) })
	for i, a := range acc {
		if o.finish != nil {
			a = o.finish(a)
		}
		y[i] = T(a)
	}
	return nil
}

func foldWhole[T int64 | int32](o *fold, c *op.Call, r *reduction, x []T) error {
	if o.whole == nil {
		return foldFloats(o, c, r, x)
	}
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return fmt.Errorf("cannot reduce %T to %T", x, c.Out[0].Data)
	}
	foldInto(r, y, x, T(o.start), func(a, v T) T { return T(o.whole(int64(a), int64(v))) })
	return nil
}

func foldNatural[T uint64 | uint32](o *fold, c *op.Call, r *reduction, x []T) error {
	if o.natural == nil {
		return foldFloats(o, c, r, x)
	}
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return fmt.Errorf("cannot reduce %T to %T", x, c.Out[0].Data)
	}
	foldInto(r, y, x, T(o.start), func(a, v T) T { return T(o.natural(uint64(a), uint64(v))) })
	return nil
}

// foldInterval is the Interval face, given a bound of the reduction of some elements in a box.
func foldInterval(f func(l, u []float64) (lo, hi float64)) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		r, err := staticReduction(n, foldAxes, "Interval")
		if err != nil {
			return nil, err
		}
		start, index := r.rows()
		out := relax.NewBox(len(start) - 1)
		l, u := make([]float64, r.count), make([]float64, r.count)
		for i := range out.Lower {
			row := index[start[i]:start[i+1]]
			for k, j := range row {
				l[k], u[k] = in[0].Lower[j], in[0].Upper[j]
			}
			lo, hi := f(l[:len(row)], u[:len(row)])
			if math.IsNaN(lo) {
				lo = math.Inf(-1)
			}
			if math.IsNaN(hi) {
				hi = math.Inf(1)
			}
			out.Lower[i], out.Upper[i] = lo, hi
		}
		return []relax.Box{out}, nil
	}
}

// foldBox is the Linear face of reductions of which only the box is known; size tells the executions' error for n elements, and largest, where
// it is not the result, the largest intermediate that an execution may reach on elements of the given magnitudes.
func foldBox(interval func(*onnxio.Node, []relax.Box) ([]relax.Box, error), size func(n float64) (ulps, abs float64), source string,
	largest func(mags []float64) float64) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		r, err := staticReduction(n, foldAxes, "Linear")
		if err != nil {
			return nil, err
		}
		ulps, abs := size(float64(r.count))
		e := op.Within(ulps, abs, source)
		if largest != nil {
			e = e.Depending(r.reaching(largest))
		}
		return boxForms(interval, e)(n)
	}
}

// foldLines is the Linear face of sums of a function of each element: the sums of its lines.
func foldLines(f relax.LinesFunc, size func(n float64) (ulps, abs float64), source string) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		r, err := staticReduction(n, foldAxes, "Linear")
		if err != nil {
			return nil, err
		}
		start, index := r.rows()
		ulps, abs := size(float64(r.count))
		l := &op.Linear{Terms: r.count, Execution: op.Within(ulps, abs, source), Relax: func(s relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			k := len(in[0].Lower)
			buf := make([]float64, 4*k)
			p := relax.Lines{LoSlope: buf[:k], LoIcept: buf[k : 2*k], UpSlope: buf[2*k : 3*k], UpIcept: buf[3*k:]}
			f(s, in[0].Lower, in[0].Upper, &p)
			lower, upper := relax.NewForms(len(start)-1, r.count), relax.NewForms(len(start)-1, r.count)
			for i := range len(start) - 1 {
				lo, hi := 0.0, 0.0
				for _, j := range index[start[i]:start[i+1]] {
					lower.Add(0, int(j), p.LoSlope[j])
					upper.Add(0, int(j), p.UpSlope[j])
					lo, hi = sound.AddDown(lo, p.LoIcept[j]), sound.AddUp(hi, p.UpIcept[j])
				}
				lower.Close(lo)
				upper.Close(hi)
			}
			lower.Input, upper.Input = nil, nil
			return &relax.Relaxation{Lower: *lower, Upper: *upper}, nil
		}}
		return l, nil
	}
}

// reaching is the part of an execution's error that says where an intermediate may leave float32's range.
func (r *reduction) reaching(largest func(mags []float64) float64) func(in []relax.Box, err []float64) {
	start, index := r.rows()
	return func(in []relax.Box, err []float64) {
		var mags []float64
		for i := range err {
			mags = mags[:0]
			for _, j := range index[start[i]:start[i+1]] {
				mags = append(mags, in[0].Magnitude(int(j)))
			}
			err[i] += sound.Fits32(largest(mags)*(1+sound.Gamma32(len(mags)+4)), 0)
		}
	}
}

// sumBounds sums a function's bounds of every element.
func sumBounds(f func(l, u float64) (lo, hi float64)) func(l, u []float64) (lo, hi float64) {
	return func(l, u []float64) (lo, hi float64) {
		for i := range l {
			a, b := f(l[i], u[i])
			lo, hi = sound.AddDown(lo, a), sound.AddUp(hi, b)
		}
		return lo, hi
	}
}
