package verify

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// mixedNets is how many networks of all operators are drawn; every layer stands in 2*mixedNets/len(layers()) of them at least.
const mixedNets = 600

// leastNets is in how many networks an operator must appear at least.
const leastNets = 3

// sampleError is the share of the magnitudes that a sampled row's own float64 evaluation may be off by. The networks have layers of less
// than 50 terms: a layer's rounding is below 50*2^-53 = 6e-15 of its sums, and 1e-12 leaves room for what layers behind it amplify.
const sampleError = 1e-12

// drawNet is network number seed, with the layers whose turn it is.
func drawNet(t *testing.T, seed uint64) (g *onnxio.Graph, in, out int, _ *rand.Rand) {
	t.Helper()
	return drawOf(t, seed, layers())
}

// drawOf is drawNet of some layers alone.
func drawOf(t *testing.T, seed uint64, all []layer) (g *onnxio.Graph, in, out int, _ *rand.Rand) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2026))
	// A layer's partners change from turn to turn: the second one's stride grows by one each time round.
	n := uint64(len(all))
	first := all[seed%n]
	second := all[(seed*7+seed/n*13+5)%n]
	defer func() {
		if e := recover(); e != nil { // the mixer panics on a layer that it cannot write
			t.Errorf("seed %d, %s and %s: %v", seed, first.name, second.name, e)
		}
	}()
	g, in, out = mixedNet(rng, []layer{first, second})
	return g, in, out, rng
}

// notDrawn are operators with bounds that no network of TestBoundsOfAllOperators has, with the reason.
var notDrawn = map[string]string{"EmbedLayerNormalization": "its inputs are places in tables, which have no neighbours"}

// TestAllBoundedOperatorsAreDrawn: whatever has a face for bounds stands in some random networks, on values that vary.
func TestAllBoundedOperatorsAreDrawn(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(mixedNets) {
		g, _, _, _ := drawNet(t, seed)
		if g == nil {
			continue
		}
		seen := map[string]bool{}
		for _, n := range g.Nodes {
			if name := n.Domain + n.Op; !seen[name] && slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && v.Const == nil }) {
				seen[name] = true
				count[name]++
			}
		}
	}
	for _, d := range operators.All() {
		if d.Parts == nil && d.Interval == nil && d.Linear == nil {
			continue
		}
		if why, ok := notDrawn[d.Name]; ok {
			if count[d.Domain+d.Name] > 0 {
				t.Errorf("%s is drawn, though it is said to be left out: %s", d.Name, why)
			}
			continue
		}
		if n := count[d.Domain+d.Name]; n < leastNets {
			t.Errorf("%s has bounds and stands in %d random networks; want %d", d.Name, n, leastNets)
		}
	}
}

// prey is a network with rows, hunted for points where a row is small.
type prey struct {
	t     *testing.T
	run   func(x []float64) []float64
	box   Box
	rows  [][]float64
	least []float64   // smallest value of every row, its own rounding added
	at    [][]float64 // where
}

func newPrey(t *testing.T, run func([]float64) []float64, box Box, rows [][]float64) *prey {
	p := &prey{t: t, run: run, box: box, rows: rows, least: make([]float64, len(rows)), at: make([][]float64, len(rows))}
	for i := range p.least {
		p.least[i] = math.Inf(1)
	}
	return p
}

// try evaluates a point, and tells whether row r became smaller.
func (p *prey) try(x []float64, r int) bool {
	y := p.run(x)
	better := false
	for i, row := range p.rows {
		sum, size := 0.0, 1.0
		for k, c := range row {
			sum += c * y[k]
			size += math.Abs(c * y[k])
		}
		// What is not a number counts as below every bound: of such a row nothing may be promised.
		v := sum + sampleError*size
		if math.IsNaN(v) {
			v = math.Inf(-1)
		}
		if v < p.least[i] {
			p.least[i], p.at[i] = v, slices.Clone(x)
			better = better || i == r
		}
	}
	return better
}

// search walks from every row's best point along the axes: to the ends, and by steps that shrink where they do not help.
func (p *prey) search(rng *rand.Rand, steps int) {
	for r := range p.rows {
		if p.at[r] == nil {
			continue // +Inf everywhere
		}
		size := 0.5
		for range steps {
			x := slices.Clone(p.at[r])
			i := rng.IntN(len(x))
			l, u := p.box.Lower[i], p.box.Upper[i]
			switch rng.IntN(4) {
			case 0:
				x[i] = l
			case 1:
				x[i] = u
			default:
				x[i] = min(max(x[i]+size*(u-l)*(2*rng.Float64()-1), l), u)
			}
			if !p.try(x, r) {
				size = max(size*0.85, 1e-4)
			}
		}
	}
}

