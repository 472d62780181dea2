package tape

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/shallow-waters/shoal/internal/kernel"
)

// ElementsEach is the least number of elements for which a goroutine is worth its start.
const ElementsEach = 1 << 13

// unary adds y = f(x), element by element.
func (b *Builder) unary(name string, x *Node, f32 func(y, x []float32), f64 func(y, x []float64), diff func(x, y, g *Node) *Node) *Node {
	o := (&operator{name: name, out: x.Shape()}).both(unaryRun(b.Pool, f32), unaryRun(b.Pool, f64))
	o.wrt = []bool{diff != nil}
	o.diff = func(in []*Node, out, g *Node) []*Node {
		if diff == nil {
			return []*Node{nil}
		}
		return one(diff(in[0], out, g))
	}
	return b.apply(o, x)
}

func unaryRun[T Float](p *Pool, f func(y, x []T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(out), ElementsEach, func(_ *kernel.Work, _, from, to int) { f(out[from:to], in[0][from:to]) })
	}
}

// binary adds z = f(x, y), element by element.
func (b *Builder) binary(name string, x, y *Node, f32 func(z, x, y []float32), f64 func(z, x, y []float64), wrt []bool,
	diff func(x, y, z, g *Node) []*Node) *Node {
	mustFit(slices.Equal(x.Shape(), y.Shape()), name+" of", x, y)
	o := (&operator{name: name, out: x.Shape(), wrt: wrt}).both(binaryRun(b.Pool, f32), binaryRun(b.Pool, f64))
	o.diff = func(in []*Node, out, g *Node) []*Node { return diff(in[0], in[1], out, g) }
	return b.apply(o, x, y)
}

func binaryRun[T Float](p *Pool, f func(z, x, y []T)) func([]T, [][]T) {
	return func(out []T, in [][]T) {
		p.each(len(out), ElementsEach, func(_ *kernel.Work, _, from, to int) { f(out[from:to], in[0][from:to], in[1][from:to]) })
	}
}

func addRun[T Float](z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
	for i := range z {
		z[i] = x[i] + y[i]
	}
}

func subRun[T Float](z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
	for i := range z {
		z[i] = x[i] - y[i]
	}
}

func mulRun[T Float](z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
	for i := range z {
		z[i] = x[i] * y[i]
	}
}

func divRun[T Float](z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
	for i := range z {
		z[i] = x[i] / y[i]
	}
}

// Add is x + y, of equal shapes.
func (b *Builder) Add(x, y *Node) *Node {
	return b.binary("add", x, y, addRun[float32], addRun[float64], nil, func(_, _, _, g *Node) []*Node { return []*Node{g, g} })
}

// Sub is x - y, of equal shapes.
func (b *Builder) Sub(x, y *Node) *Node {
	return b.binary("sub", x, y, subRun[float32], subRun[float64], nil, func(_, _, _, g *Node) []*Node { return []*Node{g, b.Scale(-1, g)} })
}

// Mul is x * y, of equal shapes.
func (b *Builder) Mul(x, y *Node) *Node {
	return b.binary("mul", x, y, mulRun[float32], mulRun[float64], nil, func(x, y, _, g *Node) []*Node { return []*Node{b.Mul(g, y), b.Mul(g, x)} })
}

// Div is x / y, of equal shapes.
func (b *Builder) Div(x, y *Node) *Node {
	return b.binary("div", x, y, divRun[float32], divRun[float64], nil, func(_, y, z, g *Node) []*Node {
		d := b.Div(g, y)
		return []*Node{d, b.Scale(-1, b.Mul(d, z))}
	})
}

// Scale is c * x for a constant.
func (b *Builder) Scale(c float64, x *Node) *Node {
	return b.unary(fmt.Sprintf("scale(%v)", c), x, scaleRun(float32(c)), scaleRun(c), func(_, _, g *Node) *Node { return b.Scale(c, g) })
}

func scaleRun[T Float](c T) func(y, x []T) {
	return func(y, x []T) {
		x = x[:len(y)]
		for i := range y {
			y[i] = c * x[i]
		}
	}
}

