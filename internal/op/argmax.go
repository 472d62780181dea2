// argmax.go — ArgMax and ArgMin, opset 1, 11, 12 (select_last_index), 13: where along an axis the largest or smallest element stands.

package op

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "ArgMax", Since: 1,
		Attrs: Attributes{"axis": anyValue, "keepdims": boolean, "select_last_index": boolean},
		Shape: argShape, Eval: argEval(false), Interval: argInterval(false), Linear: boxForms(argInterval(false), Exact("exact")), Couple: coupleArg})
	Register(Def{Name: "ArgMin", Since: 1,
		Attrs: Attributes{"axis": anyValue, "keepdims": boolean, "select_last_index": boolean},
		Shape: argShape, Eval: argEval(true), Interval: argInterval(true), Linear: boxForms(argInterval(true), Exact("exact")), Couple: coupleArg})
}

func argShape(n *onnxio.Node) ([]Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
	if err != nil {
		return nil, err
	}
	if x[axis] == 0 {
		return nil, fmt.Errorf("axis %d of an input of shape %v has no elements", axis, x)
	}
	out := slices.Clone(x)
	if n.Attrs.Int("keepdims", 1) != 0 {
		out[axis] = 1
	} else {
		out = slices.Delete(out, axis, axis+1)
	}
	return []Type{{onnxio.Int64, out}}, nil
}

func argEval(least bool) func(*Call) error {
	return func(c *Call) error {
		x := c.In[0].Shape
		axis, err := normalAxis(c.Node.Attrs.Int("axis", 0), len(x))
		if err != nil {
			return err
		}
		g := gather{product(x[:axis]), x[axis], product(x[axis+1:])}
		last := c.Node.Attrs.Int("select_last_index", 0) != 0
		y := c.Out[0].I64()
		switch d := c.In[0].Data.(type) {
		case []float32:
			argRows(g, y, d, least, last)
		case []float64:
			argRows(g, y, d, least, last)
		case []int64:
			argRows(g, y, d, least, last)
		case []int32:
			argRows(g, y, d, least, last)
		case []int8:
			argRows(g, y, d, least, last)
		case []uint8:
			argRows(g, y, d, least, last)
		default:
			return unsupportedType(c, "input of type %v", c.In[0].DType)
		}
		return nil
	}
}

func argRows[T float32 | float64 | int64 | int32 | int8 | uint8](g gather, y []int64, x []T, least, last bool) {
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			best := 0
			for j := 1; j < g.size; j++ {
				v, b := x[at+j*g.inner], x[at+best*g.inner]
				if v > b && !least || v < b && least || v == b && last {
					best = j
				}
			}
			y[o*g.inner+k] = int64(best)
		}
	}
}

// argInterval spans the places that can hold the extreme: those whose far end reaches every other's near end. Of equals any may be meant.
func argInterval(least bool) func(*onnxio.Node, []Box) ([]Box, error) {
	return func(n *onnxio.Node, in []Box) ([]Box, error) {
		x, err := shapeOf(n, 0)
		if err != nil {
			return nil, err
		}
		axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
		if err != nil {
			return nil, err
		}
		g := gather{product(x[:axis]), x[axis], product(x[axis+1:])}
		out := newBox(g.outer * g.inner)
		for o := range g.outer {
			for k := range g.inner {
				at, i := o*g.size*g.inner+k, o*g.inner+k
				ends := func(j int) (lo, up float64) {
					lo, up = in[0].Lower[at+j*g.inner], in[0].Upper[at+j*g.inner]
					if least {
						return -up, -lo
					}
					return lo, up
				}
				top := math.Inf(-1)
				for j := range g.size {
					lo, _ := ends(j)
					top = max(top, lo)
				}
				first, last := g.size-1, 0
				for j := range g.size {
					if _, up := ends(j); !(up < top) {
						first, last = min(first, j), max(last, j)
					}
				}
				out.Lower[i], out.Upper[i] = float64(first), float64(last)
			}
		}
		return []Box{out}, nil
	}
}
