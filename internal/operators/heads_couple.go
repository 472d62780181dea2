package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Heads of an attention go as a whole: their queries, keys and values, and what they answer. Within a head all queries and keys meet in one sum,
// whose scale is that of its size, so none of them goes alone.

const (
	headSize   = "it is of tokens, or lies within heads"
	headShared = "it is shared by heads, or kept from run to run"
)

// head is the axis of a value along which the heads lie: axis 1 of four, or the last of three, in blocks.
func head(v *onnxio.Value) op.Axis {
	if len(v.Shape) == 4 {
		return op.Axis{Value: v, Axis: 1}
	}
	return op.Axis{Value: v, Axis: len(v.Shape) - 1}
}

// tieHeads ties the blocks of heads of values to those of the first, and their axes before (samples) to each other. All other axes are pinned.
func tieHeads(c op.Coupler, heads int, vs ...*onnxio.Value) {
	first := vs[0]
	for k, v := range vs {
		at := head(v)
		pinEach(c, v, headSize, func(i int) bool { return i == 0 || i == at.Axis })
		tieBlocks(c, at, head(first), heads)
		if k > 0 {
			tieAll(c, op.Axis{Value: v, Axis: 0}, op.Axis{Value: first, Axis: 0})
		}
	}
}

// pinAll keeps values as they are.
func pinAll(c op.Coupler, why string, vs ...*onnxio.Value) {
	for _, v := range vs {
		pinEach(c, v, why, nil)
	}
}

// others are the values from a number on that are there.
func others(vs []*onnxio.Value, from int) []*onnxio.Value {
	var out []*onnxio.Value
	for i := from; i < len(vs); i++ {
		if vs[i] != nil {
			out = append(out, vs[i])
		}
	}
	return out
}

// perHead tells whether a mask, which broadcasts to [batch, heads, queries, keys], says another thing to each head.
func perHead(mask *onnxio.Value) bool {
	r := len(mask.Shape)
	return r >= 3 && mask.Shape[r-3] != 1
}

// coupleAttention is that of the standard: queries may be of several heads for each head of keys, and go with it.
func coupleAttention(n *onnxio.Node, c op.Coupler) {
	q, k, v, y := n.Input(0), n.Input(1), n.Input(2), n.Outputs[0]
	heads := n.Attrs.Int("kv_num_heads", 0)
	if k != nil && len(k.Shape) == 4 {
		heads = k.Shape[1]
	}
	rest := append(others(n.Inputs, 3), others(n.Outputs, 1)...)
	pinAll(c, headShared, rest...)
	whole := len(rest) > 1 || len(rest) == 1 && (n.Input(3) == nil || perHead(rest[0])) // caches, or masks of heads
	if whole || q == nil || k == nil || v == nil || heads < 1 {
		pinAll(c, headShared, q, k, v, y)
		return
	}
	tieHeads(c, heads, k, q, v, y)
}

func adaptAttention(n *onnxio.Node, a op.Adapter) error {
	for name, v := range map[string]*onnxio.Value{"q_num_heads": n.Inputs[0], "kv_num_heads": n.Inputs[1]} {
		if len(v.Shape) == 3 {
			fewerHeads(n, a, name, v)
		}
	}
	return nil
}

// fewerHeads counts the heads that stay of a value.
func fewerHeads(n *onnxio.Node, a op.Adapter, name string, v *onnxio.Value) {
	at, heads := head(v), n.Attrs.Int(name, 0)
	if at.Size() == 0 {
		return
	}
	if now := len(a.Kept(at)) * heads / at.Size(); now != heads {
		a.SetAttr(name, int64(now))
	}
}

