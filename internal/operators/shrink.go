// shrink.go — Shrink, opset 9: y = x + bias where x < -lambd, x - bias where x > lambd, else 0.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var shrinkOp = op.Def{
	Name: "Shrink", Since: 9, Wraps: op.WrapsRounded,
	Attrs:    op.Attributes{"bias": op.AnyValue, "lambd": op.AnyValue},
	AnyOrder: true,
	Shape:    sameShape, Eval: shrinkEval,
	Gradient: shrinkGradient,
	Interval: func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		return elementInterval(shrinkBounds(shrinkArgs(n)))(n, in)
	},
	Linear: shrinkLinear,
	Couple: coupleElementwise,
}

func shrinkArgs(n *onnxio.Node) (bias, lambd float64) {
	return float64(n.Attrs.Float("bias", 0)), float64(n.Attrs.Float("lambd", 0.5))
}

func shrinkEval(c *op.Call) error {
	bias, lambd := shrinkArgs(c.Node)
	switch x := c.In[0].Data.(type) {
	case []float32:
		return shrink(c.Out[0].Data, x, bias, lambd)
	case []float64:
		return shrink(c.Out[0].Data, x, bias, lambd)
	case []int64:
		return shrink(c.Out[0].Data, x, bias, lambd)
	case []int32:
		return shrink(c.Out[0].Data, x, bias, lambd)
	case []int8:
		return shrink(c.Out[0].Data, x, bias, lambd)
	case []uint8:
		return shrink(c.Out[0].Data, x, bias, lambd)
	}
	return unsupportedType(c, "no numbers of type %v", c.In[0].DType)
}

func shrink[T numeric](out any, x []T, bias, lambd float64) error {
	y, ok := out.([]T)
	if !ok || len(y) != len(x) {
		return fmt.Errorf("cannot shrink %T to %T", x, out)
	}
	for i, v := range x {
		switch w := float64(v); {
		case w < -lambd:
			y[i] = T(w + bias)
		case w > lambd:
			y[i] = T(w - bias)
		default:
			y[i] = 0
		}
	}
	return nil
}

// shrinkBounds joins the ranges of the pieces that the interval meets. A piece's ends count although it does not hold them.
func shrinkBounds(bias, lambd float64) func(l, u float64) (lo, hi float64) {
	return func(l, u float64) (float64, float64) {
		lo, hi := math.Inf(1), math.Inf(-1)
		if l < -lambd {
			lo, hi = min(lo, sound.AddDown(l, bias)), max(hi, sound.AddUp(min(u, -lambd), bias))
		}
		if u > lambd {
			lo, hi = min(lo, sound.AddDown(max(l, lambd), -bias)), max(hi, sound.AddUp(u, -bias))
		}
		if l <= lambd && u >= -lambd && lambd >= 0 {
			lo, hi = min(lo, 0), max(hi, 0)
		}
		return lo, hi
	}
}

// shrinkLinear is exact on a piece; over a jump only the range is known.
func shrinkLinear(n *onnxio.Node) (*op.Linear, error) {
	bias, lambd := shrinkArgs(n)
	if !sound.Finite(bias) || !(lambd >= 0) || !sound.Finite(lambd) {
		return nil, op.Unsupported(n, "Linear", fmt.Sprintf("a bias of %v and a lambd of %v", bias, lambd))
	}
	bounds := shrinkBounds(bias, lambd)
	return &op.Linear{Execution: op.Within(1, 0, "one rounded sum"), Lines: func(_ relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			switch {
			case u[i] < -lambd:
				out.Set(i, 1, bias, 1, bias)
			case l[i] > lambd:
				out.Set(i, 1, -bias, 1, -bias)
			default:
				lo, hi := bounds(l[i], u[i])
				out.Flat(i, lo, hi)
			}
		}
	}}, nil
}

// shrinkGradient passes dy beyond lambd on both sides.
func shrinkGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	_, lambd := shrinkArgs(n)
	x := n.Inputs[0]
	return onlyFirst(e.KeepWhere(e.Op("Or", nil, e.GreaterC(x, lambd), e.Greater(e.Scalar(x, -lambd), x)), dy[0]))
}
