// rotaryembedding.go — RotaryEmbedding, opset 23: pairs of features turned by an angle that grows with the token's position. Written in parts.
// Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding".

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var rotaryEmbeddingOp = op.Def{Name: "RotaryEmbedding", Since: 23, Fused: true,
	Attrs: op.Attributes{"interleaved": op.Boolean, "num_heads": op.AnyValue, "rotary_embedding_dim": op.AnyValue},
	Parts: rotaryParts, Couple: coupleRotary, Adapt: adaptRotary}

func rotaryParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, cos, sin, at := n.Input(0), n.Input(1), n.Input(2), n.Input(3)
	if x == nil || cos == nil || sin == nil {
		return refuseParts(e, n, "an input is missing")
	}
	whole := x.Shape
	switch heads := n.Attrs.Int("num_heads", 0); {
	case len(whole) == 4:
		x = e.Transpose(x, 0, 2, 1, 3)
	case len(whole) == 3 && heads > 0 && whole[2]%heads == 0:
		x = e.Reshape(x, whole[0], whole[1], heads, whole[2]/heads)
	default:
		e.Fail(fmt.Errorf("an input of shape %v with %d heads", whole, heads))
		return nil
	}
	if e.Err != nil {
		return nil
	}
	size := x.Shape[3]
	turned := n.Attrs.Int("rotary_embedding_dim", 0)
	if turned == 0 {
		turned = size
	}
	if turned < 2 || turned > size || turned%2 != 0 {
		e.Fail(fmt.Errorf("rotary_embedding_dim is %d of %d", turned, size))
		return nil
	}
	half := turned / 2
	angle := func(v *onnxio.Value) *onnxio.Value {
		if at != nil {
			v = e.Op("Gather", nil, v, at)
		}
		if e.Err == nil && (len(v.Shape) != 3 || v.Shape[2] != half) {
			e.Fail(fmt.Errorf("angles of shape %v for %d features that turn", v.Shape, turned))
		}
		if e.Err != nil {
			return v
		}
		return e.Reshape(v, v.Shape[0], v.Shape[1], 1, half)
	}
	cos, sin = angle(cos), angle(sin)
	turning := e.Slice(x, 3, 0, turned)
	var a, b *onnxio.Value
	interleaved := n.Attrs.Int("interleaved", 0) == 1
	s := append(append([]int{}, x.Shape[:3]...), half)
	if interleaved {
		pairs := e.Reshape(turning, append(append([]int{}, s...), 2)...)
		a, b = e.Reshape(e.Slice(pairs, 4, 0, 1), s...), e.Reshape(e.Slice(pairs, 4, 1, 2), s...)
	} else {
		a, b = e.Slice(turning, 3, 0, half), e.Slice(turning, 3, half, turned)
	}
	real, imaginary := e.Sub(e.Mul(cos, a), e.Mul(sin, b)), e.Add(e.Mul(sin, a), e.Mul(cos, b))
	var y *onnxio.Value
	if interleaved {
		wide := append(append([]int{}, s...), 1)
		y = e.Reshape(e.Concat(4, e.Reshape(real, wide...), e.Reshape(imaginary, wide...)), append(append([]int{}, s[:3]...), turned)...)
	} else {
		y = e.Concat(3, real, imaginary)
	}
	if turned < size {
		y = e.Concat(3, y, e.Slice(x, 3, turned, size))
	}
	if len(whole) == 4 {
		return one(e.Transpose(y, 0, 2, 1, 3))
	}
	return one(e.Reshape(y, whole...))
}