// coupleMultiHead is that of com.microsoft: a bias of queries, keys and values in one row.
func coupleMultiHead(n *onnxio.Node, c op.Coupler) {
	q, k, v, bias, y := n.Input(0), n.Input(1), n.Input(2), n.Input(3), n.Outputs[0]
	heads := n.Attrs.Int("num_heads", 0)
	rest := append(others(n.Inputs, 4), others(n.Outputs, 1)...)
	pinAll(c, headShared, rest...)
	whole := len(others(n.Inputs, 6))+len(others(n.Outputs, 1)) > 0 || n.Input(5) != nil && perHead(n.Input(5))
	if whole || q == nil || k == nil || v == nil || heads < 1 || len(q.Shape) != 3 || len(k.Shape) != 3 || len(v.Shape) != 3 {
		pinAll(c, headShared, q, k, v, bias, y)
		return
	}
	tieHeads(c, heads, k, q, v, y)
	if bias == nil {
		return
	}
	at, from := op.Axis{Value: bias, Axis: 0}, 0
	for _, x := range []*onnxio.Value{q, k, v} {
		for i := range x.Shape[2] {
			c.Tie(at, from+i, head(x), i)
		}
		from += x.Shape[2]
	}
}

func adaptMultiHead(n *onnxio.Node, a op.Adapter) error {
	fewerHeads(n, a, "num_heads", n.Inputs[0])
	return nil
}

// coupleJoinedAttention is that of com.microsoft with one matrix for queries, keys and values.
func coupleJoinedAttention(n *onnxio.Node, c op.Coupler) {
	x, w, bias, y := n.Input(0), n.Input(1), n.Input(2), n.Outputs[0]
	heads := n.Attrs.Int("num_heads", 0)
	rest := append(others(n.Inputs, 3), others(n.Outputs, 1)...)
	pinAll(c, headShared, rest...)
	whole := len(others(n.Inputs, 4))+len(others(n.Outputs, 1)) > 0 || n.Input(3) != nil && perHead(n.Input(3))
	if whole || x == nil || w == nil || heads < 1 || len(x.Shape) != 3 || len(w.Shape) != 2 || len(y.Shape) != 3 || w.Shape[1] != 3*y.Shape[2] {
		pinAll(c, headShared, x, w, bias, y)
		return
	}
	tieAll(c, op.Axis{Value: x, Axis: 0}, op.Axis{Value: y, Axis: 0})
	c.Pin(op.Axis{Value: x, Axis: 1}, headSize)
	c.Pin(op.Axis{Value: y, Axis: 1}, headSize)
	tieAll(c, op.Axis{Value: x, Axis: 2}, op.Axis{Value: w, Axis: 0})
	c.Ends(op.Axis{Value: x, Axis: 2})
	c.Ends(op.Axis{Value: w, Axis: 0})
	columns := op.Axis{Value: w, Axis: 1}
	tieBlocks(c, head(y), head(y), heads)
	for i := range columns.Size() {
		c.Tie(columns, i, head(y), i%head(y).Size())
	}
	c.Filters(columns)
	if bias != nil {
		tieAll(c, op.Axis{Value: bias, Axis: 0}, columns)
	}
}

func adaptJoinedAttention(n *onnxio.Node, a op.Adapter) error {
	fewerHeads(n, a, "num_heads", n.Outputs[0])
	return nil
}

// coupleRotary turns the features of each head alike.
func coupleRotary(n *onnxio.Node, c op.Coupler) {
	x, y := n.Input(0), n.Outputs[0]
	pinAll(c, headShared, others(n.Inputs, 1)...)
	heads := n.Attrs.Int("num_heads", 0)
	if len(x.Shape) == 4 {
		heads = x.Shape[1]
	}
	if heads < 1 {
		pinAll(c, headShared, x, y)
		return
	}
	tieHeads(c, heads, x, y)
	c.Pin(op.Axis{Value: x, Axis: 0}, headShared) // of the angles
}

func adaptRotary(n *onnxio.Node, a op.Adapter) error {
	if x := n.Inputs[0]; len(x.Shape) == 3 {
		fewerHeads(n, a, "num_heads", x)
	}
	return nil
}
