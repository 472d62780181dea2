package operators

import (
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// eachChoice calls f for every output element of a GatherElements with the elements of the data that it can be. The box of its place decides
// which; negative places count from the end. A place that no execution takes (it is outside of the data) leaves the choice open.
func eachChoice(n *onnxio.Node, places relax.Box, f func(i int, from []int)) error {
	x := n.Inputs[0].Shape
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
	if err != nil {
		return err
	}
	src, size := strides(x), x[axis]
	from := make([]int, 0, size)
	eachPlace(n.Inputs[1].Shape, func(i int, at []int) {
		base := 0
		for d, p := range at {
			if d != axis {
				base += p * src[d]
			}
		}
		least, most := math.Ceil(places.Lower[i]), math.Floor(places.Upper[i])
		holds := func(k int) bool { return !(float64(k) < least) && !(float64(k) > most) } // NaN knows nothing
		from = from[:0]
		for _, all := range []bool{false, true} {
			for k := range size {
				if all || holds(k) || holds(k-size) {
					from = append(from, base+k*src[axis])
				}
			}
			if len(from) > 0 {
				break
			}
		}
		f(i, from)
	})
	return nil
}

// gatherElementsInterval is the union of the boxes of all elements that a place can be.
func gatherElementsInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out := relax.NewBox(onnxio.NumElements(n.Inputs[1].Shape))
	err := eachChoice(n, in[1], func(i int, from []int) {
		l, u := math.Inf(1), math.Inf(-1)
		for _, k := range from {
			l, u = min(l, in[0].Lower[k]), max(u, in[0].Upper[k])
		}
		out.Lower[i], out.Upper[i] = l, u
	})
	return []relax.Box{out}, err
}

// gatherElementsLinear is a map where the places are constant. Where they are computed an element is a copy if its place is decided, and a box
// elsewhere.
func gatherElementsLinear(n *onnxio.Node) (*op.Linear, error) {
	if n.ConstInput(1) != nil {
		return movedBy(gatherElementsEval, 0)(n)
	}
	return &op.Linear{Execution: op.Exact("elements move"), Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
		out, err := gatherElementsInterval(n, in)
		if err != nil {
			return nil, err
		}
		if n.ConstInput(0) != nil {
			return relax.ConstantForms(out[0]), nil
		}
		total := len(out[0].Lower)
		lower, upper := relax.NewForms(total, 1), relax.NewForms(total, 1)
		err = eachChoice(n, in[1], func(i int, from []int) {
			if len(from) == 1 {
				lower.Add(0, from[0], 1)
				lower.Close(0)
				upper.Add(0, from[0], 1)
				upper.Close(0)
				return
			}
			lower.Close(out[0].Lower[i])
			upper.Close(out[0].Upper[i])
		})
		lower.Input, upper.Input = nil, nil
		return &relax.Relaxation{Lower: *lower, Upper: *upper}, err
	}}, nil
}
