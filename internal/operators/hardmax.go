// hardmax.go — Hardmax, opset 1, 11, 13: 1 at the first largest element along Softmax's axes, 0 elsewhere.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var hardmaxOp = op.Def{Name: "Hardmax", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue},
	Shape: softmaxShape, Eval: hardmaxEval, Gradient: zeroGradient, Interval: hardmaxInterval, Linear: boxForms(hardmaxInterval, op.Exact("exact")),
	Couple: coupleOverAxis}

func hardmaxEval(c *op.Call) error {
	g, err := softmaxRows(c.Node, c.In[0].Shape)
	if err != nil {
		return err
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return hardmax(g, c.Out[0].F32(), x)
	case []float64:
		return hardmax(g, c.Out[0].F64(), x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func hardmax[T float32 | float64](g gather, y, x []T) error {
	if len(y) != len(x) {
		return fmt.Errorf("input and output differ in type")
	}
	clear(y)
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			best := at
			for j := range g.size {
				if i := at + j*g.inner; x[i] > x[best] {
					best = i
				}
			}
			if g.size > 0 {
				y[best] = 1
			}
		}
	}
	return nil
}

// hardmaxInterval: an element that another surely exceeds is 0, one that surely exceeds all others 1. Of equals nothing is told.
func hardmaxInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := softmaxRows(n, s)
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(product(s))
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			for i := range g.size {
				low, high := math.Inf(-1), math.Inf(-1) // the others' largest ends
				for j := range g.size {
					if j != i {
						low, high = max(low, in[0].Lower[at+j*g.inner]), max(high, in[0].Upper[at+j*g.inner])
					}
				}
				ii := at + i*g.inner
				if in[0].Lower[ii] > high || g.size == 1 {
					out.Lower[ii] = 1
				}
				if !(in[0].Upper[ii] < low) {
					out.Upper[ii] = 1
				}
			}
		}
	}
	return []relax.Box{out}, nil
}
