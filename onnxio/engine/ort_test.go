//go:build cgo

package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
)

// library is the onnxruntime that the tests use; they skip where there is none, unless SHOAL_REQUIRE says that there must be.
func library(t *testing.T) string {
	found, err := ortlib.Find(ortlib.Request{Given: os.Getenv("SHOAL_ONNXRUNTIME"), Python: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnxruntime") {
			t.Fatal("SHOAL_REQUIRE asks for onnxruntime, which is missing")
		}
		t.Skip("onnxruntime is not on this machine")
	}
	return found[0].Path
}

func openORT(t *testing.T, m *onnxio.Model, provider string) engine.Session {
	t.Helper()
	s, err := engine.Open(context.Background(), m, engine.Options{Engine: "ort:" + provider, Library: library(t), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agree compares outputs relative to the largest of them.
func agree(t *testing.T, what string, got, want []*onnxio.Tensor, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d outputs, want %d", what, len(got), len(want))
		return
	}
	for k := range want {
		if !slices.Equal(got[k].Shape, want[k].Shape) {
			t.Errorf("%s: output %d of shape %v, want %v", what, k, got[k].Shape, want[k].Shape)
			return
		}
		g, _ := got[k].Float64s()
		w, _ := want[k].Float64s()
		scale := 1e-30
		for _, v := range w {
			if !math.IsInf(v, 0) && !math.IsNaN(v) {
				scale = max(scale, math.Abs(v))
			}
		}
		for i := range w {
			if g[i] != w[i] && !(math.IsNaN(g[i]) && math.IsNaN(w[i])) && !(math.Abs(g[i]-w[i]) <= tolerance*scale) {
				t.Errorf("%s: output %d[%d] is %v, want %v", what, k, i, g[i], w[i])
				return
			}
		}
	}
}

func beside(t *testing.T) map[string]*onnxio.Tensor {
	files, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "*.npz"))
	if len(files) < 5 {
		t.Fatalf("%d networks with inputs in testdata", len(files))
	}
	out := map[string]*onnxio.Tensor{}
	for _, f := range files {
		ref, err := dataset.ReadNPZ(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(f, ".npz")+".onnx"] = onnxio.FromFloat32(ref["inputs"].Float32s(), ref["inputs"].Shape...)
	}
	return out
}

func load(t *testing.T, path string) *onnxio.Model {
	t.Helper()
	m, err := onnxio.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t *testing.T, s engine.Session, in ...*onnxio.Tensor) []*onnxio.Tensor {
	t.Helper()
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestORTRunsNetworks compares both engines on the networks of testdata, in pieces that do and do not divide the batch.
func TestORTRunsNetworks(t *testing.T) {
	for path, in := range beside(t) {
		m := load(t, path)
		lib := library(t)
		ours, err := engine.Open(context.Background(), m, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := run(t, ours, in)
		for _, batch := range []int{0, 1, 5} {
			s, err := engine.Open(context.Background(), m, engine.Options{Engine: "ort", Library: lib, MaxBatch: batch})
			if err != nil {
				t.Fatal(err)
			}
			agree(t, filepath.Base(path), run(t, s, in), want, 1e-5)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error("closed twice:", err)
			}
			if _, err := s.Run(context.Background(), []*onnxio.Tensor{in}); err == nil {
				t.Error("a closed session ran")
			}
		}
	}
}

// TestORTIsSafeForConcurrentUse runs one session from several goroutines while it is being closed.
func TestORTIsSafeForConcurrentUse(t *testing.T) {
	for path, in := range beside(t) {
		m := load(t, path)
		s := openORT(t, m, "cpu")
		want := run(t, s, in)
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 20 {
					out, err := s.Run(context.Background(), []*onnxio.Tensor{in})
					if err != nil {
						if !strings.Contains(err.Error(), "closed") {
							t.Error(err)
						}
						return
					}
					agree(t, path, out, want, 1e-6)
				}
			}()
		}
		s.Close()
		wg.Wait()
	}
}

