// attention.go — Attention, opset 23, 24, 25: softmax(scale * Q K' + mask) V, with several queries to a head of keys, caches, a soft cap and
// windows. Written in parts. Source: Vaswani et al. 2017, "Attention Is All You Need"; Ainslie et al. 2023, "GQA".

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var attentionOp = op.Def{Name: "Attention", Since: 23, Fused: true,
	Attrs: op.Attributes{"is_causal": op.Boolean, "kv_num_heads": op.AnyValue, "q_num_heads": op.AnyValue, "qk_matmul_output_mode": op.OneOf(0, 1, 2, 3),
		// a computation in half precision is stood for by float32
		"scale": op.AnyValue, "softcap": op.AnyValue, "softmax_precision": op.OneOf(1, 10, 11, 16),
		"left_window_size": op.AnyValue, "right_window_size": op.AnyValue},
	Parts: attentionParts, Couple: coupleAttention, Adapt: adaptAttention}

func attentionParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	q, k, v := n.Input(0), n.Input(1), n.Input(2)
	if q == nil || k == nil || v == nil {
		return refuseParts(e, n, "an input is missing")
	}
	flat := len(q.Shape) == 3
	q = headed(e, q, n.Attrs.Int("q_num_heads", 0))
	k, v = headed(e, k, n.Attrs.Int("kv_num_heads", 0)), headed(e, v, n.Attrs.Int("kv_num_heads", 0))
	past := 0
	if c := n.Input(4); c != nil && e.Err == nil {
		if len(c.Shape) != 4 || n.Input(5) == nil {
			e.Fail(fmt.Errorf("past keys of shape %v", c.Shape))
			return nil
		}
		past = c.Shape[2]
		k, v = e.Concat(2, c, k), e.Concat(2, n.Input(5), v)
	}
	presentK, presentV := k, v
	if e.Err != nil {
		return nil
	}
	s := &scores{e: e, q: q, k: k, past: past, scale: float64(n.Attrs.Float("scale", 0)), cap: float64(n.Attrs.Float("softcap", 0)),
		mode: n.Attrs.Int("qk_matmul_output_mode", 0), mask: n.Input(3), valid: n.Input(6), causal: n.Attrs.Int("is_causal", 0) == 1,
		left: n.Attrs.Int("left_window_size", -1), right: n.Attrs.Int("right_window_size", -1)}
	if n.Attrs.Int("softmax_precision", 1) == int(onnxio.Double) {
		s.as = onnxio.Double
	}
	y, qk := s.attend(v)
	if e.Err != nil {
		return nil
	}
	if flat {
		y = e.Transpose(y, 0, 2, 1, 3)
		y = e.Reshape(y, y.Shape[0], y.Shape[1], y.Shape[2]*y.Shape[3])
	}
	return []*onnxio.Value{y, presentK, presentV, qk}
}

// headed is [batch, heads, tokens, features] of what may be [batch, tokens, heads*features].
func headed(e *op.Emitter, v *onnxio.Value, heads int) *onnxio.Value {
	if e.Err != nil || len(v.Shape) == 4 {
		return v
	}
	if len(v.Shape) != 3 || heads < 1 || v.Shape[2]%heads != 0 {
		e.Fail(fmt.Errorf("an input of shape %v with %d heads", v.Shape, heads))
		return v
	}
	return e.Transpose(e.Reshape(v, v.Shape[0], v.Shape[1], heads, v.Shape[2]/heads), 0, 2, 1, 3)
}

// scores are the parts of softmax(scale * q k' + bias).
type scores struct {
	e           *op.Emitter
	q, k        *onnxio.Value
	past        int
	scale, cap  float64
	mode        int
	mask, valid *onnxio.Value
	causal      bool
	left, right int
	as          onnxio.DType // of the softmax; 0 for that of q
}

// scaledScores multiplies by a scale, or divides by the root of the size of a head where it is 0: float32 holds the roots of squares, and not their
// inverses.
func scaledScores(e *op.Emitter, x *onnxio.Value, scale float64, size int) *onnxio.Value {
	if scale != 0 || e.Err != nil {
		return e.MulC(x, scale)
	}
	return e.Div(x, e.Scalar(x, math.Sqrt(float64(size))))
}

