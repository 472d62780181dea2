package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// On x86-64 without VNNI, onnxruntime multiplies unsigned by signed numbers of 8 bits and adds two products in 16 bits, which saturate: 255*128 fits,
// and 255*129 does not. Which products meet is a matter of how weights are packed, so any two weights of a file may. Signed factors are made unsigned
// by adding 128. Two unsigned factors are widened first, and do not saturate.

const saturating = "adds 8-bit products in 16 bits, which saturate on processors without VNNI (x86-64)"

// mostOfTwo is how large two weights together may be in magnitude without 255 times them leaving 16 bits.
const mostOfTwo = 128

// saturates is the Varies face of a product of inputs x and w. packed tells that w is what is packed as the signed factor.
func saturates(x, w int, packed bool) func(*onnxio.Node) string {
	return func(n *onnxio.Node) string {
		a, b := n.Input(x), n.Input(w)
		if a == nil || b == nil || a.Const != nil && b.Const != nil {
			return ""
		}
		return saturatesOf(a, b, packed)
	}
}

func saturatesOf(a, b *onnxio.Value, packed bool) string {
	if typeOf(a) == onnxio.Uint8 && typeOf(b) == onnxio.Uint8 {
		return ""
	}
	if b.Const != nil && packed {
		if v, ok := b.Const.Data.([]int8); ok {
			first, second := 0, 0
			for _, x := range v {
				m := int(x)
				if m < 0 {
					m = -m
				}
				if m > first {
					first, second = m, first
				} else if m > second {
					second = m
				}
			}
			if first+second <= mostOfTwo {
				return ""
			}
		}
	}
	return saturating
}

func typeOf(v *onnxio.Value) onnxio.DType {
	if v.Const != nil {
		return v.Const.DType
	}
	return v.DType
}

// rounding is what onnxruntime 1.32 makes of real numbers times weights of 8 bits or fewer: MatMulNBits with accuracy level 4.
const rounding = "rounds what it multiplies with these weights to 8 bits, a block at a time"

// roundsFactors is whether a product is of real numbers and of weights that stand as integers in the file, in the forms that onnxruntime fuses: Conv
// and turned weights of Gemm it leaves alone.
func roundsFactors(n *onnxio.Node) bool {
	if n.Op != "MatMul" && (n.Op != "Gemm" || n.Attrs.Int("transB", 0) != 0 || n.Attrs.Int("transA", 0) != 0) {
		return false
	}
	w := n.Inputs[1]
	if p := w.Producer; p != nil && p.Op == "Transpose" && len(p.Inputs) == 1 {
		w = p.Inputs[0]
	}
	q := integersOf(w)
	return q != nil && q.Const != nil && n.Inputs[0].Const == nil && integersOf(n.Inputs[0]) == nil
}

// dequantized is integersOf for 8 bits.
func dequantized(v *onnxio.Value) *onnxio.Value {
	if q := integersOf(v); q != nil && (typeOf(q) == onnxio.Int8 || typeOf(q) == onnxio.Uint8) {
		return q
	}
	return nil
}

// integersOf is the value of 8 bits or fewer that a value is the real number of; nil where it is none. Folded constants still know their node.
func integersOf(v *onnxio.Value) *onnxio.Value {
	if v == nil || v.Producer == nil {
		return nil
	}
	def, err := Lookup(v.Producer)
	if err != nil || def.ZeroPoints == nil || def.MACs != nil || !v.DType.IsFloat() || v.Producer.Input(0) == nil {
		return nil
	}
	q := v.Producer.Inputs[0]
	switch typeOf(q) {
	case onnxio.Int8, onnxio.Uint8, onnxio.Int4, onnxio.Uint4, onnxio.Int2, onnxio.Uint2:
		return q
	}
	return nil
}

// varies is in what onnxruntime's answer to a node differs from processor to processor, or from one optimisation to another: what the operator says,
// or of a product of dequantised numbers what onnxruntime makes of it, a product of integers.
func varies(def *op.Def, n *onnxio.Node) string {
	if def.Varies != nil {
		return def.Varies(n)
	}
	if def.MACs == nil || len(n.Inputs) < 2 {
		return ""
	}
	if roundsFactors(n) {
		return "where it optimises " + rounding
	}
	a, b := dequantized(n.Inputs[0]), dequantized(n.Inputs[1])
	if a == nil || b == nil || a.Const != nil && b.Const != nil {
		return ""
	}
	if why := saturatesOf(a, b, true); why != "" {
		return "computes it in integers where it optimises, and " + why
	}
	return ""
}
