package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// broadcastShape is the common shape of several shapes under the standard's multidirectional broadcasting: aligned at
// the right, sizes equal or 1.
func broadcastShape(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		off := rank - len(s)
		for i, d := range s {
			switch o := out[off+i]; {
			case o == d || d == 1:
			case o == 1:
				out[off+i] = d
			default:
				return nil, fmt.Errorf("shapes %v do not broadcast", shapes)
			}
		}
	}
	return out, nil
}

// broadcastInputs is the common shape of all inputs of a node.
func broadcastInputs(n *onnxio.Node) ([]int, error) {
	shapes := make([][]int, len(n.Inputs))
	for i := range n.Inputs {
		s, err := shapeOf(n, i)
		if err != nil {
			return nil, err
		}
		shapes[i] = s
	}
	out, err := broadcastShape(shapes...)
	if err != nil {
		return nil, err
	}
	return out, checkSizes(out)
}

// needInputs checks the number of a node's inputs.
func needInputs(n *onnxio.Node, least, most int) error {
	if k := len(n.Inputs); k < least || k > most {
		return fmt.Errorf("%d inputs where %d to %d are needed", k, least, most)
	}
	return nil
}

// pairType is broadcastType for exactly two inputs.
func pairType(n *onnxio.Node) ([]op.Type, error) {
	if err := needInputs(n, 2, 2); err != nil {
		return nil, err
	}
	return broadcastType(n)
}

// broadcastType is the Shape face of operators whose inputs broadcast and whose output has the type of input 0.
func broadcastType(n *onnxio.Node) ([]op.Type, error) {
	if err := needInputs(n, 1, 1<<20); err != nil {
		return nil, err
	}
	s, err := broadcastInputs(n)
	if err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Input(0).DType, Shape: s}}, nil
}

// broadcastMove reads a tensor of shape `from` as if it had shape `to`: repeated sizes get stride 0.
func broadcastMove(from, to []int) move {
	m := move{dims: make([]moveDim, len(to))}
	ds, ss := strides(to), strides(from)
	off := len(to) - len(from)
	for i, n := range to {
		d := moveDim{n: n, dst: ds[i]}
		if i >= off && from[i-off] != 1 {
			d.src = ss[i-off]
		}
		m.dims[i] = d
	}
	m.simplify()
	return m
}

// broadcastIndex lists for every element of shape `to` the element of shape `from` that it reads. nil when the two have
// the same elements in the same order.
func broadcastIndex(from, to []int) []int32 {
	if product(from) == product(to) {
		return nil
	}
	src, dst := iota32(product(from)), make([]int32, product(to))
	m := broadcastMove(from, to)
	runMove(dst, src, &m)
	return dst
}

// broadcastTo returns v, of shape `from`, spread to shape `to`; v itself where nothing changes.
func broadcastTo(v []float64, from, to []int) []float64 {
	index := broadcastIndex(from, to)
	if index == nil {
		return v
	}
	out := make([]float64, len(index))
	for i, j := range index {
		out[i] = v[j]
	}
	return out
}

// iota32 is 0, 1, 2, ...
func iota32(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}
