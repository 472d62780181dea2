package verify

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// builder makes small random networks of every kind of step, as graphs.
type builder struct {
	rng *rand.Rand
	g   *onnxio.Graph
	n   int
}

func newBuilder(rng *rand.Rand, shape ...int) (*builder, *onnxio.Value) {
	in := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true}
	for _, d := range shape {
		in.Dims = append(in.Dims, onnxio.Dim{Size: d})
	}
	return &builder{rng: rng, g: &onnxio.Graph{Name: "random", Inputs: []*onnxio.Value{in}}}, in
}

func (b *builder) weights(scale float64, shape ...int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Float, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(b.rng.NormFloat64() * scale)
	}
	b.n++
	return &onnxio.Value{Name: fmt.Sprintf("w%d", b.n), DType: onnxio.Float, Const: t}
}

func (b *builder) scalar(x float32) *onnxio.Value {
	b.n++
	return &onnxio.Value{Name: fmt.Sprintf("w%d", b.n), DType: onnxio.Float,
		Const: &onnxio.Tensor{DType: onnxio.Float, Shape: []int{}, Data: []float32{x}}}
}

func (b *builder) node(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	b.n++
	out := &onnxio.Value{Name: fmt.Sprintf("v%d", b.n), DType: onnxio.Float}
	n := &onnxio.Node{Name: fmt.Sprintf("%s%d", op, b.n), Op: op, Inputs: in, Outputs: []*onnxio.Value{out}, Attrs: attrs, Opset: 13}
	out.Producer = n
	b.g.Nodes = append(b.g.Nodes, n)
	return out
}

func (b *builder) dense(x *onnxio.Value, in, out int) *onnxio.Value {
	return b.node("Gemm", onnxio.Attrs{"transB": int64(1)}, x, b.weights(1.5/math.Sqrt(float64(in)), out, in), b.weights(0.3, out))
}

func (b *builder) activation(x *onnxio.Value) *onnxio.Value {
	switch b.rng.IntN(12) {
	case 5:
		return b.node("Clip", nil, x, b.scalar(-0.4), b.scalar(0.9))
	case 6:
		return b.node([]string{"Elu", "Softplus", "Softsign"}[b.rng.IntN(3)], nil, x)
	case 3:
		return b.node("Abs", nil, x)
	case 4:
		return b.node("Erf", nil, x)
	case 0:
		return b.node("Sigmoid", nil, x)
	case 1:
		return b.node("Tanh", nil, x)
	case 2:
		return b.node("LeakyRelu", onnxio.Attrs{"alpha": float32(0.1)}, x)
	}
	return b.node("Relu", nil, x)
}

// denseNet is fully connected, with a residual path or a concatenation at times.
func denseNet(rng *rand.Rand) (*onnxio.Graph, int, int) {
	in := 1 + rng.IntN(5)
	b, x := newBuilder(rng, 1, in)
	w := in
	for range 1 + rng.IntN(4) {
		next := 1 + rng.IntN(12)
		h := b.activation(b.dense(x, w, next))
		switch rng.IntN(4) {
		case 0:
			h = b.node("Add", nil, h, b.dense(x, w, next))
		case 1:
			h = b.node("Concat", onnxio.Attrs{"axis": int64(1)}, h, x)
			next += w
		case 2:
			h = b.node("Sub", nil, b.node("Mul", nil, h, b.weights(1, 1, next)), b.weights(1, next))
		}
		x, w = h, next
	}
	out := 2 + rng.IntN(3)
	y := b.dense(x, w, out)
	b.g.Outputs = []*onnxio.Value{y}
	return b.g, in, out
}

// convNet has convolutions of any geometry, normalisation, residual blocks, pooling.
func convNet(rng *rand.Rand) (*onnxio.Graph, int, int) {
	c, h := 1+rng.IntN(3), 5+rng.IntN(4)
	b, x := newBuilder(rng, 1, c, h, h)
	in := c * h * h
	for range 1 + rng.IntN(3) {
		m := 2 + rng.IntN(3)
		k, s := 1+rng.IntN(3), 1+rng.IntN(2)
		p := rng.IntN(k)
		if h+2*p < k {
			break
		}
		y := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{int64(k), int64(k)}, "strides": []int64{int64(s), int64(s)},
			"pads": []int64{int64(p), int64(p), int64(p), int64(p)}}, x, b.weights(1.3/math.Sqrt(float64(c*k*k)), m, c, k, k), b.weights(0.2, m))
		h, c = (h+2*p-k)/s+1, m
		if rng.IntN(3) == 0 {
			variance := b.weights(1, c)
			for i, v := range variance.Const.F32() {
				variance.Const.F32()[i] = v*v + 0.5
			}
			y = b.node("BatchNormalization", nil, y, b.weights(1, c), b.weights(0.3, c), b.weights(0.3, c), variance)
		}
		y = b.activation(y)
		if rng.IntN(2) == 0 {
			r := b.node("Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}, y,
				b.weights(1.3/math.Sqrt(float64(c*9)), c, c, 3, 3))
			y = b.activation(b.node("Add", nil, r, y))
		}
		if h >= 4 && rng.IntN(3) == 0 {
			kind := []string{"MaxPool", "AveragePool"}[rng.IntN(2)]
			y = b.node(kind, onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}, y)
			h /= 2
		}
		x = y
	}
	if rng.IntN(4) == 0 {
		x = b.node("GlobalAveragePool", nil, x)
		h = 1
	}
	f := b.node("Flatten", onnxio.Attrs{"axis": int64(1)}, x)
	hid := 2 + rng.IntN(8)
	y := b.dense(b.activation(b.dense(f, c*h*h, hid)), hid, 3)
	b.g.Outputs = []*onnxio.Value{y}
	return b.g, in, 3
}

