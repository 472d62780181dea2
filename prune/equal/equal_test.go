package equal_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

const teachers = "../../../shared/teachers/"

func load(t *testing.T, name string) *onnxio.Model {
	t.Helper()
	m, err := onnxio.Load(name)
	if os.IsNotExist(err) {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var pixels = equal.Ranges{{0, 1}}

// TestDeadFiltersOfTheTeacher: at least the filters that the teacher's description lists as provable are proven dead, none that ever fires
// is, and logits are the same bits without them.
func TestDeadFiltersOfTheTeacher(t *testing.T) {
	m := load(t, teachers+"fmnist-dead.onnx")
	text, err := os.ReadFile(teachers + "fmnist-dead.filters.json")
	if err != nil {
		t.Fatal(err)
	}
	var known struct {
		Silent   map[string][]int `json:"never_fires_on_70000_images"`
		Provable map[string][]int `json:"provably_dead_by_intervals_on_box_0_1"`
	}
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	for _, method := range []verify.Method{verify.Interval, verify.DeepPoly} {
		if testing.Short() && method != verify.Interval {
			continue
		}
		o := prune.Options{Choice: prune.Choice{Score: prune.ProvenDead},
			Bounds: equal.Bounds(pixels, verify.Options{Method: method, Semantics: verify.Float32})}
		r, err := prune.Run(context.Background(), m.Graph, o)
		if err != nil {
			t.Fatal(err)
		}
		for k, name := range []string{"conv1", "conv2"} {
			gone := r.Plan.Classes[k].Layers[0].Remove
			for _, i := range known.Provable[name] {
				if !slices.Contains(gone, i) {
					t.Errorf("%s: filter %d of %s is provable and was not proven", method, i, name)
				}
			}
			for _, i := range gone {
				if !slices.Contains(known.Silent[name], i) {
					t.Errorf("%s: filter %d of %s is proven dead and fires", method, i, name)
				}
			}
			if len(r.Plan.Classes[k].Proofs) != len(gone) {
				t.Errorf("%d proofs for %d filters", len(r.Plan.Classes[k].Proofs), len(gone))
			}
			for _, p := range r.Plan.Classes[k].Proofs {
				if len(p.Ends) == 0 || p.Filters[0].Upper > 0 {
					t.Errorf("proof %+v", p)
				}
			}
		}
		set, err := dataset.Open("fmnist:../../testdata/fmnist", dataset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		x := onnxio.NewTensor(onnxio.Float, set.Len(), 1, 28, 28)
		for i := range set.Len() {
			if err := set.Pixels(x.F32()[i*784:(i+1)*784], i, false); err != nil {
				t.Fatal(err)
			}
		}
		a, b := outputs(t, m.Graph, x), outputs(t, r.Graph, x)
		if !slices.Equal(a, b) {
			t.Errorf("%s: logits changed", method)
		}
		small := *m
		small.Graph = r.Graph
		c, err := equal.Compare(context.Background(), m, &small, pixels, verify.Options{})
		if err != nil || !c.Equal || c.Delta != 0 {
			t.Errorf("%s: %+v, %v", method, c, err)
		}
	}
}

func outputs(t *testing.T, g *onnxio.Graph, x ...*onnxio.Tensor) []float64 {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Float64: x[0].DType == onnxio.Double})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	y, err := s.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	var out []float64
	for _, v := range y {
		f, err := v.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f...)
	}
	return out
}

// network draws a small network in which some channels can never fire on [0, 1], and some nearly so.
func network(rng *rand.Rand) *onnxio.Graph {
	d, x := draw(rng)
	g, fixed, node := d.g, d.floats, d.node
	conv := func(x *onnxio.Value, from, to int) *onnxio.Value {
		w, b := make([]float32, to*from*9), make([]float32, to)
		for i := range w {
			w[i] = float32(rng.NormFloat64())
		}
		for o := range b {
			most := 0.0 // of the products, over inputs in [0, 1]
			for _, v := range w[o*from*9 : (o+1)*from*9] {
				most += max(0, float64(v))
			}
			b[o] = float32(rng.NormFloat64() - most*[]float64{0, 0, 0.6, 1.01, 1.5}[rng.IntN(5)])
		}
		return node("Conv", onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}, x, fixed(w, to, from, 3, 3), fixed(b, to))
	}
	y := node("Relu", nil, conv(x, 2, 8))
	switch rng.IntN(4) {
	case 0:
		y = node("AveragePool", onnxio.Attrs{"kernel_shape": []int64{2, 2}}, y)
	case 1:
		y = node("Add", nil, y, node("Relu", nil, conv(x, 2, 8)))
	case 2:
		y = node("Concat", onnxio.Attrs{"axis": int64(1)}, y, node("Relu", nil, conv(x, 2, 8)))
		y = node("Relu", nil, conv(y, 16, 8))
	case 3:
		y = node("Mul", nil, y, node("Sigmoid", nil, conv(x, 2, 8)))
	}
	y = node("Relu", nil, conv(y, 8, 6))
	y = node("Flatten", nil, node("GlobalAveragePool", nil, y))
	w := make([]float32, 18)
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	g.Outputs = []*onnxio.Value{node("Gemm", onnxio.Attrs{"transB": int64(1)}, y, fixed(w, 3, 6))}
	return g
}

