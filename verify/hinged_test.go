package verify

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/search"
)

// plane is a*x + b*y + c of two inputs.
type plane [3]*big.Rat

func planesOf(w, b *onnxio.Value) []plane {
	var out []plane
	for i, c := range b.Const.F32() {
		a := w.Const.F32()[2*i:]
		rat := func(x float32) *big.Rat { return new(big.Rat).SetFloat64(float64(x)) }
		out = append(out, plane{rat(a[0]), rat(a[1]), rat(c)})
	}
	return out
}

func (p plane) at(x, y *big.Rat) *big.Rat {
	s := new(big.Rat).Mul(p[0], x)
	return s.Add(s, new(big.Rat).Mul(p[1], y)).Add(s, p[2])
}

func (p plane) less(q plane) (d plane) {
	for i := range d {
		d[i] = new(big.Rat).Sub(p[i], q[i])
	}
	return d
}

// maxima is a function of two inputs: weighted extremes of groups of planes.
type maxima struct {
	groups [][]plane
	weight []*big.Rat
	least  bool // of the groups, not the largest
}

func (f *maxima) at(x, y *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for k, g := range f.groups {
		best := g[0].at(x, y)
		for _, p := range g[1:] {
			if v := p.at(x, y); v.Cmp(best) > 0 != f.least && v.Cmp(best) != 0 {
				best = v
			}
		}
		sum.Add(sum, new(big.Rat).Mul(f.weight[k], best))
	}
	return sum
}

// least value over a box: the function is straight between the lines on which two planes of a group meet, and so least where two of these meet, or
// one of them and a side, or two sides.
func (f *maxima) lowest(box Box) *big.Rat {
	rat := func(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
	one, none := big.NewRat(1, 1), new(big.Rat)
	var lines []plane
	for i := range 2 {
		for _, end := range []float64{box.Lower[i], box.Upper[i]} {
			p := plane{none, none, new(big.Rat).Neg(rat(end))}
			p[i] = one
			lines = append(lines, p)
		}
	}
	for _, g := range f.groups {
		for i, p := range g {
			for _, q := range g[:i] {
				lines = append(lines, p.less(q))
			}
		}
	}
	cross := func(a, b, c, d *big.Rat) *big.Rat {
		x := new(big.Rat).Mul(a, d)
		return x.Sub(x, new(big.Rat).Mul(b, c))
	}
	var best *big.Rat
	for i, p := range lines {
		for _, q := range lines[:i] {
			det := cross(p[0], p[1], q[0], q[1])
			if det.Sign() == 0 {
				continue
			}
			x, y := cross(p[1], p[2], q[1], q[2]), cross(p[2], p[0], q[2], q[0])
			x.Quo(x, det)
			y.Quo(y, det)
			if x.Cmp(rat(box.Lower[0])) < 0 || x.Cmp(rat(box.Upper[0])) > 0 || y.Cmp(rat(box.Lower[1])) < 0 || y.Cmp(rat(box.Upper[1])) > 0 {
				continue
			}
			if v := f.at(x, y); best == nil || v.Cmp(best) < 0 {
				best = v
			}
		}
	}
	return best
}

// drawMaxima is a network of Max, Min, MaxPool, with windows that the border cuts at times, ReduceMax, ReduceMin or GlobalMaxPool, and the
// function that it is.
func drawMaxima(rng *rand.Rand) (*onnxio.Graph, *maxima) {
	b, x := newBuilder(rng, 1, 2)
	dense := func(n int) (*onnxio.Value, []plane) {
		w, c := b.weights(1, n, 2), b.weights(0.3, n)
		return b.node("Gemm", onnxio.Attrs{"transB": int64(1)}, x, w, c), planesOf(w, c)
	}
	f := &maxima{}
	var m *onnxio.Value
	switch rng.IntN(3) {
	case 0:
		const h, w = 5, 5
		z, planes := dense(h * w)
		b.n++
		shape := &onnxio.Value{Name: "shape", DType: onnxio.Int64, Const: onnxio.FromInt64([]int64{1, 1, h, w}, 4)}
		pad := rng.IntN(2)
		m = b.node("MaxPool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2},
			"pads": []int64{int64(pad), int64(pad), 1, 1}}, b.node("Reshape", nil, z, shape))
		for oy := range 3 {
			for ox := range 3 {
				var g []plane
				for y := 2*oy - pad; y < 2*oy-pad+2; y++ {
					for x := 2*ox - pad; x < 2*ox-pad+2; x++ {
						if y >= 0 && y < h && x >= 0 && x < w {
							g = append(g, planes[y*w+x])
						}
					}
				}
				f.groups = append(f.groups, g)
			}
		}
		m = b.node("Flatten", nil, m)
	case 1:
		m = b.reduced(rng, f, dense)
	default:
		n := 1 + rng.IntN(4)
		f.least = rng.IntN(2) == 0
		f.groups = make([][]plane, n)
		var in []*onnxio.Value
		for range 2 + rng.IntN(2) {
			z, planes := dense(n)
			in = append(in, z)
			for k, p := range planes {
				f.groups[k] = append(f.groups[k], p)
			}
		}
		op := "Max"
		if f.least {
			op = "Min"
		}
		m = b.node(op, nil, in...)
	}
	w := b.weights(1, len(f.groups), 1)
	for _, x := range w.Const.F32() {
		f.weight = append(f.weight, new(big.Rat).SetFloat64(float64(x)))
	}
	b.g.Outputs = []*onnxio.Value{b.node("MatMul", nil, m, w)}
	return b.g, f
}

