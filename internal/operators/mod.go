// mod.go — Mod, opset 10, 13, 28: y = a modulo b with broadcasting; the sign is b's, or with fmod = 1 a's as in C.

package operators

import (
	"errors"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var modOp = op.Def{
	Name: "Mod", Since: 10,
	Attrs:    op.Attributes{"fmod": op.Boolean},
	AnyOrder: true,
	Shape:    modShape, Eval: modEval, Gradient: modGradient, Interval: modInterval, Linear: func(n *onnxio.Node) (*op.Linear, error) {
		if n.Attrs.Int("fmod", 0) == 1 || !n.Inputs[0].DType.IsFloat() {
			return boxForms(modInterval, op.Exact("exact"))(n)
		}
		return boxForms(modInterval, op.Execution{})(n) // a quotient near a whole number may be rounded to either side
	},
	Couple: coupleElementwise,
}

var modulo = [2]arithmetic{modRows(false), modRows(true)}

func modRows(c bool) arithmetic {
	return arithmetic{
		eachPair(func(a, b float32) float32 { return float32(remainder(c, float64(a), float64(b))) }),
		eachPair(func(a, b float64) float64 { return remainder(c, a, b) }),
		remainders[int64](c), remainders[int32](c), remainders[int16](c), remainders[int8](c),
		remainders[uint64](c), remainders[uint32](c), remainders[uint16](c), remainders[uint8](c),
	}
}

// remainder has the sign of the dividend as C has, or else that of the divisor.
func remainder(c bool, a, b float64) float64 {
	r := math.Mod(a, b)
	if !c && r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

// remainders has the sign of the dividend as Go has, or else that of the divisor.
func remainders[T int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](c bool) binary[T, T] {
	return eachPair(func(a, b T) T {
		r := a % b
		if !c && r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r
	})
}

// modShape refuses floats without fmod before opset 28, which brought them.
func modShape(n *onnxio.Node) ([]op.Type, error) {
	types, err := pairType(n)
	if err == nil && n.Opset < 28 && types[0].DType.IsFloat() && n.Attrs.Int("fmod", 0) != 1 {
		return nil, op.Refuse(n, "floats with fmod = 0 came with opset 28")
	}
	return types, err
}

// modEval divides; an integer division by zero is an error.
func modEval(c *op.Call) error {
	fmod := c.Node.Attrs.Int("fmod", 0)
	zero := false
	switch b := c.In[1].Data.(type) {
	case []float32, []float64:
	case []int64:
		zero = slices.Contains(b, 0)
	case []int32:
		zero = slices.Contains(b, 0)
	case []int16:
		zero = slices.Contains(b, 0)
	case []int8:
		zero = slices.Contains(b, 0)
	case []uint64:
		zero = slices.Contains(b, 0)
	case []uint32:
		zero = slices.Contains(b, 0)
	case []uint16:
		zero = slices.Contains(b, 0)
	case []uint8:
		zero = slices.Contains(b, 0)
	}
	if zero {
		return errors.New("integer division by zero")
	}
	ar := &modulo[0]
	if fmod == 1 {
		ar = &modulo[1]
	}
	return ar.run(pairState(c), c.Out[0], c.In[0], c.In[1])
}

// modInterval: nearer to 0 than the divisor, and with fmod than the dividend, on the side of the one whose sign counts; where 0 <= a < b
// the dividend itself, and where the divisor is one number and the quotient the same at both ends, what is left at these. A divisor that may be 0
// gives everything.
func modInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out, a, b, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	fmod := n.Attrs.Int("fmod", 0) == 1
	float := n.Inputs[0].DType.IsFloat() // float64s do not hold all integers
	for i := range out.Lower {
		al, au, bl, bu := a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i]
		lo, hi := math.Inf(-1), math.Inf(1)
		most, least := max(-bl, bu), max(bl, -bu) // of |b|
		switch {
		case !(bl > 0 || bu < 0):
		case al > -least && au < least && (fmod || al >= 0 && bl > 0 || au <= 0 && bu < 0):
			lo, hi = al, au
		case float && oneQuotient(fmod, al, au, bl, bu):
			lo, hi = remainder(fmod, al, bl), remainder(fmod, au, bl)
			if !fmod { // the divisor was added
				lo, hi = max(sound.Down(lo), min(bl, 0)), min(sound.Up(hi), max(bl, 0))
			}
		case fmod:
			lo, hi = max(min(al, 0), -most), min(max(au, 0), most)
		case bl > 0:
			lo, hi = 0, most
		default:
			lo, hi = -most, 0
		}
		out.Lower[i], out.Upper[i] = lo, hi
	}
	return []relax.Box{out}, nil
}

// oneQuotient tells whether all dividends of an interval have the same whole quotient by a divisor that is one number, so that what is left rises
// as they do: over two quotients and more it falls behind by the divisor or more at a time. The differences are of numbers below the divisor, so
// that they are rounded by far less than the half of it.
func oneQuotient(fmod bool, al, au, bl, bu float64) bool {
	size, width := math.Abs(bl), au-al
	if bl != bu || !(width < size) || math.IsInf(al, 0) || math.IsInf(size, 0) || fmod && al < 0 && au > 0 {
		return false
	}
	return width-(remainder(fmod, au, bl)-remainder(fmod, al, bl)) < size/2
}

// modGradient: dy for the dividend. The divisor's is refused.
func modGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	if e.Wants(n, 1) {
		return e.Refuse(n, "the divisor depends on the model's input")
	}
	return onlyFirst(e.Unbroadcast(dy[0], n.Inputs[0].Shape))
}