// TestProvenDeadChangesNothing prunes what is proven dead from random networks, and looks for an input at which the outputs differ: random
// ones, corners, and steps from the worst.
func TestProvenDeadChangesNothing(t *testing.T) {
	networks, removed := 60, 0
	if testing.Short() {
		networks = 15
	}
	for seed := range networks {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		g := network(rng)
		for _, method := range []verify.Method{verify.Interval, verify.DeepPoly} {
			r, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Score: prune.ProvenDead},
				Bounds: equal.Bounds(pixels, verify.Options{Method: method})})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			removed += r.Plan.Removed()
			differ := func(x []float64) float64 {
				in := onnxio.FromFloat64(x, 1, 2, 5, 5)
				a, b := outputs(t, g, in), outputs(t, r.Graph, in)
				worst := 0.0
				for i := range a {
					worst = max(worst, math.Abs(a[i]-b[i])/(1+math.Abs(a[i])))
				}
				return worst
			}
			worst, at := -1.0, []float64{}
			for k := range 30 {
				x := make([]float64, 50)
				for i := range x {
					if x[i] = rng.Float64(); k%2 == 0 {
						x[i] = math.Round(x[i])
					}
				}
				if d := differ(x); d > worst {
					worst, at = d, x
				}
			}
			for range 30 {
				x := slices.Clone(at)
				x[rng.IntN(len(x))] = math.Round(rng.Float64())
				if d := differ(x); d > worst {
					worst, at = d, x
				}
			}
			if worst > 1e-12 {
				t.Errorf("seed %d, %s: outputs differ by %g", seed, method, worst)
			}
		}
	}
	if removed < networks {
		t.Errorf("%d filters of %d networks were proven dead: too few to show anything", removed, networks)
	}
}

// TestDifferenceHolds: sampled differences of two networks lie within the certified bounds, and equal ones only are called equal.
func TestDifferenceHolds(t *testing.T) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		g := network(rng)
		h := g.Clone()
		w := h.Nodes[0].Inputs[1]
		f := slices.Clone(w.Const.F32())
		at := rng.IntN(len(f))
		f[at] += float32(0.1 * rng.NormFloat64())
		w.Const = onnxio.FromFloat32(f, w.Const.Shape...)
		a, b := &onnxio.Model{Graph: g}, &onnxio.Model{Graph: h}
		same, err := equal.Compare(context.Background(), a, &onnxio.Model{Graph: g.Clone()}, pixels, verify.Options{})
		if err != nil || !same.Equal || same.Shared != same.Nodes {
			t.Fatalf("seed %d: a network and its copy: %+v, %v", seed, same, err)
		}
		for _, method := range []verify.Method{verify.Interval, verify.DeepPoly} {
			c, err := equal.Compare(context.Background(), a, b, pixels, verify.Options{Method: method})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for k := range 50 {
				x := make([]float64, 50)
				for i := range x {
					if x[i] = rng.Float64(); k%2 == 0 {
						x[i] = math.Round(x[i])
					}
				}
				in := onnxio.FromFloat64(x, 1, 2, 5, 5)
				p, q := outputs(t, g, in), outputs(t, h, in)
				for i := range p {
					d := p[i] - q[i]
					if c.Equal && math.Abs(d) > 1e-12 {
						t.Fatalf("seed %d: called equal, and output %d differs by %g", seed, i, d)
					}
					if slack := 1e-12 * (1 + math.Abs(p[i])); d < c.Lower[i]-slack || d > c.Upper[i]+slack || math.Abs(d) > c.Delta+slack {
						t.Fatalf("seed %d, %s: output %d differs by %g, certified [%g, %g]", seed, method, i, d, c.Lower[i], c.Upper[i])
					}
				}
			}
		}
	}
}

func TestRanges(t *testing.T) {
	for _, bad := range []string{"", "1", "1:0", "a:b", "0:1,2", "0:Inf", "NaN:1"} {
		if _, err := equal.ParseRanges(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
	r, err := equal.ParseRanges("0:1,-2:2,0.5:0.5")
	if err != nil {
		t.Fatal(err)
	}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{{Name: "x", Shape: []int{1, 3, 1, 2}}}}
	b, err := r.Box(g)
	if err != nil || !slices.Equal(b.Lower, []float64{0, 0, -2, -2, 0.5, 0.5}) || !slices.Equal(b.Upper, []float64{1, 1, 2, 2, 0.5, 0.5}) {
		t.Errorf("%v, %v", b, err)
	}
	g.Inputs[0].Shape = []int{1, 2, 1, 3}
	if b, err = r.Box(g); err != nil || !slices.Equal(b.Lower, []float64{0, -2, 0.5, 0, -2, 0.5}) {
		t.Errorf("channels last: %v, %v", b, err)
	}
	g.Inputs[0].Shape = []int{1, 2, 4}
	if _, err = r.Box(g); err == nil {
		t.Error("three ranges for two channels are no error")
	}
}
