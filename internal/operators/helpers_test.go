package operators

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// variable is a test node's input that is not constant.
func variable(shape ...int) *onnxio.Value {
	return &onnxio.Value{Name: "x", DType: onnxio.Double, Shape: append([]int{}, shape...)}
}

// fixed is a constant input.
func fixed(t *onnxio.Tensor) *onnxio.Value {
	return &onnxio.Value{Name: "c", DType: t.DType, Shape: t.Shape, Const: t}
}

func ints(v ...int64) *onnxio.Value { return fixed(onnxio.FromInt64(v, len(v))) }

func floats(v []float64, shape ...int) *onnxio.Value { return fixed(onnxio.FromFloat64(v, shape...)) }

// node builds a node with inferred outputs.
func node(t *testing.T, name string, opset int, attrs onnxio.Attrs, inputs ...*onnxio.Value) *onnxio.Node {
	t.Helper()
	return nodeWith(t, name, opset, attrs, 1, inputs...)
}

func nodeWith(t *testing.T, name string, opset int, attrs onnxio.Attrs, outputs int, inputs ...*onnxio.Value) *onnxio.Node {
	t.Helper()
	n := &onnxio.Node{Name: "n", Op: name, Opset: opset, Attrs: attrs, Inputs: inputs}
	n.Outputs = make([]*onnxio.Value, outputs)
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	types, err := d.Shape(n)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i := range n.Outputs {
		n.Outputs[i] = &onnxio.Value{Name: fmt.Sprint("y", i), DType: types[i].DType, Shape: types[i].Shape, Producer: n}
	}
	return n
}

// run evaluates a node in float64; data are the values of its variables in order.
func run(t *testing.T, n *onnxio.Node, data ...[]float64) [][]float64 {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	c := &op.Call{Node: n, Work: new(op.Workspace)}
	for _, v := range n.Inputs {
		switch {
		case v == nil:
			c.In = append(c.In, nil)
		case v.Const != nil:
			c.In = append(c.In, v.Const)
		default:
			x := onnxio.NewTensor(v.DType, v.Shape...)
			if err := convertData(x.Data, data[0]); err != nil {
				t.Fatal(err)
			}
			c.In = append(c.In, x)
			data = data[1:]
		}
	}
	for _, v := range n.Outputs {
		y := onnxio.NewTensor(v.DType, v.Shape...)
		if f := y.F64(); f != nil {
			for i := range f {
				f[i] = math.NaN() // garbage that must be overwritten
			}
		}
		c.Out = append(c.Out, y)
	}
	if err := d.Eval(c); err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(c.Out))
	for i, y := range c.Out {
		if out[i], err = y.Float64s(); err != nil {
			t.Fatal(err)
		}
	}
	// Constant runs once, when a graph is folded.
	if allocs := testing.AllocsPerRun(2, func() { err = d.Eval(c) }); allocs > 0 && n.Op != "Constant" || err != nil {
		t.Errorf("%s: %v allocations in a later run (%v)", n.Op, allocs, err)
	}
	for i, y := range c.Out {
		again, _ := y.Float64s()
		if !slices.EqualFunc(out[i], again, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }) {
			t.Errorf("%s: a second run gives another output %d", n.Op, i)
		}
	}
	return out
}

