package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// relaxTest is a node with an exact evaluation of its outputs: in float64 and far more.
type relaxTest struct {
	name  string
	n     *onnxio.Node
	truth func(x [][]float64) []*big.Float
	// float32s evaluates as executions do that round every step; nil for none. Results are for float32 inputs.
	float32s func(x [][]float32) [][]float32
}

// scaledBoxes gives every variable a box around numbers of one size: wide, narrow, degenerate or a mixture.
func scaledBoxes(rng *rand.Rand, n *onnxio.Node) []relax.Box {
	boxes := make([]relax.Box, len(n.Inputs))
	size := math.Exp(rng.NormFloat64() * 3)
	width := math.Exp(-rng.Float64() * 25)
	kind := rng.IntN(4)
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		if v.Const != nil {
			c, _ := v.Const.Float64s()
			boxes[i] = relax.Box{Lower: c, Upper: c}
			continue
		}
		b := relax.NewBox(product(v.Shape))
		for j := range b.Lower {
			c, r := rng.NormFloat64()*size, math.Abs(rng.NormFloat64())*width*size
			switch {
			case kind == 0 && rng.IntN(2) == 0, kind == 1:
				r = 0
			case kind == 2 && rng.IntN(4) == 0:
				r = size * 10
			}
			// Ends are float32s, so that float32 executions have inputs in the box too.
			b.Lower[j], b.Upper[j] = float64(float32(c-r)), float64(float32(c+r))
		}
		boxes[i] = b
	}
	return boxes
}

// checkRelaxation is the adversary of Interval, Linear and Execution of a node with one output: points in random boxes, at their ends and
// inside, in exact arithmetic.
func checkRelaxation(t *testing.T, c relaxTest, times int) {
	t.Helper()
	d, err := Lookup(c.n)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Linear(c.n)
	if err != nil {
		t.Fatal(err)
	}
	if l.Relax == nil {
		t.Fatal("not a relaxation")
	}
	rng := rand.New(rand.NewPCG(71, 72))
	for round := range rounds(times) {
		boxes := scaledBoxes(rng, c.n)
		if round%3 == 0 {
			boxes = randomBoxes(rng, c.n)
		}
		out, err := d.Interval(c.n, boxes)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Relax(relax.SlopeAdaptive, boxes)
		if err != nil {
			t.Fatal(err)
		}
		room := make([]float64, len(out[0].Lower))
		l.Execution.Errors(boxes, out[0], room, inOrder)
		for range 12 {
			p := pointIn(rng, c.n, boxes)
			for i, y := range c.truth(p) {
				if y == nil {
					continue
				}
				if math.IsNaN(out[0].Lower[i]) || y.Cmp(bigFloat(out[0].Lower[i])) < 0 || y.Cmp(bigFloat(out[0].Upper[i])) > 0 {
					t.Fatalf("%s: %v outside [%v, %v] at %v", c.name, y, out[0].Lower[i], out[0].Upper[i], p)
				}
				all := everyInput(c.n, boxes, p)
				if !math.IsInf(r.Lower.Const[i], 0) && form(&r.Lower, i, all).Cmp(y) > 0 {
					t.Fatalf("%s: output %d is %v, lower form %v, round %d, at %v in %v", c.name, i, y, form(&r.Lower, i, all), round, p, boxes)
				}
				if !math.IsInf(r.Upper.Const[i], 0) && form(&r.Upper, i, all).Cmp(y) < 0 {
					t.Fatalf("%s: output %d is %v, upper form %v, round %d, at %v in %v", c.name, i, y, form(&r.Upper, i, all), round, p, boxes)
				}
			}
			if c.float32s == nil {
				continue
			}
			single := make([][]float32, len(p))
			for k := range p {
				single[k] = make([]float32, len(p[k]))
				for j, v := range p[k] {
					single[k][j] = float32(v)
					p[k][j] = float64(float32(v))
				}
			}
			want := c.truth(p)
			for _, ys := range c.float32s(single) {
				for i, y := range ys {
					if want[i] == nil {
						continue
					}
					w, _ := want[i].Float64()
					e := room[i]
					if !(math.Abs(float64(y)-w) <= e) && !math.IsInf(e, 1) && sound.Finite(float64(y)) {
						t.Fatalf("%s: output %d is %v in float32 and %v exactly: off by %v, said %v, at %v", c.name, i, y, w, float64(y)-w, e, p)
					}
				}
			}
		}
	}
}

// inOrder is the reorder of a value that is stored in the standard's order.
func inOrder(dst, src []float64) { copy(dst, src) }

// everyInput lists the point of every input, constants included.
func everyInput(n *onnxio.Node, boxes []relax.Box, p [][]float64) [][]float64 {
	all, at := make([][]float64, len(boxes)), 0
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		if all[i] = boxes[i].Lower; v.Const == nil {
			all[i] = p[at]
			at++
		}
	}
	return all
}

func big0() *big.Float { return new(big.Float).SetPrec(bigPrec) }

// TestProductsOfVariablesHold: forms, boxes and float32 sums of MatMul and Gemm with two variable operands.
func TestProductsOfVariablesHold(t *testing.T) {
	const m, k, n = 2, 3, 2
	exact := func(alpha, beta float64) func(x [][]float64) []*big.Float {
		return func(x [][]float64) []*big.Float {
			var out []*big.Float
			for r := range m {
				for j := range n {
					sum := big0()
					for p := range k {
						sum.Add(sum, big0().Mul(bigFloat(x[0][r*k+p]), bigFloat(x[1][p*n+j])))
					}
					sum.Mul(sum, bigFloat(alpha))
					if len(x) > 2 {
						sum.Add(sum, big0().Mul(bigFloat(beta), bigFloat(x[2][j])))
					}
					out = append(out, sum)
				}
			}
			return out
		}
	}
	forward := func(x [][]float32) [][]float32 {
		var up, down []float32
		for r := range m {
			for j := range n {
				var a, b float32
				for p := range k {
					a += float32(x[0][r*k+p] * x[1][p*n+j])
					b += float32(x[0][r*k+k-1-p] * x[1][(k-1-p)*n+j])
				}
				up, down = append(up, a), append(down, b)
			}
		}
		return [][]float32{up, down}
	}
	checkRelaxation(t, relaxTest{"matmul", node(t, "MatMul", 13, nil, variable(m, k), variable(k, n)), exact(1, 0), forward}, 300)
	alpha, beta := float32(-0.3), float32(1.7)
	checkRelaxation(t, relaxTest{"gemm", node(t, "Gemm", 13, onnxio.Attrs{"alpha": alpha, "beta": beta}, variable(m, k), variable(k, n), variable(n)),
		exact(float64(alpha), float64(beta)), nil}, 100)
}
