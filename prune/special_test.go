package prune_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
)

// classifier ends a network on images of c channels.
func (b *builder) classifier(y *onnxio.Value, c int) *onnxio.Graph {
	y = b.node("Flatten", "", nil, b.node("GlobalAveragePool", "", nil, y))
	return b.outputs(b.node("Gemm", "fc", onnxio.Attrs{"transB": int64(1)}, y, b.weights(5, c), b.weights(5)))
}

// special are graphs whose coupling is out of the ordinary. removed is how many filters go at a ratio of 0.5.
var special = []struct {
	name    string
	removed int
	graph   func() *onnxio.Graph
}{
	{"Concat(x,x)", 4 + 4, func() *onnxio.Graph {
		b := newBuilder(1)
		x := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 8, 1, false)
		return b.classifier(b.conv("b", b.node("Concat", "", onnxio.Attrs{"axis": int64(1)}, x, x), 16, 8, 1, false), 8)
	}},
	{"Add(x,x)", 4 + 4, func() *onnxio.Graph {
		b := newBuilder(2)
		x := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 8, 1, false)
		return b.classifier(b.conv("b", b.node("Add", "", nil, x, x), 8, 8, 1, false), 8)
	}},
	{"squeeze and excite", 8 + 2 + 8, func() *onnxio.Graph {
		b := newBuilder(3)
		y := b.node("Relu", "", nil, b.conv("a", b.input("x", -1, 3, 8, 8), 3, 16, 1, true))
		s := b.node("GlobalAveragePool", "", nil, y)
		one := onnxio.Attrs{"kernel_shape": []int64{1, 1}}
		s = b.node("Relu", "", nil, b.node("Conv", "squeeze", one, s, b.weights(4, 16, 1, 1), b.weights(4)))
		s = b.node("Sigmoid", "", nil, b.node("Conv", "excite", one, s, b.weights(16, 4, 1, 1), b.weights(16)))
		return b.classifier(b.node("Mul", "", nil, y, s), 16)
	}},
	{"depthwise", 8 + 8 + 4, func() *onnxio.Graph {
		b := newBuilder(4)
		y := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 16, 1, true)
		y = b.node("Conv", "depthwise", onnxio.Attrs{"group": int64(16), "pads": []int64{1, 1, 1, 1}}, y, b.weights(16, 1, 3, 3))
		return b.classifier(b.conv("b", y, 16, 8, 1, false), 8)
	}},
	{"depthwise with a multiplier", 8 + 16 + 4, func() *onnxio.Graph {
		b := newBuilder(5)
		y := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 16, 1, true)
		y = b.node("Conv", "depthwise", onnxio.Attrs{"group": int64(16)}, y, b.weights(32, 1, 3, 3))
		return b.classifier(b.conv("b", y, 32, 8, 1, false), 8)
	}},
	// Groups of 4 and of 8 of the same 16 channels: what goes is a group of 4, two of 8.
	{"groups of differing numbers", 8 + 8 + 8 + 4, func() *onnxio.Graph {
		b := newBuilder(6)
		y := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 16, 1, true)
		y = b.node("Conv", "g4", onnxio.Attrs{"group": int64(4)}, y, b.weights(16, 4, 1, 1))
		y = b.node("Conv", "g8", onnxio.Attrs{"group": int64(8)}, y, b.weights(16, 2, 1, 1))
		return b.classifier(b.conv("b", y, 16, 8, 1, false), 8)
	}},
	{"Flatten with spatial extent", 4 + 8, func() *onnxio.Graph {
		b := newBuilder(7)
		y := b.node("Flatten", "", nil, b.conv("a", b.input("x", -1, 3, 4, 4), 3, 8, 1, false))
		y = b.node("Relu", "", nil, b.node("Gemm", "dense", nil, y, b.weights(128, 16), b.weights(16)))
		return b.outputs(b.node("Gemm", "fc", nil, y, b.weights(16, 5)))
	}},
	{"shared weights", 4 + 4, func() *onnxio.Graph {
		b := newBuilder(8)
		x := b.input("x", -1, 8, 8, 8)
		w := b.weights(8, 8, 3, 3)
		at := onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}
		first := b.conv("first", x, 8, 8, 1, false)
		y := b.node("Relu", "", nil, b.node("Conv", "one", at, first, w))
		y = b.node("Conv", "two", at, y, w)
		return b.classifier(b.node("Relu", "", nil, y), 8)
	}},
	{"several outputs", 4, func() *onnxio.Graph {
		b := newBuilder(9)
		y := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 8, 1, false)
		held := b.conv("b", y, 8, 8, 1, false)
		g := b.classifier(b.node("Relu", "", nil, held), 8)
		g.Outputs = append(g.Outputs, held)
		return g
	}},
	{"weights behind Constant, Identity and Transpose", 4 + 8, func() *onnxio.Graph {
		b := newBuilder(10)
		w := b.nodes("Constant", "", onnxio.Attrs{"value": b.weights(8, 3, 3, 3).Const}, 1)[0]
		y := b.node("Conv", "a", nil, b.input("x", -1, 3, 6, 6), b.node("Identity", "", nil, w))
		y = b.node("Flatten", "", nil, y)
		y = b.node("MatMul", "dense", nil, y, b.node("Transpose", "", onnxio.Attrs{"perm": []int64{1, 0}}, b.weights(16, 128)))
		return b.outputs(b.node("MatMul", "fc", nil, b.node("Relu", "", nil, y), b.weights(16, 5)))
	}},
	{"channels last, as Keras exports", 4 + 4 + 4, func() *onnxio.Graph {
		b := newBuilder(11)
		y := b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 3, 1, 2}}, b.input("x", -1, 8, 8, 3))
		y = b.conv("a", y, 3, 8, 1, false)
		y = b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 3, 1}}, y)
		y = b.node("Add", "", nil, y, b.weights(8))
		y = b.conv("b", b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 3, 1, 2}}, y), 8, 8, 2, true)
		y = b.node("Reshape", "", nil, b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 3, 1}}, y), b.ints(-1, 128))
		y = b.node("Relu", "", nil, b.node("MatMul", "dense", nil, y, b.weights(128, 8)))
		return b.outputs(b.node("MatMul", "fc", nil, y, b.weights(8, 5)))
	}},
	{"channel shuffle", 4 + 4, func() *onnxio.Graph {
		b := newBuilder(12)
		y := b.conv("a", b.input("x", 1, 3, 8, 8), 3, 8, 1, true)
		y = b.node("Reshape", "", nil, y, b.ints(1, 2, 4, 8, 8))
		y = b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 1, 3, 4}}, y)
		y = b.node("Reshape", "", nil, y, b.ints(1, 8, 8, 8))
		return b.classifier(b.conv("b", y, 8, 8, 1, false), 8)
	}},
	{"pixel shuffle", 4, func() *onnxio.Graph {
		b := newBuilder(13)
		y := b.conv("a", b.input("x", -1, 3, 4, 4), 3, 8, 1, true)
		y = b.node("DepthToSpace", "", onnxio.Attrs{"blocksize": int64(2)}, y)
		return b.classifier(b.node("Relu", "", nil, y), 2)
	}},
	{"split and rejoined", 4 + 4, func() *onnxio.Graph {
		b := newBuilder(14)
		y := b.conv("a", b.input("x", -1, 3, 4, 4), 3, 8, 1, true)
		p := b.nodes("Split", "", onnxio.Attrs{"axis": int64(1)}, 2, y, b.ints(2, 6))
		y = b.node("Concat", "", onnxio.Attrs{"axis": int64(1)}, p[1], b.node("Relu", "", nil, p[0]))
		return b.classifier(b.conv("b", y, 8, 8, 1, false), 8)
	}},
	{"heads of an attention", 8, func() *onnxio.Graph {
		b := newBuilder(15)
		x := b.input("x", 1, 6, 8)
		head := func(name string) *onnxio.Value {
			y := b.node("Reshape", "", nil, b.node("MatMul", name, nil, x, b.weights(8, 16)), b.ints(1, 6, 4, 4))
			return b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 1, 3}}, y)
		}
		q, k, v := head("q"), head("k"), head("v")
		s := b.node("Softmax", "", onnxio.Attrs{"axis": int64(-1)}, b.node("MatMul", "", nil, q,
			b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 1, 3, 2}}, k)))
		y := b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 1, 3}}, b.node("MatMul", "", nil, s, v))
		y = b.node("MatMul", "o", nil, b.node("Reshape", "", nil, y, b.ints(1, 6, 16)), b.weights(16, 8))
		return b.outputs(b.node("Add", "", nil, x, y))
	}},
}

