package recheck_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

var update = flag.Bool("update", false, "write the worked example's files anew")

const example = "../../testdata/certificate/three"

// threeNeurons is the network of docs/certificate.md: z = (x1+x2, x1-x2, x1), h = max(z, 0), y = h1+h2-h3.
func threeNeurons(t *testing.T) *onnxio.Model {
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	node := func(name, op string, in []*onnxio.Value, out *onnxio.Value) *onnxio.Node {
		n := &onnxio.Node{Name: name, Op: op, Inputs: in, Outputs: []*onnxio.Value{out}, Attrs: onnxio.Attrs{}, Opset: 13}
		out.Producer = n
		return n
	}
	x, z, h, y := value("x", 2), value("z", 3), value("h", 3), value("y", 1)
	w := &onnxio.Value{Name: "W", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{1, 1, 1, 1, -1, 0}, 2, 3)}
	v := &onnxio.Value{Name: "V", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{1, 1, -1}, 3, 1)}
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "three", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{
		node("into", "MatMul", []*onnxio.Value{x, w}, z), node("bend", "Relu", []*onnxio.Value{z}, h),
		node("out", "MatMul", []*onnxio.Value{h, v}, y)}}, "shoal")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const threeProperty = `(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (>= X_0 -1))
(assert (<= X_0 1))
(assert (>= X_1 -1))
(assert (<= X_1 0.5))
(assert (>= Y_0 1.25))
`

// threeSteps is the tree that the page follows.
func threeSteps() []certificate.Step {
	side := func(element int) certificate.Step { return certificate.Step{Kind: certificate.Neuron, Index: element} }
	leaf := func(slope byte, beta ...float64) certificate.Step {
		return certificate.Step{Kind: certificate.Closed, Proofs: []certificate.Disproof{{Slopes: []byte{plain.Own, plain.Own, slope}, Beta: beta}}}
	}
	return []certificate.Step{side(0), side(1), leaf(0), leaf(plain.Steep), side(1), leaf(0, 0, 1), leaf(plain.Steep)}
}

func unpacked(t *testing.T, data []byte) string {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// packed is a certificate of a head and steps.
func packed(t *testing.T, h certificate.Head, steps []certificate.Step) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := certificate.NewWriter(&b, h)
	for i := 0; i < len(steps) && err == nil; i++ {
		err = w.Write(steps[i])
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// workedExample is the page's model, and the head of its certificate.
func workedExample(t testing.TB) (*onnxio.Model, certificate.Head) {
	t.Helper()
	m, err := onnxio.Load(example + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(example + ".cert")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := certificate.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return m, r.Head
}

// TestWorkedExample: the files of the page are what the page says, both checkers accept the certificate, and neither does where its one
// multiplier is 0.
func TestWorkedExample(t *testing.T) {
	if *update {
		m := threeNeurons(t)
		if err := m.Save(example+".onnx", onnxio.SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(example+".vnnlib", []byte(threeProperty), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m, err := onnxio.Load(example + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	q, err := vnnlib.Load(example + ".vnnlib")
	if err != nil {
		t.Fatal(err)
	}
	claim, err := verify.ClaimVNNLIB(q)
	if err != nil {
		t.Fatal(err)
	}
	// The head is what shoal writes; the steps are the page's.
	v, err := verify.Open(context.Background(), m, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var own bytes.Buffer
	if _, err := v.Certificate(context.Background(), claim, verify.Result{Verdict: verify.Verified}, &own); err != nil {
		t.Fatal(err)
	}
	r, err := certificate.NewReader(&own)
	if err != nil {
		t.Fatal(err)
	}
	write := func(steps []certificate.Step) []byte { return packed(t, r.Head, steps) }
	made := write(threeSteps())
	if *update {
		if err := os.WriteFile(example+".cert", made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(example + ".cert")
	if err != nil {
		t.Fatal(err)
	}
	if unpacked(t, kept) != unpacked(t, made) {
		t.Error("the example's file is not the page's tree: go test ./verify/recheck -run WorkedExample -update")
	}
	got, err := recheck.Check(context.Background(), bytes.NewReader(kept), m, &claim)
	if err != nil || !got.Accepted || got.Leaves != 4 {
		t.Errorf("%v, %+v", err, got)
	}
	steps := threeSteps()
	steps[5].Proofs[0].Beta = nil
	without := write(steps)
	got, err = recheck.Check(context.Background(), bytes.NewReader(without), m, &claim)
	if err != nil || got.Accepted || !strings.Contains(got.Reason, "z[0] >= 0, z[1] <= 0: case 0: the row is at least -1.5") {
		t.Errorf("%v, %+v", err, got)
	}
	second(t, kept, example+".onnx", 0)
	second(t, without, example+".onnx", 10)
}

// second asks scripts/recheck.py.
func second(t *testing.T, data []byte, model string, want int) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	path := filepath.Join(t.TempDir(), "x.cert")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "../../scripts/recheck.py", path, model)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		t.Errorf("recheck.py: %v, want exit code %d: %s", err, want, out)
	}
}
