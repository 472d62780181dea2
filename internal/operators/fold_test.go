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

// TestFoldsAreBounded samples boxes of five elements against the reductions in high precision; ends are drawn often.
func TestFoldsAreBounded(t *testing.T) {
	sum := func(f func(x *big.Float) *big.Float) func(x []*big.Float) *big.Float {
		return func(x []*big.Float) *big.Float {
			s := wide(0)
			for _, v := range x {
				s = add(s, f(v))
			}
			return s
		}
	}
	squares := sum(func(x *big.Float) *big.Float { return mul(x, x) })
	same := sum(func(x *big.Float) *big.Float { return x })
	exps := sum(exp)
	for _, c := range []struct {
		name     string
		positive bool
		truth    func(x []*big.Float) *big.Float
	}{
		{"ReduceProd", false, func(x []*big.Float) *big.Float {
			p := wide(1)
			for _, v := range x {
				p = mul(p, v)
			}
			return p
		}},
		{"ReduceL1", false, sum(func(x *big.Float) *big.Float { return new(big.Float).SetPrec(curvePrec).Abs(x) })},
		{"ReduceSumSquare", false, squares},
		{"ReduceL2", false, func(x []*big.Float) *big.Float { return root(squares(x)) }},
		{"ReduceLogSum", true, func(x []*big.Float) *big.Float { return logarithm(same(x)) }},
		{"ReduceLogSumExp", false, func(x []*big.Float) *big.Float { return logarithm(exps(x)) }},
	} {
		const size = 5
		n, d := node(t, c.name, 18, nil, variable(size)), known[c.name]
		l, err := d.Linear(n)
		if err != nil {
			t.Fatal(err)
		}
		if l.Execution.Moves() || l.Execution.Source() == "" {
			t.Errorf("%s: executions are said to be exact", c.name)
		}
		rng := rand.New(rand.NewPCG(33, 34))
		tight := math.Inf(1)
		for range 60 {
			box := randomBoxes(rng, n)[0]
			for i := range size {
				if c.positive {
					a, b := math.Abs(box.Lower[i]), math.Abs(box.Upper[i])
					box.Lower[i], box.Upper[i] = min(a, b), max(a, b)
				}
				box.Lower[i], box.Upper[i] = max(box.Lower[i], -50), min(box.Upper[i], 50)
				box.Lower[i], box.Upper[i] = min(box.Lower[i], 50), max(box.Upper[i], -50)
			}
			out, err := d.Interval(n, []relax.Box{box})
			if err != nil {
				t.Fatal(err)
			}
			r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{box})
			if err != nil {
				t.Fatal(err)
			}
			for k := range 14 {
				p := pointIn(rng, n, []relax.Box{box})
				switch k { // the ends and what is next to 0 are extremes of these
				case 0:
					p[0] = box.Lower
				case 1:
					p[0] = box.Upper
				case 2:
					for i := range size {
						p[0][i] = min(max(0, box.Lower[i]), box.Upper[i])
					}
				}
				x := make([]*big.Float, size)
				for i, v := range p[0] {
					x[i] = wide(v)
				}
				if c.positive && same(x).Sign() == 0 {
					continue
				}
				y := c.truth(x)
				if y.Cmp(wide(out[0].Lower[0])) < 0 || y.Cmp(wide(out[0].Upper[0])) > 0 {
					t.Fatalf("%s(%v) = %.20g outside [%v, %v]", c.name, p[0], y, out[0].Lower[0], out[0].Upper[0])
				}
				if form(&r.Lower, 0, p).Cmp(y) > 0 || form(&r.Upper, 0, p).Cmp(y) < 0 {
					t.Fatalf("%s(%v) = %.20g outside its forms", c.name, p[0], y)
				}
				v, _ := y.Float64()
				tight = min(tight, min(v-out[0].Lower[0], out[0].Upper[0]-v)/(1e-300+math.Abs(v)))
			}
		}
		if tight > 1e-14 {
			t.Errorf("%s: the box is never touched, %g at best", c.name, tight)
		}
	}
}

// TestExtremeFormsCopy: a decided maximum is the element itself.
func TestExtremeFormsCopy(t *testing.T) {
	n := node(t, "ReduceMax", 18, nil, variable(2, 2), ints(1))
	l, err := known["ReduceMax"].Linear(n)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Relax(relax.SlopeAdaptive, []relax.Box{{Lower: []float64{0, 2, -1, -1}, Upper: []float64{1, 3, 1, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	u := r.Upper
	if u.Start[1] != 1 || u.Index[0] != 1 || u.Coef[0] != 1 || u.Const[0] != 0 {
		t.Errorf("the upper form of max(x0 <= 1, x1 >= 2) is %+v", u)
	}
	if u.Start[2]-u.Start[1] != 2 || u.Coef[1] != 0.5 || u.Coef[2] != 0.5 || !(u.Const[1] >= 1 && u.Const[1] < 1+1e-12) {
		t.Errorf("the upper form of max of two in [-1, 1] is %+v", u)
	}
}

// TestExactReductionsStayInteger: no float64 between.
func TestExactReductionsStayInteger(t *testing.T) {
	big := int64(1)<<60 + 1
	c := &op.Call{Node: node(t, "ReduceL1", 13, nil, ints(-big, 1)), In: []*onnxio.Tensor{onnxio.FromInt64([]int64{-big, 1}, 2)},
		Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int64, 1)}, Work: new(op.Workspace)}
	if err := known["ReduceL1"].Eval(c); err != nil || c.Out[0].I64()[0] != big+1 {
		t.Errorf("%v %v", c.Out[0], err)
	}
}