// same prunes a graph and compares the result with what it should compute.
func same(t *testing.T, g *onnxio.Graph, o prune.Options) *prune.Result {
	t.Helper()
	r, err := prune.Run(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	in, want := run(t, r.Zeroed, engine.Options{Float64: true}, nil, 3)
	_, got := run(t, r.Graph, engine.Options{Float64: true}, in, 3)
	allowed := 1e-9
	if o.AbsorbBias {
		allowed = 1e-6 // the new biases are float32
	}
	if d := distance(want, got); !(d <= allowed) {
		t.Errorf("outputs differ by %.1e", d)
	}
	return r
}

func TestSpecialGraphs(t *testing.T) {
	for _, s := range special {
		t.Run(s.name, func(t *testing.T) {
			for seed := range uint64(5) {
				r := same(t, s.graph(), prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: seed, Ratio: 0.5}})
				if n := r.Plan.Removed(); n < s.removed {
					t.Errorf("%d filters went, want %d; pinned: %v", n, s.removed, r.Plan.Pinned)
				}
			}
		})
	}
}

// TestRandomGraphs prunes networks drawn from convolutions (grouped too), joins, splits, shuffles, pads and sums, by random choices of
// all kinds.
func TestRandomGraphs(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	removed := 0
	for seed := range seeds {
		g := randomGraph(seed)
		rng := rand.New(rand.NewPCG(seed, 9))
		ch := prune.Choice{Score: []prune.Score{prune.L1, prune.L2, prune.Random, prune.BNScale}[rng.IntN(4)], Seed: seed, Ratio: 0.1 + 0.8*rng.Float64(),
			Global: rng.IntN(3) == 0, Keep: rng.IntN(4), RoundTo: rng.IntN(3)}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { removed += same(t, g, prune.Options{Choice: ch}).Plan.Removed() })
	}
	if removed < int(seeds)*5 {
		t.Errorf("%d filters went from %d networks", removed, seeds)
	}
}

