// cast.go — Cast, opset 6, 9, 13, 19, 21 and later: y = x in another type.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var castOp = op.Def{
	Name: "Cast", Since: 6, Copies: castCopies, Zero: op.ZeroKept,
	Attrs: op.Attributes{"to": op.AnyValue, "saturate": op.NoEffect /* of casts to float8 */, "round_mode": op.OneOf("up", "down", "nearest") /* of casts to float8e8m0 */},

	Shape: castShape,
	// The output's data decide the type: in float64 runs a cast to float32 gives float64.
	Eval:     copyEval,
	Gradient: castGradient,
	Interval: castInterval,
	Linear:   castLinear,
	Couple:   coupleElementwise,
}

func castShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	to := onnxio.DType(n.Attrs.Int("to", 0))
	if to == onnxio.Float16 || to == onnxio.BFloat16 {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast to %v; shoal convert --float32 makes a float32 network of it", to))
	}
	if to.Size() == 0 {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast to %v", to))
	}
	if from := n.Inputs[0].DType; from == onnxio.String {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast from %v", from))
	}
	return []op.Type{{DType: to, Shape: s}}, nil
}

// castTarget is the output's type as inference has set it (float64 in float64 runs).
func castTarget(n *onnxio.Node) onnxio.DType {
	if len(n.Outputs) > 0 && n.Outputs[0] != nil && n.Outputs[0].DType != onnxio.Undefined {
		return n.Outputs[0].DType
	}
	return onnxio.DType(n.Attrs.Int("to", 0))
}

// castInterval treats casts between float types as exact (they belong to the execution's rounding, not to the real
// function) and truncates for integers where their range holds the box.
func castInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	x, to := in[0], castTarget(n)
	out := relax.NewBox(len(x.Lower))
	switch {
	case to.IsFloat():
		copy(out.Lower, x.Lower)
		copy(out.Upper, x.Upper)
	case to == onnxio.Bool:
		for i, l := range x.Lower {
			u := x.Upper[i]
			if l > 0 || u < 0 {
				out.Lower[i] = 1
			}
			if l != 0 || u != 0 {
				out.Upper[i] = 1
			}
		}
	default:
		lo, hi := integerRange(to)
		for i, l := range x.Lower {
			l, u := math.Trunc(l), math.Trunc(x.Upper[i])
			// The ends of 64-bit types are rounded up to what the type no longer holds; to others 1 is added exactly.
			if !(l >= lo && u < hi+1) { // wraps, or is undefined: anything the type can hold
				l, u = lo, hi
			}
			out.Lower[i], out.Upper[i] = l, u
		}
	}
	return []relax.Box{out}, nil
}

// integerRange gives the smallest and largest value of an integer type, the ends of 64-bit types rounded outward.
func integerRange(d onnxio.DType) (lo, hi float64) {
	bits := float64(8 * d.Size())
	switch d {
	case onnxio.Uint8, onnxio.Uint16, onnxio.Uint32, onnxio.Uint64:
		return 0, math.Exp2(bits) - 1
	}
	return -math.Exp2(bits - 1), math.Exp2(bits-1) - 1
}

// castLinear is the identity between float types and from integers or bool to floats; otherwise only the box is known.
func castLinear(n *onnxio.Node) (*op.Linear, error) {
	if !castTarget(n).IsFloat() {
		return boxForms(castInterval, op.Exact("whole numbers"))(n)
	}
	l, err := reshapeLinear(n)
	if err == nil && castTarget(n) == onnxio.Float && n.Inputs[0].DType != onnxio.Float {
		l.Execution = op.Within(0.5, 0, "rounding to float32")
	}
	return l, err
}

// castGradient brings dy back to the input's type. Casts to integers and bool are constant almost everywhere.
func castGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	return onlyFirst(e.Mask(dy[0], n.Inputs[0]))
}

func castCopies(n *onnxio.Node) bool { return n.Inputs[0].DType == n.Outputs[0].DType }
