package verify

import (
	"context"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// pinRounding is what a box' bound may lie above that of a point in it, as a share: sums are rounded in other orders, and what float32 executions are
// off by, some 1e-7, is counted with magnitudes that bounds of a box and of a point know a little differently.
var pinRounding = map[Semantics]float64{Real: 1e-12, Float32: 1e-9}

// TestNoBoxIsBoundedBetterThanItsPoints is what a search that ends early stands on: on random networks of all operators the bound over a box, wide or
// narrow, never lies above the bound over a point that it holds, but for rounding. Both hold, whichever is better: what is lost otherwise is an end
// that comes too early. SHOAL_PARTS=N draws N networks.
func TestNoBoxIsBoundedBetterThanItsPoints(t *testing.T) {
	t.Parallel()
	asked := map[Semantics]int{}
	for seed := range uint64(draws(t, "SHOAL_PARTS", mixedNets, mixedNets/4)) {
		g, in, out, rng := drawNet(t, seed)
		if g == nil {
			continue
		}
		v := openGraph(t, g, Options{Method: DeepPoly, Threads: 1})
		box := randomBox(rng, in)
		row := make([]float64, out)
		for k := range row {
			row[k] = rng.NormFloat64()
		}
		points := samplePoints(rng, box, 6)
		for _, sem := range []Semantics{Real, Float32} {
			low := func(lower, upper []float64) float64 {
				o := bound.Options{Threads: 1, Float32: sem == Float32}
				b, err := bound.DeepPoly.Bound(context.Background(), v.net, o, []bound.Problem{{Box: bound.Box{Lower: lower, Upper: upper}}})
				var unsupported *onnxio.UnsupportedError
				if errors.As(err, &unsupported) && sem == Float32 { // what runtimes may compute otherwise
					return math.NaN()
				}
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				low, err := b.Lower([][]float64{row}, []int32{0}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return low[0]
			}
			for k, x := range points {
				lower, upper := box.Lower, box.Upper
				if k > 1 {
					lower, upper = nil, nil
					w := math.Pow(10, -float64(2*k))
					for _, c := range x {
						lower, upper = append(lower, c-w*rng.Float64()), append(upper, c+w*rng.Float64())
					}
				}
				at, of := low(x, x), low(lower, upper)
				if of-at > pinRounding[sem]*(1+math.Abs(at)) {
					t.Errorf("seed %d, %s: %v over a box, and %v at a point of it", seed, sem, of, at)
				}
				if !math.IsNaN(at) {
					asked[sem]++
				}
			}
		}
	}
	if asked[Real] < 300 || asked[Float32] < 300 {
		t.Errorf("%v questions: the test shows little", asked)
	}
}

// twice is a network of n inputs whose output is y - z, where y and z are one value of hidden units that different nodes round: a sum of three, and a
// product with three.
func twice(t *testing.T, activation string, n int) *onnxio.Model {
	t.Helper()
	const hidden = 6
	weights := func(name string, rows, columns int) *onnxio.Value {
		w := make([]float32, rows*columns)
		for i := range w {
			w[i] = float32(math.Sin(float64(3*i+1))) / float32(math.Sqrt(float64(rows)))
		}
		return &onnxio.Value{Name: name, DType: onnxio.Float, Const: onnxio.FromFloat32(w, rows, columns), HasShape: true, Shape: []int{rows, columns}}
	}
	three := &onnxio.Value{Name: "three", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{3}, 1), HasShape: true, Shape: []int{1}}
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	g := &onnxio.Graph{Name: "twice", Inputs: []*onnxio.Value{x}}
	node := func(op string, in ...*onnxio.Value) *onnxio.Value {
		k := &onnxio.Node{Name: op + strings.Repeat("'", len(g.Nodes)), Op: op, Inputs: in, Opset: 13, Attrs: onnxio.Attrs{}}
		out := &onnxio.Value{Name: k.Name + ".out", DType: onnxio.Float, Producer: k}
		k.Outputs = []*onnxio.Value{out}
		g.Nodes = append(g.Nodes, k)
		return out
	}
	h := node(activation, node("MatMul", x, weights("w", n, hidden)))
	out := weights("v", hidden, 1)
	y, z := node("MatMul", node("Add", node("Add", h, h), h), out), node("MatMul", node("Mul", h, three), out)
	g.Outputs = []*onnxio.Value{node("Sub", y, z)}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSearchEndsWhereSplittingGainsNothing: the difference of one value that is rounded twice is never above a number as small as rounding, and no
// bound shows it: the search says so, and does not go on until its time is over. Above what rounding can do the same is proven, and below it found to
// be false.
func TestSearchEndsWhereSplittingGainsNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		activation string
		inputs     int
		sem        Semantics
		above      float64
		want       Verdict
	}{
		{"Relu", 40, Real, 1e-30, Unknown},
		{"Relu", 40, Float32, 1e-30, Unknown},
		{"Relu", 14, Float32, 1e-30, Unknown},
		{"Sigmoid", 40, Real, 1e-30, Unknown}, // over parts of curves
		{"Sigmoid", 40, Float32, 1e-30, Unknown},
		{"Relu", 40, Real, 1e-3, Verified},
		{"Relu", 40, Float32, 1e-3, Verified},
		{"Relu", 40, Real, -1e-3, Falsified},
	} {
		v, err := Open(context.Background(), twice(t, c.activation, c.inputs), Options{Method: Complete, Semantics: c.sem, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), hangs)
		limit := new(big.Rat).SetFloat64(-c.above)
		least := Constraint{Index: []int{0}, Coef: []*big.Rat{big.NewRat(-1, 1)}, Bound: limit} // y - z >= above
		r, err := v.Verify(ctx, Property{Cases: []Case{{Box: cube(c.inputs, -1, 1), Constraints: []Constraint{least}}}})
		if err != nil || r.Verdict != c.want {
			t.Errorf("%+v: %s (%s), %v", c, r.Verdict, r.Reason, err)
		}
		if c.want == Unknown && (r.Timeout || !strings.Contains(r.Reason, "the property's border is within rounding there")) {
			t.Errorf("%+v: at the end of the time %v: %s", c, r.Timeout, r.Reason)
		}
		cancel()
		v.Close()
	}
}
