package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

func linesOf(t *testing.T, n *onnxio.Node) relax.LinesFunc {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Linear(n)
	if err != nil {
		t.Fatal(err)
	}
	if l.Lines == nil {
		t.Fatalf("%s has no lines", n.Op)
	}
	return l.Lines
}

// kinked is y = a*x below 0 and x above, exactly.
func kinked(a float64) func(float64) *big.Float {
	return func(x float64) *big.Float {
		y := bigFloat(x)
		if x < 0 {
			y.Mul(y, bigFloat(a))
		}
		return y
	}
}

func TestLinesHoldLeakyRelu(t *testing.T) {
	for _, alpha := range []float32{0.01, 0, 0.5, 1, 1.7, -0.3, -2} {
		n := node(t, "LeakyRelu", 16, onnxio.Attrs{"alpha": alpha}, variable(1))
		checkLines(t, "LeakyRelu", linesOf(t, n), kinked(float64(alpha)), someIntervals())
		checkBox(t, "LeakyRelu", n, kinked(float64(alpha)), someIntervals())
	}
}

func TestLinesHoldAbs(t *testing.T) {
	n := node(t, "Abs", 13, nil, variable(1))
	checkLines(t, "Abs", linesOf(t, n), kinked(-1), someIntervals())
	checkBox(t, "Abs", n, kinked(-1), someIntervals())
}

func TestLinesHoldClip(t *testing.T) {
	for _, c := range [][2]float64{{0, 6}, {-1, 1}, {-0.1, 0.3}, {2, 3}, {1, -1}, {math.Inf(-1), 0.5}, {0, math.Inf(1)}} {
		n := node(t, "Clip", 13, nil, variable(1), floats([]float64{c[0]}), floats([]float64{c[1]}))
		truth := func(x float64) *big.Float { return bigFloat(min(max(x, c[0]), c[1])) }
		checkLines(t, "Clip", linesOf(t, n), truth, someIntervals(), c[0], c[1])
		checkBox(t, "Clip", n, truth, someIntervals())
	}
}

func TestClipFormsAgree(t *testing.T) {
	old := node(t, "Clip", 7, onnxio.Attrs{"min": float32(-1), "max": float32(2)}, variable(5))
	for _, n := range []*onnxio.Node{old, node(t, "Clip", 11, nil, variable(5), floats([]float64{-1}), floats([]float64{2}))} {
		got := run(t, n, []float64{-3, -1, 0, 2, 7})[0]
		want := []float64{-1, -1, 0, 2, 2}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("opset %d: %v, want %v", n.Opset, got, want)
				break
			}
		}
	}
}

func TestLinesHoldSigmoidAndTanh(t *testing.T) {
	s, th := node(t, "Sigmoid", 13, nil, variable(1)), node(t, "Tanh", 13, nil, variable(1))
	var iv [][2]float64
	for _, v := range someIntervals() {
		if math.Abs(v[0]) <= 1500 && math.Abs(v[1]) <= 1500 { // the reference's precision ends there
			iv = append(iv, v)
		}
	}
	iv = iv[:min(100, len(iv))]
	checkLines(t, "Sigmoid", linesOf(t, s), bigSigmoid, iv)
	checkLines(t, "Tanh", linesOf(t, th), bigTanh, iv)
	checkBox(t, "Sigmoid", s, bigSigmoid, iv)
	checkBox(t, "Tanh", th, bigTanh, iv)
}

// TestSigmoidLinesAreTight compares with lines that are known to touch: the gap at the touching points is rounding only.
func TestSigmoidLinesAreTight(t *testing.T) {
	out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
	for _, iv := range [][2]float64{{-1, 2}, {-4, 1}, {1, 3}, {-3, -1}, {-0.1, 5}, {-2, 2}} {
		sigmoidLines(relax.SlopeAdaptive, iv[:1], iv[1:], &out)
		up, lo := math.Inf(1), math.Inf(1)
		const steps = 20000
		for i := range steps + 1 {
			x := iv[0] + (iv[1]-iv[0])*float64(i)/steps
			up = min(up, out.UpSlope[0]*x+out.UpIcept[0]-sigmoid(x))
			lo = min(lo, sigmoid(x)-out.LoSlope[0]*x-out.LoIcept[0])
		}
		if up > 1e-8 || lo > 1e-8 { // the sampling grid misses the touching point by up to 1e-4, the gap is quadratic
			t.Errorf("on %v the lines keep distances %g and %g", iv, up, lo)
		}
	}
}

