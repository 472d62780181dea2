package opset

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Attention and RotaryEmbedding, written out in the operators of opset 22. Sizes of heads must be known; batches and tokens may be free. What keeps
// keys from run to run, and outputs that show the scores, are refused.

// away is added to scores that do not count: far below any, and held exactly by float32, float64 and bfloat16.
const away = -0x1p100

// made is emit for a value of so many axes, whose sizes are not known.
func (c *step) made(op string, d onnxio.DType, rank int, in []string, attrs ...*pb.AttributeProto) string {
	out := c.emit(op, d, "", in, attrs...)
	c.g.shapes[out] = slices.Repeat([]int{-1}, rank)
	return out
}

func (c *step) reshaped(x string, d onnxio.DType, to ...int64) string {
	return c.made("Reshape", d, len(to), []string{x, c.intConstant("shape", to)})
}

func (c *step) transposed(x string, d onnxio.DType, perm ...int64) string {
	return c.made("Transpose", d, len(perm), []string{x}, attribute("perm", perm))
}

// lastSize is the size of a value's last axis; 0, with a refusal, where it is not known.
func (c *step) lastSize(name string) int {
	s, ok := c.g.shapeOf(name)
	if !ok || len(s) == 0 || s[len(s)-1] < 1 {
		c.needShape(name, "last size")
		return 0
	}
	return s[len(s)-1]
}

// heads gives [batch, heads, tokens, features] of an input that may be [batch, tokens, heads*features], with the numbers of heads and features.
func (c *step) heads(i int, attr string, d onnxio.DType) (x string, heads, size int) {
	x = c.input(i)
	r, last := c.rank(x), c.lastSize(x)
	if c.err != nil {
		return x, 0, 0
	}
	s, _ := c.g.shapeOf(x)
	if r == 4 {
		if s[1] < 1 {
			c.needShape(x, "number of heads")
		}
		return x, s[1], last
	}
	heads = int(c.intAttr(attr, 0))
	if r != 3 || heads < 1 || last%heads != 0 {
		c.refuse(fmt.Sprintf("input %d of %d axes, the last of %d, has %d heads", i, r, last, heads), "")
		return x, 0, 0
	}
	return c.transposed(c.reshaped(x, d, 0, 0, int64(heads), int64(last/heads)), d, 0, 2, 1, 3), heads, last / heads
}

// repeated lets several heads of queries share one of keys.
func (c *step) repeated(x string, d onnxio.DType, heads, times, size int) string {
	if times == 1 {
		return x
	}
	wide := c.reshaped(x, d, 0, int64(heads), 1, -1, int64(size))
	wide = c.made("Expand", d, 5, []string{wide, c.intConstant("times", []int64{1, 1, int64(times), 1, 1})})
	return c.reshaped(wide, d, 0, int64(heads*times), -1, int64(size))
}