// Shift is x + c for a constant.
func (b *Builder) Shift(c float64, x *Node) *Node {
	return b.unary(fmt.Sprintf("shift(%v)", c), x, shiftRun(float32(c)), shiftRun(c), func(_, _, g *Node) *Node { return g })
}

func shiftRun[T Float](c T) func(y, x []T) {
	return func(y, x []T) {
		x = x[:len(y)]
		for i := range y {
			y[i] = c + x[i]
		}
	}
}

// Relu is max(x, 0); its slope at 0 is 0. A NaN with its sign bit set becomes 0: Adam looks at the gradients for that.
func (b *Builder) Relu(x *Node) *Node {
	return b.unary("relu", x, relu32, relu64, func(_, y, g *Node) *Node { return b.Where(y, g) })
}

// relu32 works on bits: no branch that the signs of random numbers could mislead.
func relu32(y, x []float32) {
	u, v := bits32(y), bits32(x)
	v = v[:len(u)]
	for i := range u {
		u[i] = v[i] &^ uint32(int32(v[i])>>31)
	}
}

func relu64(y, x []float64) {
	for i, v := range x {
		y[i] = max(v, 0)
	}
}

func bits32(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// Where is g where x > 0, else 0. It is linear in g and has no gradient in x: its slope there is 0 but for the step itself.
func (b *Builder) Where(x, g *Node) *Node {
	return b.binary("where", x, g, where32, where64, []bool{false, true}, func(x, _, _, g *Node) []*Node {
		return []*Node{nil, b.Where(x, g)}
	})
}

func where32(z, x, g []float32) {
	u, v, w := bits32(z), bits32(x), bits32(g)
	v, w = v[:len(u)], w[:len(u)]
	for i := range u {
		// all ones for 1 <= v <= +Inf, the bits of the positive numbers: -v is negative for them alone
		u[i] = w[i] & uint32(int32(-v[i]&^v[i])>>31)
	}
}

func where64(z, x, g []float64) {
	for i, v := range x {
		z[i] = 0
		if v > 0 {
			z[i] = g[i]
		}
	}
}

// Abs is |x|; its slope at 0 is 0.
func (b *Builder) Abs(x *Node) *Node {
	return b.unary("abs", x, absRun[float32], absRun[float64], func(x, _, g *Node) *Node { return b.Signed(x, g) })
}

func absRun[T Float](y, x []T) {
	for i, v := range x {
		y[i] = max(v, -v)
	}
}

// Signed is g times the sign of x (0 where x is 0). Linear in g; no gradient in x.
func (b *Builder) Signed(x, g *Node) *Node {
	return b.binary("signed", x, g, signedRun[float32], signedRun[float64], []bool{false, true}, func(x, _, _, g *Node) []*Node {
		return []*Node{nil, b.Signed(x, g)}
	})
}

func signedRun[T Float](z, x, g []T) {
	for i, v := range x {
		switch {
		case v > 0:
			z[i] = g[i]
		case v < 0:
			z[i] = -g[i]
		default:
			z[i] = 0
		}
	}
}

// Step is 1 where x > 0, else 0, without a gradient.
func (b *Builder) Step(x *Node) *Node {
	return b.unary("step", x, stepRun[float32], stepRun[float64], nil)
}

func stepRun[T Float](y, x []T) {
	for i, v := range x {
		y[i] = 0
		if v > 0 {
			y[i] = 1
		}
	}
}

// Stop is x, without a gradient.
func (b *Builder) Stop(x *Node) *Node {
	return b.unary("stop", x, copyRun[float32], copyRun[float64], nil)
}

func copyRun[T Float](y, x []T) { copy(y, x) }

// Reshape reads the same numbers in another shape.
func (b *Builder) Reshape(x *Node, shape ...int) *Node {
	old := x.Shape()
	size := 1
	for _, d := range shape {
		size *= d
	}
	mustFit(old.TotalSize() == size, fmt.Sprintf("reshape to %v of", shape), x)
	o := (&operator{name: fmt.Sprintf("reshape(%v)", shape), out: shape}).both(unaryRun(b.Pool, copyRun[float32]), unaryRun(b.Pool, copyRun[float64]))
	o.diff = func(_ []*Node, _, g *Node) []*Node { return one(b.Reshape(g, old...)) }
	return b.apply(o, x)
}
