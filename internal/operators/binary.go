package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// binary is y = f(a, b) on rows: two rows, a row and a scalar, a scalar and a row. y may be a or b.
type binary[T, O any] struct {
	vv func(y []O, a, b []T)
	vs func(y []O, a []T, b T)
	sv func(y []O, a T, b []T)
}

// pairDim is one dimension of a broadcasting pair: size and the strides of both inputs (0 where repeated).
type pairDim struct{ n, a, b int }

// pairing walks two broadcast inputs along one output.
type pairing struct {
	a, b []int // the shapes it was made for
	dims []pairDim
	n    int // elements of the output
}

// newPairing plans the walk; the output has the broadcast shape `out`.
func newPairing(a, b, out []int) *pairing {
	p := &pairing{a: slices.Clone(a), b: slices.Clone(b), n: product(out)}
	sa, sb := strides(a), strides(b)
	for i, n := range out {
		if n == 1 {
			continue
		}
		d := pairDim{n: n}
		if k := i - (len(out) - len(a)); k >= 0 && a[k] != 1 {
			d.a = sa[k]
		}
		if k := i - (len(out) - len(b)); k >= 0 && b[k] != 1 {
			d.b = sb[k]
		}
		if k := len(p.dims) - 1; k >= 0 && p.dims[k].a == d.a*n && p.dims[k].b == d.b*n {
			p.dims[k] = pairDim{p.dims[k].n * n, d.a, d.b}
			continue
		}
		p.dims = append(p.dims, d)
	}
	if len(p.dims) == 0 {
		p.dims = []pairDim{{1, 1, 1}}
	}
	return p
}

func (p *pairing) fits(a, b []int) bool { return slices.Equal(p.a, a) && slices.Equal(p.b, b) }

// runBinary computes the whole output.
func runBinary[T, O any](p *pairing, f *binary[T, O], y []O, a, b []T) {
	if p.n > 0 {
		walkPair(p.dims, f, y, a, b)
	}
}

func walkPair[T, O any](dims []pairDim, f *binary[T, O], y []O, a, b []T) {
	d := dims[0]
	if len(dims) == 1 {
		switch {
		case d.a == 0:
			f.sv(y[:d.n], a[0], b[:d.n])
		case d.b == 0:
			f.vs(y[:d.n], a[:d.n], b[0])
		default:
			f.vv(y[:d.n], a[:d.n], b[:d.n])
		}
		return
	}
	block := len(y) / d.n
	for i := range d.n {
		walkPair(dims[1:], f, y[i*block:(i+1)*block], a[i*d.a:], b[i*d.b:])
	}
}

// pairState returns the pairing kept with the node, renewed where shapes changed.
func pairState(c *op.Call) *pairing {
	a, b := c.In[0].Shape, c.In[1].Shape
	p, _ := c.State.(*pairing)
	if p == nil || !p.fits(a, b) {
		p = newPairing(a, b, c.Out[0].Shape)
		c.State = p
	}
	return p
}

// arithmetic holds one binary operator for every type that the standard allows.
type arithmetic struct {
	f32 binary[float32, float32]
	f64 binary[float64, float64]
	i64 binary[int64, int64]
	i32 binary[int32, int32]
	i16 binary[int16, int16]
	i8  binary[int8, int8]
	u64 binary[uint64, uint64]
	u32 binary[uint32, uint32]
	u16 binary[uint16, uint16]
	u8  binary[uint8, uint8]
}

// evalArithmetic is the Eval face of the four arithmetic operators and of Min and Max with two inputs.
func evalArithmetic(ar *arithmetic) func(*op.Call) error {
	return func(c *op.Call) error { return ar.run(pairState(c), c.Out[0], c.In[0], c.In[1]) }
}

func (ar *arithmetic) run(p *pairing, y, a, b *onnxio.Tensor) error {
	switch x := a.Data.(type) {
	case []float32:
		return runTyped(p, &ar.f32, y, x, b)
	case []float64:
		return runTyped(p, &ar.f64, y, x, b)
	case []int64:
		return runTyped(p, &ar.i64, y, x, b)
	case []int32:
		return runTyped(p, &ar.i32, y, x, b)
	case []int16:
		return runTyped(p, &ar.i16, y, x, b)
	case []int8:
		return runTyped(p, &ar.i8, y, x, b)
	case []uint64:
		return runTyped(p, &ar.u64, y, x, b)
	case []uint32:
		return runTyped(p, &ar.u32, y, x, b)
	case []uint16:
		return runTyped(p, &ar.u16, y, x, b)
	case []uint8:
		return runTyped(p, &ar.u8, y, x, b)
	}
	return fmt.Errorf("no arithmetic on type %v", a.DType)
}

func runTyped[T, O any](p *pairing, f *binary[T, O], y *onnxio.Tensor, a []T, bt *onnxio.Tensor) error {
	out, ok := y.Data.([]O)
	b, ok2 := bt.Data.([]T)
	if !ok || !ok2 {
		return fmt.Errorf("inputs of types %T and %T with an output of type %T", a, bt.Data, y.Data)
	}
	runBinary(p, f, out, a, b)
	return nil
}
