// pad.go — Pad, opset 2 (attributes), 11, 13 (inputs), 18 (axes), 19 and later (wrap): sizes grown at both ends, or cut by negative pads.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var padOp = op.Def{Name: "Pad", Since: 2,
	Attrs:   op.Attributes{"mode": op.OneOf("constant", "reflect", "edge").From(19, "wrap"), "pads": op.AnyValue, "value": op.AnyValue},
	Departs: padDeparts,
	Shape:   padShape, Eval: padEval, Gradient: padGradient, Linear: padLinear, Couple: couplePad, Adapt: adaptPad}

// padAmounts spreads pads (starts, then ends, of the named axes) over all axes.
func padAmounts(rank int, pads, axes []int) ([]int, error) {
	if pads == nil {
		return nil, fmt.Errorf("pads are missing")
	}
	all := axes == nil
	if all {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := axisMask(axes, rank); err != nil {
		return nil, err
	}
	out := make([]int, 2*rank)
	for i, a := range axes {
		a, _ = normalAxis(a, rank)
		out[a], out[rank+a] = pads[i], pads[len(axes)+i]
	}
	return out, nil
}

// padOf reads the amounts for all axes, first those before, then those after.
func padOf(n *onnxio.Node) ([]int, error) {
	pads, err := intList(n, "pads", 1, 11)
	if err != nil {
		return nil, err
	}
	var axes []int
	if n.Opset >= 18 {
		if axes, err = intList(n, "axes", 3, 18); err != nil {
			return nil, err
		}
	}
	return padAmounts(len(n.Inputs[0].Shape), pads, axes)
}

func padShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	pads, err := padOf(n)
	if err != nil {
		return nil, err
	}
	mode := n.Attrs.String("mode", "constant")
	out := make([]int, len(s))
	for i, d := range s {
		lo, hi := pads[i], pads[len(s)+i]
		if out[i] = d + lo + hi; out[i] < 0 || max(d, lo, hi) > maxElements || min(lo, hi) < -maxElements {
			return nil, fmt.Errorf("pads %d and %d for a size of %d", lo, hi, d)
		}
		switch grows := lo > 0 || hi > 0; {
		case mode == "constant":
		case mode == "reflect" && grows && max(lo, hi) > d-1:
			return nil, fmt.Errorf("pads %d and %d reflect a size of %d", lo, hi, d)
		case (mode == "edge" || mode == "wrap") && grows && d == 0:
			return nil, fmt.Errorf("pads %d and %d for an empty axis", lo, hi)
		case mode != "reflect" && mode != "edge" && (mode != "wrap" || n.Opset < 19):
			return nil, fmt.Errorf("mode %q", mode)
		}
	}
	if err := checkSizes(out); err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, nil
}

func padEval(c *op.Call) error {
	mode := c.Node.Attrs.String("mode", "constant")
	if mode != "constant" {
		return padByIndex(c, mode)
	}
	var err error
	switch {
	case c.Node.Opset < 11:
		err = padAttribute(c.Out[0].Data, c.Node.Attrs.Float("value", 0))
	case len(c.In) > 2 && c.In[2] != nil:
		err = fillData(c.Out[0].Data, c.In[2].Data)
	default:
		err = zeroData(c.Out[0].Data)
	}
	if err != nil {
		return err
	}
	return evalMoves(c, 1, padMoves)
}

// padAttribute fills with the padding value of old opsets.
func padAttribute(dst any, v float32) error {
	if v == 0 {
		return zeroData(dst)
	}
	switch d := dst.(type) {
	case []float32:
		for i := range d {
			d[i] = v
		}
	case []float64:
		for i := range d {
			d[i] = float64(v)
		}
	default:
		return fmt.Errorf("cannot pad %T with %v", dst, v)
	}
	return nil
}

func padCall(c *op.Call) ([]int, error) {
	pads, err := evalInts(c, "pads", 1, 11)
	if err != nil {
		return nil, err
	}
	var axes []int
	if c.Node.Opset >= 18 {
		if axes, err = evalInts(c, "axes", 3, 18); err != nil {
			return nil, err
		}
	}
	return padAmounts(len(c.In[0].Shape), pads, axes)
}

