package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// quotientRoom is the relative error that we allow the quotient of QuantizeLinear: a float32 division, or a product with a float32
// reciprocal, is off by at most 2u. It decides which way a number near a half is rounded, so that bounds have it in both semantics.
const quotientRoom = 0x1p-22

// scaleOf gives which scale and zero point belong to element i.
func scaleOf(n *onnxio.Node) (func(i int) int, error) {
	x, err := quantizeShapes(n)
	if err != nil {
		return nil, err
	}
	return scalePlaces(n, x, n.Inputs[1].Shape)
}

// zeroBox is the box of zero point k.
func zeroBox(in []relax.Box, k int) (lo, up float64) {
	if len(in) < 3 || len(in[2].Lower) == 0 {
		return 0, 0
	}
	return in[2].Lower[k], in[2].Upper[k]
}

// quotients bounds x/scale of element i as executions compute it.
func quotients(in []relax.Box, i, k int) (lo, up float64) {
	lo, up = divBounds(in[0].Lower[i], in[0].Upper[i], in[1].Lower[k], in[1].Upper[k])
	e := max(math.Abs(lo), math.Abs(up))*quotientRoom + sound.Flush
	if !sound.Finite(e) {
		return math.Inf(-1), math.Inf(1)
	}
	return sound.Down(lo - e), sound.Up(up + e)
}

// quantizeInterval rounds the ends: all steps rise in x/scale.
func quantizeInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	types, err := quantizeShape(n)
	if err != nil {
		return nil, err
	}
	of, err := scaleOf(n)
	if err != nil {
		return nil, err
	}
	if types[0].DType.Coded() {
		return nil, op.Unsupported(n, "Interval", "numbers of type "+types[0].DType.String())
	}
	least, most := integerRange(types[0].DType)
	out := relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		k := of(i)
		lo, up := quotients(in, i, k)
		zl, zu := zeroBox(in, k)
		out.Lower[i] = min(max(math.RoundToEven(lo)+zl, least), most)
		out.Upper[i] = min(max(math.RoundToEven(up)+zu, least), most)
	}
	return []relax.Box{out}, nil
}

// quantizeLinear is, with constant scales, x/scale + zero with half a unit to both sides, where nothing saturates; else the box.
func quantizeLinear(n *onnxio.Node) (*op.Linear, error) {
	types, err := quantizeShape(n)
	if err != nil {
		return nil, err
	}
	of, err := scaleOf(n)
	if err != nil {
		return nil, err
	}
	if types[0].DType.Coded() {
		return nil, op.Unsupported(n, "Linear", "numbers of type "+types[0].DType.String())
	}
	least, most := integerRange(types[0].DType)
	return &op.Linear{Execution: op.Exact("the quotient's rounding is in the bounds"),
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			out, err := quantizeInterval(n, in)
			if err != nil {
				return nil, err
			}
			total := len(in[0].Lower)
			lower, upper := relax.NewForms(total, 1), relax.NewForms(total, 1)
			for i := range total {
				k := of(i)
				scale := in[1].Lower[k]
				lo, up := quotients(in, i, k)
				zl, zu := zeroBox(in, k)
				inverse := 1 / scale
				if scale != in[1].Upper[k] || zl != zu || !sound.Finite(inverse) || !(lo-1+zl >= least && up+1+zu <= most) ||
					out[0].Upper[i]-out[0].Lower[i] < 1 {
					lower.Close(out[0].Lower[i])
					upper.Close(out[0].Upper[i])
					continue
				}
				// The quotient as computed, and the coefficient, are off by less than twice quotientRoom together.
				room := sound.Up(0.5 + 2*quotientRoom*max(math.Abs(lo), math.Abs(up)) + 0x1p-100)
				lower.Add(0, i, inverse)
				lower.Close(sound.AddDown(zl, -room))
				upper.Add(0, i, inverse)
				upper.Close(sound.AddUp(zu, room))
			}
			lower.Input, upper.Input = nil, nil
			return &relax.Relaxation{Lower: *lower, Upper: *upper}, nil
		}}, nil
}

// dequantizeInterval bounds (x - zero) * scale.
func dequantizeInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	of, err := scaleOf(n)
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		k := of(i)
		zl, zu := zeroBox(in, k)
		out.Lower[i], out.Upper[i] = relax.MulBounds(sound.AddDown(in[0].Lower[i], -zu), sound.AddUp(in[0].Upper[i], -zl), in[1].Lower[k], in[1].Upper[k])
	}
	return []relax.Box{out}, nil
}

// dequantizeLinear is affine in x where scale and zero point are constant: numbers of 16 bits and fewer less others are exact, and times a float32
// too.
func dequantizeLinear(n *onnxio.Node) (*op.Linear, error) {
	of, err := scaleOf(n)
	if err != nil {
		return nil, err
	}
	zero := n.Input(2)
	if n.ConstInput(0) != nil || n.ConstInput(1) == nil || zero != nil && zero.Const == nil {
		return boxForms(dequantizeInterval, op.Within(4, 0, "an exact difference, a conversion and one rounded product"))(n)
	}
	scale, err := weights(n, 1)
	if err != nil {
		return nil, err
	}
	shift := make([]float64, len(scale))
	if zero != nil {
		if shift, err = zero.Const.Float64s(); err != nil {
			return nil, err
		}
	}
	x := n.Inputs[0].Shape
	d, bias := make([]float64, product(x)), make([]float64, product(x))
	l := &op.Linear{Maps: make([]affine.Map, len(n.Inputs)), BiasErr: make([]float64, product(x)),
		Execution: op.Sums(2, 1, "an exact difference, a conversion and one rounded product")}
	for i := range d {
		k := of(i)
		d[i], bias[i] = scale[k], -scale[k]*shift[k]
		l.BiasErr[i] = sound.Up(math.Abs(bias[i]) * sound.Unit)
	}
	l.Maps[0], l.Bias = scaleMap(x, x, d), bias
	return l, nil
}
