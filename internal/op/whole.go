package op

import (
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// Wrap tells of an operator that computes on integers too how its results are those of the real numbers. Engines let a result that the type does not
// hold wrap around, or cut it off; the standard is silent, or (MatMulInteger) allows it.
type Wrap int

const (
	// WrapsNot is that of operators whose results are always of the type: they choose or move elements, or compute on real numbers alone.
	WrapsNot Wrap = iota
	// WrapsExact computes the whole number that it is over the real numbers, where the type holds that.
	WrapsExact
	// WrapsRounded brings what it is over the real numbers to a whole number near it.
	WrapsRounded
)

// wholeLimit is from where on float64, in which bounds are computed, does not hold all whole numbers.
const wholeLimit = 1 << 53

// Bounded is the definition by which a node is bounded: on integers that of whole numbers, which are within the type's range where the real
// numbers' bounds are, and may be any of its numbers where they are not.
func (d *Def) Bounded(n *onnxio.Node) *Def {
	if d.whole == nil || len(n.Outputs) == 0 || n.Outputs[0] == nil || !isInteger(n.Outputs[0].DType) {
		return d
	}
	return d.whole
}

// whole makes the definition for integers.
func whole(d Def) *Def {
	reals := d
	d.Rising = nil
	d.Interval = func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		boxes, large, err := reals.boxes(n, in)
		if err != nil {
			return nil, err
		}
		for _, b := range in {
			for i, l := range b.Lower {
				large = large || !(l > -wholeLimit && b.Upper[i] < wholeLimit)
			}
		}
		for k, b := range boxes {
			least, most := IntegerRange(n.Outputs[k].DType)
			for i, l := range b.Lower {
				u := b.Upper[i]
				if reals.Wraps == WrapsExact {
					l, u = math.Ceil(l), math.Floor(u)
				} else {
					l, u = math.Floor(l), math.Ceil(u)
				}
				if large || !(l >= max(least, -wholeLimit) && u <= min(most, wholeLimit)) {
					l, u = least, most
				}
				b.Lower[i], b.Upper[i] = l, u
			}
		}
		return boxes, nil
	}
	d.Linear = func(n *onnxio.Node) (*Linear, error) {
		return &Linear{Execution: Exact("whole numbers"), Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			out, err := d.Interval(n, in)
			if err != nil {
				return nil, err
			}
			return relax.ConstantForms(out[0]), nil
		}}, nil
	}
	return &d
}

// boxes bounds a node over the real numbers, by its maps where it has no Interval face; large tells that numbers on the way may be beyond
// wholeLimit.
func (d *Def) boxes(n *onnxio.Node, in []relax.Box) (out []relax.Box, large bool, err error) {
	if d.Interval != nil {
		out, err = d.Interval(n, in)
		return out, false, err
	}
	lin, err := d.Linear(n)
	if err != nil {
		return nil, false, err
	}
	if lin.Maps == nil {
		return nil, false, Unsupported(n, "Interval", "whole numbers")
	}
	size := onnxio.NumElements(n.Outputs[0].Shape)
	mid, both := make([]float64, size), make([]float64, 2*size) // radii and magnitudes
	terms := 8
	w := &affine.Work{}
	for k, m := range lin.Maps {
		if m == nil {
			continue
		}
		b := in[k]
		c, ends := make([]float64, len(b.Lower)), make([]float64, 2*len(b.Lower))
		for i, l := range b.Lower {
			u := b.Upper[i]
			c[i] = 0.5*l + 0.5*u
			ends[i], ends[len(c)+i] = max(u-c[i], c[i]-l), max(math.Abs(l), math.Abs(u))
		}
		step := affine.Lower(m, affine.Flat(len(c)), affine.Flat(size))
		step.Forward(mid, c, 1, false, w)
		step.Forward(both, ends, 2, true, w)
		per, _ := m.Terms()
		terms += per
	}
	b := relax.NewBox(size)
	_, most := IntegerRange(n.Outputs[0].DType)
	for i := range size {
		mag := both[size+i]
		if lin.Bias != nil {
			mid[i] += lin.Bias[i]
			mag += math.Abs(lin.Bias[i])
		}
		e := (float64(terms)*0x1p-51+2*lin.RelErr)*mag + 0x1p-1000
		if lin.BiasErr != nil {
			e += lin.BiasErr[i]
		}
		large = large || !(mag < wholeLimit)
		b.Lower[i], b.Upper[i] = mid[i]-both[i]-e, mid[i]+both[i]+e
		if d.Wraps == WrapsRounded && !(mag*float64(terms) <= most) { // a mean is a sum first, which may have wrapped around
			b.Lower[i], b.Upper[i] = math.Inf(-1), math.Inf(1)
		}
	}
	return []relax.Box{b}, large, nil
}

func isInteger(d onnxio.DType) bool {
	switch d {
	case onnxio.Int64, onnxio.Int32, onnxio.Int16, onnxio.Int8, onnxio.Int4, onnxio.Int2:
		return true
	}
	return isNatural(d)
}

func isNatural(d onnxio.DType) bool {
	switch d {
	case onnxio.Uint64, onnxio.Uint32, onnxio.Uint16, onnxio.Uint8, onnxio.Uint4, onnxio.Uint2:
		return true
	}
	return false
}

// IntegerRange gives the smallest and largest value of an integer type, the ends of 64-bit types rounded outward.
func IntegerRange(d onnxio.DType) (least, most float64) {
	bits := float64(d.Bits())
	if isNatural(d) {
		return 0, math.Exp2(bits) - 1
	}
	return -math.Exp2(bits - 1), math.Exp2(bits-1) - 1
}
