package engine_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// TestTeachersGiveTheirOutputs compares with the outputs that onnxruntime gave for 32 images, in float32 and float64, with one
// thread and with several.
func TestTeachersGiveTheirOutputs(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "teachers")
	files, _ := filepath.Glob(filepath.Join(dir, "*.onnx"))
	if len(files) == 0 {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "shared") {
			t.Fatal("SHOAL_REQUIRE asks for ../shared, which is missing")
		}
		t.Skip("../shared/teachers is not at hand")
	}
	testOutputs(t, files)
}

// TestNetworksGiveTheirOutputs does so for the networks of testdata, by every exporter.
func TestNetworksGiveTheirOutputs(t *testing.T) {
	beside, _ := filepath.Glob(filepath.Join("..", "..", "testdata", "*.npz"))
	if len(beside) < 5 {
		t.Fatalf("%d networks with outputs in testdata", len(beside))
	}
	for i, f := range beside {
		beside[i] = strings.TrimSuffix(f, ".npz") + ".onnx"
	}
	testOutputs(t, beside)
}

func testOutputs(t *testing.T, files []string) {
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			m, err := onnxio.Load(f)
			if err != nil {
				t.Fatal(err)
			}
			ref, err := dataset.ReadNPZ(strings.TrimSuffix(f, ".onnx") + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			var one []float64
			for _, o := range []engine.Options{{Threads: 1}, {Threads: 3}, {Float64: true}} {
				s, err := engine.Open(context.Background(), m, o)
				if err != nil {
					t.Fatal(err)
				}
				out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(ref["inputs"].Float32s(), ref["inputs"].Shape...)})
				s.Close()
				if err != nil {
					t.Fatal(err)
				}
				got, err := out[0].Float64s()
				if err != nil || len(got) != len(ref["outputs"].Floats) {
					t.Fatalf("%d outputs, want %d: %v", len(got), len(ref["outputs"].Floats), err)
				}
				scale := 0.0
				for _, v := range ref["outputs"].Floats {
					scale = max(scale, math.Abs(v))
				}
				for i, v := range ref["outputs"].Floats {
					// float32 sums of a few thousand terms: 1e-5 of the largest output.
					if !(math.Abs(v-got[i]) <= 1e-5*scale) {
						t.Fatalf("%+v: output %d is %v, want %v", o, i, got[i], v)
					}
				}
				if o.Threads == 1 {
					one = got
				} else if !o.Float64 {
					for i := range got {
						if got[i] != one[i] {
							t.Fatalf("output %d depends on the number of threads: %v and %v", i, one[i], got[i])
						}
					}
				}
			}
		})
	}
}

func TestBadInputsAreNamed(t *testing.T) {
	m, err := onnxio.Load(filepath.Join("..", "..", "testdata", "fmnist-conv-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, in := range [][]*onnxio.Tensor{nil, {nil}, {onnxio.NewTensor(onnxio.Float, 1, 1, 28, 27)}, {onnxio.NewTensor(onnxio.Int64, 1, 1, 28, 28)},
		{onnxio.NewTensor(onnxio.Float, 784)}} {
		if _, err := s.Run(context.Background(), in); err == nil {
			t.Errorf("%v was taken", in)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Float, 4, 1, 28, 28)}); err == nil {
		t.Error("a cancelled run came to an end")
	}
}