func TestORTErrorsSayWhatToDo(t *testing.T) {
	m := load(t, filepath.Join("..", "..", "testdata", "fmnist-conv-ts.onnx"))
	lib := library(t)
	ctx := context.Background()
	if has, err := engine.ORTProviders(lib); err != nil || !slices.Contains(has, "cpu") {
		t.Fatalf("%v, %v", has, err)
	} else if !slices.Contains(has, "cuda") {
		_, err := engine.Open(ctx, m, engine.Options{Engine: "ort:cuda", Library: lib})
		var p *engine.ProviderError
		version, _ := engine.ORTVersion(lib)
		if !errors.As(err, &p) || !strings.Contains(err.Error(), version) || !strings.Contains(err.Error(), "it has cpu") {
			t.Errorf("cuda: %v", err)
		}
	}
	for _, c := range []struct {
		o    engine.Options
		want string
	}{
		{engine.Options{Engine: "ort:nonsense", Library: lib}, "nonsense"},
		{engine.Options{Engine: "ort", Library: "no/such/file"}, "no/such/file"},
		{engine.Options{Engine: "ort", Library: t.TempDir()}, ortlib.FileName()},
		{engine.Options{Engine: "ort", Library: filepath.Join("..", "..", "testdata", "fmnist-conv-ts.onnx")}, "one library"},
		{engine.Options{Engine: "ort", Library: lib, Float64: true}, "--engine go"},
		{engine.Options{Engine: "gpu"}, "auto, go, ort"},
	} {
		if _, err := engine.Open(ctx, m, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	s := openORT(t, m, "cpu")
	defer s.Close()
	for _, in := range [][]*onnxio.Tensor{nil, {nil}, {onnxio.NewTensor(onnxio.Float, 1, 1, 28, 27)}, {onnxio.NewTensor(onnxio.Int64, 1, 1, 28, 28)}} {
		if _, err := s.Run(ctx, in); err == nil {
			t.Errorf("%v was taken", in)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Run(cancelled, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Float, 4, 1, 28, 28)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestAutoSaysWhatItChose: whatever there is on the machine, auto opens a session and gives its reason.
func TestAutoSaysWhatItChose(t *testing.T) {
	for path, in := range beside(t) {
		m := load(t, path)
		var said []string
		s, err := engine.Open(context.Background(), m, engine.Options{Engine: "auto", Library: os.Getenv("SHOAL_ONNXRUNTIME"),
			Notice: func(n string) { said = append(said, n) }})
		if err != nil {
			t.Fatal(err)
		}
		run(t, s, in)
		s.Close()
		if len(said) != 1 || !strings.HasPrefix(said[0], "engine ") {
			t.Errorf("%q", said)
		}
	}
}

// TestORTRunsPublicNetworks compares both engines on every network of the public benchmark.
func TestORTRunsPublicNetworks(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	lib := library(t)
	root := filepath.Join("..", "..", "..", "shared", "bench", "vnncomp")
	if _, err := os.Stat(root); err != nil {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("../shared is not at hand")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".onnx") {
			return err
		}
		m := load(t, path)
		ours, err := engine.Open(context.Background(), m, engine.Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		theirs, err := engine.Open(context.Background(), m, engine.Options{Engine: "ort", Library: lib})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		defer theirs.Close()
		for range 2 {
			var in []*onnxio.Tensor
			for _, p := range ours.Inputs() {
				shape := slices.Clone(p.Shape)
				if len(shape) > 0 && shape[0] < 0 {
					shape[0] = 1
				}
				x := onnxio.NewTensor(onnxio.Float, shape...)
				for i := range x.F32() {
					x.F32()[i] = rng.Float32()
				}
				in = append(in, x)
			}
			agree(t, d.Name(), run(t, ours, in...), run(t, theirs, in...), 1e-4)
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d networks agree", n)
	if n < 120 {
		t.Errorf("only %d networks ran", n)
	}
}

// TestWebGPU runs networks on onnxruntime's WebGPU provider: any vendor's GPU through Vulkan, or none through a software driver such as
// SwiftShader, named in VK_DRIVER_FILES.
func TestWebGPU(t *testing.T) {
	must := strings.Contains(os.Getenv("SHOAL_REQUIRE"), "webgpu")
	has, err := engine.ORTProviders(library(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(has, "webgpu") {
		if must {
			t.Fatalf("SHOAL_REQUIRE asks for webgpu; the library has %v", has)
		}
		t.Skipf("onnxruntime has no WebGPU here, only %v", has)
	}
	for path, in := range beside(t) {
		m := load(t, path)
		s, err := engine.Open(context.Background(), m, engine.Options{Engine: "ort:webgpu", Library: library(t)})
		if err != nil {
			if must {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		ours, err := engine.Open(context.Background(), m, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		agree(t, filepath.Base(path), run(t, s, in), run(t, ours, in), 1e-4)
		s.Close()
	}
}

// roundsOnORT are tests of a Fourier transform of numbers up to 99 with outputs that are 0 in truth: onnxruntime leaves up to 1.2e-4 there, and
// the tests allow 1e-7.
var roundsOnORT = map[string]bool{"test_dft": true, "test_dft_axis": true, "test_dft_inverse": true}

// TestORTRunsNodeTests runs the standard's node tests of the operators that shoal has on onnxruntime too. What onnxruntime itself refuses
// (operators that it lacks for a type or a version) is counted.
func TestORTRunsNodeTests(t *testing.T) {
	lib := library(t)
	dirs, _ := filepath.Glob(filepath.Join(nodeTests, "test_*"))
	if len(dirs) == 0 {
		t.Skip("Debian's libonnx-testdata is not installed")
	}
	both, refused := 0, 0
	for _, dir := range dirs {
		if nodeTest(dir, 1<<30) != nil {
			continue
		}
		err := nodeTestOn(dir, 1<<30, engine.Options{Engine: "ort", Library: lib, Threads: 1})
		var w *wrongOutput
		switch {
		case err == nil:
			both++
		case errors.As(err, &w) && roundsOnORT[filepath.Base(dir)]:
			t.Logf("%s: onnxruntime's output: %v", filepath.Base(dir), err)
		case errors.As(err, &w):
			t.Errorf("%s: onnxruntime's output: %v", filepath.Base(dir), err)
		default:
			refused++
			if testing.Verbose() {
				t.Logf("%s: %v", filepath.Base(dir), err)
			}
		}
	}
	t.Logf("%d node tests pass on both engines; onnxruntime refuses %d", both, refused)
	if both < 200 {
		t.Errorf("only %d tests passed on both engines", both)
	}
}
