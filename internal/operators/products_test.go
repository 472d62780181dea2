package operators

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// operands gives the two inputs of a product: variables, or one of them constant.
func operands(rng *rand.Rand, which int, a, b []int) (va, vb *onnxio.Value, da, db []float64, vars [][]float64) {
	da, db = randoms(rng, product(a)), randoms(rng, product(b))
	va, vb = variable(a...), variable(b...)
	if which == 1 {
		va = floats(da, a...)
	} else {
		vars = append(vars, da)
	}
	if which == 2 {
		vb = floats(db, b...)
	} else {
		vars = append(vars, db)
	}
	return
}

func TestGemmAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	for range rounds(500) {
		m, n, k := 1+rng.IntN(4), 1+rng.IntN(4), 1+rng.IntN(5)
		ta, tb := rng.IntN(2), rng.IntN(2)
		attrs := onnxio.Attrs{"transA": int64(ta), "transB": int64(tb)}
		alpha, beta := float32(1), float32(1)
		if rng.IntN(2) == 0 {
			alpha = 0.3
			attrs["alpha"] = alpha
		}
		if rng.IntN(2) == 0 {
			beta = -1.7
			attrs["beta"] = beta
		}
		a, b := []int{m, k}, []int{k, n}
		if ta == 1 {
			a = []int{k, m}
		}
		if tb == 1 {
			b = []int{n, k}
		}
		which := rng.IntN(3) // which operand is constant: none, A, B
		va, vb, da, db, vars := operands(rng, which, a, b)
		inputs := []*onnxio.Value{va, vb}
		c := [][]int{nil, {}, {1}, {n}, {1, n}, {m, 1}, {m, n}, {1, 1}}[rng.IntN(8)]
		var dc []float64
		if c != nil {
			dc = randoms(rng, product(c))
			if rng.IntN(3) == 0 {
				inputs = append(inputs, variable(c...))
				vars = append(vars, dc)
			} else {
				inputs = append(inputs, floats(dc, c...))
			}
		}
		nd := node(t, "Gemm", 13, attrs, inputs...)
		if !slices.Equal(nd.Outputs[0].Shape, []int{m, n}) {
			t.Fatalf("%v x %v, %v: shape %v", a, b, attrs, nd.Outputs[0].Shape)
		}
		want := make([]float64, m*n)
		if c != nil {
			for i, v := range broadcastTo(dc, c, []int{m, n}) {
				want[i] = float64(beta) * v
			}
		}
		for i := range m {
			for j := range n {
				for p := range k {
					x, y := i*k+p, p*n+j
					if ta == 1 {
						x = p*m + i
					}
					if tb == 1 {
						y = j*k + p
					}
					want[i*n+j] += float64(alpha) * da[x] * db[y]
				}
			}
		}
		near(t, attrs, run(t, nd, vars...)[0], want)
		checkFloat32(t, nd, want, vars...)
		if which == 0 {
			d, _ := Lookup(nd)
			if l, err := d.Linear(nd); err != nil || l.Relax == nil || !l.Execution.EachIn() {
				t.Fatalf("two variables: %+v, %v", l, err)
			}
			continue
		}
		checkAffine(t, nd)
	}
}

func TestMatMulAgainstLoops(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	// Batches as numpy broadcasts them: a, b, and what comes of it.
	batches := [][3][]int{
		{{}, {}, {}}, {{2}, {}, {2}}, {{}, {3}, {3}}, {{2}, {2}, {2}}, {{2, 1}, {3}, {2, 3}}, {{1}, {2, 3}, {2, 3}}, {{2, 3}, {1, 1}, {2, 3}},
		{{2}, {1}, {2}}, {{1}, {1, 1}, {1, 1}},
	}
	for i := range rounds(600) {
		m, n, k := 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(4)
		bt := batches[i%len(batches)]
		a, b := slices.Concat(bt[0], []int{m, k}), slices.Concat(bt[1], []int{k, n})
		shape := slices.Concat(bt[2], []int{m, n})
		if len(bt[0]) == 0 && rng.IntN(4) == 0 { // a vector on the left
			m, a, shape = 1, []int{k}, slices.Concat(bt[2], []int{n})
		}
		if len(bt[1]) == 0 && rng.IntN(4) == 0 { // a vector on the right
			n, b = 1, []int{k}
			shape = shape[:len(shape)-1]
		}
		which := rng.IntN(3)
		va, vb, da, db, vars := operands(rng, which, a, b)
		nd := node(t, "MatMul", 13, nil, va, vb)
		if !slices.Equal(nd.Outputs[0].Shape, shape) {
			t.Fatalf("%v x %v: shape %v, want %v", a, b, nd.Outputs[0].Shape, shape)
		}
		want := make([]float64, product(shape))
		// Which matrix of each operand a product reads, counted digit by digit.
		pick := func(q int, own []int) int {
			at, step := 0, 1
			for d := range len(bt[2]) {
				size := bt[2][len(bt[2])-1-d]
				digit := q % size
				q /= size
				if d < len(own) {
					if s := own[len(own)-1-d]; s > 1 {
						at += digit * step
						step *= s
					}
				}
			}
			return at
		}
		for q := range product(bt[2]) {
			pa, pb := pick(q, bt[0])*m*k, pick(q, bt[1])*k*n
			for i := range m {
				for j := range n {
					for p := range k {
						want[(q*m+i)*n+j] += da[pa+i*k+p] * db[pb+p*n+j]
					}
				}
			}
		}
		near(t, []any{a, b}, run(t, nd, vars...)[0], want)
		checkFloat32(t, nd, want, vars...)
		if which != 0 {
			l := checkAffine(t, nd)
			if _, ok := l.Maps[0].(*affine.Dense); which == 2 && len(bt[1]) == 0 && !ok {
				t.Fatalf("%v x constant %v: %T", a, b, l.Maps[0])
			}
		}
	}
	got := run(t, node(t, "MatMul", 13, nil, &onnxio.Value{DType: onnxio.Int64, Shape: []int{1, 2}}, fixed(onnxio.FromInt64([]int64{3, 4}, 2, 1))),
		[]float64{5, 6})
	near(t, "integers", got[0], []float64{39})
}

