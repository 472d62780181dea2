package tape

import (
	"encoding/binary"
	"fmt"
	"hash"
	"unsafe"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// operator is what all our operators are: a gorgonia.Op with symbolic gradients. Its shapes are fixed when it is built; one operator serves
// one node. run32 and run64 write every element of out (scalars have one); they may be called again and again, not at once.
type operator struct {
	name   string
	serial uint32
	in     []int // numbers of dimensions
	out    tensor.Shape
	wrt    []bool // inputs with a gradient; nil: all
	run32  func(out []float32, in [][]float32)
	run64  func(out []float64, in [][]float64)
	// diff gives one node for each input, nil where wrt says false.
	diff func(in []*Node, out, g *Node) []*Node
}

var (
	_ gorgonia.SDOp            = (*operator)(nil)
	_ gorgonia.UsePreallocDoer = (*operator)(nil)
)

// Arity implements gorgonia.Op.
func (o *operator) Arity() int { return len(o.in) }

// Type implements gorgonia.Op: tensors of the given dimensions over one type of numbers.
func (o *operator) Type() hm.Type {
	a := hm.TypeVariable('a')
	of := func(dims int) hm.Type {
		if dims == 0 {
			return a
		}
		return gorgonia.TensorType{Dims: dims, Of: a}
	}
	var types []hm.Type
	for _, d := range o.in {
		types = append(types, of(d))
	}
	return hm.NewFnType(append(types, of(o.out.Dims()))...)
}

// InferShape implements gorgonia.Op.
func (o *operator) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.out.Clone(), nil }

// ReturnsPtr implements gorgonia.Op.
func (o *operator) ReturnsPtr() bool { return false }

// CallsExtern implements gorgonia.Op.
func (o *operator) CallsExtern() bool { return false }

// OverwritesInput implements gorgonia.Op.
func (o *operator) OverwritesInput() int { return -1 }

// WriteHash implements gorgonia.Op. Graphs merge nodes of equal hashes without a look at their inputs, so every operator has a hash of its own.
func (o *operator) WriteHash(h hash.Hash) {
	_ = binary.Write(h, binary.LittleEndian, o.serial) // hashes never fail
}

// Hashcode implements gorgonia.Op.
func (o *operator) Hashcode() uint32 { return o.serial }

func (o *operator) String() string { return o.name }

// DiffWRT implements gorgonia.SDOp.
func (o *operator) DiffWRT(n int) []bool {
	if o.wrt != nil {
		return o.wrt
	}
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

// SymDiff implements gorgonia.SDOp.
func (o *operator) SymDiff(in gorgonia.Nodes, out, g *Node) (gorgonia.Nodes, error) {
	if o.diff == nil {
		return nil, fmt.Errorf("operator %s has no gradient", o.name)
	}
	return gorgonia.Nodes(o.diff(in, out, g)), nil
}

// Do implements gorgonia.Op.
func (o *operator) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return o.UsePreallocDo(newValue(in[0].Dtype(), o.out), in...)
}

// UsePreallocDo implements gorgonia.UsePreallocDoer.
func (o *operator) UsePreallocDo(out gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	if len(in) != len(o.in) {
		return nil, fmt.Errorf("operator %s: %d inputs, want %d", o.name, len(in), len(o.in))
	}
	if out.Dtype() == tensor.Float64 {
		o.run64(elements[float64](out), allElements[float64](in))
	} else {
		o.run32(elements[float32](out), allElements[float32](in))
	}
	return out, nil
}

func allElements[T Float](in []gorgonia.Value) [][]T {
	all := make([][]T, len(in))
	for i, v := range in {
		all[i] = elements[T](v)
	}
	return all
}

// newValue allocates zeros.
func newValue(d tensor.Dtype, s tensor.Shape) gorgonia.Value {
	switch {
	case s.Dims() > 0:
		return tensor.New(tensor.Of(d), tensor.WithShape(s...))
	case d == tensor.Float64:
		return gorgonia.NewF64(0)
	}
	return gorgonia.NewF32(0)
}

// valueOf makes a value of numbers, not copied.
func valueOf[T Float](x []T, s tensor.Shape) gorgonia.Value {
	if s.Dims() > 0 {
		return tensor.New(tensor.WithShape(s...), tensor.WithBacking(x))
	}
	if p, ok := any(&x[0]).(*float64); ok {
		return (*gorgonia.F64)(p)
	}
	return (*gorgonia.F32)(any(&x[0]).(*float32))
}

// elements are a value's numbers, not copied.
func elements[T Float](v gorgonia.Value) []T {
	switch v := v.(type) {
	case *gorgonia.F32:
		return unsafe.Slice((*T)(unsafe.Pointer(v)), 1)
	case *gorgonia.F64:
		return unsafe.Slice((*T)(unsafe.Pointer(v)), 1)
	}
	return v.Data().([]T)
}