// inFloat32 makes the ends of a box float32s, so that both semantics have the same corners.
func inFloat32(b Box) Box {
	for i := range b.Lower {
		b.Lower[i], b.Upper[i] = float64(float32(b.Lower[i])), float64(float32(b.Upper[i]))
	}
	return b
}

// runner evaluates a graph in float64, or in float32 with points rounded to it.
func runner(t *testing.T, g *onnxio.Graph, double bool) func([]float64) []float64 {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Float64: double, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	shape := s.Inputs()[0].Shape
	return func(x []float64) []float64 {
		in := onnxio.FromFloat64(x, shape...)
		if !double {
			f := make([]float32, len(x))
			for i, v := range x {
				f[i] = float32(v)
				x[i] = float64(f[i])
			}
			in = onnxio.FromFloat32(f, shape...)
		}
		y, err := s.Run(context.Background(), []*onnxio.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		out, err := y[0].Float64s()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(out)
	}
}

// hasFused tells whether runtimes may compute an operator of a graph otherwise than its parts, or it is of another domain: nothing is said of their
// float32.
func hasFused(t *testing.T, g *onnxio.Graph) bool {
	t.Helper()
	return slices.ContainsFunc(g.Nodes, func(n *onnxio.Node) bool {
		def, err := operators.Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		return def.Fused && (def.Apart(n) || def.Steps) || def.Domain != ""
	})
}

// TestBoundsOfAllOperators is the adversary of all operators with bounds: networks that mix them, and for each row of outputs a search for
// a point that lies below its bound, in float64 for real semantics and in float32 for float32 semantics.
func TestBoundsOfAllOperators(t *testing.T) {
	t.Parallel()
	nets := mixedNets
	if testing.Short() {
		nets = mixedNets / 6
	}
	finite, all, refused := 0, 0, 0
	for seed := range uint64(nets) {
		g, in, out, rng := drawNet(t, seed)
		if g == nil {
			continue
		}
		var names []string
		for _, n := range g.Nodes {
			names = append(names, n.Op)
		}
		box := inFloat32(randomBox(rng, in))
		rows := make([][]float64, 4)
		for i := range rows {
			rows[i] = make([]float64, out)
			if i < 2 {
				rows[i][rng.IntN(out)] = float64(1 - 2*i)
				continue
			}
			for k := range rows[i] {
				rows[i][k] = rng.NormFloat64()
			}
		}
		for _, sem := range []Semantics{Real, Float32} {
			p := newPrey(t, runner(t, g, sem == Real), box, rows)
			for _, x := range samplePoints(rng, box, 24) {
				p.try(x, -1)
			}
			v := openGraph(t, g, Options{Method: DeepPoly, Semantics: sem, Threads: 1})
			var trace bound.Trace
			b, err := v.bound(context.Background(), v.o, DeepPoly, box)
			var no *onnxio.UnsupportedError
			if sem == Float32 && errors.As(err, &no) && no.Face == "Execution" && hasFused(t, g) {
				refused++
				continue
			}
			if err != nil {
				t.Fatalf("seed %d %v: %v", seed, names, err)
			}
			_, err = b.Lower(rows, make([]int32, len(rows)), &trace)
			b.Close()
			if err != nil {
				t.Fatalf("seed %d %v: %v", seed, names, err)
			}
			for i := range rows {
				p.try(trace.Corner(i, box), -1)
			}
			p.search(rng, 24)
			for _, m := range []Method{Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha} {
				for _, plain := range []bool{false, true} {
					v.o.Method, v.o.Plain = m, plain
					res, err := v.Bounds(context.Background(), box, rows, false)
					var wide *bound.TooWideError
					if errors.As(err, &wide) {
						continue
					}
					if err != nil {
						t.Fatalf("seed %d %v: %v", seed, names, err)
					}
					for r, low := range res.Lower {
						all++
						if !math.IsInf(low, 0) {
							finite++
						}
						if math.IsNaN(low) || p.least[r] < low {
							t.Errorf("seed %d %s plain=%v %s: row %d is %.17g at %v, bound %.17g\nopset %d, nodes %v", seed, m, plain, sem,
								r, p.least[r], p.at[r], low, g.Nodes[0].Opset, names)
						}
					}
				}
			}
		}
	}
	t.Logf("%d of %d bounds are finite; %d networks have no float32 bounds", finite, all, refused)
}
