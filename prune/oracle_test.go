package prune_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
	"github.com/shallow-waters/shoal/prune"
)

// tolerance is the largest difference of an output, relative to the outputs' largest element, between a pruned network and the same with
// the channels at zero: the two sum in other orders.
const tolerance = 1e-5

// networks lists model files of testdata and of ../shared, and those of the folders in SHOAL_SWEEP.
func networks(t *testing.T) []string {
	var out []string
	patterns := []string{"../testdata/*.onnx", "testdata/parts/*.onnx", "testdata/quantised/*.onnx",
		"../../shared/teachers/*.onnx", "../../shared/bench/vnncomp/*/onnx/*.onnx*",
		"../../shared/bench/vnncomp/onnx/*.onnx*"}
	if dir := os.Getenv("SHOAL_SWEEP"); dir != "" {
		patterns = append(patterns, filepath.Join(dir, "*.onnx"))
	}
	for _, p := range patterns {
		m, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m...)
	}
	if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") && len(out) < 50 {
		t.Fatalf("SHOAL_REQUIRE asks for ../shared; %d networks are here", len(out))
	}
	return out
}

// samples makes random inputs in [0,1) for a graph: n of them where the batch is free.
func samples(t *testing.T, s engine.Session, n int, dims int) []*onnxio.Tensor {
	rng := rand.New(rand.NewPCG(1, 2))
	var in []*onnxio.Tensor
	for _, p := range s.Inputs() {
		shape := slices.Clone(p.Shape)
		for i, d := range shape {
			if d < 0 {
				shape[i] = dims
				if i == 0 {
					shape[i] = n
				}
			}
		}
		x := onnxio.NewTensor(p.DType, shape...)
		for i := range x.Len() {
			switch d := x.Data.(type) {
			case []float32:
				d[i] = rng.Float32()
			case []float64:
				d[i] = rng.Float64()
			case []int64:
				d[i] = rng.Int64N(2)
			case []int32:
				d[i] = rng.Int32N(2)
			case []bool:
				d[i] = rng.IntN(2) == 0
			default:
				t.Fatalf("input of type %v", p.DType)
			}
		}
		in = append(in, x)
	}
	return in
}

func run(t *testing.T, g *onnxio.Graph, o engine.Options, in []*onnxio.Tensor, n int) ([]*onnxio.Tensor, []*onnxio.Tensor) {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if in == nil {
		in = samples(t, s, n, 0)
	}
	if o.Float64 {
		wide := make([]*onnxio.Tensor, len(in))
		for i, x := range in {
			wide[i] = x
			if f := x.F32(); f != nil {
				d, _ := x.Float64s()
				wide[i] = onnxio.FromFloat64(d, x.Shape...)
			}
		}
		in = wide
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}

// distance is the largest difference of two lists of outputs, relative to the largest finite element of the first; -1 where shapes differ.
func distance(a, b []*onnxio.Tensor) float64 {
	worst := 0.0
	for k := range a {
		x, _ := a[k].Float64s()
		y, _ := b[k].Float64s()
		if !slices.Equal(a[k].Shape, b[k].Shape) {
			return math.Inf(1)
		}
		scale, diff := 1e-30, 0.0
		for i := range x {
			if x[i] == y[i] || x[i] != x[i] && y[i] != y[i] {
				scale = max(scale, finite(x[i]))
				continue
			}
			d := math.Abs(x[i] - y[i])
			if d != d {
				d = math.Inf(1)
			}
			scale, diff = max(scale, finite(x[i])), max(diff, d)
		}
		worst = max(worst, diff/scale)
	}
	return worst
}

func finite(x float64) float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	return math.Abs(x)
}

// TestDeletedEqualsZeroed prunes every network at hand by random scores, at 30 and 50 %, and compares outputs in float64 with those of the
// original in which a Where after each node puts what was removed at zero. The written file, loaded again, must do the same in float32,
// and on onnxruntime where it is installed.
func TestDeletedEqualsZeroed(t *testing.T) {
	library := ""
	if found, err := ortlib.Find(ortlib.Request{Given: os.Getenv("SHOAL_ONNXRUNTIME"), Python: true}); err == nil && len(found) > 0 {
		library = found[0].Path
	} else if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
		t.Fatal("SHOAL_REQUIRE asks for onnxruntime, which is missing")
	}
	for _, path := range networks(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m, err := onnxio.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, ratio := range []float64{0.3, 0.5} {
				if testing.Short() && ratio != 0.5 {
					continue
				}
				t.Run(fmt.Sprint(ratio), func(t *testing.T) { deletedEqualsZeroed(t, path, m.Graph, ratio, library) })
			}
		})
	}
	if a, b := changed.Load(), compared.Load(); a < b*3/4 {
		t.Errorf("zeros changed the outputs of %d networks out of %d only", a, b)
	}
}

// compared counts pruned networks, and changed those whose outputs the zeros changed: were there few of these, the comparison would show
// nothing.
var compared, changed atomic.Int64

func deletedEqualsZeroed(t *testing.T, path string, g *onnxio.Graph, ratio float64, library string) {
	r, err := prune.Run(context.Background(), g, prune.Options{Choice: prune.Choice{Score: prune.Random, Seed: 7, Ratio: ratio}})
	var u *onnxio.UnsupportedError
	if errors.As(err, &u) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Removed() == 0 {
		t.Logf("nothing could be removed: %v", r.Plan.Pinned)
	}
	batch := 2
	if strings.Contains(path, "vnncomp") {
		batch = 1
	}
	compared.Add(1)
	sized := r.Coupling.Sized
	in, want := run(t, sized(r.Zeroed), engine.Options{Float64: true}, nil, batch)
	if _, whole := run(t, sized(g), engine.Options{Float64: true}, in, batch); r.Plan.Removed() > 0 && distance(whole, want) > 0 {
		changed.Add(1)
	}
	_, got := run(t, sized(r.Graph), engine.Options{Float64: true}, in, batch)
	d := distance(want, got)
	if !(d <= 1e-9) {
		t.Errorf("float64 outputs differ by %.1e", d)
	}
	m, err := onnxio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	m.Graph = r.Graph
	file, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := onnxio.Parse(file, filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	in, out := run(t, sized(back.Graph), engine.Options{}, nil, batch)
	_, zero := run(t, sized(r.Zeroed), engine.Options{}, in, batch)
	// Some networks make much of a rounding: what float32 does to the zeroed network itself is no fault of the pruned one.
	allowed := tolerance
	if distance(zero, out) > tolerance {
		_, exact := run(t, sized(r.Zeroed), engine.Options{Float64: true}, in, batch)
		allowed = max(tolerance, 3*distance(exact, zero))
	}
	if d := distance(zero, out); !(d <= allowed) {
		t.Errorf("float32 outputs of the written file differ by %.1e", d)
	}
	before, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d filters, %d -> %d bytes, %.1e", r.Plan.Removed(), len(before), len(file), d)
	if library == "" {
		return
	}
	s, err := engine.Open(context.Background(), back, engine.Options{Engine: "ort:cpu", Library: library})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ort, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(zero, ort); !(d <= allowed) {
		t.Errorf("onnxruntime's outputs differ by %.1e", d)
	}
}
