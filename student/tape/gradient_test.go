package tape

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// differenceStep is small enough for the third derivative, and large enough for float64's rounding.
const differenceStep = 1e-5

// differenceTolerance is about (rounding of sums of a few thousand terms)/differenceStep.
const differenceTolerance = 1e-6

type gradientCase struct {
	name   string
	shapes [][]int
	f      func(b *Builder, in []*Node) *Node
	// closed: the gradient can be differentiated again
	closed bool
	// positive inputs only
	positive bool
}

func gradientCases() []gradientCase {
	var cases []gradientCase
	add := func(name string, closed bool, f func(b *Builder, in []*Node) *Node, shapes ...[]int) {
		cases = append(cases, gradientCase{name: name, shapes: shapes, f: f, closed: closed})
	}
	for i, g := range []Geometry{
		{Stride: [2]int{1, 1}},
		{Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 1, 1}},
		{Stride: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1}},
		{Stride: [2]int{3, 2}, Pad: [4]int{0, 2, 1, 0}},
		{Stride: [2]int{2, 1}, Pad: [4]int{3, 0, 3, 1}},
		{Stride: [2]int{4, 5}, Pad: [4]int{1, 0, 0, 0}},
	} {
		for _, kernel := range [][2]int{{3, 3}, {4, 4}, {1, 1}, {2, 3}} {
			x, w := []int{3, 7, 8, 2}, []int{5, kernel[0], kernel[1], 2}
			y := []int(newConv(x, w, g).out)
			name := fmt.Sprintf("%d_%dx%d", i, kernel[0], kernel[1])
			add("Conv"+name, true, func(b *Builder, in []*Node) *Node { return b.Conv(in[0], in[1], g) }, x, w)
			add("ConvInput"+name, true, func(b *Builder, in []*Node) *Node { return b.ConvInput(in[0], in[1], 7, 8, g) }, y, w)
			add("ConvWeight"+name, true, func(b *Builder, in []*Node) *Node {
				return b.ConvWeight(in[0], in[1], kernel[0], kernel[1], g)
			}, x, y)
			add("ConvBias"+name, true, func(b *Builder, in []*Node) *Node {
				return b.ConvBias(in[0], in[1], in[2], g, true)
			}, x, w, []int{5})
		}
	}
	for i, pad := range [][4]int{{}, {1, 1, 1, 1}, {0, 1, 2, 0}} { // a row of the kernel is long enough to be read as it lies
		g := Geometry{Stride: [2]int{1, 1}, Pad: pad}
		x, w := []int{3, 6, 7, 16}, []int{5, 3, 2, 16}
		add(fmt.Sprint("ConvWeightByRows", i), true, func(b *Builder, in []*Node) *Node { return b.ConvWeight(in[0], in[1], 3, 2, g) },
			x, newConv(x, w, g).out)
	}
	for i := range 4 {
		tx, ty := i&1 > 0, i&2 > 0
		x, y := []int{6, 5}, []int{5, 7}
		if tx {
			x = []int{5, 6}
		}
		if ty {
			y = []int{7, 5}
		}
		add(fmt.Sprintf("MatMul%d", i), true, func(b *Builder, in []*Node) *Node { return b.MatMul(tx, ty, in[0], in[1]) }, x, y)
	}
	for _, relu := range []bool{false, true} {
		add(fmt.Sprintf("Dense%t", relu), true, func(b *Builder, in []*Node) *Node { return b.Dense(in[0], in[1], in[2], relu) },
			[]int{9, 7}, []int{18, 7}, []int{18})
	}
	unary := func(name string, f func(b *Builder, x *Node) *Node, shape ...int) {
		add(name, true, func(b *Builder, in []*Node) *Node { return f(b, in[0]) }, shape)
	}
	binary := func(name string, f func(b *Builder, x, y *Node) *Node) {
		add(name, true, func(b *Builder, in []*Node) *Node { return f(b, in[0], in[1]) }, []int{3, 4, 5}, []int{3, 4, 5})
	}
	binary("Add", (*Builder).Add)
	binary("Sub", (*Builder).Sub)
	binary("Mul", (*Builder).Mul)
	binary("Div", (*Builder).Div)
	unary("Scale", func(b *Builder, x *Node) *Node { return b.Scale(-2.5, x) }, 4, 5)
	unary("Shift", func(b *Builder, x *Node) *Node { return b.Shift(-2.5, x) }, 4, 5)
	unary("Relu", (*Builder).Relu, 4, 3, 5)
	unary("Abs", (*Builder).Abs, 4, 3, 5)
	unary("Square", func(b *Builder, x *Node) *Node { return b.Mul(x, x) }, 4, 5)
	unary("Reshape", func(b *Builder, x *Node) *Node { return b.Reshape(x, 3, 20) }, 4, 3, 5)
	unary("Sum", (*Builder).Sum, 4, 3, 5)
	unary("Mean", (*Builder).Mean, 4, 3, 5)
	unary("SumRows", (*Builder).SumRows, 4, 3, 5)
	unary("SumColumns", (*Builder).SumColumns, 4, 3)
	unary("Columns", func(b *Builder, x *Node) *Node { return b.Columns(x, 3) }, 4)
	unary("Rows", func(b *Builder, x *Node) *Node { return b.Rows(x, 2, 3, 4) }, 4)
	unary("LogSoftmax", (*Builder).LogSoftmax, 6, 5)
	unary("Softmax", (*Builder).Softmax, 6, 5)
	unary("Exp", (*Builder).Exp, 6, 5)
	unary("Log", (*Builder).Log, 6, 5)
	cases[len(cases)-1].positive = true
	add("AddBias", true, func(b *Builder, in []*Node) *Node { return b.AddBias(in[0], in[1]) }, []int{2, 3, 5}, []int{5})
	add("ScaleBy", true, func(b *Builder, in []*Node) *Node { return b.ScaleBy(in[0], in[1]) }, []int{}, []int{3, 5})
	add("Fill", true, func(b *Builder, in []*Node) *Node { return b.Fill(in[0], 3, 5) }, []int{})
	for i, g := range []Geometry{{Stride: [2]int{2, 2}}, {Stride: [2]int{1, 2}}, {Stride: [2]int{3, 1}}} {
		add(fmt.Sprint("AvgPool", i), true, func(b *Builder, in []*Node) *Node { return b.AvgPool(in[0], [2]int{2, 3}, g) }, []int{3, 7, 8, 2})
		g.Pad = [4]int{1, 0, 1, 2}
		add(fmt.Sprint("MaxPool", i), false, func(b *Builder, in []*Node) *Node { return b.MaxPool(in[0], [2]int{2, 3}, g) }, []int{3, 7, 8, 2})
	}
	add("Dropout", true, func(b *Builder, in []*Node) *Node {
		return b.Dropout(in[0], 0.4, 3, &Noise{Seed: 1, Step: 2})
	}, []int{30, 4})
	unary("Part", func(b *Builder, x *Node) *Node { return b.Part(x, 3, 2, 5) }, 4, 5)
	for _, k := range []int{3, 4} {
		add(fmt.Sprint("MedianSize", k), false, func(b *Builder, in []*Node) *Node { return b.MedianSize(in[0], k) }, []int{2 * k, 3, 2})
		add(fmt.Sprint("Cauchy", k), false, func(b *Builder, in []*Node) *Node {
			return b.MedianSize(b.Cauchy(in[0], k, 2, &Noise{Seed: 1, Step: 2}), k)
		}, []int{2, 3, 2})
	}
	for name, maps := range dualMaps {
		add("Dual"+name, false, func(b *Builder, in []*Node) *Node { return maps.dual(b, in) }, maps.shapes()...)
	}
	for i, v := range someViews {
		out := []int{3 * v.count(), v.Window[0], v.Window[1], 2}
		add(fmt.Sprint("Windows", i), true, func(b *Builder, in []*Node) *Node { return b.Windows(in[0], v) }, []int{3, 5, 4, 2})
		add(fmt.Sprint("WindowsSum", i), true, func(b *Builder, in []*Node) *Node { return b.WindowsSum(in[0], v, 3, 5, 4, 2) }, out)
	}
	for i, v := range [][]int{{3, 2, 5}, {1, 2, 5}} { // rows with samples of their own, and with one
		a := []int{6, 2, 5}
		add(fmt.Sprint("RowScale", i), false, func(b *Builder, in []*Node) *Node { return b.RowScale(in[0], in[1]) }, a, v)
		add(fmt.Sprint("RowEnds", i), false, func(b *Builder, in []*Node) *Node { return b.RowEnds(in[0], in[1]) }, a, v)
		add(fmt.Sprint("AbsDot", i), false, func(b *Builder, in []*Node) *Node { return b.AbsDot(in[0], in[1]) }, a, v)
	}
	for i, shape := range [][]int{{3, 4, 5, 2}, {7, 3}} {
		add(fmt.Sprint("BatchNorm", i), false, func(b *Builder, in []*Node) *Node {
			return b.BatchNorm(in[0], in[1], in[2], &Moments{})
		}, shape, shape[len(shape)-1:], shape[len(shape)-1:])
		add(fmt.Sprint("BatchNormRelu", i), false, func(b *Builder, in []*Node) *Node {
			return b.BatchNormRelu(in[0], in[1], in[2], &Moments{})
		}, shape, shape[len(shape)-1:], shape[len(shape)-1:])
	}
	return cases
}

