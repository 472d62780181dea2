// lpnormalization.go — LpNormalization, opset 1, 22, and GlobalLpPool, opset 2, 22: x over its l1 or l2 norm along an axis, zero where that is
// zero, and the lp norm of every channel.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var lpNormalizationOp = op.Def{Name: "LpNormalization", Since: 1, Attrs: op.Attributes{"axis": op.AnyValue, "p": op.OneOf(1, 2)},
	Couple: coupleLpNormalization,
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x := n.Input(0)
		axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
		if err != nil {
			e.Fail(err)
			return nil
		}
		norm := normOver(e, x, n.Attrs.Int("p", 2), axis)
		return one(e.Div(x, e.Where(e.GreaterC(norm, 0), norm, e.Scalar(norm, 1))))
	}}

var globalLpPoolOp = op.Def{Name: "GlobalLpPool", Since: 2, Couple: coupleImage,
	Attrs: op.Attributes{"p": op.AnyValue},
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		return one(normOver(e, n.Input(0), n.Attrs.Int("p", 2), lastAxes(2, len(n.Inputs[0].Shape))...))
	}}

// normOver is the lp norm over axes, which stay with size 1.
func normOver(e *op.Emitter, x *onnxio.Value, p int, axes ...int) *onnxio.Value {
	return rootOf(e, e.ReduceSum(powerOf(e, x, p), axes...), p)
}

// powerOf is |x| to the p-th.
func powerOf(e *op.Emitter, x *onnxio.Value, p int) *onnxio.Value {
	switch p {
	case 1:
		return e.Op("Abs", nil, x)
	case 2:
		return e.Mul(x, x)
	}
	return e.Op("Pow", nil, e.Op("Abs", nil, x), e.Scalar(x, float64(p)))
}

func rootOf(e *op.Emitter, x *onnxio.Value, p int) *onnxio.Value {
	switch p {
	case 1:
		return x
	case 2:
		return e.Op("Sqrt", nil, x)
	}
	return e.Op("Pow", nil, x, e.Scalar(x, 1/float64(p)))
}

func coupleLpNormalization(n *onnxio.Node, c op.Coupler) {
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(n.Inputs[0].Shape))
	coupleMixed(n, c, func(i int) bool { return err != nil || i == axis })
}