// padMoves copies what is left of x into the middle.
func padMoves(c *op.Call) ([]move, error) {
	s := c.In[0].Shape
	pads, err := padCall(c)
	if err != nil {
		return nil, err
	}
	m := move{}
	src, dst := strides(s), strides(c.Out[0].Shape)
	for i, d := range s {
		lo, hi := pads[i], pads[len(s)+i]
		n := d + min(lo, 0) + min(hi, 0)
		if n <= 0 {
			return nil, nil
		}
		m.src0 += max(-lo, 0) * src[i]
		m.dst0 += max(lo, 0) * dst[i]
		m.dims = append(m.dims, moveDim{n, src[i], dst[i]})
	}
	m.simplify()
	return []move{m}, nil
}

// padState is the index table of the modes that repeat elements: reflect, edge and wrap.
type padState struct {
	shape []int
	index []int64
}

func padByIndex(c *op.Call, mode string) error {
	st, _ := c.State.(*padState)
	if st == nil || !slices.Equal(st.shape, c.In[0].Shape) || c.Node.Opset >= 11 && !c.Const(1) {
		index, err := padIndex(c, mode)
		if err != nil {
			return err
		}
		st = &padState{slices.Clone(c.In[0].Shape), index}
		c.State = st
	}
	return gatherData(gather{1, c.In[0].Len(), 1}, st.index, c.Out[0].Data, c.In[0].Data)
}

// padIndex says for every output element which element of x it repeats.
func padIndex(c *op.Call, mode string) ([]int64, error) {
	s := c.In[0].Shape
	pads, err := padCall(c)
	if err != nil {
		return nil, err
	}
	index := []int64{0}
	for a, d := range s {
		size := c.Out[0].Shape[a]
		next := make([]int64, 0, len(index)*size)
		for _, base := range index {
			for j := range size {
				from, width, at := 0, d, j-pads[a]
				if mode == "wrap" && c.Node.Reading == onnxio.ONNXRuntime { // cut first
					from = max(0, -pads[a])
					width = d - from - max(0, -pads[len(s)+a])
				}
				if width < 1 {
					return nil, fmt.Errorf("pads %d and %d leave nothing of a size of %d to wrap", pads[a], pads[len(s)+a], d)
				}
				next = append(next, base*int64(d)+int64(from+padSource(at-from, width, mode)))
			}
		}
		index = next
	}
	return index, nil
}

// padSource is the element of an axis of size d that stands at position j, which may lie outside.
func padSource(j, d int, mode string) int {
	switch {
	case j >= 0 && j < d:
		return j
	case mode == "edge":
		return min(max(j, 0), d-1)
	case mode == "wrap":
		return ((j % d) + d) % d
	case d == 1:
		return 0
	default: // reflect, about the first and the last element
		period := 2 * (d - 1)
		j = ((j % period) + period) % period
		return min(j, period-j)
	}
}

// padLinear is movedBy with the padding value of old opsets, an attribute, taken out of the index table.
func padLinear(n *onnxio.Node) (*op.Linear, error) {
	if v := n.Attrs.Float("value", 0); n.Opset < 11 && v != 0 && n.Attrs.String("mode", "constant") == "constant" {
		plain := *n
		plain.Attrs = onnxio.Attrs{"pads": n.Attrs["pads"]}
		l, err := pickLinear(&plain, padEval, 0)
		if err != nil {
			return nil, err
		}
		zero, err := evalOn(n, padEval, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Double, n.Inputs[0].Shape...)}, onnxio.Double)
		if err != nil {
			return nil, err
		}
		l.Bias = zero[0].F64()
		return l, nil
	}
	return pickLinear(n, padEval, 0, 2)
}

// padGradient cuts the padding off again. Modes that repeat elements collect what went to the padding.
func padGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0].Shape
	c := &op.Call{Node: n, In: make([]*onnxio.Tensor, len(n.Inputs))}
	c.In[0] = &onnxio.Tensor{Shape: x}
	for i := 1; i < len(n.Inputs); i++ {
		c.In[i] = n.ConstInput(i)
	}
	pads, err := padCall(c)
	if err != nil {
		e.Fail(err)
		return nil
	}
	plain := n.Attrs.String("mode", "constant") == "constant"
	for _, p := range pads {
		plain = plain && p >= 0
	}
	if !plain {
		return movedGradient(func(c *op.Call) error {
			if n.Attrs.String("mode", "constant") != "constant" {
				return padEval(c)
			}
			if err := zeroData(c.Out[0].Data); err != nil {
				return err
			}
			return evalMoves(c, 1, padMoves)
		})(e, n, dy)
	}
	dx := dy[0]
	for i, d := range x {
		dx = e.Slice(dx, i, pads[i], pads[i]+d)
	}
	return onlyFirst(dx)
}
