package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// piecedCase is a function made of parts: its node, its truth, and places where it has kinks or jumps.
type piecedCase struct {
	n       *onnxio.Node
	truth   func(x float64) *big.Float
	special []float64
}

func clamp(x *big.Float, lo, hi float64) *big.Float {
	switch {
	case x.Cmp(wide(lo)) < 0:
		return wide(lo)
	case x.Cmp(wide(hi)) > 0:
		return wide(hi)
	}
	return x
}

// exponential is k*x from 0 on, else a*(exp(x/t)-1).
func exponential(a, t, k float64) func(x float64) *big.Float {
	return func(x float64) *big.Float {
		if x >= 0 {
			return mul(wide(k), wide(x))
		}
		return mul(wide(a), expm1(quo(wide(x), wide(t))))
	}
}

func piecedCases(t *testing.T) []piecedCase {
	x := variable(1)
	out := []piecedCase{{node(t, "HardSwish", 14, nil, x), func(x float64) *big.Float {
		return mul(wide(x), clamp(add(quo(wide(x), wide(6)), wide(0.5)), 0, 1))
	}, []float64{-3, 3, -1.5, sound.Up(-3), sound.Down(3)}}}
	for _, c := range [][2]float32{{0.2, 0.5}, {1.0 / 6, 0.5}, {-0.7, 0.1}, {3, -2}, {0, 0.3}, {1e-7, 1e9}, {-2, 2}} {
		alpha, beta := float64(c[0]), float64(c[1])
		out = append(out, piecedCase{node(t, "HardSigmoid", 7, onnxio.Attrs{"alpha": c[0], "beta": c[1]}, x), func(x float64) *big.Float {
			y := new(big.Float).SetPrec(bigPrec).Mul(bigFloat(alpha), bigFloat(x))
			return clamp(y.Add(y, bigFloat(beta)), 0, 1)
		}, []float64{-beta / alpha, (1 - beta) / alpha, sound.Down(-beta / alpha), sound.Up((1 - beta) / alpha)}})
	}
	for _, alpha := range []float32{1, 0.3, 1.7, -0.5, 0} {
		out = append(out, piecedCase{node(t, "Elu", 7, onnxio.Attrs{"alpha": alpha}, x), exponential(float64(alpha), 1, 1), []float64{0, -5e-324}})
	}
	out = append(out,
		piecedCase{node(t, "Selu", 7, nil, x), exponential(float64(float32(1.67326319217681884765625))*float64(float32(1.05070102214813232421875)), 1,
			float64(float32(1.05070102214813232421875))), nil},
		piecedCase{node(t, "Selu", 7, onnxio.Attrs{"gamma": float32(-1.5)}, x),
			exponential(-1.5*float64(float32(1.67326319217681884765625)), 1, -1.5), nil})
	for _, alpha := range []float32{1, 0.25, 3} {
		out = append(out, piecedCase{node(t, "Celu", 12, onnxio.Attrs{"alpha": alpha}, x), exponential(float64(alpha), float64(alpha), 1), nil})
	}
	for _, alpha := range []float32{1, 0, -0.75} {
		a := float64(alpha)
		out = append(out, piecedCase{node(t, "ThresholdedRelu", 10, onnxio.Attrs{"alpha": alpha}, x), func(x float64) *big.Float {
			if x > a {
				return wide(x)
			}
			return wide(0)
		}, []float64{a, sound.Up(a), sound.Down(a)}})
	}
	for _, slope := range []float64{0.25, -0.5, 1.5} {
		out = append(out, piecedCase{node(t, "PRelu", 16, nil, x, floats([]float64{slope}, 1)), kinked(slope), nil})
	}
	return append(out,
		piecedCase{node(t, "Softplus", 7, nil, x), func(x float64) *big.Float { return logarithm(add(wide(1), exp(wide(x)))) }, nil},
		piecedCase{node(t, "Softsign", 7, nil, x), func(x float64) *big.Float { return quo(wide(x), add(wide(1), wide(math.Abs(x)))) }, nil})
}

// smallIntervals are those of someIntervals that the references serve, and some at special places.
func smallIntervals(special ...float64) [][2]float64 {
	var iv [][2]float64
	for _, v := range someIntervals()[:min(90, 24+rounds(200))] {
		if v[0] >= -150 && v[1] <= 150 {
			iv = append(iv, v)
		}
	}
	for i, x := range special {
		if !sound.Finite(x) {
			continue
		}
		w := math.Abs(x)*0.3 + 0.1 + 0.3*float64(i)
		iv = append(iv, [2]float64{x, x}, [2]float64{sound.Down(x), sound.Up(x)}, [2]float64{x - w, x}, [2]float64{x, x + w}, [2]float64{x - w, x + 3*w},
			[2]float64{x - 3*w, x + w})
	}
	return iv
}

func TestLinesHoldPieced(t *testing.T) {
	for _, c := range piecedCases(t) {
		iv := smallIntervals(c.special...)
		if c.n.Op == "Softplus" {
			iv = iv[:40]
		}
		name := c.n.Op
		checkLines(t, name, linesOf(t, c.n), c.truth, iv, c.special...)
		checkBox(t, name, c.n, c.truth, iv)
	}
}

// hullAt is the value at m of the upper hull of many points of the graph: no line over the graph is lower there.
func hullAt(f func(x float64) float64, l, u, m float64) float64 {
	const steps = 600
	var x, y [steps + 1]float64
	for i := range x {
		x[i] = l + (u-l)*float64(i)/steps
		y[i] = f(x[i])
	}
	best := math.Inf(-1)
	for i := range x {
		for j := i; j < len(x); j++ {
			switch {
			case x[i] > m || x[j] < m:
			case i == j:
				best = max(best, y[i])
			default:
				best = max(best, y[i]+(y[j]-y[i])*(m-x[i])/(x[j]-x[i]))
			}
		}
	}
	return best
}