func randomGraph(seed uint64) *onnxio.Graph {
	b := newBuilder(seed)
	type image struct {
		v    *onnxio.Value
		c, s int
	}
	open := []image{{b.input("x", -1, 4, 8, 8), 4, 8}}
	pick := func() image { return open[b.rng.IntN(len(open))] }
	for range 6 + b.rng.IntN(8) {
		x := pick()
		switch b.rng.IntN(12) {
		case 0, 1, 2:
			c := 4 * (1 + b.rng.IntN(4))
			open = append(open, image{b.node("Relu", "", nil, b.conv("", x.v, x.c, c, 1, b.rng.IntN(2) == 0)), c, x.s})
		case 3:
			groups := []int{1, 2, 4}[b.rng.IntN(3)]
			if x.c%groups != 0 {
				continue
			}
			c := groups * (1 + b.rng.IntN(3))
			open = append(open, image{b.node("Conv", "", onnxio.Attrs{"group": int64(groups), "pads": []int64{1, 1, 1, 1}}, x.v,
				b.weights(c, x.c/groups, 3, 3), b.weights(c)), c, x.s})
		case 4:
			open = append(open, image{b.node("Conv", "", onnxio.Attrs{"group": int64(x.c), "pads": []int64{1, 1, 1, 1}}, x.v, b.weights(x.c, 1, 3, 3)),
				x.c, x.s})
		case 5:
			y := pick()
			if x.s == y.s {
				open = append(open, image{b.node("Concat", "", onnxio.Attrs{"axis": int64(1)}, x.v, y.v), x.c + y.c, x.s})
			}
		case 6:
			y := pick()
			if x.s == y.s && x.c == y.c {
				open = append(open, image{b.node([]string{"Add", "Mul", "Max"}[b.rng.IntN(3)], "", nil, x.v, y.v), x.c, x.s})
			}
		case 7:
			if x.c < 2 {
				continue
			}
			k := 1 + b.rng.IntN(x.c-1)
			p := b.nodes("Split", "", onnxio.Attrs{"axis": int64(1)}, 2, x.v, b.ints(int64(k), int64(x.c-k)))
			open = append(open, image{p[0], k, x.s}, image{p[1], x.c - k, x.s})
		case 8:
			if x.c%2 == 0 {
				y := b.node("Reshape", "", nil, x.v, b.ints(0, 2, int64(x.c/2), int64(x.s), int64(x.s)))
				y = b.node("Transpose", "", onnxio.Attrs{"perm": []int64{0, 2, 1, 3, 4}}, y)
				open = append(open, image{b.node("Reshape", "", nil, y, b.ints(0, int64(x.c), int64(x.s), int64(x.s))), x.c, x.s})
			}
		case 9:
			lo, hi := int64(b.rng.IntN(3)), int64(b.rng.IntN(3))
			open = append(open, image{b.node("Pad", "", nil, x.v, b.ints(0, lo, 0, 0, 0, hi, 0, 0)), x.c + int(lo+hi), x.s})
		case 10:
			if x.s == 8 {
				at := onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}}
				open = append(open, image{b.node([]string{"MaxPool", "AveragePool"}[b.rng.IntN(2)], "", at, x.v), x.c, x.s / 2})
			}
		case 11:
			from := b.rng.IntN(x.c)
			to := from + 1 + b.rng.IntN(x.c-from)
			open = append(open, image{b.node("Slice", "", nil, x.v, b.ints(int64(from)), b.ints(int64(to)), b.ints(1)), to - from, x.s})
		}
	}
	last := open[len(open)-1]
	y := b.node("Flatten", "", nil, last.v)
	y = b.node("Relu", "", nil, b.node("Gemm", "", onnxio.Attrs{"transB": int64(1)}, y, b.weights(12, last.c*last.s*last.s), b.weights(12)))
	return b.outputs(b.node("Gemm", "", onnxio.Attrs{"transB": int64(1)}, y, b.weights(5, 12), b.weights(5)))
}

