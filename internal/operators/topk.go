// topk.go — TopK, opset 1 (k an attribute), 10 (an input), 11 (largest, sorted), 24: the k largest or smallest elements along an axis, and
// where they stood; of equals, the first.

package operators

import (
	"fmt"
	"slices"
	"sort"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var topKOp = op.Def{Name: "TopK", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue, "k": op.AnyValue, "largest": op.Boolean, "sorted": op.Boolean},
	Shape: topKShape, Eval: topKEval, Gradient: topKGradient, Interval: topKInterval, Linear: topKLinear}

func topKShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x))
	if err != nil {
		return nil, err
	}
	k := []int{n.Attrs.Int("k", -1)}
	if n.Opset >= 10 {
		if k, err = intList(n, "k", 1, 10); err != nil {
			return nil, err
		}
	}
	if len(k) != 1 || k[0] < 0 || k[0] > x[axis] {
		return nil, fmt.Errorf("k is %v for a size of %d", k, x[axis])
	}
	out := slices.Clone(x)
	out[axis] = k[0]
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}, {DType: onnxio.Int64, Shape: out}}, nil
}

func topKEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return topK(c, x)
	case []float64:
		return topK(c, x)
	case []int64:
		return topK(c, x)
	case []int32:
		return topK(c, x)
	case []int16:
		return topK(c, x)
	case []int8:
		return topK(c, x)
	case []uint64:
		return topK(c, x)
	case []uint32:
		return topK(c, x)
	case []uint16:
		return topK(c, x)
	case []uint8:
		return topK(c, x)
	}
	return unsupportedType(c, "input of type %v", c.In[0].DType)
}

// ranked are the types that are put in order.
type ranked interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// byRank sorts places of one row; it lives in State so that runs allocate nothing.
type byRank[T ranked] struct {
	row   []T
	order []int
	least bool
}

func (b *byRank[T]) Len() int      { return len(b.order) }
func (b *byRank[T]) Swap(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] }
func (b *byRank[T]) Less(i, j int) bool {
	p, q := b.order[i], b.order[j]
	if v, w := b.row[p], b.row[q]; v != w {
		return v > w != b.least
	}
	return p < q
}

func topK[T ranked](c *op.Call, x []T) error {
	s := c.In[0].Shape
	axis, err := normalAxis(c.Node.Attrs.Int("axis", -1), len(s))
	if err != nil {
		return err
	}
	g := gather{product(s[:axis]), s[axis], product(s[axis+1:])}
	b, _ := c.State.(*byRank[T])
	if b == nil || len(b.row) != g.size {
		b = &byRank[T]{row: make([]T, g.size), order: make([]int, g.size), least: c.Node.Opset >= 11 && c.Node.Attrs.Int("largest", 1) == 0}
		c.State = b
	}
	var y []T
	var index []int64
	k := 0
	if len(c.Out) > 0 && c.Out[0] != nil {
		y, k = c.Out[0].Data.([]T), c.Out[0].Shape[axis]
	}
	if len(c.Out) > 1 && c.Out[1] != nil {
		index, k = c.Out[1].I64(), c.Out[1].Shape[axis]
	}
	for o := range g.outer {
		for i := range g.inner {
			for j := range g.size {
				b.row[j], b.order[j] = x[(o*g.size+j)*g.inner+i], j
			}
			sort.Sort(b)
			for j := range k {
				to := (o*k+j)*g.inner + i
				if y != nil {
					y[to] = b.row[b.order[j]]
				}
				if index != nil {
					index[to] = int64(b.order[j])
				}
			}
		}
	}
	return nil
}

// topKGradient puts dy back where the values stood.
func topKGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	x := n.Inputs[0]
	if dy[0] == nil {
		return nil
	}
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x.Shape))
	if err != nil {
		e.Fail(err)
		return nil
	}
	e.Need(11, "the gradient of TopK")
	return onlyFirst(e.Op("ScatterElements", onnxio.Attrs{"axis": int64(axis)}, e.Zeros(x, x.Shape...),
		e.Output(n, 1, onnxio.Int64, dy[0].Shape), dy[0]))
}