// TestPiecedLinesAreTight: in the middle the lines are at the hull of the graph, but for rounding and the grid.
func TestPiecedLinesAreTight(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 26))
	nodes := []*onnxio.Node{}
	for _, c := range piecedCases(t) {
		nodes = append(nodes, c.n)
	}
	for _, c := range dips(t) {
		nodes = append(nodes, c.n)
	}
	for _, n := range nodes {
		f, d := linesOf(t, n), known[n.Op]
		value := func(x float64) float64 { return evalAt(t, d, n, x) }
		if n.Op == "PRelu" { // has the lines of LeakyRelu
			continue
		}
		for range 12 {
			scale := math.Exp(rng.Float64()*4 - 1)
			l, u := rng.NormFloat64()*scale, rng.NormFloat64()*scale
			l, u = min(l, u), max(l, u)
			out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
			f(relax.SlopeAdaptive, []float64{l}, []float64{u}, &out)
			m := l + (u-l)/2
			up := hullAt(value, l, u, m)
			lo := -hullAt(func(x float64) float64 { return -value(x) }, l, u, m)
			// The grid misses kinks and touching points by (u-l)/1200 at most; jumps of ThresholdedRelu likewise.
			room := 2e-3 * (u - l + 1)
			if gap := out.UpSlope[0]*m + out.UpIcept[0] - up; !(gap < room) {
				t.Errorf("%s %v on [%v, %v]: upper line %v over the hull", n.Op, n.Attrs, l, u, gap)
			}
			if gap := lo - out.LoSlope[0]*m - out.LoIcept[0]; !(gap < room) {
				t.Errorf("%s %v on [%v, %v]: lower line %v under the hull", n.Op, n.Attrs, l, u, gap)
			}
		}
	}
}

// evalAt is run1 for nodes whose other inputs are constant.
func evalAt(t *testing.T, d *op.Def, n *onnxio.Node, x float64) float64 {
	t.Helper()
	c := &op.Call{Node: n, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Double, 1)}, Work: new(op.Workspace)}
	for _, v := range n.Inputs {
		if v.Const != nil {
			c.In = append(c.In, v.Const)
		} else {
			c.In = append(c.In, onnxio.FromFloat64([]float64{x}, 1))
		}
	}
	if err := d.Eval(c); err != nil {
		t.Fatal(err)
	}
	return c.Out[0].F64()[0]
}

// TestPiecedLinesOnUnboundedBoxes wants honest infinities or numbers, never NaN.
func TestPiecedLinesOnUnboundedBoxes(t *testing.T) {
	inf := math.Inf(1)
	var nodes []*onnxio.Node
	for _, c := range piecedCases(t) {
		nodes = append(nodes, c.n)
	}
	for _, c := range dips(t) {
		nodes = append(nodes, c.n)
	}
	for _, name := range []string{"Ceil", "Round", "Reciprocal"} {
		nodes = append(nodes, node(t, name, 13, nil, variable(1)))
	}
	checkUnbounded(t, nodes, [][2]float64{{-inf, inf}, {-inf, 0}, {-inf, 3}, {0, inf}, {-2, inf}, {-1e308, 1e308}, {-1e300, -1e299}, {1e299, 1e308},
		{-2000, -1000}, {-1e9, 0.5}, {-0.5, 1e9}})
}

func checkUnbounded(t *testing.T, nodes []*onnxio.Node, intervals [][2]float64) {
	t.Helper()
	for _, n := range nodes {
		f, d := linesOf(t, n), known[n.Op]
		for _, iv := range intervals {
			out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
			f(relax.SlopeAdaptive, iv[:1], iv[1:], &out)
			for _, v := range []float64{out.LoSlope[0], out.LoIcept[0], out.UpSlope[0], out.UpIcept[0]} {
				if math.IsNaN(v) {
					t.Errorf("%s %v on %v: %v", n.Op, n.Attrs, iv, out)
				}
			}
			box, err := d.Interval(n, boxesFor(n, iv[0], iv[1]))
			if err != nil || !(box[0].Lower[0] <= box[0].Upper[0]) {
				t.Errorf("%s %v on %v: %v %v", n.Op, n.Attrs, iv, box, err)
				continue
			}
			for _, x := range []float64{-1.5, 0.25, 3, iv[0], iv[1], iv[0]/2 + iv[1]/2} {
				if !(iv[0] <= x && iv[1] >= x) || math.IsInf(x, 0) {
					continue
				}
				y := evalAt(t, d, n, x)
				if y < box[0].Lower[0]-1e-300 || y > box[0].Upper[0]+1e-300 {
					t.Errorf("%s %v on %v: f(%v) = %v outside %v", n.Op, n.Attrs, iv, x, y, box)
				}
				if math.IsNaN(y) || math.IsInf(y, 0) {
					continue
				}
				room := 1e-15*math.Abs(y) + 1e-300 // for Eval's rounding
				if exactly(out.LoSlope[0], x, out.LoIcept[0], bigFloat(y+room)) > 0 && !math.IsInf(out.LoIcept[0], -1) {
					t.Errorf("%s %v on %v: lower line %v misses f(%v) = %v", n.Op, n.Attrs, iv, out, x, y)
				}
				if exactly(out.UpSlope[0], x, out.UpIcept[0], bigFloat(y-room)) < 0 && !math.IsInf(out.UpIcept[0], 1) {
					t.Errorf("%s %v on %v: upper line %v misses f(%v) = %v", n.Op, n.Attrs, iv, out, x, y)
				}
			}
		}
	}
}
