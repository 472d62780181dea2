// selected.go — NonZero, opset 9, 13, Compress, opset 9, 11, Unique, opset 11, and NonMaxSuppression, opset 10, 11: what is chosen, and with it the
// output's size, depends on values, which must be constant.

package operators

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var (
	nonZeroOp  = op.Def{Name: "NonZero", Since: 9, Shape: nonZeroShape, Eval: nonZeroEval}
	compressOp = op.Def{Name: "Compress", Since: 9, Attrs: op.Attributes{"axis": op.AnyValue}, Parts: compressParts}
	uniqueOp   = op.Def{Name: "Unique", Since: 11, Attrs: op.Attributes{"axis": op.AnyValue, "sorted": op.Boolean}, Shape: uniqueShape, Eval: uniqueEval}

	nonMaxSuppressionOp = op.Def{Name: "NonMaxSuppression", Since: 10, Attrs: op.Attributes{"center_point_box": op.Boolean}, Shape: nonMaxShape,
		Eval: nonMaxEval}
)

// given is a constant input, without which the size of the output is not known.
func given(n *onnxio.Node, i int) (*onnxio.Tensor, error) {
	if n.Input(i) == nil {
		return nil, fmt.Errorf("input %d is missing", i)
	}
	t := n.ConstInput(i)
	if t == nil {
		return nil, op.Refuse(n, "the size of its output depends on values (of input %d)", i)
	}
	return t, nil
}

func nonZeroAt(t *onnxio.Tensor) ([]int, error) {
	x, err := t.Float64s()
	if err != nil {
		return nil, err
	}
	var at []int
	for i, v := range x {
		if v != 0 {
			at = append(at, i)
		}
	}
	return at, nil
}

func nonZeroShape(n *onnxio.Node) ([]op.Type, error) {
	t, err := given(n, 0)
	if err != nil {
		return nil, err
	}
	at, err := nonZeroAt(t)
	return []op.Type{{DType: onnxio.Int64, Shape: []int{len(t.Shape), len(at)}}}, err
}

func nonZeroEval(c *op.Call) error {
	at, err := nonZeroAt(c.In[0])
	if err != nil {
		return err
	}
	s, y := strides(c.In[0].Shape), c.Out[0].I64()
	if len(y) != len(s)*len(at) {
		return fmt.Errorf("%d places where %d were found before", len(at), len(y))
	}
	for d, size := range c.In[0].Shape {
		for k, i := range at {
			y[d*len(at)+k] = int64(i / s[d] % size)
		}
	}
	return nil
}

// compressParts is a Gather at the places that the condition names.
func compressParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	cond, err := given(n, 1)
	x := n.Input(0)
	if err != nil || x == nil {
		e.Fail(err)
		return nil
	}
	at, err := nonZeroAt(cond)
	if err != nil {
		e.Fail(err)
		return nil
	}
	axis := 0
	if n.Attrs.Has("axis") {
		if axis, err = normalAxis(n.Attrs.Int("axis", 0), len(x.Shape)); err != nil {
			e.Fail(err)
			return nil
		}
	} else {
		x = e.Reshape(x, product(x.Shape))
	}
	return one(e.Op("Gather", onnxio.Attrs{"axis": int64(axis)}, x, e.Ints(at...)))
}

// distinct are the slices of a tensor along an axis that differ: the first of each, in the order that is asked for, and for every slice which one it
// is.
type distinct struct {
	g              gather
	first, inverse []int
	counts         []int
}

func distinctOf(n *onnxio.Node, t *onnxio.Tensor) (*distinct, error) {
	x, err := t.Float64s()
	if err != nil {
		return nil, op.Refuse(n, "elements of type %v", t.DType)
	}
	d := &distinct{g: gather{1, len(x), 1}}
	if n.Attrs.Has("axis") {
		axis, err := normalAxis(n.Attrs.Int("axis", 0), len(t.Shape))
		if err != nil {
			return nil, err
		}
		d.g = gather{product(t.Shape[:axis]), t.Shape[axis], product(t.Shape[axis+1:])}
	}
	compare := func(a, b int) int {
		for o := range d.g.outer {
			for k := range d.g.inner {
				p, q := x[(o*d.g.size+a)*d.g.inner+k], x[(o*d.g.size+b)*d.g.inner+k]
				if c := cmp.Compare(p, q); c != 0 {
					return c
				}
			}
		}
		return 0
	}
	order := make([]int, d.g.size)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, compare)
	var groups [][]int
	for i, s := range order {
		if i > 0 && compare(order[i-1], s) == 0 {
			groups[len(groups)-1] = append(groups[len(groups)-1], s)
		} else {
			groups = append(groups, []int{s})
		}
	}
	if n.Attrs.Int("sorted", 1) == 0 {
		slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	}
	d.inverse = make([]int, d.g.size)
	for k, g := range groups {
		d.first, d.counts = append(d.first, g[0]), append(d.counts, len(g))
		for _, s := range g {
			d.inverse[s] = k
		}
	}
	return d, nil
}

