package verify

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// productNet multiplies: straight forms of the inputs, what is curved, what has been multiplied before, and each with itself under another name.
func productNet(rng *rand.Rand) (*onnxio.Graph, int, int) {
	in, w := 1+rng.IntN(5), 1+rng.IntN(4)
	b, x := newBuilder(rng, 1, in)
	h := b.dense(x, in, w)
	if rng.IntN(3) > 0 {
		h = b.activation(h)
	}
	both := b.node("Concat", onnxio.Attrs{"axis": int64(1)}, h, x)
	factor := func() *onnxio.Value {
		switch rng.IntN(5) {
		case 0:
			return h
		case 1:
			return b.dense(x, in, w)
		case 2:
			return b.node([]string{"Sin", "Cos", "Tanh"}[rng.IntN(3)], nil, b.dense(x, in, w))
		case 3:
			return b.dense(both, w+in, 1) // one for all
		}
		return b.dense(both, w+in, w)
	}
	out := 2
	y := b.node("Mul", nil, factor(), b.dense(both, w+in, w))
	if rng.IntN(2) == 0 {
		y = b.node("Mul", nil, b.node("Add", nil, y, b.dense(x, in, w)), factor())
	}
	y = b.dense(b.node("Concat", onnxio.Attrs{"axis": int64(1)}, y, both), 2*w+in, out)
	if rng.IntN(3) == 0 {
		y = b.dense(b.activation(y), out, out)
	}
	b.g.Outputs = []*onnxio.Value{y}
	return b.g, in, out
}

// TestProductsTogetherAgainstSampling: no row and no form in which one ends may be above what intervals of a point of the box prove to be reached.
// Several boxes go through a pass together. SHOAL_PARTS=N draws N networks.
func TestProductsTogetherAgainstSampling(t *testing.T) {
	t.Parallel()
	nets := draws(t, "SHOAL_PARTS", 300, 60)
	better := 0
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 83))
		g, in, out := productNet(rng)
		v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1})
		var problems []bound.Problem
		var rows [][]float64
		var owner []int32
		for i := range 1 + rng.IntN(3) {
			box := randomBox(rng, in)
			problems = append(problems, bound.Problem{Box: bound.Box(box)})
			for range 3 {
				row := make([]float64, out)
				for k := range row {
					row[k] = rng.NormFloat64()
				}
				rows, owner = append(rows, row), append(owner, int32(i))
			}
		}
		b, err := bound.DeepPoly.Bound(context.Background(), v.net, bound.Options{Threads: 1 + rng.IntN(2)}, problems)
		if err != nil {
			t.Fatal(err)
		}
		apart, err := b.Lower(rows, owner, nil)
		if err != nil {
			t.Fatal(err)
		}
		var tr bound.Trace
		low, err := b.Together(rows, owner, &tr)
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		for i, q := range problems {
			points := samplePoints(rng, Box(q.Box), 40)
			for k, at := range onPoints(t, v, points) {
				for r := 3 * i; r < 3*i+3; r++ {
					y, form := at.row(rows[r]), tr.Const[r]
					for m, x := range points[k] {
						form += tr.Coef[r][m] * x
					}
					if y < low[r] {
						t.Fatalf("seed %d: row %d is proven to be above %v, and is at most %v at a point", seed, r, low[r], y)
					}
					if y < form-1e-13*(1+math.Abs(form)) { // what its evaluation here rounds
						t.Fatalf("seed %d: row %d ends in a form that is %v at a point, where the row is at most %v", seed, r, form, y)
					}
				}
			}
		}
		for r := range rows {
			if low[r] > apart[r]+1e-3*math.Abs(apart[r]) {
				better++
			}
		}
	}
	t.Logf("%d rows are bounded better", better)
	if better < nets {
		t.Errorf("%d rows of %d networks are bounded better: the test shows little", better, nets)
	}
}

// TestAQuadraticFormIsOneBox: a convex quadratic form, written as a sum of products as exporters write it, is proven to be above what is just below
// its least value on the whole box, in which it falls and rises again. Planes for each product would leave it to some hundred boxes.
func TestAQuadraticFormIsOneBox(t *testing.T) {
	b, x := newBuilder(rand.New(rand.NewPCG(1, 84)), 1, 3)
	p := &onnxio.Value{Name: "p", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{2, 1, -0.5, 1, 2, 0.75, -0.5, 0.75, 1}, 3, 3)}
	ones := &onnxio.Value{Name: "ones", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{1, 1, 1}, 3, 1)}
	y := b.node("MatMul", nil, b.node("Mul", nil, x, b.node("MatMul", nil, x, p)), ones)
	b.g.Outputs = []*onnxio.Value{y}
	v := openGraph(t, b.g, Options{Method: Complete})
	below := []Constraint{atMost(0, big.NewRat(-1, 1_000_000_000))}
	r, err := v.Verify(context.Background(), Property{Cases: []Case{{Box: cube(3, -1, 2), Constraints: below}}})
	if err != nil || r.Verdict != Verified || !strings.Contains(r.Reason, "on 1 parts") {
		t.Errorf("%s, %s, %v", r.Verdict, r.Reason, err)
	}
}