func openGraph(t *testing.T, g *onnxio.Graph, o Options) *Verifier {
	t.Helper()
	v, err := Open(context.Background(), &onnxio.Model{Graph: g}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func randomBox(rng *rand.Rand, n int) Box {
	b := Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	w := math.Pow(10, -3+3*rng.Float64())
	for i := range n {
		c := rng.NormFloat64()
		r := w * rng.Float64()
		if rng.IntN(6) == 0 {
			r = 0
		}
		b.Lower[i], b.Upper[i] = c-r, c+r
	}
	return b
}

// samplePoints draws corners, edges and inner points of a box.
func samplePoints(rng *rand.Rand, b Box, n int) [][]float64 {
	out := make([][]float64, n)
	for k := range out {
		x := make([]float64, len(b.Lower))
		mode := rng.IntN(3)
		for i, l := range b.Lower {
			t := rng.Float64()
			if mode == 0 || mode == 1 && rng.IntN(2) == 0 {
				t = float64(rng.IntN(2))
			}
			x[i] = min(max(l+t*(b.Upper[i]-l), l), b.Upper[i])
		}
		out[k] = x
	}
	return out
}

// TestBoundsContainSampledPoints is the adversary of all domains: on random networks and boxes no sampled value of a row may lie below its
// bound, and no sampled value of a layer outside the layer's box. SHOAL_PARTS=N draws N networks of each kind, and asks Alpha in every way.
func TestBoundsContainSampledPoints(t *testing.T) {
	t.Parallel()
	nets := []struct {
		name string
		make func(*rand.Rand) (*onnxio.Graph, int, int)
	}{{"dense", denseNet}, {"conv", convNet}}
	for _, net := range nets {
		for seed := range uint64(draws(t, "SHOAL_PARTS", 120, 30)) {
			t.Run(fmt.Sprintf("%s/%d", net.name, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 99))
				g, in, out := net.make(rng)
				box := randomBox(rng, in)
				rows := make([][]float64, 3)
				for i := range rows {
					rows[i] = make([]float64, out)
					for k := range rows[i] {
						rows[i][k] = rng.NormFloat64()
					}
				}
				values := rowValues(t, g, samplePoints(rng, box, 60), rows)
				for _, m := range []Method{Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha} {
					for _, plain := range []bool{false, true} {
						for k, sem := range []Semantics{Real, Float32} {
							threads := 1 + rng.IntN(2)
							if m == Alpha && os.Getenv("SHOAL_PARTS") == "" && (plain != (seed%2 == 1) || k != int(seed/2%2)) {
								continue // takes many times as long as the others together: one of the four for each network
							}
							v := openGraph(t, g, Options{Method: m, Plain: plain, Semantics: sem, Threads: threads})
							res, err := v.Bounds(context.Background(), box, rows, false)
							if err != nil {
								t.Fatal(err)
							}
							for r, low := range res.Lower {
								if math.IsNaN(low) || math.IsInf(low, 0) {
									t.Fatalf("%s: bound %v", m, low)
								}
								for k, y := range values[r] {
									// The sample's own evaluation in float64 is off by far less than 1e-12 here.
									if y < low-1e-12*(1+math.Abs(y)) {
										t.Fatalf("%s plain=%v %s: row %d is %.17g at sample %d, bound %.17g", m, plain, sem, r, y, k, low)
									}
								}
							}
						}
					}
				}
			})
		}
	}
}

func rowValues(t *testing.T, g *onnxio.Graph, points [][]float64, rows [][]float64) [][]float64 {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Float64: true, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shape := s.Inputs()[0].Shape
	out := make([][]float64, len(rows))
	for _, x := range points {
		y, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat64(x, shape...)})
		if err != nil {
			t.Fatal(err)
		}
		f, _ := y[0].Float64s()
		for r, row := range rows {
			sum := 0.0
			for k, c := range row {
				sum += c * f[k]
			}
			out[r] = append(out[r], sum)
		}
	}
	return out
}

// TestPointBoxIsTight: on a single point every domain's bound is the value, up to rounding.
func TestPointBoxIsTight(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		g, in, out := denseNet(rng)
		if seed%2 == 1 {
			g, in, out = convNet(rng)
		}
		box := randomBox(rng, in)
		box.Upper = box.Lower
		row := make([]float64, out)
		row[0] = 1
		want := rowValues(t, g, [][]float64{box.Lower}, [][]float64{row})[0][0]
		for _, m := range []Method{Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha} {
			v := openGraph(t, g, Options{Method: m, Threads: 1})
			res, err := v.Bounds(context.Background(), box, [][]float64{row}, false)
			if err != nil {
				t.Fatal(err)
			}
			// The accounted rounding is at most about 1e-9 relative here: 1e6 terms would give that, the nets have hundreds.
			if d := want - res.Lower[0]; d < -1e-12*(1+math.Abs(want)) || d > 1e-9*(1+math.Abs(want)) {
				t.Errorf("seed %d %s: bound %v of value %v", seed, m, res.Lower[0], want)
			}
		}
	}
}

// TestThreadsDoNotChangeBounds: the same bits with one and with several workers.
func TestThreadsDoNotChangeBounds(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 17))
		g, in, out := convNet(rng)
		box := randomBox(rng, in)
		row := make([]float64, out)
		row[0], row[1] = 1, -1
		var first float64
		for i, n := range []int{1, 2, 3} {
			v := openGraph(t, g, Options{Method: DeepPoly, Threads: n})
			res, err := v.Bounds(context.Background(), box, [][]float64{row}, false)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = res.Lower[0]
			} else if res.Lower[0] != first {
				t.Errorf("seed %d: %v with %d threads, %v with one", seed, res.Lower[0], n, first)
			}
		}
	}
}