// TestGradientsAgainstDifferences checks every operator's gradient, and the gradient of a function of that gradient, in float64.
func TestGradientsAgainstDifferences(t *testing.T) {
	for _, c := range gradientCases() {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(len(c.name))))
			b := NewBuilder[float64](NewPool(2))
			random := func(name string, shape ...int) *Node {
				n := b.Input(name, shape...)
				for i := range Elements[float64](n) {
					v := rng.NormFloat64()
					if v += math.Copysign(0.1, v); c.positive { // away from kinks
						v = math.Abs(v)
					}
					Elements[float64](n)[i] = v
				}
				return n
			}
			var in []*Node
			for i, s := range c.shapes {
				in = append(in, random(fmt.Sprint("x", i), s...))
			}
			weigh := func(name string, y *Node) *Node {
				return b.Sum(b.Mul(y, random(name, y.Shape()...)))
			}
			cost := weigh("weights", c.f(b, in))
			grads := b.Gradient(cost, in...)
			check := func(cost *Node, grads []*Node) {
				t.Helper()
				outs := []*Node{cost}
				for _, g := range grads {
					if g != nil {
						outs = append(outs, g)
					}
				}
				m, err := NewMachine(b, outs...)
				if err != nil {
					t.Fatal(err)
				}
				value := func() float64 {
					if err := m.RunAll(); err != nil {
						t.Fatal(err)
					}
					return Elements[float64](cost)[0]
				}
				for k, n := range in {
					value()
					var got []float64
					if grads[k] != nil {
						got = append(got, Elements[float64](grads[k])...)
					} else {
						got = make([]float64, len(Elements[float64](n)))
					}
					x := Elements[float64](n)
					for _, i := range rng.Perm(len(x))[:min(12, len(x))] {
						old := x[i]
						x[i] = old + differenceStep
						up := value()
						x[i] = old - differenceStep
						down := value()
						x[i] = old
						want := (up - down) / (2 * differenceStep)
						if !(math.Abs(want-got[i]) <= differenceTolerance*max(1, math.Abs(want))) {
							t.Fatalf("input %d[%d]: gradient %v, differences say %v", k, i, got[i], want)
						}
					}
				}
			}
			check(cost, grads)
			if !c.closed {
				return
			}
			var second *Node
			for i, g := range grads {
				s := weigh(fmt.Sprint("second", i), b.Mul(g, g))
				if second == nil {
					second = s
				} else {
					second = b.Add(second, s)
				}
			}
			check(second, b.Gradient(second, in...))
		})
	}
}
