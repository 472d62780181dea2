package tape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// gorgoniaTolerance is float64's rounding in sums of a few hundred terms.
const gorgoniaTolerance = 1e-12

// TestConvIsGorgoniasConv compares values and gradients of our convolution with those of gorgonia's own operator, which takes [N,C,H,W].
func TestConvIsGorgoniasConv(t *testing.T) {
	const n, c, h, w, m, k = 3, 2, 8, 7, 4, 3
	for _, g := range []struct{ stride, pad int }{{1, 0}, {1, 1}, {2, 1}} {
		rng := rand.New(rand.NewPCG(1, 2))
		b := NewBuilder[float64](NewPool(2))
		x, f := b.Input("x", n, h, w, c), b.Input("w", m, k, k, c)
		graph := gorgonia.NewGraph()
		input := func(name string, s ...int) *Node {
			v := gorgonia.WithValue(newValue(gorgonia.Float64, s))
			return gorgonia.NewTensor(graph, gorgonia.Float64, 4, gorgonia.WithShape(s...), gorgonia.WithName(name), v)
		}
		gx, gf := input("x", n, c, h, w), input("w", m, c, k, k)
		// theirs[first] and ours[last] are the same number
		pairs := func(ours, theirs []float64, n, c, area int, f func(a, b *float64)) {
			for i := range n {
				for j := range c {
					for p := range area {
						f(&ours[(i*area+p)*c+j], &theirs[(i*c+j)*area+p])
					}
				}
			}
		}
		random := func(a, b *float64) { *a = rng.NormFloat64(); *b = *a }
		pairs(Elements[float64](x), Elements[float64](gx), n, c, h*w, random)
		pairs(Elements[float64](f), Elements[float64](gf), m, c, k*k, random)
		y := b.Conv(x, f, Geometry{Stride: [2]int{g.stride, g.stride}, Pad: [4]int{g.pad, g.pad, g.pad, g.pad}})
		cost := b.Sum(b.Mul(y, y))
		grads := b.Gradient(cost, x, f)
		machine, err := NewMachine(b, append(grads, y)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
		gy := gorgonia.Must(gorgonia.Conv2d(gx, gf, tensor.Shape{k, k}, []int{g.pad, g.pad}, []int{g.stride, g.stride}, []int{1, 1}))
		gcost := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(gy))))
		theirs, err := gorgonia.Grad(gcost, gx, gf)
		if err != nil {
			t.Fatal(err)
		}
		var values [3]gorgonia.Value
		for i, node := range []*Node{theirs[0], theirs[1], gy} {
			gorgonia.Read(node, &values[i])
		}
		vm := gorgonia.NewTapeMachine(graph)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		same := func(what string) func(a, b *float64) {
			return func(a, b *float64) {
				if math.Abs(*a-*b) > gorgoniaTolerance*math.Max(1, math.Abs(*b)) {
					t.Fatalf("stride %d, padding %d, %s: %v, gorgonia says %v", g.stride, g.pad, what, *a, *b)
				}
			}
		}
		s := y.Shape()
		pairs(Elements[float64](y), elements[float64](values[2]), n, m, s[1]*s[2], same("y"))
		pairs(Elements[float64](grads[0]), elements[float64](values[0]), n, c, h*w, same("dx"))
		pairs(Elements[float64](grads[1]), elements[float64](values[1]), m, c, k*k, same("dw"))
	}
}

// TestMachineIsTheTapeMachine differentiates a small network's loss with gorgonia.Grad and runs it on gorgonia's tape machine: our Gradient on
// our Machine must give the same bits.
func TestMachineIsTheTapeMachine(t *testing.T) {
	build := func() (b *Builder, weights []*Node, cost *Node) {
		rng := rand.New(rand.NewPCG(1, 3))
		b = NewBuilder[float32](NewPool(2))
		input := func(name string, shape ...int) *Node {
			n := b.Input(name, shape...)
			for i := range Elements[float32](n) {
				Elements[float32](n)[i] = float32(rng.NormFloat64() / 3)
			}
			return n
		}
		weight := func(name string, shape ...int) *Node {
			weights = append(weights, input(name, shape...))
			return weights[len(weights)-1]
		}
		x, teacher := input("x", 6, 8, 7, 2), input("teacher", 6, 3)
		x = b.ConvBias(x, weight("w1", 3, 3, 3, 2), weight("b1", 3), Geometry{Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 1, 1}}, true)
		x = b.Relu(b.ConvBias(x, weight("w2", 4, 2, 2, 3), weight("b2", 4), Geometry{Stride: [2]int{1, 1}}, false))
		x = b.Dense(b.Reshape(x, 6, 36), weight("w3", 5, 36), weight("b3", 5), true)
		e := b.Sub(b.Dense(x, weight("w4", 3, 5), weight("b4", 3), false), teacher)
		return b, weights, b.Mean(b.Mul(e, e))
	}
	b, weights, cost := build()
	grads := b.Gradient(cost, weights...)
	machine, err := NewMachine(b, append(grads, cost)...)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second run must not remember the first
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	b2, weights2, cost2 := build()
	theirs, err := gorgonia.Grad(cost2, weights2...)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]gorgonia.Value, len(theirs))
	for i, node := range theirs {
		gorgonia.Read(node, &values[i])
	}
	if err := gorgonia.NewTapeMachine(b2.Graph).RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, g := range grads {
		if !slices.Equal(Elements[float32](g), elements[float32](values[i])) {
			t.Errorf("gradient of %s: %v, the tape machine has %v", weights[i].Name(), Elements[float32](g), values[i])
		}
	}
}

// BenchmarkConvolution is a step of one layer, forward and both gradients: ours on one core and gorgonia's own operator on its tape machine.
func BenchmarkConvolution(bench *testing.B) {
	const n, c, h, m, k = 128, 8, 16, 16, 4
	bench.Run("ours", func(bench *testing.B) {
		b := NewBuilder[float32](NewPool(1))
		x, f := b.Input("x", n, h, h, c), b.Input("w", m, k, k, c)
		y := b.Conv(x, f, Geometry{Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 1, 1}})
		machine, err := NewMachine(b, b.Gradient(b.Sum(b.Mul(y, y)), x, f)...)
		if err != nil {
			bench.Fatal(err)
		}
		bench.ReportAllocs()
		for bench.Loop() {
			if err := machine.RunAll(); err != nil {
				bench.Fatal(err)
			}
		}
	})
	bench.Run("gorgonia", func(bench *testing.B) {
		g := gorgonia.NewGraph()
		input := func(name string, s ...int) *Node {
			return gorgonia.NewTensor(g, gorgonia.Float32, 4, gorgonia.WithShape(s...), gorgonia.WithName(name),
				gorgonia.WithValue(newValue(gorgonia.Float32, s)))
		}
		x, f := input("x", n, c, h, h), input("w", m, c, k, k)
		y := gorgonia.Must(gorgonia.Conv2d(x, f, tensor.Shape{k, k}, []int{1, 1}, []int{2, 2}, []int{1, 1}))
		if _, err := gorgonia.Grad(gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(y)))), x, f); err != nil {
			bench.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(g)
		bench.ReportAllocs()
		for bench.Loop() {
			if err := vm.RunAll(); err != nil {
				bench.Fatal(err)
			}
			vm.Reset()
		}
	})
}
