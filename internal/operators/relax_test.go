package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// randomBoxes gives every variable a box with ends of many sizes, some degenerate, and constants their values.
func randomBoxes(rng *rand.Rand, n *onnxio.Node) []relax.Box {
	boxes := make([]relax.Box, len(n.Inputs))
	for i, v := range n.Inputs {
		if v.Const != nil {
			c, _ := v.Const.Float64s()
			boxes[i] = relax.Box{Lower: c, Upper: c}
			continue
		}
		b := relax.NewBox(product(v.Shape))
		for j := range b.Lower {
			scale := math.Exp(rng.NormFloat64() * 2)
			p, q := rng.NormFloat64()*scale, rng.NormFloat64()*scale
			if rng.IntN(8) == 0 {
				q = p
			}
			if v.DType == onnxio.Bool {
				p, q = float64(rng.IntN(2)), float64(rng.IntN(2))
			}
			b.Lower[j], b.Upper[j] = min(p, q), max(p, q)
		}
		boxes[i] = b
	}
	return boxes
}

// pointIn draws from the box, half of the coordinates at its ends.
func pointIn(rng *rand.Rand, n *onnxio.Node, boxes []relax.Box) [][]float64 {
	var data [][]float64
	for i, v := range n.Inputs {
		if v.Const != nil {
			continue
		}
		x := make([]float64, len(boxes[i].Lower))
		for j := range x {
			l, u := boxes[i].Lower[j], boxes[i].Upper[j]
			switch k := rng.IntN(4); {
			case k == 0:
				x[j] = l
			case k == 1 || v.DType == onnxio.Bool:
				x[j] = u
			default:
				x[j] = min(max(l+rng.Float64()*(u-l), l), u)
			}
		}
		data = append(data, x)
	}
	return data
}

// form evaluates form i exactly.
func form(f *relax.Forms, i int, x [][]float64) *big.Float {
	sum := bigFloat(f.Const[i])
	for k := f.Start[i]; k < f.Start[i+1]; k++ {
		input := 0
		if f.Input != nil {
			input = int(f.Input[k])
		}
		sum.Add(sum, new(big.Float).SetPrec(bigPrec).Mul(bigFloat(f.Coef[k]), bigFloat(x[input][f.Index[k]])))
	}
	return sum
}

