package student

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// importTolerance is float32's rounding in sums of some hundred terms; logits are about 10.
const importTolerance = 1e-4

// TestImportedNetworksGiveTheirOwnLogits reads networks of several exporters as students and writes them again.
func TestImportedNetworksGiveTheirOwnLogits(t *testing.T) {
	files := []string{"fmnist-conv-ts.onnx", "fmnist-conv-dyn-robust.onnx"}
	paths, err := filepath.Glob(filepath.Join("..", "..", "shared", "teachers", "*.onnx")) // more, where they are at hand
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = filepath.Join("..", "testdata", f)
	}
	read := 0
	for _, path := range append(files, paths...) {
		m, err := onnxio.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		a, err := FromGraph(m.Graph)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "node ") {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		read++
		w := newWeights(must(a.stages()))
		if err := w.initialise(a, 0, false); err != nil {
			t.Fatal(err)
		}
		again, err := Model(a, w, "test")
		if err != nil {
			t.Fatal(err)
		}
		d := blobs(a.Input, 3, 8, 1)
		x := onnxio.FromFloat32(d.Inputs, append([]int{8}, a.Input[:]...)...)
		want, got := logitsOf(t, m, x), logitsOf(t, again, x)
		for i := range want {
			if math.Abs(float64(want[i]-got[i])) > importTolerance {
				t.Fatalf("%s: logit %d is %v, as a student %v", path, i, want[i], got[i])
			}
		}
	}
	if read < 2 {
		t.Errorf("only %d networks could be read", read)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func logitsOf(t *testing.T, m *onnxio.Model, x *onnxio.Tensor) []float32 {
	t.Helper()
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out, err := s.Run(context.Background(), []*onnxio.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	return out[0].F32()
}

// TestExportAndImportAreInverse takes a student of every kind of layer through a file: the weights come back bit for bit.
func TestExportAndImportAreInverse(t *testing.T) {
	a := mustParse(t, everyLayer)
	d := blobs(a.Input, 3, 64, 1)
	r, err := Train(context.Background(), a, d, nil, Config{Epochs: 1, Batch: 32}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Model()
	if err != nil {
		t.Fatal(err)
	}
	b, err := FromGraph(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	w := newWeights(must(b.stages()))
	if err := w.initialise(b, 5, false); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.Flat, r.Weights.Flat) {
		t.Error("the weights are others")
	}
	if _, err := Train(context.Background(), b, d, nil, Config{Epochs: 1, Batch: 32}, Options{}); err != nil {
		t.Errorf("fine-tuning: %v", err)
	}
}

// TestTeacherLogitsAreCached asks a teacher twice, the second time without one, and damages the file.
func TestTeacherLogitsAreCached(t *testing.T) {
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-conv-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := blobs([3]int{1, 28, 28}, 3, 20, 1)
	o := TeacherOptions{Model: m.SHA256, Dir: t.TempDir()}
	asked := 0
	o.Progress = func(int) { asked++ }
	want, err := TeacherLogits(context.Background(), s, d, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 200 || d.Classes != 10 || asked != 1 {
		t.Fatalf("%d logits, %d classes, asked %d times", len(want), d.Classes, asked)
	}
	got, err := TeacherLogits(context.Background(), s, d, o)
	if err != nil || asked != 1 || !slices.Equal(got, want) {
		t.Errorf("the cache was not used: asked %d times, %v", asked, err)
	}
	files, err := filepath.Glob(filepath.Join(o.Dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte("shoallgt nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err = TeacherLogits(context.Background(), s, d, o); err != nil || asked != 2 || !slices.Equal(got, want) {
		t.Errorf("a damaged cache: asked %d times, %v", asked, err)
	}
	d.Inputs[0]++
	if _, err := TeacherLogits(context.Background(), s, d, o); err != nil || asked != 3 {
		t.Errorf("other data: asked %d times, %v", asked, err)
	}
}

// TestTeachersTakeImagesInTheirOwnOrder asks a teacher that takes colours last, through a graph that only turns its input, and one that ends in a
// softmax.
func TestTeachersTakeImagesInTheirOwnOrder(t *testing.T) {
	d := blobs([3]int{2, 3, 4}, 3, 5, 1)
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 3}, {Size: 4}, {Size: 2}}}
	y := &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 24}}}
	p := &onnxio.Value{Name: "p", DType: onnxio.Float, HasShape: true, Dims: y.Dims}
	g := &onnxio.Graph{Name: "turn", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{p}, Nodes: []*onnxio.Node{
		{Name: "flatten", Op: "Flatten", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Opset: 17, Attrs: onnxio.Attrs{}},
		{Name: "softmax", Op: "Softmax", Inputs: []*onnxio.Value{y}, Outputs: []*onnxio.Value{p}, Opset: 17, Attrs: onnxio.Attrs{}}}}
	y.Producer, p.Producer = g.Nodes[0], g.Nodes[1]
	g, stripped, err := StripSoftmax(g)
	if err != nil || !stripped || g.Outputs[0].Name != "y" || len(g.Nodes) != 1 {
		t.Fatalf("stripped %t, %v", stripped, err)
	}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := engine.Open(context.Background(), m, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	z, err := TeacherLogits(context.Background(), s, d, TeacherOptions{Mean: []float64{0.5, 0}, Std: []float64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		for k := range 12 {
			for c, f := range []func(float32) float32{func(v float32) float32 { return v - 0.5 }, func(v float32) float32 { return v / 2 }} {
				if got, want := z[i*24+k*2+c], f(d.Inputs[i*24+c*12+k]); got != want {
					t.Fatalf("sample %d, pixel %d, channel %d: %v, want %v", i, k, c, got, want)
				}
			}
		}
	}
	if _, err := TeacherLogits(context.Background(), s, blobs([3]int{2, 4, 3}, 3, 5, 1), TeacherOptions{}); err == nil {
		t.Error("images of another shape were taken")
	}
}

// TestSoftmaxOverOtherThanClassesStays: what is no distribution over classes is no softmax to leave out; what is, also behind operators of which only
// another engine knows the shapes.
func TestSoftmaxOverOtherThanClassesStays(t *testing.T) {
	for _, c := range []struct {
		before string
		axis   int64
		want   bool
	}{{"Relu", 1, true}, {"Relu", -1, true}, {"Relu", 0, false}, {"OfAnotherEngine", 1, true}, {"OfAnotherEngine", 0, false}} {
		dims := []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 4}}
		value := func(name string) *onnxio.Value {
			return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: dims}
		}
		x, z, p := value("x"), value("z"), value("p")
		g := &onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{p}, Nodes: []*onnxio.Node{
			{Name: "before", Op: c.before, Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{z}, Opset: 17, Attrs: onnxio.Attrs{}},
			{Name: "softmax", Op: "Softmax", Inputs: []*onnxio.Value{z}, Outputs: []*onnxio.Value{p}, Opset: 17, Attrs: onnxio.Attrs{"axis": c.axis}}}}
		z.Producer, p.Producer = g.Nodes[0], g.Nodes[1]
		out, stripped, err := StripSoftmax(g)
		if err != nil || stripped != c.want || stripped != (len(out.Nodes) == 1) || stripped != (out.Outputs[0].Name == "z") {
			t.Errorf("%s, axis %d: stripped %v, %d nodes, output %q, %v", c.before, c.axis, stripped, len(out.Nodes), out.Outputs[0].Name, err)
		}
	}
}