func TestLinesHoldExp(t *testing.T) {
	var iv [][2]float64
	for _, v := range someIntervals() {
		if v[1] < 600 && v[0] > -600 {
			iv = append(iv, v)
		}
	}
	truth := func(x float64) *big.Float { return bigExp(bigFloat(x)) }
	n := node(t, "Exp", 13, nil, variable(1))
	checkLines(t, "Exp", linesOf(t, n), truth, iv[:min(100, len(iv))])
	checkBox(t, "Exp", n, truth, iv[:min(100, len(iv))])
}

func TestLinesHoldSqrtSquareAndReciprocal(t *testing.T) {
	var positive, nonzero [][2]float64
	for _, v := range someIntervals() {
		if v[0] >= 0 {
			positive = append(positive, v)
		}
		if v[0] > 0 || v[1] < 0 {
			nonzero = append(nonzero, v)
		}
	}
	root := func(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).Sqrt(bigFloat(x)) }
	n := node(t, "Sqrt", 13, nil, variable(1))
	checkLines(t, "Sqrt", linesOf(t, n), root, positive)
	checkBox(t, "Sqrt", n, root, positive)

	square := func(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).Mul(bigFloat(x), bigFloat(x)) }
	x := variable(1)
	n = node(t, "Mul", 13, nil, x, x)
	checkLines(t, "Mul(x, x)", linesOf(t, n), square, someIntervals())
	checkBox(t, "Mul(x, x)", n, square, someIntervals())
	n = node(t, "Pow", 13, nil, x, floats([]float64{2}))
	checkLines(t, "Pow(x, 2)", linesOf(t, n), square, someIntervals())
	cube := func(x float64) *big.Float { y := square(x); return y.Mul(y, bigFloat(x)) }
	n = node(t, "Pow", 13, nil, x, floats([]float64{3}))
	checkLines(t, "Pow(x, 3)", linesOf(t, n), cube, someIntervals())
	checkBox(t, "Pow(x, 3)", n, cube, someIntervals())

	for _, c := range []float64{3, -0.7} {
		n = node(t, "Div", 13, nil, floats([]float64{c}, 1), x)
		inverse := func(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).Quo(bigFloat(c), bigFloat(x)) }
		checkLines(t, "Div(c, x)", linesOf(t, n), inverse, nonzero)
		checkBox(t, "Div(c, x)", n, inverse, nonzero)
	}
}

// TestLinesHoldOnUnboundedBoxes wants numbers or honest infinities, never NaN.
func TestLinesHoldOnUnboundedBoxes(t *testing.T) {
	inf := math.Inf(1)
	for _, name := range []string{"LeakyRelu", "Abs", "Clip", "Sigmoid", "Tanh", "Exp", "Erf", "Floor", "Sign", "Sin", "Cos", "Sqrt", "Log"} {
		n := node(t, name, 13, onnxio.Attrs{}, variable(1))
		if name == "Clip" {
			n = node(t, name, 13, nil, variable(1), floats([]float64{-1}), floats([]float64{1}))
		}
		f := linesOf(t, n)
		d, _ := Lookup(n)
		for _, iv := range [][2]float64{{-inf, inf}, {-inf, 0}, {-inf, 3}, {0, inf}, {-2, inf}, {-1e308, 1e308}} {
			out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
			f(relax.SlopeAdaptive, iv[:1], iv[1:], &out)
			for _, v := range []float64{out.LoSlope[0], out.LoIcept[0], out.UpSlope[0], out.UpIcept[0]} {
				if math.IsNaN(v) {
					t.Errorf("%s on %v: %v", name, iv, out)
				}
			}
			box, err := d.Interval(n, boxesFor(n, iv[0], iv[1]))
			if err != nil || !(box[0].Lower[0] <= box[0].Upper[0]) {
				t.Errorf("%s on %v: %v %v", name, iv, box, err)
			}
			if x := 0.5; iv[0] <= x && iv[1] >= x {
				y := run(t, node(t, name, 13, n.Attrs, n.Inputs...), []float64{x})[0][0]
				if out.LoSlope[0]*x+out.LoIcept[0] > y || out.UpSlope[0]*x+out.UpIcept[0] < y {
					t.Errorf("%s on %v: lines %v miss f(0.5) = %v", name, iv, out, y)
				}
			}
		}
	}
}