// TestBoxesAndFormsHold samples boxes and points for the operators of several variables. truth, where given, is exact for
// inputs that all have the output's shape; otherwise Eval serves with the given slack for its rounding.
func TestBoxesAndFormsHold(t *testing.T) {
	x, y, z := variable(2, 3), variable(2, 3), variable(3)
	cond := &onnxio.Value{Name: "b", DType: onnxio.Bool, Shape: []int{3}}
	cond2 := &onnxio.Value{Name: "c", DType: onnxio.Bool, Shape: []int{3}}
	exactProduct := func(v []float64) *big.Float {
		return new(big.Float).SetPrec(bigPrec).Mul(bigFloat(v[0]), bigFloat(v[1]))
	}
	extreme := func(sign float64) func([]float64) *big.Float {
		return func(v []float64) *big.Float {
			m := v[0]
			for _, w := range v[1:] {
				if sign*w > sign*m {
					m = w
				}
			}
			return bigFloat(m)
		}
	}
	for _, c := range []struct {
		name  string
		n     *onnxio.Node
		truth func(v []float64) *big.Float
		slack float64
	}{
		{"cast to float16", node(t, "Cast", 13, onnxio.Attrs{"to": int64(onnxio.Float16)}, x), nil, 0},
		{"cast to bfloat16", node(t, "Cast", 13, onnxio.Attrs{"to": int64(onnxio.BFloat16)}, x), nil, 0},
		{"mul", node(t, "Mul", 14, nil, x, y), exactProduct, 0},
		{"mul broadcast", node(t, "Mul", 14, nil, x, z), nil, 1e-15},
		{"max", node(t, "Max", 13, nil, x, y), extreme(1), 0},
		{"max of three", node(t, "Max", 13, nil, x, y, variable(2, 3)), extreme(1), 0},
		{"max broadcast", node(t, "Max", 13, nil, z, x), nil, 0},
		{"max with constants", node(t, "Max", 13, nil, x, y, floats([]float64{0.25, -1, 0}, 3)), nil, 0},
		{"min", node(t, "Min", 13, nil, x, y), extreme(-1), 0},
		{"min of three", node(t, "Min", 13, nil, z, x, y), nil, 0},
		{"div", node(t, "Div", 14, nil, x, y), nil, 1e-15},
		{"where", node(t, "Where", 16, nil, cond, x, y), nil, 0},
		{"equal", node(t, "Equal", 13, nil, x, y), nil, 0},
		{"less", node(t, "Less", 13, nil, x, z), nil, 0},
		{"less or equal", node(t, "LessOrEqual", 16, nil, z, y), nil, 0},
		{"greater", node(t, "Greater", 13, nil, x, floats([]float64{0.5}, 1)), nil, 0},
		{"greater or equal", node(t, "GreaterOrEqual", 16, nil, x, y), nil, 0},
		{"and", node(t, "And", 7, nil, cond, cond2), nil, 0},
		{"or", node(t, "Or", 7, nil, cond, cond2), nil, 0},
		{"xor", node(t, "Xor", 7, nil, cond, cond2), nil, 0},
		{"is nan", node(t, "IsNaN", 13, nil, x), nil, 0},
		{"is inf", node(t, "IsInf", 10, nil, x), nil, 0},
		{"fmod", node(t, "Mod", 13, onnxio.Attrs{"fmod": int64(1)}, x, floats([]float64{0.75, -1.5, 2}, 3)), nil, 0},
		{"fmod of two", node(t, "Mod", 13, onnxio.Attrs{"fmod": int64(1)}, x, y), nil, 0},
		{"prelu", node(t, "PRelu", 16, nil, x, z), nil, 1e-15},
		{"prelu with constants", node(t, "PRelu", 16, nil, x, floats([]float64{0.25, -1, 2}, 3)), nil, 1e-15},
		{"div of constants", node(t, "Div", 14, nil, floats([]float64{0.25, -1, 2}, 3), x), nil, 1e-15},
		{"one max with constants", node(t, "Max", 13, nil, x, floats([]float64{0.25, -1, 0}, 3)), nil, 0},
		{"one min with constants", node(t, "Min", 13, nil, floats([]float64{0.25, -1, 0}, 3), x), nil, 0},
		{"reduce max", node(t, "ReduceMax", 18, nil, x, ints(0)), nil, 0},
		{"reduce max of all", node(t, "ReduceMax", 13, onnxio.Attrs{"keepdims": int64(0)}, x), nil, 0},
		{"reduce max of none", node(t, "ReduceMax", 18, onnxio.Attrs{"noop_with_empty_axes": int64(1)}, x), nil, 0},
		{"reduce min", node(t, "ReduceMin", 13, onnxio.Attrs{"axes": []int64{1}}, x), nil, 0},
		{"reduce min of two", node(t, "ReduceMin", 18, nil, x, ints(-2)), nil, 0},
		{"reduce prod", node(t, "ReduceProd", 18, nil, x, ints(1)), nil, 1e-14},
		{"reduce l1", node(t, "ReduceL1", 18, nil, variable(2, 3, 2), ints(0, 2)), nil, 1e-14},
		{"reduce l2", node(t, "ReduceL2", 13, onnxio.Attrs{"axes": []int64{1}}, x), nil, 1e-14},
		{"reduce sum square", node(t, "ReduceSumSquare", 18, nil, variable(2, 3, 2), ints(1)), nil, 1e-14},
		{"reduce log sum exp", node(t, "ReduceLogSumExp", 13, onnxio.Attrs{"axes": []int64{-1}}, x), nil, 1e-14},
		{"softmax 13", node(t, "Softmax", 13, onnxio.Attrs{"axis": int64(0)}, variable(3, 2)), nil, 1e-15},
		{"softmax 11", node(t, "Softmax", 11, nil, variable(2, 3, 2)), nil, 1e-15},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := Lookup(c.n)
			l, err := d.Linear(c.n)
			if err != nil {
				t.Fatal(err)
			}
			if l.Relax == nil || l.Maps != nil || l.Lines != nil {
				t.Fatal("not a relaxation")
			}
			rng := rand.New(rand.NewPCG(13, 14))
			for range 60 {
				boxes := randomBoxes(rng, c.n)
				out, err := d.Interval(c.n, boxes)
				if err != nil {
					t.Fatal(err)
				}
				r, err := l.Relax(relax.SlopeAdaptive, boxes)
				if err != nil {
					t.Fatal(err)
				}
				for range 20 {
					p := pointIn(rng, c.n, boxes)
					got := run(t, c.n, p...)[0]
					all, at := make([][]float64, len(boxes)), 0
					for i, v := range c.n.Inputs {
						if all[i] = boxes[i].Lower; v.Const == nil {
							all[i] = p[at]
							at++
						}
					}
					for i, g := range got {
						want := bigFloat(g)
						if c.truth != nil {
							v := make([]float64, len(p))
							for k := range p {
								v[k] = p[k][i]
							}
							want = c.truth(v)
						}
						room := bigFloat(c.slack * math.Abs(g))
						hi, lo := new(big.Float).Add(want, room), new(big.Float).Sub(want, room)
						if hi.Cmp(bigFloat(out[0].Lower[i])) < 0 || lo.Cmp(bigFloat(out[0].Upper[i])) > 0 {
							t.Fatalf("%v outside [%v, %v] at %v", want, out[0].Lower[i], out[0].Upper[i], p)
						}
						if math.IsInf(r.Lower.Const[i], 0) || math.IsInf(r.Upper.Const[i], 0) {
							continue // div by a box around 0
						}
						if form(&r.Lower, i, all).Cmp(hi) > 0 || form(&r.Upper, i, all).Cmp(lo) < 0 {
							t.Fatalf("%v outside its forms at %v", want, p)
						}
					}
				}
			}
		})
	}
}

