package engine

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// anyOrder runs an elementwise node on channels-last values as they lie, by showing Eval the shapes [N, H, W, C]. It returns false
// where no input is channels-last, or the inputs do not fit together so.
func (p *plan) anyOrder(def *op.Def, n *onnxio.Node) bool {
	if !def.AnyOrder || len(n.Outputs) != 1 {
		return false
	}
	var o op.Order
	out := n.Outputs[0]
	for _, v := range n.Inputs {
		if v == nil || v.Const != nil || p.order[v].Plain() {
			continue
		}
		if !o.Plain() && o != p.order[v] || !slices.Equal(v.Shape, out.Shape) {
			return false
		}
		o = p.order[v]
	}
	if o.Plain() {
		return false
	}
	s := step{run: def.Eval, call: op.Call{Node: n, Work: &p.work}}
	for _, v := range n.Inputs {
		t, ok := p.shown(v, o, out.Shape)
		if !ok {
			return false
		}
		s.call.In = append(s.call.In, t)
	}
	p.tensor[out], p.order[out] = p.get(out), o
	s.call.Out = []*onnxio.Tensor{view(p.tensor[out], lastShape(out.Shape))}
	p.steps = append(p.steps, s)
	return true
}

// shown is an input as Eval is to see it.
func (p *plan) shown(v *onnxio.Value, o op.Order, out []int) (*onnxio.Tensor, bool) {
	switch {
	case v == nil:
		return nil, true
	case v.Const != nil && v.Const.Len() == 1:
		return v.Const, true
	case len(out) < 3:
		if v.Const == nil && slices.Equal(v.Shape, out) {
			return p.in(v, o), true
		}
		return nil, false
	case v.Const == nil && slices.Equal(v.Shape, out):
		return view(p.in(v, o), lastShape(out)), true
	case v.Const == nil && len(v.Shape) == len(out) && onnxio.NumElements(v.Shape[2:]) == 1: // a factor per channel
		return view(p.in(v, op.Order{}), lastShape(v.Shape)), true
	case v.Const == nil || len(v.Const.Shape) > len(out):
		return nil, false
	}
	shape := append(slices.Repeat([]int{1}, len(out)-len(v.Const.Shape)), v.Const.Shape...)
	t := onnxio.NewTensor(v.Const.DType, lastShape(shape)...)
	return t, op.Reorder(t.Data, v.Const.Data, op.Order{}, op.Order{C: shape[1], H: 1, W: onnxio.NumElements(shape[2:])})
}

// lastShape moves the channels to the end; a matrix stays as it is.
func lastShape(s []int) []int {
	if len(s) < 3 {
		return s
	}
	return append(append([]int{s[0]}, s[2:]...), s[1])
}

func view(t *onnxio.Tensor, shape []int) *onnxio.Tensor {
	return &onnxio.Tensor{DType: t.DType, Shape: shape, Data: t.Data}
}
