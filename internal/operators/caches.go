// caches.go — TensorScatter, opset 24, CausalConvWithState, opset 27, and LinearAttention, opset 27: what keeps a state from token to token.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var tensorScatterOp = op.Def{Name: "TensorScatter", Since: 24, Attrs: op.Attributes{"axis": op.AnyValue, "mode": op.OneOf("linear", "circular")},
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		cache, update, at := n.Input(0), n.Input(1), n.Input(2)
		if cache == nil || update == nil {
			return refuseParts(e, n, "an input is missing")
		}
		rank := len(cache.Shape)
		axis, err := normalAxis(n.Attrs.Int("axis", -2), rank)
		if err != nil || axis == 0 || len(update.Shape) != rank {
			e.Fail(fmt.Errorf("an update of shape %v along axis %d of a cache of shape %v", update.Shape, axis, cache.Shape))
			return nil
		}
		index := steps(e, update.Shape[axis], axis, rank)
		if at != nil {
			wide := slices.Repeat([]int{1}, rank)
			wide[0] = product(at.Shape)
			index = e.Op("Add", nil, e.Reshape(castTo(e, at, onnxio.Int64), wide...), index)
		}
		if n.Attrs.String("mode", "linear") == "circular" {
			index = e.Op("Mod", nil, index, e.Ints(cache.Shape[axis]))
		}
		return one(e.Op("ScatterElements", onnxio.Attrs{"axis": int64(axis)}, cache, e.Expand(index, update.Shape...), update))
	}}

var causalConvWithStateOp = op.Def{Name: "CausalConvWithState", Since: 27, Fused: true,
	Attrs: op.Attributes{"activation": op.OneOf("none", "silu", "swish")},
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		x, w, b, past := n.Input(0), n.Input(1), n.Input(2), n.Input(3)
		if x == nil || w == nil || len(x.Shape) != 3 || len(w.Shape) != 3 {
			return refuseParts(e, n, "an input is missing or not of three axes")
		}
		k := w.Shape[2]
		if past == nil {
			past = e.Zeros(x, x.Shape[0], x.Shape[1], k-1)
		}
		all := x
		if k > 1 {
			all = e.Concat(2, past, x)
		}
		in := []*onnxio.Value{all, w}
		if b != nil {
			in = append(in, b)
		}
		y := e.Op("Conv", onnxio.Attrs{"group": int64(x.Shape[1]), "kernel_shape": []int64{int64(k)}}, in...)
		if n.Attrs.String("activation", "none") != "none" {
			y = swish(e, y, 1)
		}
		if e.Err != nil {
			return nil
		}
		return []*onnxio.Value{y, e.Slice(all, 2, all.Shape[2]-(k-1), all.Shape[2])}
	}}

// maxTokens limits the tokens that a recurrence is written out for.
const maxTokens = 512

var linearAttentionOp = op.Def{Name: "LinearAttention", Since: 27, Fused: true,
	Attrs: op.Attributes{"chunk_size": op.NoEffect /* of how it is computed */, "kv_num_heads": op.AnyValue,
		"q_num_heads": op.AnyValue, "scale": op.AnyValue,
		"update_rule": op.OneOf("linear", "gated", "delta", "gated_delta")},
	Parts: linearAttentionParts}

// linearAttentionParts writes the recurrence out, token by token.
func linearAttentionParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	q, k, v := n.Input(0), n.Input(1), n.Input(2)
	if q == nil || k == nil || v == nil || len(q.Shape) != 3 || len(k.Shape) != 3 || len(v.Shape) != 3 {
		return refuseParts(e, n, "an input is missing or not of three axes")
	}
	heads, kv, rule := n.Attrs.Int("q_num_heads", 0), n.Attrs.Int("kv_num_heads", 0), n.Attrs.String("update_rule", "gated_delta")
	batch, tokens := q.Shape[0], q.Shape[1]
	if heads < 1 || kv < 1 || heads%kv != 0 || q.Shape[2]%heads != 0 || v.Shape[2]%kv != 0 || k.Shape[2] != kv*(q.Shape[2]/heads) ||
		tokens < 1 || tokens > maxTokens {
		e.Fail(fmt.Errorf("queries of shape %v in %d heads, keys of shape %v and values of shape %v in %d; at most %d tokens are written out", q.Shape, heads, k.Shape, v.Shape, kv, maxTokens))
		return nil
	}
	dk, dv := q.Shape[2]/heads, v.Shape[2]/kv
	scale := float64(n.Attrs.Float("scale", 0))
	decay, beta := n.Input(4), n.Input(5)
	if rule == "linear" || rule == "delta" {
		decay = nil
	} else if decay == nil {
		return refuseParts(e, n, "decay is missing")
	}
	if rule == "linear" || rule == "gated" {
		beta = nil
	} else if beta == nil {
		return refuseParts(e, n, "beta is missing")
	}
	state := n.Input(3)
	if state == nil {
		state = e.Zeros(q, batch, kv, dk, dv)
	}
	token := func(x *onnxio.Value, t int, shape ...int) *onnxio.Value {
		return e.Reshape(e.Slice(x, 1, t, t+1), shape...)
	}
	var out []*onnxio.Value
	for t := range tokens {
		kt, vt := token(k, t, batch, kv, dk, 1), token(v, t, batch, kv, 1, dv)
		if decay != nil {
			state = e.Mul(state, e.Op("Exp", nil, token(decay, t, batch, kv, decay.Shape[2]/kv, 1)))
		}
		if beta != nil {
			vt = e.Sub(vt, e.Op("MatMul", nil, e.Transpose(kt, 0, 1, 3, 2), state))
			vt = e.Mul(vt, token(beta, t, batch, beta.Shape[2], 1, 1))
		}
		state = e.Add(state, e.Mul(kt, vt))
		o := e.Op("MatMul", nil, token(q, t, batch, heads, 1, dk), repeatHeads(e, state, heads))
		out = append(out, e.Reshape(scaledScores(e, o, scale, dk), batch, 1, heads*dv))
		if e.Err != nil {
			return nil
		}
	}
	return []*onnxio.Value{e.Concat(1, out...), state}
}
