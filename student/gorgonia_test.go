package student

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
		b := NewBuilder(NewPool(2), gorgonia.Float64)
		x, f := b.Input("x", n, h, w, c), b.Input("w", m, k, k, c)
		graph := gorgonia.NewGraph()
		gx := gorgonia.NewTensor(graph, gorgonia.Float64, 4, gorgonia.WithShape(n, c, h, w), gorgonia.WithName("x"), gorgonia.WithValue(newValue(gorgonia.Float64, tensor.Shape{n, c, h, w})))
		gf := gorgonia.NewTensor(graph, gorgonia.Float64, 4, gorgonia.WithShape(m, c, k, k), gorgonia.WithName("w"), gorgonia.WithValue(newValue(gorgonia.Float64, tensor.Shape{m, c, k, k})))
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
		for i, node := range []*gorgonia.Node{theirs[0], theirs[1], gy} {
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

// TestMachineIsTheTapeMachine differentiates a student's loss with gorgonia.Grad and runs it on gorgonia's tape machine: our Gradient on our
// Machine must give the same bits.
func TestMachineIsTheTapeMachine(t *testing.T) {
	a := mustParse(t, "{input: [2, 8, 7], layers: [{conv: 3, kernel: 3, stride: 2, padding: 1, relu: true}, {conv: 4, kernel: 2}, relu, {dense: 5, relu: true}, {dense: 3}]}")
	w := newWeights(must(a.stages()))
	if err := w.initialise(a, 3, false); err != nil {
		t.Fatal(err)
	}
	d := blobs(a.Input, 3, 6, 1)
	build := func() (*Builder, *Network, *gorgonia.Node) {
		b := NewBuilder(NewPool(2), gorgonia.Float32)
		n := newNetwork(b, w)
		tg := Targets{X: b.Input("x", 6, 8, 7, 2), Labels: b.Input("labels", 6, 3), Teacher: b.Input("teacher", 6, 3)}
		channelsLast(b.Pool, Elements[float32](tg.X), d.Inputs, 6, a.Input)
		copy(Elements[float32](tg.Teacher), d.Logits)
		z := n.Forward(tg.X)
		e := b.Sub(z, tg.Teacher)
		return b, n, b.Mean(b.Mul(e, e))
	}
	b, n, cost := build()
	grads := b.Gradient(cost, n.Trained...)
	machine, err := NewMachine(b, append(grads, cost)...)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second run must not remember the first
		if err := machine.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	b2, n2, cost2 := build()
	theirs, err := gorgonia.Grad(cost2, n2.Trained...)
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
			t.Errorf("gradient of %s: %v, the tape machine has %v", n.params[i].Name, Elements[float32](g), values[i])
		}
	}
}

// BenchmarkConvolution is a step of one layer, forward and both gradients: ours on one core and gorgonia's own operator on its tape machine.
func BenchmarkConvolution(bench *testing.B) {
	const n, c, h, m, k = 128, 8, 16, 16, 4
	bench.Run("ours", func(bench *testing.B) {
		b := NewBuilder(NewPool(1), gorgonia.Float32)
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
		input := func(name string, s ...int) *gorgonia.Node {
			return gorgonia.NewTensor(g, gorgonia.Float32, 4, gorgonia.WithShape(s...), gorgonia.WithName(name), gorgonia.WithValue(newValue(gorgonia.Float32, s)))
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
