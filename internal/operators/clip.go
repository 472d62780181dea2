// clip.go — Clip, opset 6 (attributes), 11, 12, 13 (inputs): y = min(max(x, lo), hi).

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var clipOp = op.Def{Name: "Clip", Since: 6, Wraps: op.WrapsRounded, Rising: always,
	Attrs:    op.Attributes{"min": op.AnyValue, "max": op.AnyValue},
	AnyOrder: true, Shape: sameShape, Eval: clipEval, Gradient: clipGradient, Interval: clipInterval, Linear: clipLinear, Couple: coupleElementwise}

func clipEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return clipTo(c, x)
	case []float64:
		return clipTo(c, x)
	case []int64:
		return clipTo(c, x)
	case []int32:
		return clipTo(c, x)
	case []int16:
		return clipTo(c, x)
	case []int8:
		return clipTo(c, x)
	case []uint64:
		return clipTo(c, x)
	case []uint32:
		return clipTo(c, x)
	case []uint16:
		return clipTo(c, x)
	case []uint8:
		return clipTo(c, x)
	}
	return unsupportedType(c, "no order on type %v", c.In[0].DType)
}

func clipTo[T numeric](c *op.Call, x []T) error {
	y, ok := c.Out[0].Data.([]T)
	if !ok {
		return fmt.Errorf("cannot clip %T to %T", x, c.Out[0].Data)
	}
	var lo, hi T
	var hasLo, hasHi bool
	if c.Node.Opset < 11 {
		hasLo, hasHi = c.Node.Attrs.Has("min"), c.Node.Attrs.Has("max")
		lo, hi = T(c.Node.Attrs.Float("min", 0)), T(c.Node.Attrs.Float("max", 0))
	} else {
		var err error
		if lo, hasLo, err = scalarInput[T](c, 1); err != nil {
			return err
		}
		if hi, hasHi, err = scalarInput[T](c, 2); err != nil {
			return err
		}
	}
	copy(y, x)
	if hasLo {
		for i, v := range y {
			if v < lo {
				y[i] = lo
			}
		}
	}
	if hasHi {
		for i, v := range y {
			if v > hi {
				y[i] = hi
			}
		}
	}
	return nil
}

// scalarInput reads an optional input of one element.
func scalarInput[T any](c *op.Call, i int) (v T, ok bool, err error) {
	if i >= len(c.In) || c.In[i] == nil {
		return v, false, nil
	}
	d, ok := c.In[i].Data.([]T)
	if !ok || len(d) != 1 {
		return v, false, fmt.Errorf("input %d: one element of type %T is needed", i, v)
	}
	return d[0], true, nil
}

// clipLimits reads constant limits; infinite where absent.
func clipLimits(n *onnxio.Node) (lo, hi float64, err error) {
	lo, hi = math.Inf(-1), math.Inf(1)
	if n.Opset < 11 {
		if n.Attrs.Has("min") {
			lo = float64(n.Attrs.Float("min", 0))
		}
		if n.Attrs.Has("max") {
			hi = float64(n.Attrs.Float("max", 0))
		}
		return lo, min(hi, math.Inf(1)), nil
	}
	for i, p := range []*float64{&lo, &hi} {
		v := n.Input(i + 1)
		if v == nil {
			continue
		}
		if v.Const == nil {
			return 0, 0, op.Unsupported(n, "Linear", fmt.Sprintf("input %d (%s) must be constant", i+1, v.Name))
		}
		d, err := v.Const.Float64s()
		if err != nil {
			return 0, 0, err
		}
		if len(d) != 1 {
			return 0, 0, fmt.Errorf("input %d has %d elements where 1 is needed", i+1, len(d))
		}
		*p = d[0]
	}
	return lo, hi, nil
}

// clipInterval clips both ends; both limits and x only ever raise y.
func clipInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	clip := func(x, lo, hi float64) float64 { return min(max(x, lo), hi) }
	for i := 1; i < min(3, len(in)) && n.Opset >= 11; i++ {
		if n.Inputs[i] != nil && len(in[i].Lower) != 1 {
			return nil, fmt.Errorf("input %d has %d elements where 1 is needed", i, len(in[i].Lower))
		}
	}
	limits := func(upper bool) (lo, hi float64) {
		lo, hi = math.Inf(-1), math.Inf(1)
		for i, p := range []*float64{&lo, &hi} {
			if n.Opset >= 11 && i+1 < len(n.Inputs) && n.Inputs[i+1] != nil {
				if upper {
					*p = in[i+1].Upper[0]
				} else {
					*p = in[i+1].Lower[0]
				}
			}
		}
		return lo, hi
	}
	ll, lh := limits(false)
	ul, uh := limits(true)
	if n.Opset < 11 {
		var err error
		if ll, lh, err = clipLimits(n); err != nil {
			return nil, err
		}
		ul, uh = ll, lh
	}
	out := relax.NewBox(len(in[0].Lower))
	for i := range out.Lower {
		out.Lower[i], out.Upper[i] = clip(in[0].Lower[i], ll, lh), clip(in[0].Upper[i], ul, uh)
	}
	return []relax.Box{out}, nil
}

// clipLinear gives lines for constant limits.
func clipLinear(n *onnxio.Node) (*op.Linear, error) {
	lo, hi, err := clipLimits(n)
	if err != nil {
		return nil, err
	}
	return &op.Linear{Lines: func(s relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			relax.ClipLine(s, i, l[i], u[i], lo, hi, out)
		}
	}, Family: relax.Clipped{Lo: lo, Hi: hi}, Execution: op.Exact("exact")}, nil
}

// clipGradient passes dy where lo <= x <= hi. Ends are taken as inside: many images hold the ends of a Clip to [0,1].
func clipGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	var outside *onnxio.Value
	join := func(c *onnxio.Value) {
		if outside != nil {
			c = e.Op("Or", nil, outside, c)
		}
		outside = c
	}
	end := func(i int, name string) *onnxio.Value {
		if n.Opset >= 11 {
			return n.Input(i)
		}
		if n.Attrs.Has(name) {
			return e.Scalar(x, float64(n.Attrs.Float(name, 0)))
		}
		return nil
	}
	if lo := end(1, "min"); lo != nil {
		join(e.Greater(lo, x))
	}
	if hi := end(2, "max"); hi != nil {
		join(e.Greater(x, hi))
	}
	if outside == nil {
		return onlyFirst(dy[0])
	}
	return onlyFirst(e.KeepWhere(e.Op("Not", nil, outside), dy[0]))
}
