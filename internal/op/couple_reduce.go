package op

import "github.com/shallow-waters/shoal/onnxio"

// coupleReduce is the Couple face of reductions. A sum does not miss a slot that was zero; anything else pins what it reduces. since is the
// opset from which the axes are an input.
func coupleReduce(since int, sum bool) CoupleFunc {
	return func(n *onnxio.Node, c Coupler) {
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

func coupleReduced(n *onnxio.Node, c Coupler, mask []bool, sum bool) {
	x, y := n.Inputs[0], n.Outputs[0]
	keep := n.Attrs.Int("keepdims", 1) != 0
	to := 0
	for i, reduced := range mask {
		switch {
		case !reduced:
			tieAll(c, Axis{x, i}, Axis{y, to})
			to++
			continue
		case sum:
			c.Ends(Axis{x, i})
		default:
			c.Pin(Axis{x, i}, n.Op+" is taken over it")
		}
		if keep {
			c.Pin(Axis{y, to}, n.Op+" is taken over it")
			to++
		}
	}
}

// coupleArg is the Couple face of ArgMax and ArgMin.
func coupleArg(n *onnxio.Node, c Coupler) {
	mask := make([]bool, len(n.Inputs[0].Shape))
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(mask))
	if err == nil {
		mask[axis] = true
		coupleReduced(n, c, mask, false)
	}
}