// TestOpenSizes: sizes of images that the file leaves open stay open, and the smaller file runs at others than those tried.
func TestOpenSizes(t *testing.T) {
	b := newBuilder(21)
	x := b.input("x", -1, 3, 1, 1)
	x.Dims[2], x.Dims[3] = onnxio.Dim{Size: -1, Name: "height"}, onnxio.Dim{Size: -1}
	y := b.conv("a", x, 3, 8, 2, true)
	y = b.node("Reshape", "", nil, y, b.ints(0, 2, 4, -1))
	shape := b.nodes("Shape", "", nil, 1, b.conv("b", x, 3, 8, 2, true))[0]
	shape.DType = onnxio.Int64
	y = b.node("Reshape", "", nil, y, shape)
	g := b.classifier(b.conv("c", y, 8, 8, 1, false), 8)
	r, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Removed() < 4 {
		t.Errorf("%d filters went: %v", r.Plan.Removed(), r.Plan.Pinned)
	}
	for _, size := range [][2]int{{10, 14}, {224, 224}, {31, 64}} {
		var out [2][]*onnxio.Tensor
		for i, h := range []*onnxio.Graph{r.Zeroed, r.Graph} {
			h = h.Clone()
			h.Inputs[0].Dims[2], h.Inputs[0].Dims[3] = onnxio.Dim{Size: size[0]}, onnxio.Dim{Size: size[1]}
			_, out[i] = run(t, h, engine.Options{Float64: true}, nil, 2)
		}
		if d := distance(out[0], out[1]); !(d <= 1e-9) {
			t.Errorf("at %v outputs differ by %.1e", size, d)
		}
	}
	if r.Graph.Inputs[0].Dims[2].Name != "height" || r.Graph.Inputs[0].Dims[3].Known() {
		t.Errorf("the input became %v", r.Graph.Inputs[0].Dims)
	}
}

