package attack

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// networks lists .onnx files of a folder of the repository or of the shared data.
func networks(t *testing.T, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, files...)
	}
	return out
}

// publicNetworks lists every network of the shared data.
func publicNetworks(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, root := range []string{"../../shared/teachers", "../../shared/bench"} {
		err := filepath.WalkDir(root+"/", func(path string, d fs.DirEntry, err error) error {
			if err == nil && (strings.HasSuffix(path, ".onnx") || strings.HasSuffix(path, ".onnx.gz")) {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// needShared skips without the data beside the repository.
func needShared(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../../shared/teachers"); err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("the data in ../shared is missing")
	}
}

// slopeTolerance is what central differences with steps of 1e-7 may miss in float64, relative to the derivative's own size: a kink that
// lies inside a step, and rounding.
const slopeTolerance = 1e-4

// checkNetworkGradient compares dL/dx with a difference along random directions, sample by sample.
func checkNetworkGradient(t *testing.T, path string, loss Loss) {
	t.Helper()
	m, err := onnxio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	const batch = 2
	g, err := Gradient(m.Graph, loss, GradientOptions{Batch: batch, Float64: true})
	var missing *onnxio.UnsupportedError
	if errors.As(err, &missing) {
		t.Logf("%s: %v", path, err)
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ctx := context.Background()
	s, err := engine.OpenGraph(ctx, g, engine.Options{Float64: true, Threads: 1})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	var in []*onnxio.Tensor
	inputs := 0
	for _, p := range s.Inputs() {
		x := onnxio.NewTensor(onnxio.Double, p.Shape...)
		switch p.Name {
		case WeightsInput, TargetInput:
			rows, k := p.Shape[0], p.Shape[1]
			for r := range rows {
				x.F64()[r*k+rng.IntN(k)] = 1
			}
		default:
			inputs++
			for i := range x.F64() {
				x.F64()[i] = rng.Float64()
			}
		}
		in = append(in, x)
	}
	ys, err := s.Run(ctx, in)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	rows := len(ys[1].F64())
	for try := range 3 {
		// One direction through all inputs of one sample: the other sample's loss must not move.
		sample := try % rows
		var along [][]float64
		want, at := 0.0, make([][]float64, inputs)
		for i := range inputs {
			x := in[i].F64()
			at[i] = append([]float64{}, x...)
			v := make([]float64, len(x))
			for k := sample * len(x) / rows; k < (sample+1)*len(x)/rows; k++ {
				v[k] = rng.NormFloat64()
				want += v[k] * ys[2+i].F64()[k]
			}
			along = append(along, v)
		}
		const h = 1e-7
		losses := func(step float64) []float64 {
			for i := range inputs {
				for k := range at[i] {
					in[i].F64()[k] = at[i][k] + step*along[i][k]
				}
			}
			y, err := s.Run(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			return y[1].F64()
		}
		up, down := losses(h), losses(-h)
		losses(0)
		for r := range rows {
			got := (up[r] - down[r]) / (2 * h)
			expect := 0.0
			if r == sample {
				expect = want
			}
			if !(math.Abs(got-expect) <= slopeTolerance*(math.Abs(want)+math.Abs(up[r])*1e-3+1e-6)) {
				t.Errorf("%s, %s: along direction %d sample %d changes by %v, its gradient says %v", path, loss.Kind, try, r, got, expect)
			}
		}
	}
}

func TestNetworkGradientsAgreeWithDifferences(t *testing.T) {
	for _, f := range networks(t, "../testdata/*.onnx") {
		for _, k := range []Kind{CE, DLR, DLRT, Margin, Linear} {
			checkNetworkGradient(t, f, Loss{Kind: k})
		}
		row := make([]float64, 10)
		row[1], row[2] = 1, -2
		checkNetworkGradient(t, f, Loss{Kind: Rows, Cases: [][]Constraint{{{row, 0.5}}, {{row, -100}, {row, 100}}}})
	}
}

func TestPublicNetworkGradientsAgreeWithDifferences(t *testing.T) {
	needShared(t)
	if testing.Short() {
		t.Skip("long: all networks of the public benchmark")
	}
	all := publicNetworks(t)
	t.Logf("%d networks", len(all))
	for _, f := range all {
		checkNetworkGradient(t, f, Loss{Kind: Linear})
	}
}

// autogradTolerance is how far float32 gradients may be from PyTorch's in float64, relative to the largest element.
const autogradTolerance = 1e-4

// TestGradientsAgreeWithAutograd compares with values that testdata/generate/gradients.py stored.
func TestGradientsAgreeWithAutograd(t *testing.T) {
	stored, err := dataset.ReadNPZ("testdata/gradients.npz")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, name := range []string{"fmnist-conv-ts", "cifar-depthwise-ts", "cifar-residual-dyn"} {
		m, err := onnxio.Load("../testdata/" + name + ".onnx")
		if err != nil {
			t.Fatal(err)
		}
		target, err := Open(ctx, m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		key := strings.ReplaceAll(name, "-", "_")
		x := stored[key+"_inputs"].Float32s()
		w := make([]float32, 20)
		w[3], w[17] = 1, 1
		for _, kind := range []Kind{CE, DLR} {
			s, err := target.Gradient(ctx, &Loss{Kind: kind}, x, w, nil)
			if err != nil {
				t.Fatal(err)
			}
			for what, got := range map[string][]float32{"loss": s.Loss, "gradient": s.Gradient} {
				want := stored[key+"_"+string(kind)+"_"+what].Float32s()
				if len(want) != len(got) {
					t.Fatalf("%s %s: %d numbers where %d are stored", name, kind, len(got), len(want))
				}
				most, far := 0.0, 0.0
				for i, v := range want {
					most, far = max(most, math.Abs(float64(v))), max(far, math.Abs(float64(v)-float64(got[i])))
				}
				if !(far <= autogradTolerance*most) || most == 0 {
					t.Errorf("%s %s: the %s differs by %v of %v", name, kind, what, far, most)
				}
			}
		}
		target.Close()
	}
}