// applyMap multiplies by the map's matrix, element by element.
func applyMap(t *testing.T, m affine.Map, x []float64) []float64 {
	t.Helper()
	in, out := m.Dims()
	if in != len(x) {
		t.Fatalf("map of %d inputs on %d elements", in, len(x))
	}
	y := make([]float64, out)
	switch m := m.(type) {
	case *affine.Identity:
		copy(y, x)
	case *affine.Diag:
		for i := range y {
			y[i] = m.D[i] * x[i]
		}
	case *affine.Sparse:
		for i := range y {
			for k := m.Start[i]; k < m.Start[i+1]; k++ {
				c := 1.0
				if m.Coef != nil {
					c = m.Coef[k]
				}
				y[i] += c * x[m.Index[k]]
			}
		}
	case *affine.Dense:
		for b := range m.Blocks {
			for i := range m.Out {
				for j := range m.In {
					y[b*m.Out+i] += m.W[i*m.In+j] * x[b*m.In+j]
				}
			}
		}
	case *affine.Conv:
		convByDefinition(m, y, x)
	case *affine.Transposed:
		column, unit := make([]float64, in), make([]float64, out)
		for i := range y {
			clear(column)
			unit[i] = 1
			convByDefinition(m.Conv, column, unit)
			unit[i] = 0
			for j, v := range column {
				y[i] += v * x[j]
			}
		}
	default:
		t.Fatalf("unexpected map %T", m)
	}
	return y
}

func randoms(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = rng.NormFloat64()
	}
	return v
}

