package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleReduce is the Couple face of reductions. A sum does not miss a slot that was zero; anything else pins what it reduces. since is the
// opset from which the axes are an input.
func coupleReduce(since int, sum bool) op.CoupleFunc {
	return func(n *onnxio.Node, c op.Coupler) {
		x := n.Inputs[0]
		axes, err := intList(n, "axes", 1, since)
		if err == nil {
			var mask []bool
			if mask, err = reduceMask(n, axes, len(x.Shape), since); err == nil {
				coupleReduced(n, c, mask, sum)
			}
		}
		if err != nil {
			pinEach(c, x, "its axes are not known", nil)
			pinEach(c, n.Outputs[0], "its axes are not known", nil)
		}
		pinEach(c, n.Input(1), "it is an argument of "+n.Op, nil)
	}
}

func coupleReduced(n *onnxio.Node, c op.Coupler, mask []bool, sum bool) {
	x, y := n.Inputs[0], n.Outputs[0]
	keep := n.Attrs.Int("keepdims", 1) != 0
	to := 0
	for i, reduced := range mask {
		switch {
		case !reduced:
			tieAll(c, op.Axis{Value: x, Axis: i}, op.Axis{Value: y, Axis: to})
			to++
			continue
		case sum:
			c.Ends(op.Axis{Value: x, Axis: i})
		default:
			c.Pin(op.Axis{Value: x, Axis: i}, n.Op+" is taken over it")
		}
		if keep {
			c.Pin(op.Axis{Value: y, Axis: to}, n.Op+" is taken over it")
			to++
		}
	}
}