// reduced is an extreme along one axis or two of planes, which are laid out with their groups last or in the middle.
func (b *builder) reduced(rng *rand.Rand, f *maxima, dense func(int) (*onnxio.Value, []plane)) *onnxio.Value {
	f.least = rng.IntN(2) == 0
	f.groups = make([][]plane, 1+rng.IntN(3))
	shape, along := []int64{1, int64(len(f.groups)), 3}, []int64{2}
	global := false
	switch rng.IntN(4) {
	case 0:
		shape, along = []int64{1, 3, int64(len(f.groups))}, []int64{-2}
	case 1:
		shape, along = []int64{2, int64(len(f.groups)), 2}, []int64{2, 0}
	case 2:
		global, f.least = true, false
	}
	z, planes := dense(int(shape[0] * shape[1] * shape[2]))
	for i, p := range planes {
		k := i / int(shape[2]) % int(shape[1])
		if along[0] == -2 {
			k = i % int(shape[2])
		}
		f.groups[k] = append(f.groups[k], p)
	}
	ints := func(name string, xs []int64) *onnxio.Value {
		b.n++
		return &onnxio.Value{Name: fmt.Sprint(name, b.n), DType: onnxio.Int64, Const: onnxio.FromInt64(xs, len(xs))}
	}
	op := "ReduceMax"
	if f.least {
		op = "ReduceMin"
	}
	x := b.node("Reshape", nil, z, ints("shape", shape))
	var m *onnxio.Value
	if global {
		m = b.node("GlobalMaxPool", nil, x)
	} else {
		m = b.node(op, onnxio.Attrs{"keepdims": int64(rng.IntN(2)), "axes": along}, x)
	}
	return b.node("Reshape", nil, m, ints("row", []int64{1, int64(len(f.groups))}))
}

// TestSplitsOfMaximaAgainstEnumeration asks the search over sides about networks of maxima, for a limit a little below the least value, which is
// known exactly and which it must prove, and for one a little above, which it must not. SHOAL_PARTS=N draws N networks.
func TestSplitsOfMaximaAgainstEnumeration(t *testing.T) {
	t.Parallel()
	patiently(t, maximaSplit)
}

// maximaSplit is a turn of it.
func maximaSplit(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_PARTS", 100, 25)
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 91))
		g, f := drawMaxima(rng)
		v := openGraph(t, g, Options{Threads: 1})
		box := Box{Lower: []float64{-1 - rng.Float64(), -1}, Upper: []float64{1, 1 + rng.Float64()}}
		least, _ := f.lowest(box).Float64()
		net := v.inHinges(context.Background(), Real)
		if net == nil || !net.Hinged() {
			t.Fatalf("seed %d: the network is in no hinges", seed)
		}
		for _, above := range []bool{false, true} {
			limit := least - 1e-4
			if above {
				limit = least + 1e-9
			}
			goal := search.Goal{Box: bound.Box(box), Cases: []search.Case{{Rows: [][]float64{{1}}, Bound: []float64{limit}, Strict: []bool{false}}}}
			ctx, cancel := context.WithTimeout(context.Background(), slow*20*time.Second)
			out, err := search.Neurons(ctx, net, bound.Options{}, goal, search.Settings{Threads: 1})
			late := ctx.Err() != nil
			cancel()
			said := fmt.Sprintf("seed %d: least value %v, limit %v: proven %v, %+v, %v", seed, least, limit, out.Proven, out, err)
			if err != nil || out.Proven && above || !out.Proven && !above && !late {
				t.Fatal(said)
			}
			if !out.Proven && !above {
				return said
			}
		}
	}
	return ""
}

