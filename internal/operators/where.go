// where.go — Where, opset 9, 16: y = x where the condition holds, else y, with broadcasting of all three.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

var whereOp = op.Def{
	Name: "Where", Since: 9,
	Shape: func(n *onnxio.Node) ([]op.Type, error) {
		if err := needInputs(n, 3, 3); err != nil {
			return nil, err
		}
		s, err := broadcastInputs(n)
		if err != nil {
			return nil, err
		}
		return []op.Type{{DType: n.Inputs[1].DType, Shape: s}}, nil
	},
	Eval:     whereEval,
	Gradient: whereGradient,
	Interval: whereInterval,
	Linear:   whereLinear,
	Couple:   coupleElementwise,
}

// whereState says for every output element which element of each input it reads.
type whereState struct {
	shapes [3][]int
	index  [3][]int32
}

func whereEval(c *op.Call) error {
	cond, ok := c.In[0].Data.([]bool)
	if !ok {
		return unsupportedType(c, "condition of type %v where bool is needed", c.In[0].DType)
	}
	s, _ := c.State.(*whereState)
	if s == nil || !slices.Equal(s.shapes[0], c.In[0].Shape) || !slices.Equal(s.shapes[1], c.In[1].Shape) ||
		!slices.Equal(s.shapes[2], c.In[2].Shape) {
		s = &whereState{}
		for i, t := range c.In {
			s.shapes[i] = slices.Clone(t.Shape)
			s.index[i] = broadcastIndex(t.Shape, c.Out[0].Shape)
		}
		c.State = s
	}
	out, b := c.Out[0].Data, c.In[2].Data
	switch a := c.In[1].Data.(type) {
	case []float32:
		return choose(s, cond, out, a, b)
	case []float64:
		return choose(s, cond, out, a, b)
	case []int64:
		return choose(s, cond, out, a, b)
	case []int32:
		return choose(s, cond, out, a, b)
	case []int16:
		return choose(s, cond, out, a, b)
	case []int8:
		return choose(s, cond, out, a, b)
	case []uint64:
		return choose(s, cond, out, a, b)
	case []uint32:
		return choose(s, cond, out, a, b)
	case []uint16:
		return choose(s, cond, out, a, b)
	case []uint8:
		return choose(s, cond, out, a, b)
	case []bool:
		return choose(s, cond, out, a, b)
	case []string:
		return choose(s, cond, out, a, b)
	}
	return unsupportedType(c, "no choice of type %v", c.In[1].DType)
}

func choose[T any](s *whereState, cond []bool, out any, a []T, bd any) error {
	y, ok := out.([]T)
	b, ok2 := bd.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("inputs of types %T and %T with an output of type %T", a, bd, out)
	}
	for i := range y {
		if cond[at(s.index[0], i)] {
			y[i] = a[at(s.index[1], i)]
		} else {
			y[i] = b[at(s.index[2], i)]
		}
	}
	return nil
}

// at reads an index list, where nil is the identity.
func at(index []int32, i int) int {
	if index == nil {
		return i
	}
	return int(index[i])
}

// whereInterval takes the chosen box where the condition is decided, else the hull of both. A condition is 0 or 1, but its box may be a
// little wider for rounding: only a lower end above 0 says that it holds, and only an upper end below 1 that it does not.
func whereInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	var lo, up [3][]float64
	for i := range lo {
		s := n.Inputs[i].Shape
		lo[i], up[i] = broadcastTo(in[i].Lower, s, shape), broadcastTo(in[i].Upper, s, shape)
	}
	out := relax.NewBox(product(shape))
	for i := range out.Lower {
		switch {
		case lo[0][i] > 0:
			out.Lower[i], out.Upper[i] = lo[1][i], up[1][i]
		case up[0][i] < 1:
			out.Lower[i], out.Upper[i] = lo[2][i], up[2][i]
		default:
			out.Lower[i], out.Upper[i] = min(lo[1][i], lo[2][i]), max(up[1][i], up[2][i])
		}
	}
	return []relax.Box{out}, nil
}

// whereLinear picks elements where the condition is constant; otherwise only the box is known.
func whereLinear(n *onnxio.Node) (*op.Linear, error) {
	if n.ConstInput(0) == nil {
		return boxForms(whereInterval, op.Exact("exact"))(n)
	}
	return pickLinear(n, whereEval, 1, 2)
}

// whereGradient: dy goes to the input that was chosen.
func whereGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	dx := make([]*onnxio.Value, 3)
	if e.Wants(n, 1) {
		dx[1] = e.Unbroadcast(e.KeepWhere(n.Inputs[0], dy[0]), n.Inputs[1].Shape)
	}
	if e.Wants(n, 2) {
		dx[2] = e.Unbroadcast(e.KeepWhere(e.Op("Not", nil, n.Inputs[0]), dy[0]), n.Inputs[2].Shape)
	}
	return dx
}
