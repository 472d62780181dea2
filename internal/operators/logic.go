package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// logical are the faces of And, Or and Xor.
func logical(name string, f func(a, b bool) bool) op.Def {
	interval := logicInterval(f)
	return op.Def{
		Name: name, Since: 7,
		Shape: pairOfBools, Eval: logicEval(f),
		Interval: interval, Linear: boxForms(interval, op.Exact("exact")), Couple: coupleElementwise,
	}
}

func logicEval(f func(a, b bool) bool) func(*op.Call) error {
	rows := eachPair(f)
	return func(c *op.Call) error {
		a, ok := c.In[0].Data.([]bool)
		if !ok {
			return unsupportedType(c, "input of type %v where bool is needed", c.In[0].DType)
		}
		return runTyped(pairState(c), &rows, c.Out[0], a, c.In[1])
	}
}

// logicInterval tries what the boxes leave open: false, true or both.
func logicInterval(f func(a, b bool) bool) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		out, a, b, err := pairBoxes(n, in)
		if err != nil {
			return nil, err
		}
		for i := range out.Lower {
			some, all := false, true
			for _, p := range [2]bool{false, true} {
				for _, q := range [2]bool{false, true} {
					if mayBe(a, i, p) && mayBe(b, i, q) {
						some, all = some || f(p, q), all && f(p, q)
					}
				}
			}
			if all {
				out.Lower[i] = 1
			}
			if some || all {
				out.Upper[i] = 1
			}
		}
		return []relax.Box{out}, nil
	}
}

// mayBe tells whether element i of a box of bools may have a value.
func mayBe(b relax.Box, i int, v bool) bool {
	if v {
		return !(b.Upper[i] < 1)
	}
	return !(b.Lower[i] > 0)
}