// TestAbsorbedBias: the smaller network computes what the old one does with the removed filters at zero and their biases there. What padding
// spoils stays, with the reason.
func TestAbsorbedBias(t *testing.T) {
	b := newBuilder(31)
	y := b.node("Relu", "", nil, b.conv("a", b.input("x", -1, 3, 8, 8), 3, 8, 1, true))
	y = b.node("Sigmoid", "", nil, b.node("Conv", "plain", nil, y, b.weights(12, 8, 3, 3)))
	y = b.node("Conv", "padded", onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}, y, b.weights(8, 12, 3, 3), b.weights(8))
	y = b.node("Flatten", "", nil, b.node("Sigmoid", "", nil, y))
	y = b.node("Relu", "", nil, b.node("Add", "", nil, b.node("MatMul", "dense", nil, y, b.weights(8*36, 10)), b.weights(10)))
	g := b.outputs(b.node("Gemm", "fc", onnxio.Attrs{"transB": int64(1), "alpha": float32(0.5), "beta": float32(2)}, y, b.weights(5, 10), b.weights(5)))
	r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.5}, AbsorbBias: true})
	went := map[string]int{}
	held := ""
	for _, c := range r.Plan.Classes {
		for _, l := range c.Layers {
			went[l.Name] = len(l.Remove)
		}
		held += c.Held
	}
	if went["a"] < 3 || went["plain"] != 0 || went["padded"] != 4 || went["dense"] != 5 {
		t.Errorf("removed %v", went)
	}
	if !strings.Contains(held, "pads with zeros") {
		t.Errorf("reasons: %s", held)
	}
	_, whole := run(t, g, engine.Options{Float64: true}, nil, 2)
	_, zeroed := run(t, r.Zeroed, engine.Options{Float64: true}, nil, 2)
	if distance(whole, zeroed) == 0 {
		t.Error("nothing changed")
	}
}

// TestConstantsOfPlacesAndSamplesStay: what a filter at zero sends on is a bias only where it is one number, everywhere and of every sample.
func TestConstantsOfPlacesAndSamplesStay(t *testing.T) {
	even := onnxio.Attrs{"pads": []int64{1, 1, 1, 1}, "kernel_shape": []int64{3, 3}, "count_include_pad": int64(1)}
	for _, c := range []struct {
		name  string
		batch int
		way   func(b *builder, y *onnxio.Value) *onnxio.Value
		stays bool
	}{
		{"everywhere", -1, func(b *builder, y *onnxio.Value) *onnxio.Value { return b.node("Sigmoid", "", nil, y) }, false},
		{"a frame", -1, func(b *builder, y *onnxio.Value) *onnxio.Value {
			return b.node("Pad", "", nil, b.node("Sigmoid", "", nil, y), b.ints(0, 0, 1, 1, 0, 0, 1, 1))
		}, true},
		{"windows over an edge", -1, func(b *builder, y *onnxio.Value) *onnxio.Value {
			return b.node("AveragePool", "", even, b.node("Sigmoid", "", nil, y))
		}, true},
		{"a number for each place", -1, func(b *builder, y *onnxio.Value) *onnxio.Value {
			return b.node("Add", "", nil, y, b.weights(1, 8, 6, 6))
		}, true},
		{"a number for each sample", -1, gated, true},
		{"a number for each sample, of which there is one", 1, gated, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				b := newBuilder(60 + seed)
				y := c.way(b, b.node("Conv", "a", nil, b.input("x", c.batch, 3, 8, 8), b.weights(8, 3, 3, 3), b.weights(8)))
				g := b.classifier(b.node("Relu", "", nil, b.node("Conv", "b", nil, y, b.weights(6, 8, 3, 3))), 6)
				r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.5}, AbsorbBias: true})
				gone, held := went(r.Plan, "a"), ""
				for _, cl := range r.Plan.Classes {
					held += cl.Held
				}
				if c.stays != (len(gone) == 0) || c.stays && !strings.Contains(held, "differs from place to place") {
					t.Errorf("removed %v, held: %s", gone, held)
				}
			}
		})
	}
}

