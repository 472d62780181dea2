// equal.go — Equal, opset 7, 11, 13, 19: y = (a == b) with broadcasting, as bool.

package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var equalOp = op.Def{
	Name: "Equal", Since: 7,
	Shape: func(n *onnxio.Node) ([]op.Type, error) {
		if err := needInputs(n, 2, 2); err != nil {
			return nil, err
		}
		s, err := broadcastInputs(n)
		if err != nil {
			return nil, err
		}
		return []op.Type{{DType: onnxio.Bool, Shape: s}}, nil
	},
	Eval:     equalEval,
	Interval: equalInterval,
	Linear:   boxForms(equalInterval, op.Exact("exact")),
	Couple:   coupleElementwise,
}

func equalEval(c *op.Call) error {
	p, y, b := pairState(c), c.Out[0], c.In[1]
	switch a := c.In[0].Data.(type) {
	case []float32:
		return runTyped(p, &equalF32, y, a, b)
	case []float64:
		return runTyped(p, &equalF64, y, a, b)
	case []int64:
		return runTyped(p, &equalI64, y, a, b)
	case []int32:
		return runTyped(p, &equalI32, y, a, b)
	case []int16:
		return runTyped(p, &equalI16, y, a, b)
	case []int8:
		return runTyped(p, &equalI8, y, a, b)
	case []uint64:
		return runTyped(p, &equalU64, y, a, b)
	case []uint32:
		return runTyped(p, &equalU32, y, a, b)
	case []uint16:
		return runTyped(p, &equalU16, y, a, b)
	case []uint8:
		return runTyped(p, &equalU8, y, a, b)
	case []bool:
		return runTyped(p, &equalBool, y, a, b)
	case []string:
		return runTyped(p, &equalString, y, a, b)
	}
	return unsupportedType(c, "no comparison of type %v", c.In[0].DType)
}

var (
	equalF32    = equalRows[float32]()
	equalF64    = equalRows[float64]()
	equalI64    = equalRows[int64]()
	equalI32    = equalRows[int32]()
	equalI16    = equalRows[int16]()
	equalI8     = equalRows[int8]()
	equalU64    = equalRows[uint64]()
	equalU32    = equalRows[uint32]()
	equalU16    = equalRows[uint16]()
	equalU8     = equalRows[uint8]()
	equalBool   = equalRows[bool]()
	equalString = equalRows[string]()
)

func equalRows[T comparable]() binary[T, bool] {
	vs := func(y []bool, a []T, b T) {
		for i, v := range a[:len(y)] {
			y[i] = v == b
		}
	}
	return binary[T, bool]{
		vv: func(y []bool, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = a[i] == b[i]
			}
		},
		vs: vs,
		sv: func(y []bool, a T, b []T) { vs(y, b, a) },
	}
}

// equalInterval tells true (1) where both are the same point, false (0) where the boxes do not meet, else [0, 1].
func equalInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	out, a, b, err := pairBoxes(n, in)
	if err != nil {
		return nil, err
	}
	for i := range out.Lower {
		switch al, au, bl, bu := a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i]; {
		case al == au && bl == bu && al == bl:
			out.Lower[i], out.Upper[i] = 1, 1
		case au < bl || bu < al:
			out.Lower[i], out.Upper[i] = 0, 0
		default:
			out.Lower[i], out.Upper[i] = 0, 1
		}
	}
	return []relax.Box{out}, nil
}