// TestProductBoxesHold samples products of two variables in exact arithmetic, at many scales.
func TestProductBoxesHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(35, 36))
	for i := range rounds(200) {
		m, n, k := 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(6)
		nd := node(t, "MatMul", 13, nil, variable(m, k), variable(k, n))
		if i%2 == 0 {
			nd = node(t, "Gemm", 13, onnxio.Attrs{"alpha": float32(0.7), "beta": float32(-0.1)}, variable(m, k), variable(k, n), variable(n))
		}
		d, _ := Lookup(nd)
		boxes := randomBoxes(rng, nd)
		out, err := d.Interval(nd, boxes)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			x := pointIn(rng, nd, boxes)
			for r := range m {
				for j := range n {
					sum := bigFloat(0)
					for p := range k {
						sum.Add(sum, new(big.Float).SetPrec(bigPrec).Mul(bigFloat(x[0][r*k+p]), bigFloat(x[1][p*n+j])))
					}
					if nd.Op == "Gemm" {
						sum.Mul(sum, bigFloat(float64(float32(0.7))))
						sum.Add(sum, new(big.Float).SetPrec(bigPrec).Mul(bigFloat(x[2][j]), bigFloat(float64(float32(-0.1)))))
					}
					lo, up := out[0].Lower[r*n+j], out[0].Upper[r*n+j]
					if sum.Cmp(bigFloat(lo)) < 0 || sum.Cmp(bigFloat(up)) > 0 {
						t.Fatalf("%s: %v outside [%v, %v]", nd.Op, sum, lo, up)
					}
				}
			}
		}
	}
	// Infinite ends: 0 times anything stays 0, the rest is unbounded on the right side.
	inf := math.Inf(1)
	lo, up := boxDot(relax.Box{Lower: []float64{0, 1}, Upper: []float64{0, 2}}, relax.Box{Lower: []float64{-inf, 3}, Upper: []float64{inf, inf}},
		0, 1, 0, 1, 2)
	if lo > 3 || lo < 2.999 || up != inf {
		t.Errorf("infinite box: [%v, %v]", lo, up)
	}
}

func TestProductErrors(t *testing.T) {
	v := variable
	for name, n := range map[string]*onnxio.Node{
		"gemm sizes":     {Op: "Gemm", Inputs: []*onnxio.Value{v(2, 3), v(2, 3)}},
		"gemm vector":    {Op: "Gemm", Inputs: []*onnxio.Value{v(3), v(3, 2)}},
		"gemm C":         {Op: "Gemm", Inputs: []*onnxio.Value{v(2, 3), v(3, 2), v(3)}},
		"gemm C rank":    {Op: "Gemm", Inputs: []*onnxio.Value{v(2, 3), v(3, 2), v(1, 2, 2)}},
		"gemm absent":    {Op: "Gemm", Inputs: []*onnxio.Value{v(2, 3), nil}},
		"matmul sizes":   {Op: "MatMul", Inputs: []*onnxio.Value{v(2, 3), v(2, 3)}},
		"matmul scalar":  {Op: "MatMul", Inputs: []*onnxio.Value{v(), v(2, 3)}},
		"matmul batches": {Op: "MatMul", Inputs: []*onnxio.Value{v(2, 1, 3), v(3, 3, 1)}},
		"matmul one":     {Op: "MatMul", Inputs: []*onnxio.Value{v(2, 3)}},
		"norm sizes":     {Op: "BatchNormalization", Inputs: []*onnxio.Value{v(1, 2, 3), v(3), v(3), v(3), v(3)}},
		"norm training": {Op: "BatchNormalization", Attrs: onnxio.Attrs{"training_mode": int64(1)},
			Inputs: []*onnxio.Value{v(1, 2), v(2), v(2), v(2), v(2)}},
		"norm outputs": {Op: "BatchNormalization", Inputs: []*onnxio.Value{v(1, 2), v(2), v(2), v(2), v(2)}, Outputs: []*onnxio.Value{nil, v(2)}},
	} {
		n.Opset = 15
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		if ty, err := d.Shape(n); err == nil {
			t.Errorf("%s: %v", name, ty)
		}
	}
	// Constants without bounds.
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		nd := node(t, "MatMul", 13, nil, variable(1, 2), floats([]float64{1, bad}, 2, 1))
		d, _ := Lookup(nd)
		if _, err := d.Linear(nd); err == nil {
			t.Errorf("a map with a weight of %v", bad)
		}
	}
}

