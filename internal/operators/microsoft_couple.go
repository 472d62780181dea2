package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleFusedConv is a convolution to whose result another may be added.
func coupleFusedConv(n *onnxio.Node, c op.Coupler) {
	coupleConv(n, c)
	tieBroadcast(c, n.Input(3), n.Outputs[0])
}

// coupleFusedMatMul is a product of matrices, either of which may be turned: a vector is not.
func coupleFusedMatMul(n *onnxio.Node, c op.Coupler) {
	as := map[op.Axis]op.Axis{}
	product := &onnxio.Node{Name: n.Name, Op: "MatMul", Outputs: n.Outputs}
	for i, name := range []string{"transA", "transB"} {
		v := n.Inputs[i]
		r := len(v.Shape)
		if n.Attrs.Int(name, 0) != 0 && r >= 2 {
			turned := *v
			turned.Shape = append([]int{}, v.Shape...)
			turned.Shape[r-2], turned.Shape[r-1] = v.Shape[r-1], v.Shape[r-2]
			for k := range r {
				as[op.Axis{Value: &turned, Axis: k}] = op.Axis{Value: v, Axis: k}
			}
			as[op.Axis{Value: &turned, Axis: r - 1}] = op.Axis{Value: v, Axis: r - 2}
			as[op.Axis{Value: &turned, Axis: r - 2}] = op.Axis{Value: v, Axis: r - 1}
			v = &turned
		}
		product.Inputs = append(product.Inputs, v)
	}
	coupleMatMul(product, &renamed{c, as})
}

// renamed is a Coupler that is told of other axes than those that are meant.
type renamed struct {
	op.Coupler
	as map[op.Axis]op.Axis
}

func (r *renamed) of(a op.Axis) op.Axis {
	if b, ok := r.as[a]; ok {
		return b
	}
	return a
}

func (r *renamed) Tie(a op.Axis, i int, b op.Axis, j int) { r.Coupler.Tie(r.of(a), i, r.of(b), j) }
func (r *renamed) Pin(a op.Axis, why string)              { r.Coupler.Pin(r.of(a), why) }
func (r *renamed) PinSlot(a op.Axis, i int, why string)   { r.Coupler.PinSlot(r.of(a), i, why) }
func (r *renamed) Ends(a op.Axis)                         { r.Coupler.Ends(r.of(a)) }
func (r *renamed) Filters(a op.Axis)                      { r.Coupler.Filters(r.of(a)) }
func (r *renamed) Scales(a op.Axis)                       { r.Coupler.Scales(r.of(a)) }
func (r *renamed) PackedFilters(a op.Axis, filter func(int) []float64) {
	r.Coupler.PackedFilters(r.of(a), filter)
}

// coupleSkipNormal is a normalisation over the last axis of a sum, which it may give too.
func coupleSkipNormal(n *onnxio.Node, c op.Coupler) {
	y := n.Outputs[0]
	last := len(y.Shape) - 1
	why := n.Op + " mixes its elements"
	for k, v := range append(append([]*onnxio.Value{}, n.Inputs...), n.Outputs...) {
		if v == nil {
			continue
		}
		// factors and terms; statistics, which may not be read
		if k > 1 && k < len(n.Inputs) || len(v.Shape) != len(y.Shape) || v.Shape[last] != y.Shape[last] {
			pinEach(c, v, why, nil)
			continue
		}
		tieEach(c, v, y, func(i int) bool { return i == last || v.Shape[i] != y.Shape[i] })
		pinEach(c, v, why, func(i int) bool { return i != last && v.Shape[i] == y.Shape[i] })
	}
}
