// prelu.go — PRelu, opset 7, 9, 16: y = x where x >= 0, else slope*x, with slope broadcast to x.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var pReluOp = op.Def{
	Name: "PRelu", Since: 7, Wraps: op.WrapsExact, AnyOrder: true,
	Shape: preluShape,
	Eval:  evalArithmetic(&leaking), Gradient: preluGradient, Interval: preluInterval, Linear: preluLinear,
	Couple: coupleElementwise,
}

// preluShape holds the standard to its word: only the slope is repeated.
func preluShape(n *onnxio.Node) ([]op.Type, error) {
	t, err := pairType(n)
	if err == nil && !slices.Equal(t[0].Shape, n.Inputs[0].Shape) {
		err = fmt.Errorf("a slope of shape %v does not broadcast to %v", n.Inputs[1].Shape, n.Inputs[0].Shape)
	}
	return t, err
}

var leaking = arithmetic{
	leakRows[float32](), leakRows[float64](), leakRows[int64](), leakRows[int32](), leakRows[int16](), leakRows[int8](),
	leakRows[uint64](), leakRows[uint32](), leakRows[uint16](), leakRows[uint8](),
}

func leakRows[T numeric]() binary[T, T] {
	leak := func(x, slope T) T {
		if x < 0 {
			return slope * x
		}
		return x
	}
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = leak(a[i], b[i])
			}
		},
		vs: func(y, a []T, b T) {
			for i, v := range a[:len(y)] {
				y[i] = leak(v, b)
			}
		},
		sv: func(y []T, a T, b []T) {
			for i, v := range b[:len(y)] {
				y[i] = leak(a, v)
			}
		},
	}
}

// preluInterval: left of 0 a product of two intervals, right of it the box itself.
func preluInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out, x, a, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	for i := range out.Lower {
		l, u := x.Lower[i], x.Upper[i]
		lo, hi := l, u
		if l < 0 {
			lo, hi = relax.MulBounds(l, min(u, 0), a.Lower[i], a.Upper[i])
			if u >= 0 {
				lo, hi = min(lo, 0), max(hi, u)
			}
		}
		out.Lower[i], out.Upper[i] = lo, hi
	}
	return []relax.Box{out}, nil
}

// preluLinear gives lines for a constant slope; otherwise only the box is known.
func preluLinear(n *onnxio.Node) (*op.Linear, error) {
	const source = "one rounded product below 0"
	if n.ConstInput(1) == nil || n.ConstInput(0) != nil {
		return boxForms(preluInterval, op.Within(0.5, 0, source))(n)
	}
	a, _, err := constFactor(n, 1)
	if err != nil {
		return nil, err
	}
	l := &op.Linear{Execution: op.Within(0.5, 0, source)}
	lines := func(s relax.Slope, l, u []float64, out *relax.Lines) {
		for i := range l {
			relax.KinkLine(s, i, l[i], u[i], a[i], 1, out)
		}
	}
	if uniform(a) {
		l.Lines, l.Family = lines, relax.Kinked{A: a[0], B: 1}
	} else {
		l.Relax = relax.LinesAsForms(0, lines)
	}
	return l, nil
}

// preluGradient: dy times slope below 0; the slope's own gradient is dy*min(x, 0).
func preluGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x, slope := n.Inputs[0], n.Inputs[1]
	dx := make([]*onnxio.Value, 2)
	below := e.Greater(e.Scalar(x, 0), x)
	if e.Wants(n, 0) {
		dx[0] = e.Mul(dy[0], e.Where(below, e.Expand(slope, x.Shape...), e.Filled(x, 1, x.Shape...)))
	}
	if e.Wants(n, 1) {
		dx[1] = e.Unbroadcast(e.KeepWhere(below, e.Mul(dy[0], x)), slope.Shape)
	}
	return dx
}