func uniqueShape(n *onnxio.Node) ([]op.Type, error) {
	t, err := given(n, 0)
	if err != nil {
		return nil, err
	}
	d, err := distinctOf(n, t)
	if err != nil {
		return nil, err
	}
	y := []int{len(d.first)}
	if n.Attrs.Has("axis") {
		axis, err := normalAxis(n.Attrs.Int("axis", 0), len(t.Shape))
		if err != nil {
			return nil, err
		}
		y = slices.Clone(t.Shape)
		y[axis] = len(d.first)
	}
	list := func(k int) op.Type { return op.Type{DType: onnxio.Int64, Shape: []int{k}} }
	return []op.Type{{DType: t.DType, Shape: y}, list(len(d.first)), list(len(d.inverse)), list(len(d.first))}, nil
}

func uniqueEval(c *op.Call) error {
	d, err := distinctOf(c.Node, c.In[0])
	if err != nil {
		return err
	}
	if y := c.Out[0]; y != nil {
		x, err := c.In[0].Float64s()
		if err != nil {
			return err
		}
		out := make([]float64, 0, y.Len())
		for o := range d.g.outer {
			for _, s := range d.first {
				at := (o*d.g.size + s) * d.g.inner
				out = append(out, x[at:at+d.g.inner]...)
			}
		}
		if err := convertData(y.Data, out); err != nil {
			return err
		}
	}
	for k, list := range [][]int{d.first, d.inverse, d.counts} {
		if k+1 < len(c.Out) && c.Out[k+1] != nil {
			for i, v := range list {
				c.Out[k+1].I64()[i] = int64(v)
			}
		}
	}
	return nil
}

// suppressed gives the boxes that stay, as (batch, class, box).
//
// Of each class, boxes are taken by falling score, and those that overlap one that was taken by more than the threshold (the area of the intersection
// over that of the union) are left out.
func suppressed(n *onnxio.Node, in func(i int) *onnxio.Tensor) ([][3]int64, error) {
	boxes, scores := in(0), in(1)
	if len(boxes.Shape) != 3 || boxes.Shape[2] != 4 || len(scores.Shape) != 3 || scores.Shape[0] != boxes.Shape[0] || scores.Shape[2] != boxes.Shape[1] {
		return nil, fmt.Errorf("scores of shape %v for boxes of shape %v", scores.Shape, boxes.Shape)
	}
	at := func(i int, def float64) float64 {
		if t := in(i); t != nil && t.Len() == 1 {
			return numberAt(t, 0)
		}
		return def
	}
	most, overlap := int(at(2, 0)), at(3, 0)
	limited, least := in(4) != nil, at(4, 0)
	x, err := boxes.Float64s()
	if err != nil {
		return nil, err
	}
	s, err := scores.Float64s()
	if err != nil {
		return nil, err
	}
	corners := func(b int) (y0, x0, y1, x1 float64) {
		p := x[4*b : 4*b+4]
		if n.Attrs.Int("center_point_box", 0) == 1 {
			return p[1] - p[3]/2, p[0] - p[2]/2, p[1] + p[3]/2, p[0] + p[2]/2
		}
		return min(p[0], p[2]), min(p[1], p[3]), max(p[0], p[2]), max(p[1], p[3])
	}
	tooNear := func(a, b int) bool {
		ay0, ax0, ay1, ax1 := corners(a)
		by0, bx0, by1, bx1 := corners(b)
		common := max(0, min(ay1, by1)-max(ay0, by0)) * max(0, min(ax1, bx1)-max(ax0, bx0))
		all := (ay1-ay0)*(ax1-ax0) + (by1-by0)*(bx1-bx0) - common
		return all > 0 && common > 0 && common/all > overlap
	}
	var out [][3]int64
	count, classes := boxes.Shape[1], scores.Shape[1]
	for batch := range boxes.Shape[0] {
		for class := range classes {
			own := s[(batch*classes+class)*count:][:count]
			var order []int
			for i, v := range own {
				if !limited || v > least {
					order = append(order, i)
				}
			}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(own[b], own[a]) })
			var taken []int
			for _, i := range order {
				if len(taken) >= most {
					break
				}
				if !slices.ContainsFunc(taken, func(j int) bool { return tooNear(batch*count+i, batch*count+j) }) {
					taken = append(taken, i)
					out = append(out, [3]int64{int64(batch), int64(class), int64(i)})
				}
			}
		}
	}
	return out, nil
}

func nonMaxShape(n *onnxio.Node) ([]op.Type, error) {
	for i := range max(2, len(n.Inputs)) {
		if _, err := given(n, i); err != nil && (n.Input(i) != nil || i < 2) {
			return nil, err
		}
	}
	out, err := suppressed(n, n.ConstInput)
	return []op.Type{{DType: onnxio.Int64, Shape: []int{len(out), 3}}}, err
}

func nonMaxEval(c *op.Call) error {
	out, err := suppressed(c.Node, func(i int) *onnxio.Tensor { return optional(c, i) })
	if err != nil || 3*len(out) != c.Out[0].Len() {
		return fmt.Errorf("%d boxes: %w", len(out), err)
	}
	for k, p := range out {
		copy(c.Out[0].I64()[3*k:], p[:])
	}
	return nil
}