// attend gives the sum of v, and what the operator's last output shows of the scores.
func (s *scores) attend(v *onnxio.Value) (y, shown *onnxio.Value) {
	e, heads, queries, keys := s.e, s.q.Shape[1], s.q.Shape[2], s.k.Shape[2]
	if s.k.Shape[1] == 0 || heads%s.k.Shape[1] != 0 || v.Shape[2] != keys || s.q.Shape[3] != s.k.Shape[3] {
		e.Fail(fmt.Errorf("queries of shape %v for keys of shape %v and values of shape %v", s.q.Shape, s.k.Shape, v.Shape))
		return s.q, s.q
	}
	k := repeatHeads(e, s.k, heads)
	v = repeatHeads(e, v, heads)
	x := scaledScores(e, e.Op("MatMul", nil, s.q, e.Transpose(k, 0, 1, 3, 2)), s.scale, s.q.Shape[3])
	shown = x
	if s.cap > 0 {
		x = e.MulC(e.Op("Tanh", nil, e.Div(x, e.Scalar(x, s.cap))), s.cap)
	}
	if s.mode == 1 {
		shown = x
	}
	bias, allowed := s.bias(queries, keys)
	if bias != nil {
		x = e.Add(x, bias)
	}
	if s.mode == 2 {
		shown = x
		if allowed != nil { // the standard's minus infinity
			shown = e.Where(allowed, x, e.Scalar(x, math.Inf(-1)))
		}
	}
	p := castTo(e, softmaxLast(e, castTo(e, x, max(s.as, s.q.DType))), s.q.DType)
	if allowed != nil { // a query that nothing answers is answered by zeros
		p = e.Mul(p, e.ReduceMax(e.Mask(allowed, p), 3))
	}
	if s.mode == 3 {
		shown = p
	}
	return e.Op("MatMul", nil, p, v), shown
}

// bias is what is added to the scores, finite everywhere, and where it counts; nil for nothing.
func (s *scores) bias(queries, keys int) (bias, allowed *onnxio.Value) {
	e := s.e
	if m := s.mask; m != nil {
		if missing := keys - m.Shape[max(0, len(m.Shape)-1)]; len(m.Shape) > 0 && missing > 0 && m.Shape[len(m.Shape)-1] > 1 {
			shape := append(append([]int{}, m.Shape[:len(m.Shape)-1]...), missing)
			fill := onnxio.NewTensor(onnxio.Bool, shape...)
			rest := e.Const(fill)
			if m.DType != onnxio.Bool {
				rest = e.Filled(m, math.Inf(-1), shape...)
			}
			m = e.Concat(len(shape)-1, m, rest)
		}
		if e.Err != nil {
			return nil, nil
		}
		if m.DType == onnxio.Bool {
			allowed = m
		} else {
			m = e.Op("Max", nil, castTo(e, m, s.q.DType), e.Scalar(s.q, away))
			bias, allowed = m, e.GreaterC(m, away/2)
		}
	}
	// The place of a query among the keys.
	at := e.Op("Add", nil, steps(e, queries, 2, 4), e.Reshape(e.Ints(s.past), 1, 1, 1, 1))
	key := steps(e, keys, 3, 4)
	if s.valid != nil && e.Err == nil {
		count := e.Reshape(s.valid, product(s.valid.Shape), 1, 1, 1)
		allowed = both(e, allowed, e.Greater(count, key))
		at = e.Op("Add", nil, steps(e, queries, 2, 4), e.Op("Sub", nil, count, e.Reshape(e.Ints(queries), 1, 1, 1, 1)))
	}
	distance := e.Op("Sub", nil, key, at)
	limit := func(k int) *onnxio.Value { return e.Reshape(e.Ints(k), 1, 1, 1, 1) }
	if s.causal {
		allowed = both(e, allowed, within(e, distance, limit(0)))
	}
	if s.right >= 0 {
		allowed = both(e, allowed, within(e, distance, limit(s.right)))
	}
	if s.left >= 0 {
		allowed = both(e, allowed, within(e, limit(-s.left), distance))
	}
	if allowed == nil || e.Err != nil {
		return nil, nil
	}
	off := e.Where(allowed, e.Scalar(s.q, 0), e.Scalar(s.q, away))
	if bias != nil {
		off = e.Op("Max", nil, e.Add(off, bias), e.Scalar(s.q, away))
	}
	for len(allowed.Shape) < 4 && e.Err == nil { // the mask may have fewer axes
		allowed = e.Reshape(allowed, append([]int{1}, allowed.Shape...)...)
	}
	if e.Err == nil && allowed.Shape[3] != keys { // one for all keys
		allowed = e.Op("And", nil, allowed, e.Const(boolsOf(true, 1, 1, 1, keys)))
	}
	return off, allowed
}

// boolsOf is a tensor of one truth.
func boolsOf(v bool, shape ...int) *onnxio.Tensor {
	t := onnxio.NewTensor(onnxio.Bool, shape...)
	for i := range t.Data.([]bool) {
		t.Data.([]bool)[i] = v
	}
	return t
}

// repeatHeads lets several heads of queries share one of keys.
func repeatHeads(e *op.Emitter, v *onnxio.Value, heads int) *onnxio.Value {
	if e.Err != nil || v.Shape[1] == heads {
		return v
	}
	s, times := v.Shape, heads/v.Shape[1]
	wide := e.Expand(e.Reshape(v, s[0], s[1], 1, s[2], s[3]), s[0], s[1], times, s[2], s[3])
	return e.Reshape(wide, s[0], heads, s[2], s[3])
}