// gated weighs all channels by what is in the sample.
func gated(b *builder, y *onnxio.Value) *onnxio.Value {
	mean := b.node("ReduceMean", "", onnxio.Attrs{"axes": []int64{1, 2, 3}}, b.g.Inputs[0])
	return b.node("Mul", "", nil, y, b.node("Sigmoid", "", nil, mean))
}

// TestChoices: what is asked for is what stays.
func TestChoices(t *testing.T) {
	net := func() *onnxio.Graph {
		b := newBuilder(41)
		y := b.conv("a", b.input("x", -1, 3, 8, 8), 3, 20, 1, true)
		return b.classifier(b.conv("b", b.node("Relu", "", nil, y), 20, 10, 1, false), 10)
	}
	for _, c := range []struct {
		name string
		ch   prune.Choice
		a, b int // that go
	}{
		{"rounded down", prune.Choice{Ratio: 0.33}, 7, 4},
		{"a multiple stays", prune.Choice{Ratio: 0.5, RoundTo: 8}, 4, 2},
		{"at least some stay", prune.Choice{Ratio: 0.9, Keep: 6}, 14, 4},
		{"one stays", prune.Choice{Thresholds: []prune.Threshold{{Layer: "*", Value: 1e9}}}, 19, 9},
		{"excluded", prune.Choice{Ratio: 0.5, Exclude: []string{"a"}}, 0, 5},
		{"one layer", prune.Choice{Ratios: []prune.Threshold{{Layer: "b", Value: 0.2}}}, 0, 2},
		{"only layers with a scale", prune.Choice{Score: prune.BNScale, Ratio: 0.5}, 10, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := same(t, net(), prune.Options{Choice: c.ch})
			got := map[string]int{}
			for _, cl := range r.Plan.Classes {
				got[cl.Layers[0].Name] = len(cl.Layers[0].Remove)
			}
			if got["a"] != c.a || got["b"] != c.b {
				t.Errorf("removed %v, want %d and %d", got, c.a, c.b)
			}
		})
	}
	whole, _, err := mustAnalyse(t, net()).Costs(net())
	if err != nil {
		t.Fatal(err)
	}
	for _, global := range []bool{false, true} {
		r := same(t, net(), prune.Options{Choice: prune.Choice{MaxMACs: whole.MACs / 3, Global: global}})
		cost, _, err := r.Coupling.Costs(r.Graph)
		if err != nil || cost.MACs > whole.MACs/3 || cost.MACs < whole.MACs/8 {
			t.Errorf("%d multiply-adds of %d, %v", cost.MACs, whole.MACs, err)
		}
	}
	for _, bad := range []prune.Options{
		{Choice: prune.Choice{MaxParameters: 10}},
		{Choice: prune.Choice{Ratio: 1}},
		{Choice: prune.Choice{Score: "size", Ratio: 0.5}},
		{Choice: prune.Choice{Score: prune.ProvenDead}},
		{Choice: prune.Choice{Score: prune.ProvenDead}, AbsorbBias: true},
		{Choice: prune.Choice{Score: prune.Activation, Ratio: 0.5}},
		{Choice: prune.Choice{Thresholds: []prune.Threshold{{Layer: "nobody", Value: 1}}}},
	} {
		if _, err := prune.Run(context.Background(), net(), bad); err == nil {
			t.Errorf("%+v is no error", bad.Choice)
		}
	}
}

