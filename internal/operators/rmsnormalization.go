// rmsnormalization.go — RMSNormalization, opset 23: every run of the last axes over its root mean square, then scaled. Written in parts.
// Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var rmsNormalizationOp = op.Def{Name: "RMSNormalization", FeaturesLast: true, Since: 23, Fused: true, Couple: coupleFromAxis,
	Attrs: op.Attributes{"axis": op.AnyValue, "epsilon": op.AnyValue, "stash_type": stashed},
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x, scale := n.Input(0), n.Input(1)
		if x == nil || scale == nil {
			return refuseParts(e, n, "input 0 or 1 is missing")
		}
		axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
		if err != nil {
			e.Fail(err)
			return nil
		}
		return one(e.Mul(rmsNormal(e, x, axis, float64(n.Attrs.Float("epsilon", 1e-5))), scale))
	}}

// rmsNormal is x over the root of the mean of its squares from an axis on.
func rmsNormal(e *op.Emitter, x *onnxio.Value, axis int, epsilon float64) *onnxio.Value {
	square := meanOver(e, e.Mul(x, x), lastAxes(axis, len(x.Shape)))
	return e.Div(x, e.Op("Sqrt", nil, e.AddC(square, epsilon)))
}