func attentionDown(c *step) {
	d := c.floatOf()
	lowest := fmt.Sprintf("--opset %d is the lowest for this file", c.v)
	for i := 4; i < len(c.n.p.Input); i++ {
		if c.input(i) != "" {
			c.refuse("it keeps keys and values from run to run, or counts those that are valid", lowest)
		}
	}
	for _, name := range c.n.p.Output[1:] {
		if name != "" {
			c.refuse("it gives keys, values or scores beside its answer", lowest)
		}
	}
	three := c.err == nil && c.rank(c.input(0)) == 3
	q, heads, size := c.heads(0, "q_num_heads", d)
	k, kept, _ := c.heads(1, "kv_num_heads", d)
	v, _, answer := c.heads(2, "kv_num_heads", d)
	if c.err == nil && heads%kept != 0 {
		c.refuse(fmt.Sprintf("%d heads of queries have %d of keys", heads, kept), "")
	}
	as := onnxio.DType(c.intAttr("softmax_precision", int64(d)))
	scale, softcap := c.floatAttr("scale", 0), c.floatAttr("softcap", 0)
	if c.err == nil && (c.attr("left_window_size") != nil || c.attr("right_window_size") != nil) {
		c.refuse("it has a window", lowest)
	}
	if c.err != nil {
		return
	}
	k, v = c.repeated(k, d, kept, heads/kept, size), c.repeated(v, d, kept, heads/kept, answer)
	x := c.made("MatMul", d, 4, []string{q, c.transposed(k, d, 0, 1, 3, 2)})
	if scale != 0 {
		x = c.made("Mul", d, 4, []string{x, c.exactly("scale", d, scale)})
	} else {
		x = c.made("Div", d, 4, []string{x, c.emit("Sqrt", d, "", []string{c.exactly("size", d, float32(size))})})
	}
	if softcap > 0 {
		limit := c.exactly("softcap", d, softcap)
		x = c.made("Tanh", d, 4, []string{c.made("Div", d, 4, []string{x, limit})})
		x = c.made("Mul", d, 4, []string{x, limit})
	}
	x, counts := c.masked(x, d)
	if c.err != nil {
		return
	}
	cast := func(x string, from, to onnxio.DType) string {
		if from == to {
			return x
		}
		return c.made("Cast", to, 4, []string{x}, attribute("to", int64(to)))
	}
	p := cast(c.made("Softmax", as, 4, []string{cast(x, d, as)}, attribute("axis", int64(-1))), as, d)
	if counts != "" { // a query that nothing answers is answered by zeros
		p = c.made("Mul", d, 4, []string{p, counts})
	}
	if !three {
		c.become("MatMul", p, v)
		return
	}
	y := c.transposed(c.made("MatMul", d, 4, []string{p, v}), d, 0, 2, 1, 3)
	c.become("Reshape", y, c.intConstant("shape", []int64{0, 0, int64(heads * answer)}))
}

// masked adds to scores what says which count. counts is 1 for queries that any key answers and 0 for others; "" where all are answered.
func (c *step) masked(x string, d onnxio.DType) (y, counts string) {
	mask, causal := c.input(3), c.intAttr("is_causal", 0) == 1
	if mask == "" && !causal || c.err != nil {
		return x, ""
	}
	low, zero := c.exactly("away", d, away), c.exactly("zero", d, 0)
	off := func(allowed string, rank int) string { return c.made("Where", d, rank, []string{allowed, zero, low}) }
	bias, rank := "", 4
	if mask != "" {
		if rank = c.rank(mask); c.err != nil {
			return x, ""
		}
		s, _ := c.g.shapeOf(mask)
		keys, _ := c.g.shapeOf(c.input(1))
		if n := len(keys); n > 1 && keys[n-2] > 0 && s[rank-1] > 1 && s[rank-1] != keys[n-2] {
			c.refuse(fmt.Sprintf("its mask is for %d of %d keys", s[rank-1], keys[n-2]), "")
		}
		switch own := c.dtype(mask); {
		case own == onnxio.Bool:
			bias = off(mask, rank)
		case own == d:
			bias = c.made("Max", d, rank, []string{mask, low})
		default:
			c.refuse(fmt.Sprintf("its mask is of type %v and its input of %v", own, d), "")
		}
	}
	if causal {
		order := off(c.triangle(x, d), 4)
		if bias != "" {
			order = c.made("Max", d, 4, []string{c.made("Add", d, 4, []string{order, bias}), low})
		}
		bias, rank = order, 4
	}
	if c.err != nil {
		return x, ""
	}
	if mask != "" {
		some := c.made("ReduceMax", d, rank, []string{bias, c.intConstant("last", []int64{-1})})
		half := c.exactly("half_away", d, away/2)
		yes := c.made("Greater", onnxio.Bool, rank, []string{some, half})
		counts = c.made("Cast", d, rank, []string{yes}, attribute("to", int64(d)))
	}
	return c.made("Add", d, 4, []string{x, bias}), counts
}