func mustAnalyse(t *testing.T, g *onnxio.Graph) *prune.Coupling {
	t.Helper()
	c, err := prune.Analyse(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestL1RemovesTheSmallest: scores rank filters by their absolute sums, those of all the layers that go together added up.
func TestL1RemovesTheSmallest(t *testing.T) {
	b := newBuilder(51)
	x := b.input("x", -1, 3, 8, 8)
	p, q := b.conv("p", x, 3, 8, 1, false), b.conv("q", x, 3, 8, 1, false)
	g := b.classifier(b.node("Add", "", nil, p, q), 8)
	sums := make([]float64, 8)
	for _, n := range g.Nodes[:2] {
		for i, w := range n.Inputs[1].Const.F32() {
			sums[i/27] += max(float64(w), -float64(w))
		}
	}
	r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	gone := map[int]bool{}
	for _, i := range r.Plan.Classes[0].Layers[0].Remove {
		gone[i] = true
	}
	for i := range sums {
		for j := range sums {
			if gone[i] && !gone[j] && sums[i] > sums[j] {
				t.Errorf("filter %d of %v went, %d of %v stayed", i, sums[i], j, sums[j])
			}
		}
	}
	if len(r.Plan.Classes[0].Layers) != 2 || len(gone) != 4 {
		t.Errorf("plan %+v", r.Plan.Classes[0])
	}
}

// TestPlansAreCarriedOut: a plan gives the same graph again, and one that does not fit is refused by name.
func TestPlansAreCarriedOut(t *testing.T) {
	g := resnet(1)
	r := same(t, g, prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	again, err := prune.Replay(context.Background(), g, r.Plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, a := run(t, r.Graph, engine.Options{}, nil, 2)
	if _, b := run(t, again.Graph, engine.Options{}, in, 2); distance(a, b) != 0 {
		t.Error("the replayed plan gives another network")
	}
	broken := *r.Plan
	broken.Classes = append([]prune.ClassPlan{}, r.Plan.Classes...)
	l := broken.Classes[0].Layers[0]
	l.Remove = append([]int{99}, l.Remove...)
	broken.Classes[0].Layers = append([]prune.LayerPlan{l}, broken.Classes[0].Layers[1:]...)
	if _, err := prune.Replay(context.Background(), g, &broken, nil); err == nil || !strings.Contains(err.Error(), l.Name) {
		t.Errorf("a plan with a filter that is not there: %v", err)
	}
	half := *r.Plan
	half.Classes = append([]prune.ClassPlan{}, r.Plan.Classes...)
	for k, c := range half.Classes {
		if len(c.Layers) > 1 {
			half.Classes[k].Layers = c.Layers[:1]
			if _, err := prune.Replay(context.Background(), g, &half, nil); err == nil || !strings.Contains(err.Error(), "coupled") {
				t.Errorf("a plan without a coupled layer: %v", err)
			}
			break
		}
	}
}

// TestUnknownSubgraphsAreRefused: a graph in a node that nobody knows is refused by the node's name.
func TestUnknownSubgraphsAreRefused(t *testing.T) {
	b := newBuilder(61)
	x := b.input("x", -1, 3)
	inner := &onnxio.Graph{Name: "body", Outputs: []*onnxio.Value{x}}
	g := b.outputs(b.node("SequenceMap", "choice", onnxio.Attrs{"body": inner}, x))
	_, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Ratio: 0.5}})
	var u *onnxio.UnsupportedError
	if !errors.As(err, &u) || u.Node != "choice" {
		t.Errorf("%v", err)
	}
}
