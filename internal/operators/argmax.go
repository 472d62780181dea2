// argmax.go — ArgMax and ArgMin, opset 1, 11, 12 (select_last_index), 13: where along an axis the largest or smallest element stands.

package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var argMaxOp = op.Def{Name: "ArgMax", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue, "keepdims": op.Boolean, "select_last_index": op.Boolean},
	Shape: argShape, Eval: argEval(false), Interval: argInterval(false), Linear: boxForms(argInterval(false), op.Exact("exact")), Couple: coupleArg}

var argMinOp = op.Def{Name: "ArgMin", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue, "keepdims": op.Boolean, "select_last_index": op.Boolean},
	Shape: argShape, Eval: argEval(true), Interval: argInterval(true), Linear: boxForms(argInterval(true), op.Exact("exact")), Couple: coupleArg}

func argShape(n *onnxio.Node) ([]op.Type, error) {
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
	return []op.Type{{DType: onnxio.Int64, Shape: out}}, nil
}

func argEval(least bool) func(*op.Call) error {
	return func(c *op.Call) error {
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
func argInterval(least bool) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		x, err := shapeOf(n, 0)
		if err != nil {
			return nil, err
		}
		axis, err := normalAxis(n.Attrs.Int("axis", 0), len(x))
		if err != nil {
			return nil, err
		}
		g := gather{product(x[:axis]), x[axis], product(x[axis+1:])}
		out := relax.NewBox(g.outer * g.inner)
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
		return []relax.Box{out}, nil
	}
}