// TestBatchNormalizationCoefficients computes the formula in high precision from float32 parameters, also where B and mean*k
// cancel, and demands that RelErr and BiasErr hold the difference.
func TestBatchNormalizationCoefficients(t *testing.T) {
	rng := rand.New(rand.NewPCG(37, 38))
	f32 := func(v float64) float64 { return float64(float32(v)) }
	for i := range rounds(200) {
		const c = 5
		shape := [][]int{{1, c, 2, 3}, {2, c}, {1, c, 4}}[i%3]
		p := make([][]float64, 4)
		for k := range p {
			p[k] = make([]float64, c)
			for j := range p[k] {
				p[k][j] = f32(rng.NormFloat64() * math.Exp(rng.NormFloat64()*3))
			}
		}
		eps := float32(math.Exp(rng.NormFloat64() - 9))
		for j := range c {
			p[3][j] = math.Abs(p[3][j])
			switch rng.IntN(3) {
			case 0: // B nearly mean*k
				p[1][j] = f32(p[2][j] * p[0][j] / math.Sqrt(p[3][j]+float64(eps)))
			case 1:
				p[2][j] = 0
			}
		}
		inputs := []*onnxio.Value{variable(shape...)}
		for _, v := range p {
			inputs = append(inputs, floats(v, c))
		}
		opset := []int{7, 9, 14, 15}[i%4]
		n := node(t, "BatchNormalization", opset, onnxio.Attrs{"epsilon": eps}, inputs...)
		d, _ := Lookup(n)
		l, err := d.Linear(n)
		if err != nil {
			t.Fatal(err)
		}
		x := randoms(rng, product(shape))
		y := run(t, n, x)[0]
		boxes, said := make([]relax.Box, 5), make([]float64, len(x))
		boxes[0] = relax.Box{Lower: x, Upper: x}
		l.Execution.Errors(boxes, relax.Box{Lower: y, Upper: y}, said, inOrder)
		area := product(shape[2:])
		for j := range x {
			ch := j / area % c
			root := new(big.Float).SetPrec(bigPrec).Add(bigFloat(p[3][ch]), bigFloat(float64(eps)))
			k := new(big.Float).SetPrec(bigPrec).Quo(bigFloat(p[0][ch]), root.Sqrt(root))
			b := new(big.Float).SetPrec(bigPrec).Mul(bigFloat(p[2][ch]), k)
			b.Sub(bigFloat(p[1][ch]), b)
			off := func(got float64, want *big.Float) float64 {
				e, _ := new(big.Float).SetPrec(bigPrec).Sub(bigFloat(got), want).Float64()
				return math.Abs(e)
			}
			coef := l.Maps[0].(*affine.Diag).D[j]
			if e := off(coef, k); e > l.RelErr*math.Abs(coef) {
				t.Fatalf("scale %v is off by %v", coef, e)
			}
			if e := off(l.Bias[j], b); e > l.BiasErr[j] {
				t.Fatalf("bias %v is off by %v, said %v", l.Bias[j], e, l.BiasErr[j])
			}
			want := new(big.Float).SetPrec(bigPrec).Mul(k, bigFloat(x[j]))
			want.Add(want, b)
			scale := math.Abs(coef*x[j]) + math.Abs(p[1][ch]) + math.Abs(p[2][ch]*coef)
			if e := off(y[j], want); e > 1e-15*scale {
				t.Fatalf("output %d = %v is off by %v", j, y[j], e)
			}
			// Both usual ways in float32, against the said error: the map's own count covers 5u(|kx| + |bias|).
			u := 0x1p-24
			s32, v32, e32 := float32(p[0][ch]), float32(p[3][ch]), eps
			k32 := s32 / float32(math.Sqrt(float64(v32+e32)))
			m32, b32, x32 := float32(p[2][ch]), float32(p[1][ch]), float32(x[j])
			truth := new(big.Float).SetPrec(bigPrec).Mul(k, bigFloat(float64(x32)))
			truth.Add(truth, b)
			ty, _ := truth.Float64()
			room := 5*u*(math.Abs(coef*float64(x32))+math.Abs(l.Bias[j])) + said[j]
			for _, v := range []float32{x32*k32 + float32(b32-float32(m32*k32)), float32(float32(x32-m32)*k32) + b32} {
				if e := off(float64(v), truth); e > room {
					t.Fatalf("float32 gives %v for %v: off by %v, said %v", v, ty, e, room)
				}
			}
		}
	}
}