// TestAdaptiveSlopesLeaveTheSmallerArea compares the free line with the other branch: the gap in the middle is never larger.
func TestAdaptiveSlopesLeaveTheSmallerArea(t *testing.T) {
	out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
	for _, iv := range someIntervals() {
		l, u := iv[0], iv[1]
		mid := (l + u) / 2
		if !(l < 0 && u > 0) || l == -u {
			continue
		}
		relax.KinkLine(relax.SlopeAdaptive, 0, l, u, 0.1, 1, &out)
		if got, best := out.LoSlope[0]*mid, max(0.1*mid, mid); got < best {
			t.Errorf("LeakyRelu 0.1 on %v: %v in the middle, %v is possible", iv, got, best)
		}
		relax.KinkLine(relax.SlopeAdaptive, 0, l, u, 3, 1, &out)
		if got, best := out.UpSlope[0]*mid, min(3*mid, mid); got > best {
			t.Errorf("LeakyRelu 3 on %v: %v in the middle, %v is possible", iv, got, best)
		}
		relax.ClipLine(relax.SlopeAdaptive, 0, l, u, 0, math.Inf(1), &out)
		if got, best := out.LoSlope[0]*mid+out.LoIcept[0], max(0, mid); got < best {
			t.Errorf("Clip on %v: %v in the middle, %v is possible", iv, got, best)
		}
		relax.ClipLine(relax.SlopeAdaptive, 0, l, u, math.Inf(-1), 0, &out)
		if got, best := out.UpSlope[0]*mid+out.UpIcept[0], min(0, mid); got > best {
			t.Errorf("Clip on %v: %v in the middle, %v is possible", iv, got, best)
		}
	}
}

// TestCurvesLeaveTheLeastArea compares both lines' height in the middle with what no line can better.
func TestCurvesLeaveTheLeastArea(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	out := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
	for _, c := range []struct {
		name  string
		f     func(float64) float64
		lines relax.LinesFunc
	}{
		{"Tanh", math.Tanh, tanhLines}, {"Sigmoid", sigmoid, sigmoidLines}, {"Erf", math.Erf, erfLines},
	} {
		for range rounds(300) {
			a, b := rng.NormFloat64()*2, rng.NormFloat64()*2
			l, u := min(a, b), max(a, b)
			c.lines(relax.SlopeAdaptive, []float64{l}, []float64{u}, &out)
			m := l + (u-l)/2
			up, lo := out.UpSlope[0]*m+out.UpIcept[0], out.LoSlope[0]*m+out.LoIcept[0]
			best, least := hullAt(c.f, l, u, m), -hullAt(func(x float64) float64 { return -c.f(x) }, l, u, m)
			if slack := 1e-5 * (u - l); up > best+slack || lo < least-slack {
				t.Errorf("%s on [%v, %v]: %v to %v in the middle, lines can have %v to %v", c.name, l, u, lo, up, least, best)
			}
		}
	}
}

// TestMaximaLeaveTheLeastArea compares the upper form of a maximum with the mean of the maxima at two opposite corners, in the middle.
func TestMaximaLeaveTheLeastArea(t *testing.T) {
	rng := rand.New(rand.NewPCG(43, 44))
	x := variable(1, 1, 2, 2)
	pool := node(t, "MaxPool", 12, onnxio.Attrs{"kernel_shape": []int64{2, 2}}, x)
	reduce := node(t, "ReduceMax", 13, onnxio.Attrs{"axes": []int64{2, 3}}, x)
	for _, n := range []*onnxio.Node{pool, reduce} {
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		lin, err := d.Linear(n)
		if err != nil {
			t.Fatal(err)
		}
		for range rounds(300) {
			boxes := randomBoxes(rng, n)
			b := boxes[0]
			f, err := lin.Relax(relax.SlopeAdaptive, boxes)
			if err != nil {
				t.Fatal(err)
			}
			at := f.Upper.Const[0]
			for k, j := range f.Upper.Index {
				at += f.Upper.Coef[k] * (b.Lower[j] + b.Upper[j]) / 2
			}
			// The best two corners: every element high in one of them and low in the other.
			best := math.Inf(-1)
			for mask := range 16 {
				p, q := math.Inf(-1), math.Inf(-1)
				for j := range 4 {
					if mask>>j&1 == 0 {
						p, q = max(p, b.Lower[j]), max(q, b.Upper[j])
					} else {
						p, q = max(p, b.Upper[j]), max(q, b.Lower[j])
					}
				}
				best = max(best, (p+q)/2)
			}
			if at > best+1e-12*(math.Abs(at)+math.Abs(best)) {
				t.Errorf("%s over %v: %v in the middle, %v is possible", n.Op, b, at, best)
			}
		}
	}
}
