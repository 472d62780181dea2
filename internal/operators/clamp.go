package operators

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

// ClampOf tells whether a node is y = min(max(x, lo), hi) with constant ends, which the node before may do as well: a Relu, or a Clip of
// floats.
func ClampOf(n *onnxio.Node) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(-1), math.Inf(1)
	if n.Domain != "" || len(n.Inputs) == 0 || n.Inputs[0] == nil || !n.Inputs[0].DType.IsFloat() {
		return lo, hi, false
	}
	switch {
	case n.Op == "Relu":
		return 0, hi, true
	case n.Op != "Clip":
		return lo, hi, false
	case n.Opset < 11:
		lo, hi = float64(n.Attrs.Float("min", float32(lo))), float64(n.Attrs.Float("max", float32(hi)))
	default:
		for i, to := range []*float64{&lo, &hi} {
			if n.Input(i+1) == nil {
				continue
			}
			t := n.ConstInput(i + 1)
			if t == nil || t.Len() != 1 {
				return lo, hi, false
			}
			v, err := t.Float64s()
			if err != nil {
				return lo, hi, false
			}
			*to = v[0]
		}
	}
	return lo, hi, lo <= hi
}
