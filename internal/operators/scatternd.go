// scatternd.go — ScatterND, opset 11, 13, 16 (reduction add, mul), 18 (min, max): x with slices replaced at places that the last axis of
// the indices names. Where places repeat, the last one counts; the standard leaves it open.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var scatterNDOp = op.Def{Name: "ScatterND", Since: 11,
	Attrs: op.Attributes{"reduction": op.OneOf("none", "add", "mul").From(18, "max", "min")},
	Shape: scatterNDShape, Eval: scatterNDEval, Gradient: scatterGradient(scatterNDEval), Linear: scatterLinear(scatterNDEval)}

// scatterLinear: without a reduction every output is one element of the data or of the updates.
func scatterLinear(eval func(*op.Call) error) func(*onnxio.Node) (*op.Linear, error) {
	moved := movedBy(eval, 0, 2)
	return func(n *onnxio.Node) (*op.Linear, error) {
		if r := n.Attrs.String("reduction", "none"); r != "none" {
			return nil, op.Unsupported(n, "Linear", "reduction "+r)
		}
		return moved(n)
	}
}

func scatterNDShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	index, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	updates, err := shapeOf(n, 2)
	if err != nil {
		return nil, err
	}
	if len(index) == 0 || index[len(index)-1] > len(x) {
		return nil, fmt.Errorf("indices of shape %v for an input of shape %v", index, x)
	}
	if want := append(slices.Clone(index[:len(index)-1]), x[index[len(index)-1]:]...); !slices.Equal(want, updates) {
		return nil, &onnxio.ShapeError{What: "updates", Want: want, Got: updates}
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: x}}, nil
}

func scatterNDEval(c *op.Call) error {
	x, shape := c.In[0].Shape, c.In[1].Shape
	depth := shape[len(shape)-1]
	run := product(x[depth:])
	places, _ := c.State.(*picked)
	if places == nil || !c.Const(1) {
		chosen, err := intsOf(c.In[1])
		if err != nil {
			return err
		}
		src := strides(x)
		places = &picked{}
		for i := range product(shape[:len(shape)-1]) {
			from := 0
			for d := range depth {
				k, e := normalAxis(chosen[i*depth+d], x[d])
				if e != nil {
					return fmt.Errorf("index %d outside a size of %d", chosen[i*depth+d], x[d])
				}
				from += k * src[d]
			}
			for j := range run {
				places.index = append(places.index, int32(from+j))
			}
		}
		c.State = places
	}
	return scatter(c, places.index)
}

// scatter copies input 0 and puts the elements of input 2 to the given places of it.
func scatter(c *op.Call, at []int32) error {
	how := c.Node.Attrs.String("reduction", "none")
	switch x := c.In[0].Data.(type) {
	case []float32:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	case []float64:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	case []int64:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	case []int32:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	case []uint8:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	case []int8:
		return scatterInto(how, at, c.Out[0].Data, x, c.In[2].Data)
	}
	return unsupportedType(c, "elements of type %v", c.In[0].DType)
}

func scatterInto[T float32 | float64 | int64 | int32 | uint8 | int8](how string, at []int32, out any, x []T, updates any) error {
	y, ok := out.([]T)
	u, okU := updates.([]T)
	if !ok || !okU || len(u) != len(at) {
		return fmt.Errorf("%d updates of type %T at %d places of %T", len(u), updates, len(at), x)
	}
	copy(y, x)
	for i, p := range at {
		switch how {
		case "none":
			y[p] = u[i]
		case "add":
			y[p] += u[i]
		case "mul":
			y[p] *= u[i]
		case "max":
			y[p] = max(y[p], u[i])
		case "min":
			y[p] = min(y[p], u[i])
		default:
			return fmt.Errorf("reduction %q", how)
		}
	}
	return nil
}