// triangle is true for keys that do not come after their query: a constant where the numbers of tokens are known.
func (c *step) triangle(x string, d onnxio.DType) string {
	size := func(i int) int {
		s, _ := c.g.shapeOf(c.input(i))
		if len(s) < 3 {
			return -1
		}
		return s[len(s)-2]
	}
	if queries, keys := size(0), size(1); queries > 0 && keys > 0 && queries*keys <= 1<<24 {
		raw := make([]byte, queries*keys)
		for i := range raw {
			if i%keys <= i/keys {
				raw[i] = 1
			}
		}
		t := &pb.TensorProto{DataType: proto.Int32(int32(onnxio.Bool)), Dims: []int64{1, 1, int64(queries), int64(keys)}, RawData: raw}
		return c.constant("order", t)
	}
	one := &pb.TensorProto{DataType: proto.Int32(int32(d)), Dims: []int64{1}, RawData: c.number(d, 1)}
	all := c.made("ConstantOfShape", d, 4, []string{c.emit("Shape", onnxio.Int64, "", []string{x})}, attribute("value", one))
	lower := c.made("Trilu", d, 4, []string{all}, attribute("upper", int64(0)))
	return c.made("Cast", onnxio.Bool, 4, []string{lower}, attribute("to", int64(onnxio.Bool)))
}

func rotaryDown(c *step) {
	d, x := c.floatOf(), c.input(0)
	r, size := c.rank(x), c.lastSize(x)
	heads := int(c.intAttr("num_heads", 0))
	if c.err == nil && r == 3 && (heads < 1 || size%heads != 0) || c.err == nil && r != 3 && r != 4 {
		c.refuse(fmt.Sprintf("an input of %d axes, the last of %d, has %d heads", r, size, heads), "")
	}
	if c.err != nil {
		return
	}
	if r == 4 {
		x = c.transposed(x, d, 0, 2, 1, 3)
	} else {
		size /= heads
		x = c.reshaped(x, d, 0, 0, int64(heads), int64(size))
	}
	turned := int(c.intAttr("rotary_embedding_dim", 0))
	if turned == 0 {
		turned = size
	}
	if turned < 2 || turned > size || turned%2 != 0 {
		c.refuse(fmt.Sprintf("rotary_embedding_dim is %d of %d", turned, size), "")
		return
	}
	half := int64(turned / 2)
	angle := func(i int) string {
		v := c.input(i)
		if at := c.input(3); at != "" {
			v = c.made("Gather", d, 3, []string{v, at})
		}
		return c.reshaped(v, d, 0, 0, 1, half)
	}
	cos, sin := angle(1), angle(2)
	part := func(from, to, by int64) string {
		return c.made("Slice", d, 4, []string{x, c.intConstant("from", []int64{from}), c.intConstant("to", []int64{to}), c.intConstant("axis", []int64{3}),
			c.intConstant("by", []int64{by})})
	}
	whole := c.intAttr("interleaved", 0) == 1
	a, b := "", ""
	if whole {
		a, b = part(0, int64(turned), 2), part(1, int64(turned), 2)
	} else {
		a, b = part(0, half, 1), part(half, int64(turned), 1)
	}
	times := func(u, v string) string { return c.made("Mul", d, 4, []string{u, v}) }
	turns := []string{c.made("Sub", d, 4, []string{times(cos, a), times(sin, b)}), c.made("Add", d, 4, []string{times(sin, a), times(cos, b)})}
	if whole {
		for i, v := range turns {
			turns[i] = c.reshaped(v, d, 0, 0, 0, half, 1)
		}
		turns = []string{c.reshaped(c.made("Concat", d, 5, turns, attribute("axis", int64(4))), d, 0, 0, 0, int64(turned))}
	}
	if turned < size {
		turns = append(turns, part(int64(turned), int64(size), 1))
	}
	y := turns[0]
	if len(turns) > 1 {
		y = c.made("Concat", d, 4, turns, attribute("axis", int64(3)))
	}
	if r == 4 {
		c.become("Transpose", y)
		c.set("perm", []int64{0, 2, 1, 3})
		return
	}
	c.become("Reshape", y, c.intConstant("shape", []int64{0, 0, int64(heads * size)}))
}
