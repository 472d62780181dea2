package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Operators that only move elements get their Linear face from their Eval face: Eval moves the elements' numbers instead of
// the elements, and what arrives is the index table of the map.

// movedBy is the Linear face of such operators; data are the inputs that hold elements (the others are arguments, and
// must be constant), all inputs where none is named.
func movedBy(eval func(*op.Call) error, data ...int) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) { return pickLinear(n, eval, data...) }
}

func pickLinear(n *onnxio.Node, eval func(*op.Call) error, data ...int) (*op.Linear, error) {
	isData := make([]bool, len(n.Inputs))
	for i := range isData {
		isData[i] = len(data) == 0
	}
	for _, i := range data {
		if i < len(isData) {
			isData[i] = true
		}
	}
	for i, v := range n.Inputs {
		if v != nil && v.Const == nil && !isData[i] {
			return nil, op.Unsupported(n, "Linear", fmt.Sprintf("input %d (%s) must be constant", i, v.Name))
		}
	}
	l := &op.Linear{Execution: op.Exact("elements move"), PerOutput: make([][]affine.Map, len(n.Outputs))}
	for o := range l.PerOutput {
		l.PerOutput[o] = make([]affine.Map, len(n.Inputs))
	}
	for k, v := range n.Inputs {
		if v == nil || v.Const != nil {
			continue
		}
		// Elements of input k are numbered from 1; 0 stands for everything else.
		in := make([]*onnxio.Tensor, len(n.Inputs))
		for i, w := range n.Inputs {
			switch {
			case w == nil:
			case !isData[i]:
				in[i] = w.Const
			default:
				in[i] = onnxio.NewTensor(onnxio.Int32, w.Shape...)
			}
		}
		for i, d := 0, in[k].Data.([]int32); i < len(d); i++ {
			d[i] = int32(i + 1)
		}
		out, err := evalOn(n, eval, in, onnxio.Int32)
		if err != nil {
			return nil, err
		}
		for o, t := range out {
			if t != nil {
				l.PerOutput[o][k] = pickMap(product(v.Shape), t.Data.([]int32))
			}
		}
	}
	if len(n.Outputs) > 1 {
		return l, nil
	}
	l.Maps, l.PerOutput = l.PerOutput[0], nil
	bias, err := pickBias(n, eval, isData)
	l.Bias = bias
	return l, err
}

// pickBias runs Eval of a node with one output with the constant data inputs and zeros for the variables; nil if all is zero.
func pickBias(n *onnxio.Node, eval func(*op.Call) error, isData []bool) ([]float64, error) {
	in := make([]*onnxio.Tensor, len(n.Inputs))
	for i, w := range n.Inputs {
		switch {
		case w == nil:
		case !isData[i]:
			in[i] = w.Const
		case w.Const == nil:
			in[i] = onnxio.NewTensor(onnxio.Double, w.Shape...)
		default:
			v, err := w.Const.Float64s()
			if err != nil {
				return nil, err
			}
			in[i] = onnxio.FromFloat64(v, w.Const.Shape...)
		}
	}
	out, err := evalOn(n, eval, in, onnxio.Double)
	if err != nil {
		return nil, err
	}
	for _, v := range out[0].F64() {
		if v != 0 {
			return out[0].F64(), nil
		}
	}
	return nil, nil
}

// evalOn runs an Eval face once on inputs of another type than the graph's.
func evalOn(n *onnxio.Node, eval func(*op.Call) error, in []*onnxio.Tensor, d onnxio.DType) ([]*onnxio.Tensor, error) {
	c := &op.Call{Node: n, In: in, Out: make([]*onnxio.Tensor, len(n.Outputs)), Work: new(op.Workspace)}
	for o, v := range n.Outputs {
		if v != nil {
			c.Out[o] = onnxio.NewTensor(d, v.Shape...)
		}
	}
	if err := eval(c); err != nil {
		return nil, err
	}
	return c.Out, nil
}

// pickMap is the map with y[i] = x[index[i]-1], and 0 where index is 0.
func pickMap(in int, index []int32) affine.Map {
	same := in == len(index)
	for i := range index {
		index[i]--
		same = same && index[i] == int32(i)
	}
	if same {
		return &affine.Identity{N: in}
	}
	return affine.Pick(in, index)
}

// reshapeLinear is the Linear face of operators that keep all elements in their order.
func reshapeLinear(n *onnxio.Node) (*op.Linear, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	maps := make([]affine.Map, len(n.Inputs))
	maps[0] = &affine.Identity{N: product(s)}
	return &op.Linear{Maps: maps, Execution: op.Exact("elements move")}, nil
}
