package op

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// GradientFunc emits the nodes of dL/dinputs of a node from dL/doutputs (nil where nothing depends on an output). It returns one value
// for each input, nil where the gradient is zero everywhere or the input does not take one; results have the inputs' shapes. Inputs that
// are constant get none: see wants. What fails is kept by the emitter.
type GradientFunc func(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value

// Backward emits the nodes that compute dL/dv for every v in wrt from the gradients in seeds, by reverse accumulation over nodes (in
// topological order). A result is nil where L does not depend on v.
//
// The error is an *onnxio.UnsupportedError with the face Gradient for a node on the way that has none.
func Backward(e *Emitter, nodes []*onnxio.Node, seeds map[*onnxio.Value]*onnxio.Value, wrt []*onnxio.Value) ([]*onnxio.Value, error) {
	varies := map[*onnxio.Value]bool{}
	for _, v := range wrt {
		varies[v] = true
	}
	for _, n := range nodes {
		if !slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return varies[v] }) {
			continue
		}
		for _, v := range n.Outputs {
			if v != nil && v.Const == nil && v.DType.IsFloat() {
				varies[v] = true
			}
		}
	}
	grads := map[*onnxio.Value]*onnxio.Value{}
	for v, g := range seeds {
		grads[v] = g
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		dy, any := make([]*onnxio.Value, len(n.Outputs)), false
		for k, v := range n.Outputs {
			if v != nil && varies[v] && grads[v] != nil {
				dy[k], any = grads[v], true
			}
		}
		if !any || !slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && varies[v] }) {
			continue
		}
		def, err := e.table.Lookup(n)
		if err != nil {
			return nil, err
		}
		if def.Gradient == nil {
			return nil, Unsupported(n, "Gradient", "")
		}
		e.varies = varies
		dx := def.Gradient(e, n, dy)
		if e.Err != nil {
			if _, ok := e.Err.(*onnxio.UnsupportedError); ok {
				return nil, e.Err
			}
			return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: e.Err}
		}
		if !slices.ContainsFunc(dx, func(d *onnxio.Value) bool { return d != nil }) {
			e.Stuck = append(e.Stuck, n)
		}
		for k, v := range n.Inputs {
			if v == nil || !varies[v] || k >= len(dx) || dx[k] == nil {
				continue
			}
			if !slices.Equal(dx[k].Shape, v.Shape) {
				return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: &onnxio.ShapeError{What: "gradient", Want: v.Shape, Got: dx[k].Shape}}
			}
			if grads[v] == nil {
				grads[v] = dx[k]
			} else {
				grads[v] = e.Add(grads[v], dx[k])
			}
		}
	}
	out := make([]*onnxio.Value, len(wrt))
	for i, v := range wrt {
		out[i] = grads[v]
	}
	return out, e.Err
}

// Wants tells whether dL of the node's input i is asked for.
func (e *Emitter) Wants(n *onnxio.Node, i int) bool {
	v := n.Input(i)
	return v != nil && e.varies[v]
}

// KeepWhere is dy where the condition holds, else 0.
func (e *Emitter) KeepWhere(cond, dy *onnxio.Value) *onnxio.Value {
	if e.Opset >= 9 {
		return e.Where(cond, dy, e.Scalar(dy, 0))
	}
	return e.Mul(dy, e.Mask(cond, dy))
}

// Refuse says that this form of the node has no gradient.
func (e *Emitter) Refuse(n *onnxio.Node, why string) []*onnxio.Value {
	e.Fail(Unsupported(n, "Gradient", why))
	return nil
}

// Scatter adds element i of dy to element index[i]-1 of a tensor of zeros; index 0 goes nowhere.
func (e *Emitter) Scatter(index []int32, dy *onnxio.Value, shape []int) *onnxio.Value {
	size := onnxio.NumElements(shape)
	seen := make([]bool, size+1)
	to, twice, lost := make([]int64, len(index)), false, false
	for i, k := range index {
		if k == 0 {
			to[i], lost = int64(size), true // a place behind the end, cut off again
			continue
		}
		to[i] = int64(k - 1)
		twice = twice || seen[k]
		seen[k] = true
	}
	if lost {
		size++
	}
	e.Need(11, "this gradient")
	attrs := onnxio.Attrs{"axis": int64(0)}
	if twice || lost {
		if e.Opset < 16 {
			e.Need(16, "the gradient of elements that go to several places")
		}
		attrs["reduction"] = "add"
	}
	flat := e.Op("ScatterElements", attrs, e.Zeros(dy, size), e.Const(onnxio.FromInt64(to, len(to))), e.Reshape(dy, len(index)))
	if lost && e.Err == nil {
		flat = e.Slice(flat, 0, 0, size-1)
	}
	return e.Reshape(flat, shape...)
}

// AlongAxis multiplies the vectors of v along an axis by a constant matrix of rows by columns, y = M v, at any opset.
func (e *Emitter) AlongAxis(v *onnxio.Value, axis, rows, columns int, m []float64) *onnxio.Value {
	if e.Err != nil {
		return v
	}
	outer, inner := onnxio.NumElements(v.Shape[:axis]), onnxio.NumElements(v.Shape[axis+1:])
	shape := slices.Clone(v.Shape)
	shape[axis] = rows
	// One product with all columns side by side where the axis is the last, else one for each outer index.
	if inner == 1 {
		t := make([]float64, len(m))
		for i := range rows {
			for k := range columns {
				t[k*rows+i] = m[i*columns+k]
			}
		}
		return e.Reshape(e.Op("MatMul", nil, e.Reshape(v, outer, columns), e.Reals(v, t, columns, rows)), shape...)
	}
	return e.Reshape(e.Op("MatMul", nil, e.Reals(v, m, rows, columns), e.Reshape(v, outer, columns, inner)), shape...)
}
