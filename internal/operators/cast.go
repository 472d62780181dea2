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
	Attrs: op.Attributes{"to": op.AnyValue, "saturate": op.Boolean, "round_mode": op.OneOf("up", "down", "nearest") /* of casts to float8e8m0 */},

	Shape: castShape,
	// The output's data decide the type: in float64 runs a cast to float32 gives float64.
	Eval:     castEval,
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
	if to.Half() { // held in float32, after rounding
		to = onnxio.Float
	}
	if !to.Held() || to == onnxio.String {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast to %v", to))
	}
	if from := n.Inputs[0].DType; from == onnxio.String {
		return nil, op.Unsupported(n, "Shape", fmt.Sprintf("cast from %v", from))
	}
	return []op.Type{{DType: to, Shape: s}}, nil
}

// castEval converts. Numbers of few bits are rounded to the nearest that there is, integers of few bits keep their low ones.
func castEval(c *op.Call) error {
	x, y := c.In[0], c.Out[0]
	if codes, ok := y.Data.([]onnxio.Code); ok && x.DType != y.DType {
		from, err := x.Float64s()
		if err != nil {
			return err
		}
		saturate := c.Node.Attrs.Int("saturate", 1) == 1
		for i, v := range from {
			codes[i] = y.DType.Code(v, saturate, c.Node.Attrs.String("round_mode", "up"))
		}
		return nil
	}
	if x.DType.Coded() && x.DType != y.DType {
		from, err := x.Float64s()
		if err != nil {
			return err
		}
		x = onnxio.FromFloat64(from, x.Shape...)
	}
	if err := copyData(y, x); err != nil {
		return err
	}
	if half := halfTarget(c.Node); half != onnxio.Undefined {
		return roundHalf(half, y.Data)
	}
	if bits := y.DType.Bits(); bits > 0 && bits < 8 {
		switch d := y.Data.(type) {
		case []int8:
			for i, v := range d {
				d[i] = v << (8 - bits) >> (8 - bits)
			}
		case []uint8:
			for i, v := range d {
				d[i] = v & (1<<bits - 1)
			}
		}
	}
	return nil
}

// halfTarget is the type of a Cast to float16 or bfloat16, whose numbers are held in float32 after they have been rounded; Undefined for others.
func halfTarget(n *onnxio.Node) onnxio.DType {
	if to := onnxio.DType(n.Attrs.Int("to", 0)); n.Op == "Cast" && n.Domain == "" && to.Half() {
		return to
	}
	return onnxio.Undefined
}

func roundHalf(to onnxio.DType, data any) error {
	switch d := data.(type) {
	case []float32:
		for i, v := range d {
			d[i] = to.Round(v)
		}
	case []float64:
		for i, v := range d {
			d[i] = float64(to.Round(float32(v)))
		}
	default:
		return fmt.Errorf("%T for numbers of half precision", data)
	}
	return nil
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
	x, to, half := in[0], castTarget(n), halfTarget(n)
	out := relax.NewBox(len(x.Lower))
	switch {
	case to.Coded() || n.Inputs[0].DType.Coded():
		return nil, op.Unsupported(n, "Interval", fmt.Sprintf("casts from %v to %v", n.Inputs[0].DType, to))
	case half != onnxio.Undefined: // rounding rises; it goes through float32, to either of two neighbours there
		for i, l := range x.Lower {
			out.Lower[i] = float64(half.Round(float32(math.Nextafter(l, math.Inf(-1)))))
			out.Upper[i] = float64(half.Round(float32(math.Nextafter(x.Upper[i], math.Inf(1)))))
		}
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
func integerRange(d onnxio.DType) (lo, hi float64) { return op.IntegerRange(d) }

// castLinear is the identity between float types and from integers or bool to floats; otherwise only the box is known.
func castLinear(n *onnxio.Node) (*op.Linear, error) {
	if n.Inputs[0].DType.Coded() {
		return nil, op.Unsupported(n, "Linear", "casts from "+n.Inputs[0].DType.String())
	}
	if halfTarget(n) != onnxio.Undefined {
		return boxForms(castInterval, op.Exact("the rounding is in the bounds"))(n)
	}
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

func castCopies(n *onnxio.Node) bool {
	return n.Inputs[0].DType == n.Outputs[0].DType && halfTarget(n) == onnxio.Undefined
}
