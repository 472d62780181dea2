package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// familyOf is what lines of a node's operator are chosen from.
func familyOf(t *testing.T, n *onnxio.Node) relax.Family {
	t.Helper()
	d, err := Lookup(n)
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.Linear(n)
	if err != nil {
		t.Fatal(err)
	}
	if l.Family == nil {
		t.Fatalf("%s has no family", n.Op)
	}
	return l.Family
}

// TestFamiliesHold draws members of every family: whatever number is asked for, also one outside of its ends or none at all, the line holds in exact
// arithmetic on the whole interval, has no slope beyond the steepest, and the usual number's line is that which Lines gives. A tangent touches where
// it is asked to.
func TestFamiliesHold(t *testing.T) {
	leaky := func(alpha float32) *onnxio.Node {
		return node(t, "LeakyRelu", 16, onnxio.Attrs{"alpha": alpha}, variable(1))
	}
	for _, c := range []struct {
		name    string
		node    *onnxio.Node
		truth   func(float64) *big.Float
		largest float64 // of an interval's ends, for the reference's sake
		smooth  bool
	}{
		{"Sigmoid", node(t, "Sigmoid", 13, nil, variable(1)), bigSigmoid, 1500, true},
		{"Tanh", node(t, "Tanh", 13, nil, variable(1)), bigTanh, 1500, true},
		{"Erf", node(t, "Erf", 13, nil, variable(1)), bigErf, 4, true},
		{"Exp", node(t, "Exp", 13, nil, variable(1)), func(x float64) *big.Float { return add(wide(1), expm1(wide(x))) }, 300, true},
		{"Pow 2", node(t, "Pow", 13, nil, variable(1), floats([]float64{2})), func(x float64) *big.Float { return mul(wide(x), wide(x)) }, 1e100, true},
		{"Clip", node(t, "Clip", 13, nil, variable(1), floats([]float64{-0.5}), floats([]float64{2})), clipped(-0.5, 2), math.Inf(1), false},
		{"Clip below", node(t, "Clip", 13, nil, variable(1), floats([]float64{0.25})), clipped(0.25, math.Inf(1)), math.Inf(1), false},
		{"Clip above", node(t, "Clip", 7, onnxio.Attrs{"max": float32(1)}, variable(1)), clipped(math.Inf(-1), 1), math.Inf(1), false},
		{"Elu", node(t, "Elu", 13, nil, variable(1)), bigElu, 300, false},
		{"HardSwish", node(t, "HardSwish", 14, nil, variable(1)), bigHardSwish, math.Inf(1), false},
		{"Softsign", node(t, "Softsign", 13, nil, variable(1)), func(x float64) *big.Float { return quo(wide(x), add(wide(1), wide(math.Abs(x)))) },
			1e6, false},
		{"Abs", node(t, "Abs", 13, nil, variable(1)), kinked(-1), math.Inf(1), false},
		{"LeakyRelu 0.01", leaky(0.01), kinked(float64(float32(0.01))), math.Inf(1), false},
		{"LeakyRelu 1.7", leaky(1.7), kinked(float64(float32(1.7))), math.Inf(1), false},
		{"LeakyRelu -2", leaky(-2), kinked(-2), math.Inf(1), false},
		{"PRelu 0.25", node(t, "PRelu", 16, nil, variable(1), floats([]float64{0.25})), kinked(0.25), math.Inf(1), false},
		{"PRelu 3", node(t, "PRelu", 16, nil, variable(1), floats([]float64{3})), kinked(3), math.Inf(1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(15, 15))
			f, lines := familyOf(t, c.node), linesOf(t, c.node)
			var iv [][2]float64
			for _, v := range someIntervals() {
				if v[0] < v[1] && max(math.Abs(v[0]), math.Abs(v[1])) <= c.largest {
					iv = append(iv, v)
				}
			}
			iv = iv[:min(len(iv), 70)]
			draw := func(e relax.Choice, kind int) float64 {
				switch kind {
				case 0:
					return e.Usual
				case 1:
					return e.From
				case 2:
					return e.To
				case 3:
					return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, 2, 1e308}[rng.IntN(7)]
				case 4:
					return e.Clamp(math.NaN())
				}
				return e.From + rng.Float64()*(e.To-e.From)
			}
			open := 0
			for kind := range 8 {
				checkLines(t, c.name, func(_ relax.Slope, l, u []float64, out *relax.Lines) {
					e := f.Ends(l[0], u[0])
					p, q := draw(e.Lo, kind), draw(e.Up, kind)
					lk, lc := f.Lower(l[0], u[0], p)
					uk, uc := f.Upper(l[0], u[0], q)
					out.Set(0, lk, lc, uk, uc)
					if steepest := f.Steepest(l[0], u[0]); kind != 3 && max(math.Abs(lk), math.Abs(uk)) > steepest {
						t.Fatalf("[%v, %v]: slopes %v and %v, steepest is %v", l[0], u[0], lk, uk, steepest)
					}
					own := relax.Lines{LoSlope: make([]float64, 1), LoIcept: make([]float64, 1), UpSlope: make([]float64, 1), UpIcept: make([]float64, 1)}
					lines(relax.SlopeAdaptive, l, u, &own)
					m, tol := l[0]+(u[0]-l[0])/2, 1e-9*(1+math.Abs(l[0])+math.Abs(u[0]))
					at := func(k, i, z float64) float64 { return k*z + i }
					near := func(what string, a, b float64) {
						if !(math.Abs(a-b) <= tol) {
							t.Fatalf("[%v, %v]: %s: %v, not %v", l[0], u[0], what, a, b)
						}
					}
					if kind == 0 && e.Lo.Open() {
						near("the usual lower line in the middle", at(lk, lc, m), at(own.LoSlope[0], own.LoIcept[0], m))
					}
					if kind == 0 && e.Up.Open() {
						near("the usual upper line in the middle", at(uk, uc, m), at(own.UpSlope[0], own.UpIcept[0], m))
					}
					if c.smooth && kind != 3 && max(-l[0], u[0]) < 6 {
						if e.Lo.Open() {
							open++
							near("the lower line where it touches", at(lk, lc, p), f.Value(p))
						}
						if e.Up.Open() {
							open++
							near("the upper line where it touches", at(uk, uc, q), f.Value(q))
						}
					}
				}, c.truth, iv)
			}
			if c.smooth && open < 100 {
				t.Errorf("%d tangents in all", open)
			}
			for range 100 {
				x := rng.NormFloat64() * 4
				want, _ := c.truth(x).Float64()
				if y := f.Value(x); math.Abs(y-want) > 1e-12*(1+math.Abs(want)) {
					t.Errorf("the value at %v is %v, not %v", x, y, want)
				}
			}
		})
	}
}

