package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// comparison is one of Less, LessOrEqual, Greater and GreaterOrEqual for every ordered type.
type comparison struct {
	f32 binary[float32, bool]
	f64 binary[float64, bool]
	i64 binary[int64, bool]
	i32 binary[int32, bool]
	i16 binary[int16, bool]
	i8  binary[int8, bool]
	u64 binary[uint64, bool]
	u32 binary[uint32, bool]
	u16 binary[uint16, bool]
	u8  binary[uint8, bool]
}

// comparing makes the comparison a < b, or with swap b < a, and with orEqual also where both are equal.
func comparing(swap, orEqual bool) *comparison {
	return &comparison{
		compareRows[float32](swap, orEqual), compareRows[float64](swap, orEqual), compareRows[int64](swap, orEqual),
		compareRows[int32](swap, orEqual), compareRows[int16](swap, orEqual), compareRows[int8](swap, orEqual),
		compareRows[uint64](swap, orEqual), compareRows[uint32](swap, orEqual), compareRows[uint16](swap, orEqual),
		compareRows[uint8](swap, orEqual),
	}
}

func compareRows[T numeric](swap, orEqual bool) binary[T, bool] {
	holds := func(a, b T) bool { return a < b }
	switch {
	case swap && orEqual:
		holds = func(a, b T) bool { return a >= b }
	case swap:
		holds = func(a, b T) bool { return a > b }
	case orEqual:
		holds = func(a, b T) bool { return a <= b }
	}
	return eachPair(holds)
}

// eachPair makes rows of a function of two elements.
func eachPair[T, O any](f func(a, b T) O) binary[T, O] {
	return binary[T, O]{
		vv: func(y []O, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = f(a[i], b[i])
			}
		},
		vs: func(y []O, a []T, b T) {
			for i, v := range a[:len(y)] {
				y[i] = f(v, b)
			}
		},
		sv: func(y []O, a T, b []T) {
			for i, v := range b[:len(y)] {
				y[i] = f(a, v)
			}
		},
	}
}

func (f *comparison) eval(c *op.Call) error {
	p, y, b := pairState(c), c.Out[0], c.In[1]
	switch a := c.In[0].Data.(type) {
	case []float32:
		return runTyped(p, &f.f32, y, a, b)
	case []float64:
		return runTyped(p, &f.f64, y, a, b)
	case []int64:
		return runTyped(p, &f.i64, y, a, b)
	case []int32:
		return runTyped(p, &f.i32, y, a, b)
	case []int16:
		return runTyped(p, &f.i16, y, a, b)
	case []int8:
		return runTyped(p, &f.i8, y, a, b)
	case []uint64:
		return runTyped(p, &f.u64, y, a, b)
	case []uint32:
		return runTyped(p, &f.u32, y, a, b)
	case []uint16:
		return runTyped(p, &f.u16, y, a, b)
	case []uint8:
		return runTyped(p, &f.u8, y, a, b)
	}
	return unsupportedType(c, "no order on type %v", c.In[0].DType)
}

// pairOfBools is the Shape face of operators of two inputs that broadcast and an output of type bool. Such operators cannot be AnyOrder:
// only floats are put back into the standard's order.
func pairOfBools(n *onnxio.Node) ([]op.Type, error) {
	t, err := pairType(n)
	if err != nil {
		return nil, err
	}
	t[0].DType = onnxio.Bool
	return t, nil
}

// compareInterval is 1 where the boxes decide for, 0 where they decide against, else [0, 1].
func compareInterval(swap, orEqual bool) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		out, a, b, err := pairBoxes(n, in)
		if err != nil {
			return nil, err
		}
		if swap {
			a, b = b, a
		}
		for i := range out.Lower {
			al, au, bl, bu := a.Lower[i], a.Upper[i], b.Lower[i], b.Upper[i]
			always, never := au < bl, al >= bu
			if orEqual {
				always, never = au <= bl, al > bu
			}
			switch {
			case always:
				out.Lower[i], out.Upper[i] = 1, 1
			case !never:
				out.Upper[i] = 1
			}
		}
		return []relax.Box{out}, nil
	}
}
