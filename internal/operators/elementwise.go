package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// sameShape is the Shape face of operators whose only output looks like their first input.
func sameShape(n *onnxio.Node) ([]op.Type, error) {
	x := n.Input(0)
	if x == nil {
		return nil, fmt.Errorf("input 0 is missing")
	}
	return []op.Type{{DType: x.DType, Shape: x.Shape}}, nil
}

// elementwise is the Eval face of y[i] = f(x[i]).
func elementwise(f32 func(float32) float32, f64 func(float64) float64) func(*op.Call) error {
	return func(c *op.Call) error {
		switch x := c.In[0].Data.(type) {
		case []float32:
			y := c.Out[0].F32()
			for i, v := range x {
				y[i] = f32(v)
			}
		case []float64:
			y := c.Out[0].F64()
			for i, v := range x {
				y[i] = f64(v)
			}
		default:
			return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
		}
		return nil
	}
}

// monotone is the Interval face of a nondecreasing elementwise function whose float64 implementation is off by at most
// the given number of units in the last place.
func monotone(f func(float64) float64, ulps int) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(_ *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		n := len(in[0].Lower)
		out := relax.Box{Lower: make([]float64, n), Upper: make([]float64, n)}
		for i := range out.Lower {
			l, u := f(in[0].Lower[i]), f(in[0].Upper[i])
			for range ulps {
				l, u = sound.Down(l), sound.Up(u)
			}
			if math.IsNaN(l) || math.IsNaN(u) {
				l, u = math.Inf(-1), math.Inf(1)
			}
			out.Lower[i], out.Upper[i] = l, u
		}
		return []relax.Box{out}, nil
	}
}

// lines is the Linear face of an elementwise operator.
func lines(f relax.LinesFunc, ulps float64, source string) func(*onnxio.Node) (*op.Linear, error) {
	return func(*onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: f, Execution: op.Within(ulps, 0, source)}, nil
	}
}

// chosen is lines for operators whose lines may be chosen from a family.
func chosen(f relax.LinesFunc, of relax.Family, ulps float64, source string) func(*onnxio.Node) (*op.Linear, error) {
	return func(*onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: f, Family: of, Execution: op.Within(ulps, 0, source)}, nil
	}
}

// pieced is chosen for a function in parts, whose executions may be off by an absolute error too.
func pieced(p *relax.Pieced, bounds func(l, u float64) (lo, hi float64), ulps, abs float64, source string) func(*onnxio.Node) (*op.Linear, error) {
	return func(*onnxio.Node) (*op.Linear, error) {
		return &op.Linear{Lines: p.Lines(bounds), Family: p, Execution: op.Within(ulps, abs, source)}, nil
	}
}

// eachFloat is the Eval of y[i] = f(x[i], a, b) in float64, for functions with attributes; it keeps nothing, so that runs allocate nothing.
func eachFloat(c *op.Call, f func(x, a, b float64) float64, a, b float64) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		y := c.Out[0].F32()
		for i, v := range x {
			y[i] = float32(f(float64(v), a, b))
		}
	case []float64:
		y := c.Out[0].F64()
		for i, v := range x {
			y[i] = f(v, a, b)
		}
	default:
		return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
	}
	return nil
}

// always is the fact of every node of an operator.
func always(*onnxio.Node) bool { return true }