func clipped(lo, hi float64) func(float64) *big.Float {
	return func(x float64) *big.Float { return bigFloat(min(max(x, lo), hi)) }
}

func bigElu(x float64) *big.Float {
	if x >= 0 {
		return bigFloat(x)
	}
	return expm1(wide(x))
}

func bigHardSwish(x float64) *big.Float {
	switch {
	case x <= -3:
		return bigFloat(0)
	case x >= 3:
		return bigFloat(x)
	}
	return quo(mul(wide(x), add(wide(x), wide(3))), wide(6))
}

// bigErf sums 2/sqrt(pi) times (-1)^n x^(2n+1)/(n! (2n+1)), for |x| of a few units.
func bigErf(x float64) *big.Float {
	const prec = 400
	num := func(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }
	square, power, sum := num(x), num(x), num(x)
	square.Mul(square, square)
	for n := 1; n < 400; n++ {
		power.Mul(power, square).Quo(power, num(float64(-n)))
		term := num(0).Quo(power, num(float64(2*n+1)))
		sum.Add(sum, term)
		if term.Sign() == 0 || sum.Sign() != 0 && term.MantExp(nil) < sum.MantExp(nil)-prec {
			break
		}
	}
	return sum.Mul(sum, quo(wide(2), root(bigPi)))
}

// TestTangentsAreNearTheLines: what a family draws in place of its lines is them, for numbers between the ends, to what float32 would round.
func TestTangentsAreNearTheLines(t *testing.T) {
	for _, name := range []string{"Sigmoid", "Tanh", "Erf"} {
		f, ok := familyOf(t, node(t, name, 13, nil, variable(1))).(relax.Tangential)
		if !ok {
			t.Errorf("%s draws nothing", name)
			continue
		}
		rng := rand.New(rand.NewPCG(15, 16))
		open := 0
		for range 20000 {
			l := 4 * rng.NormFloat64()
			u := l + 6*math.Exp(2*rng.NormFloat64()-1)
			e := f.Ends(l, u)
			for upper, c := range map[bool]relax.Choice{false: e.Lo, true: e.Up} {
				if !c.Open() {
					continue
				}
				open++
				p := c.From + rng.Float64()*(c.To-c.From)
				k, i := f.Tangent(p)
				slope, icept := f.Lower(l, u, p)
				if upper {
					slope, icept = f.Upper(l, u, p)
				}
				if !(math.Abs(k-slope) <= 1e-7) || !(math.Abs(i-icept) <= 1e-7*(1+math.Abs(l)+math.Abs(u))) {
					t.Fatalf("%s on [%v, %v], number %v, upper %v: %v x + %v is drawn for %v x + %v", name, l, u, p, upper, k, i, slope, icept)
				}
			}
		}
		if open < 10000 {
			t.Errorf("%s: %d lines were drawn", name, open)
		}
	}
}
