// fourier.go — DFT, opset 17, 20, STFT, opset 17, HannWindow, opset 17, HammingWindow, opset 17, and BlackmanWindow, opset 17: Fourier transforms,
// as products with constant matrices, and the windows before them.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var (
	dftOp = op.Def{Name: "DFT", Since: 17, Fused: true, Attrs: op.Attributes{"axis": op.AnyValue, "inverse": op.Boolean, "onesided": op.Boolean},
		Parts: dftParts}

	stftOp = op.Def{Name: "STFT", Since: 17, Fused: true, Attrs: op.Attributes{"onesided": op.Boolean}, Parts: stftParts}

	hannWindowOp     = cosineWindow("HannWindow", 0.5, 0.5, 0)
	hammingWindowOp  = cosineWindow("HammingWindow", 25.0/46, 1-25.0/46, 0)
	blackmanWindowOp = cosineWindow("BlackmanWindow", 0.42, 0.5, 0.08)
)

// cosineWindow is a - b*cos(2πi/n) + c*cos(4πi/n).
func cosineWindow(name string, a, b, c float64) op.Def {
	typeOf := func(n *onnxio.Node) onnxio.DType {
		return onnxio.DType(n.Attrs.Int("output_datatype", int(onnxio.Float)))
	}
	return op.Def{Name: name, Since: 17, Attrs: op.Attributes{"output_datatype": op.OneOf(1, 11), "periodic": op.Boolean},
		Shape: func(n *onnxio.Node) ([]op.Type, error) {
			t, err := given(n, 0)
			if err != nil {
				return nil, err
			}
			if t.Len() != 1 {
				return nil, fmt.Errorf("a size of shape %v", t.Shape)
			}
			s := []int{int(numberAt(t, 0))}
			return []op.Type{{DType: typeOf(n), Shape: s}}, checkSizes(s)
		},
		Eval: func(call *op.Call) error {
			size := call.Out[0].Len()
			period := size
			if call.Node.Attrs.Int("periodic", 1) == 0 {
				period = max(1, size-1)
			}
			y := make([]float64, size)
			for i := range y {
				z := 2 * math.Pi * float64(i) / float64(period)
				y[i] = a - b*math.Cos(z) + c*math.Cos(2*z)
			}
			return convertData(call.Out[0].Data, y)
		}}
}

// fourier is the matrix of a transform of complex numbers, [2*from, 2*to], as pairs of real ones; real input has no imaginary half.
func fourier(from, length, to int, inverse, complexIn, real bool) ([]float64, []int) {
	parts := 1
	if complexIn {
		parts = 2
	}
	outs := 2
	if real {
		outs = 1
	}
	m := make([]float64, parts*from*outs*to)
	sign, scale := -1.0, 1.0
	if inverse {
		sign, scale = 1, 1/float64(length)
	}
	for i := range from {
		for k := range to {
			z := 2 * math.Pi * float64(i*k%length) / float64(length)
			c, s := scale*math.Cos(z), scale*sign*math.Sin(z)
			row := func(part int) []float64 { return m[(parts*i+part)*outs*to+outs*k:] }
			row(0)[0] = c
			if !real {
				row(0)[1] = s
			}
			if complexIn {
				row(1)[0] = -s
				if !real {
					row(1)[1] = c
				}
			}
		}
	}
	return m, []int{parts * from, outs * to}
}

func dftParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	if x == nil || len(x.Shape) < 2 || x.Shape[len(x.Shape)-1] > 2 {
		return refuseParts(e, n, "its input is no signal of real or complex numbers")
	}
	rank := len(x.Shape)
	axis := n.Attrs.Int("axis", 1)
	if n.Opset >= 20 {
		axis = -2
		if n.Input(2) != nil {
			t, err := given(n, 2)
			if err != nil {
				e.Fail(err)
				return nil
			}
			axis = int(numberAt(t, 0))
		}
	}
	axis, err := normalAxis(axis, rank)
	if err != nil || axis == rank-1 {
		e.Fail(fmt.Errorf("axis %d of an input of shape %v", axis, x.Shape))
		return nil
	}
	oneSided, inverse := n.Attrs.Int("onesided", 0) == 1, n.Attrs.Int("inverse", 0) == 1
	length := x.Shape[axis]
	if oneSided && inverse {
		length = 2 * (length - 1)
	}
	if n.Input(1) != nil {
		t, err := given(n, 1)
		if err != nil {
			e.Fail(err)
			return nil
		}
		length = int(numberAt(t, 0))
	}
	if length < 1 || length > 1<<14 {
		e.Fail(op.Refuse(n, "a transform of length %d; 1 to %d are written out", length, 1<<14))
		return nil
	}
	// The axis goes before the pairs, and both become one.
	perm := make([]int, 0, rank)
	for i := range rank {
		if i != axis && i != rank-1 {
			perm = append(perm, i)
		}
	}
	perm = append(perm, axis, rank-1)
	back := make([]int, rank)
	for i, p := range perm {
		back[p] = i
	}
	complexIn := x.Shape[rank-1] == 2
	x = e.Transpose(x, perm...)
	if oneSided && inverse {
		return one(e.Transpose(oneSidedInverse(e, x, length, complexIn), back...))
	}
	from, to := min(length, x.Shape[rank-2]), length
	if oneSided {
		to = length/2 + 1
	}
	return one(e.Transpose(transformed(e, x, from, length, to, inverse, complexIn), back...))
}

// transformed is the transform of the last two axes, the second of which are pairs.
func transformed(e *op.Emitter, x *onnxio.Value, from, length, to int, inverse, complexIn bool) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	rank := len(x.Shape)
	x = e.Slice(x, rank-2, 0, from)
	lead := append([]int{}, x.Shape[:rank-2]...)
	m, shape := fourier(from, length, to, inverse, complexIn, false)
	y := e.Op("MatMul", nil, e.Reshape(x, append(append([]int{}, lead...), shape[0])...), e.Reals(x, m, shape...))
	return e.Reshape(y, append(append([]int{}, lead...), to, 2)...)
}

// oneSidedInverse makes real numbers of the first half of a spectrum whose other half mirrors it.
func oneSidedInverse(e *op.Emitter, x *onnxio.Value, length int, complexIn bool) *onnxio.Value {
	if e.Err != nil {
		return x
	}
	rank := len(x.Shape)
	half := min(length/2+1, x.Shape[rank-2])
	parts := x.Shape[rank-1]
	m, shape := fourier(half, length, length, true, complexIn, true)
	for i := range half { // each frequency but the first, and the last of an even length, stands for two
		if i > 0 && !(length%2 == 0 && i == length/2) {
			for k := range parts * length {
				m[parts*i*length+k] *= 2
			}
		}
	}
	x = e.Slice(x, rank-2, 0, half)
	lead := append([]int{}, x.Shape[:rank-2]...)
	y := e.Op("MatMul", nil, e.Reshape(x, append(append([]int{}, lead...), shape[0])...), e.Reals(x, m, shape...))
	return e.Reshape(y, append(append([]int{}, lead...), length, 1)...)
}

func stftParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	step, err := given(n, 1)
	if err != nil || x == nil || len(x.Shape) < 2 {
		e.Fail(fmt.Errorf("a signal and a step are needed: %w", err))
		return nil
	}
	if len(x.Shape) == 2 {
		x = e.Reshape(x, x.Shape[0], x.Shape[1], 1)
	}
	length, hop := x.Shape[1], int(numberAt(step, 0))
	if w := n.Input(2); w != nil {
		length = product(w.Shape)
	}
	if n.Input(3) != nil {
		t, err := given(n, 3)
		if err != nil {
			e.Fail(err)
			return nil
		}
		length = int(numberAt(t, 0))
	}
	if hop < 1 || length < 1 || length > x.Shape[1] || length > 1<<14 {
		e.Fail(fmt.Errorf("frames of %d every %d of %d", length, hop, x.Shape[1]))
		return nil
	}
	frames := (x.Shape[1]-length)/hop + 1
	index := onnxio.NewTensor(onnxio.Int64, frames, length)
	for i := range index.I64() {
		index.I64()[i] = int64(i/length*hop + i%length)
	}
	y := e.Op("Gather", onnxio.Attrs{"axis": int64(1)}, x, e.Const(index)) // [batch, frames, length, parts]
	if w := n.Input(2); w != nil {
		y = e.Mul(y, e.Reshape(w, 1, 1, length, 1))
	}
	to := length
	if n.Attrs.Int("onesided", 1) == 1 {
		to = length/2 + 1
	}
	return one(transformed(e, y, length, length, to, false, x.Shape[2] == 2))
}