// checkAffine compares a node's maps and bias with Eval on random inputs.
func checkAffine(t *testing.T, n *onnxio.Node) *op.Linear {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Linear(n)
	if err != nil {
		t.Fatalf("%s: %v", n.Op, err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		var data [][]float64
		for _, v := range n.Inputs {
			if v != nil && v.Const == nil {
				data = append(data, randoms(rng, product(v.Shape)))
			}
		}
		want := run(t, n, data...)
		for o := range n.Outputs {
			maps, bias := l.Maps, l.Bias
			if l.PerOutput != nil {
				maps = l.PerOutput[o]
			} else if o > 0 {
				t.Fatalf("%s: %d outputs and one map", n.Op, len(n.Outputs))
			}
			got, at := make([]float64, len(want[o])), 0
			copy(got, bias)
			for k, v := range n.Inputs {
				if v == nil || v.Const != nil {
					if k < len(maps) && maps[k] != nil {
						t.Fatalf("%s: a map for the constant input %d", n.Op, k)
					}
					continue
				}
				for i, p := range applyMap(t, maps[k], data[at]) {
					got[i] += p
				}
				at++
			}
			for i := range got {
				if math.Abs(got[i]-want[o][i]) > 1e-13*(1+math.Abs(want[o][i])) { // a few roundings of sums of order 1
					t.Fatalf("%s: output %d[%d] = %v by the map, %v by Eval", n.Op, o, i, got[i], want[o][i])
				}
			}
		}
	}
	return l
}

// exactly evaluates slope*x + icept - y exactly and gives its sign.
func exactly(slope, x, icept float64, y *big.Float) int {
	p := new(big.Float).SetPrec(4000).Mul(big.NewFloat(slope), new(big.Float).SetPrec(4000).SetFloat64(x))
	p.Add(p, big.NewFloat(icept))
	return p.Cmp(y)
}

// checkLines tests lines on many intervals against the function in high precision: at the ends, next to them, at given points
// inside, and at random. The function's value may be given as nil where it is not wanted.
func checkLines(t *testing.T, name string, f relax.LinesFunc, truth func(x float64) *big.Float, intervals [][2]float64, inside ...float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range []relax.Slope{relax.SlopeAdaptive, relax.SlopeParallel} {
		for _, iv := range intervals {
			l, u := iv[0], iv[1]
			out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
			f(s, []float64{l}, []float64{u}, &out)
			points := []float64{l, u, sound.Up(l), sound.Down(u), l + (u-l)/2, l + (u-l)/4, u - (u-l)/4, 0}
			points = append(points, inside...)
			for range 12 {
				points = append(points, l+(u-l)*rng.Float64())
			}
			for _, x := range points {
				if !(x >= l && x <= u) || math.IsInf(x, 0) {
					continue
				}
				y := truth(x)
				lk, lc, uk, uc := out.LoSlope[0], out.LoIcept[0], out.UpSlope[0], out.UpIcept[0]
				if math.IsNaN(lk+lc) || math.IsNaN(uk+uc) || math.IsInf(lk, 0) || math.IsInf(uk, 0) {
					t.Fatalf("%s on [%v, %v]: lines %v %v, %v %v", name, l, u, lk, lc, uk, uc)
				}
				if exactly(lk, x, lc, y) > 0 {
					t.Fatalf("%s on [%v, %v], slope %d: lower line %v x + %v is over f(%v) = %v", name, l, u, s, lk, lc, x, y)
				}
				if exactly(uk, x, uc, y) < 0 {
					t.Fatalf("%s on [%v, %v], slope %d: upper line %v x + %v is under f(%v) = %v", name, l, u, s, uk, uc, x, y)
				}
			}
		}
	}
}

// checkBox tests an Interval face on one-element boxes of one variable.
func checkBox(t *testing.T, name string, n *onnxio.Node, truth func(x float64) *big.Float, intervals [][2]float64) {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, iv := range intervals {
		l, u := iv[0], iv[1]
		box, err := d.Interval(n, boxesFor(n, l, u))
		if err != nil {
			t.Fatal(err)
		}
		points := []float64{l, u, 0, l + (u-l)/2}
		for range 10 {
			points = append(points, l+(u-l)*rng.Float64())
		}
		for _, x := range points {
			if !(x >= l && x <= u) || math.IsInf(x, 0) {
				continue
			}
			y := truth(x)
			if below := box[0].Lower[0]; math.IsNaN(below) || y.Cmp(new(big.Float).SetFloat64(below)) < 0 {
				t.Fatalf("%s on [%v, %v]: f(%v) = %v under %v", name, l, u, x, y, below)
			}
			if over := box[0].Upper[0]; math.IsNaN(over) || y.Cmp(new(big.Float).SetFloat64(over)) > 0 {
				t.Fatalf("%s on [%v, %v]: f(%v) = %v over %v", name, l, u, x, y, over)
			}
		}
	}
}

// boxesFor gives the variable of a node the box [l, u] and constants their values.
func boxesFor(n *onnxio.Node, l, u float64) []relax.Box {
	boxes := make([]relax.Box, len(n.Inputs))
	for i, v := range n.Inputs {
		switch {
		case v == nil:
		case v.Const != nil:
			c, _ := v.Const.Float64s()
			boxes[i] = relax.Box{Lower: c, Upper: c}
		default:
			boxes[i] = relax.Box{Lower: []float64{l}, Upper: []float64{u}}
		}
	}
	return boxes
}

// rounds is how often something random is tried: of n, an eighth where the tests are to be short.
func rounds(n int) int {
	if testing.Short() {
		return max(1, n/8)
	}
	return n
}

// someIntervals are wide, narrow, one-sided, straddling, tiny, huge and degenerate intervals.
func someIntervals() [][2]float64 {
	rng := rand.New(rand.NewPCG(7, 8))
	iv := [][2]float64{
		{-1, 1}, {-1, 2}, {-3, 1}, {0, 1}, {-1, 0}, {0.5, 0.5}, {-0.25, -0.25}, {0, 0}, {1, sound.Up(1)}, {-1, sound.Up(-1)}, {-5e-324, 5e-324},
		{-1e-300, 1e-300}, {-1e-12, 1e-9}, {-40, 40}, {-800, 3}, {-3, 800}, {20, 30}, {-30, -20}, {-1e6, 1e6}, {-1e-3, 500},
		{2, 2 + 1e-12}, {-7, -7 + 1e-11}, {100, 1000}, {-1000, -100},
	}
	for range rounds(200) {
		scale := math.Exp(rng.Float64()*16 - 10)
		a, b := rng.NormFloat64()*scale, rng.NormFloat64()*scale
		iv = append(iv, [2]float64{min(a, b), max(a, b)})
	}
	return iv
}

// known are the standard's definitions by name.
var known = func() map[string]*op.Def {
	out := map[string]*op.Def{}
	for _, d := range All() {
		if d.Domain == "" {
			out[d.Name] = d
		}
	}
	return out
}()