// TestFormsAreTight: McCormick's planes touch at corners, and a max that is decided is a copy.
func TestFormsAreTight(t *testing.T) {
	n := node(t, "Mul", 14, nil, variable(1), variable(1))
	d, _ := Lookup(n)
	l, _ := d.Linear(n)
	r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{{Lower: []float64{1}, Upper: []float64{3}}, {Lower: []float64{-2}, Upper: []float64{5}}})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := form(&r.Lower, 0, [][]float64{{1}, {4}}).Float64(); math.Abs(v-4) > 1e-14 {
		t.Errorf("lower plane %v at an edge where it touches 4", v)
	}
	if v, _ := form(&r.Upper, 0, [][]float64{{1}, {4}}).Float64(); math.Abs(v-4) > 1e-14 {
		t.Errorf("upper plane %v at an edge where it touches 4", v)
	}
	n = node(t, "Max", 13, nil, variable(1), variable(1))
	d, _ = Lookup(n)
	l, _ = d.Linear(n)
	if r, err = l.Relax(relax.SlopeAdaptive, []relax.Box{{Lower: []float64{-1}, Upper: []float64{0}},
		{Lower: []float64{1}, Upper: []float64{5}}}); err != nil {
		t.Fatal(err)
	}
	if r.Upper.Const[0] != 0 || r.Upper.Input[0] != 1 || r.Upper.Coef[0] != 1 {
		t.Errorf("a decided maximum: %+v", r.Upper)
	}
}

// TestWavesAndCurvesHold checks the rest of the elementwise operators against Eval with room for its rounding.
func TestWavesAndCurvesHold(t *testing.T) {
	for _, name := range []string{"Sin", "Cos", "Erf", "Log", "Floor", "Sign"} {
		n := node(t, name, 13, nil, variable(1))
		f, d := linesOf(t, n), known[name]
		rng := rand.New(rand.NewPCG(15, 16))
		for range rounds(2000) {
			scale := math.Exp(rng.Float64()*12 - 6)
			l, u := rng.NormFloat64()*scale, rng.NormFloat64()*scale
			l, u = min(l, u), max(l, u)
			if name == "Log" {
				l, u = math.Abs(l), math.Abs(l)+u-l
			}
			out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
			f(relax.SlopeAdaptive, []float64{l}, []float64{u}, &out)
			box, err := d.Interval(n, boxesFor(n, l, u))
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				x := min(l+rng.Float64()*(u-l), u)
				y := run1(t, d, n, x)
				room := 1e-14 * (1 + math.Abs(out.UpSlope[0]*x) + math.Abs(out.LoSlope[0]*x) + math.Abs(y))
				if y < box[0].Lower[0] || y > box[0].Upper[0] ||
					out.LoSlope[0]*x+out.LoIcept[0] > y+room || out.UpSlope[0]*x+out.UpIcept[0] < y-room {
					t.Fatalf("%s on [%v, %v]: f(%v) = %v, box %v, lines %v", name, l, u, x, y, box, out)
				}
			}
		}
	}
}

func run1(t *testing.T, d *op.Def, n *onnxio.Node, x float64) float64 {
	t.Helper()
	c := &op.Call{Node: n, In: []*onnxio.Tensor{onnxio.FromFloat64([]float64{x}, 1)}, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Double, 1)},
		Work: new(op.Workspace)}
	if err := d.Eval(c); err != nil {
		t.Fatal(err)
	}
	return c.Out[0].F64()[0]
}