// outputsAt are intervals of a network's outputs at a point.
func outputsAt(t *testing.T, net *bound.Network, x []float64) bound.Box {
	t.Helper()
	b, err := bound.Interval.Bound(context.Background(), net, bound.Options{Threads: 1}, []bound.Problem{{Box: bound.Box{Lower: x, Upper: x}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	return b.Outputs(0)
}

// TestProductsInSquaresAgainstSampling: a network in squares is the same function, and what the search over sides proves of networks of products is
// above no value that is reached.
func TestProductsInSquaresAgainstSampling(t *testing.T) {
	t.Parallel()
	patiently(t, productsSampled)
}

// productsSampled is a turn of it.
func productsSampled(t *testing.T, slow time.Duration) (little string) {
	nets := draws(t, "SHOAL_PARTS", 60, 15)
	proven := 0
	for seed := range uint64(nets) {
		rng := rand.New(rand.NewPCG(seed, 92))
		g, in, _ := productNet(rng)
		v := openGraph(t, g, Options{Threads: 1})
		net := v.inHinges(context.Background(), Real)
		if net == nil {
			t.Fatalf("seed %d: the network is in no squares", seed)
		}
		box := randomBox(rng, in)
		row := []float64{rng.NormFloat64(), rng.NormFloat64()}
		least, most := 0.0, 0.0
		points := samplePoints(rng, box, 200)
		for n, p := range onPoints(t, v, points) {
			if n < 20 { // both have the same number between their ends
				q := onPoint{out: outputsAt(t, net, points[n])}
				for k := range row {
					if q.out.Lower[k] > p.out.Upper[k] || q.out.Upper[k] < p.out.Lower[k] {
						t.Fatalf("seed %d: output %d is in [%v, %v], in squares in [%v, %v]", seed, k, p.out.Lower[k], p.out.Upper[k], q.out.Lower[k],
							q.out.Upper[k])
					}
				}
			}
			y := p.row(row)
			if n == 0 || y < least {
				least = y
			}
			if n == 0 || y > most {
				most = y
			}
		}
		limit := least + (most-least)*[]float64{0.02, -0.1, -0.3, -1}[rng.IntN(4)]
		goal := search.Goal{Box: bound.Box(box), Cases: []search.Case{{Rows: [][]float64{row}, Bound: []float64{limit}, Strict: []bool{false}}}}
		ctx, cancel := context.WithTimeout(context.Background(), slow*300*time.Millisecond)
		out, err := search.Neurons(ctx, net, bound.Options{}, goal, search.Settings{Threads: 1})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if out.Proven {
			proven++
			if least < limit {
				t.Fatalf("seed %d: a row is proven to be above %v, and %v was sampled", seed, limit, least)
			}
		}
	}
	if proven < nets/5 {
		return fmt.Sprintf("%d of %d are proven: the test shows little", proven, nets)
	}
	return ""
}

// TestMaximaAndProductsAreSplit: the triangle's inequality in 30 inputs, with magnitudes written as maxima, and a product of equal factors. Which
// candidate is the larger one decides them; neither lines of the maxima nor halves of so many inputs do.
func TestMaximaAndProductsAreSplit(t *testing.T) {
	patiently(t, maximaAndProducts)
}

// maximaAndProducts is a turn of it.
func maximaAndProducts(t *testing.T, slow time.Duration) (little string) {
	const n = 30
	for _, product := range []bool{false, true} {
		b, x := newBuilder(rand.New(rand.NewPCG(3, 93)), 1, n)
		sum := func(of func(i int) float32) *onnxio.Value {
			w := b.weights(1, n, 1)
			for i := range w.Const.F32() {
				w.Const.F32()[i] = of(i)
			}
			return b.node("MatMul", nil, x, w)
		}
		size := func(v *onnxio.Value) *onnxio.Value { return b.node("Max", nil, v, b.node("Neg", nil, v)) }
		s, u := sum(func(i int) float32 { return float32(i%7) - 2 }), sum(func(i int) float32 { return float32(i%5) - 3 })
		y := b.node("Sub", nil, b.node("Add", nil, size(s), size(u)), size(b.node("Add", nil, s, u)))
		if product {
			y = b.node("Mul", nil, s, sum(func(i int) float32 { return float32(i%7) - 2 }))
		}
		b.g.Outputs = []*onnxio.Value{y}
		v := openGraph(t, b.g, Options{Method: Complete, Threads: 1})
		ctx, cancel := context.WithTimeout(context.Background(), slow*20*time.Second)
		r, err := v.Verify(ctx, Property{Cases: []Case{{Box: cube(n, -1, 1), Constraints: []Constraint{atMost(0, big.NewRat(-1, 1000))}}}})
		cancel()
		said := fmt.Sprintf("product %v: %s, %s, %v", product, r.Verdict, r.Reason, err)
		switch {
		case err == nil && r.Verdict == Verified:
		case err == nil && r.Timeout:
			return said
		default:
			t.Error(said)
		}
	}
	return ""
}
