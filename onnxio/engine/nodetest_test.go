package engine_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

const nodeTests = "/usr/share/libonnx-testdata/data/node"

// TestStandardNodeTests runs the ONNX project's own tests of single nodes (Debian's libonnx-testdata). Every test of a registered
// operator must pass at the official runner's tolerance (relative 1e-3, absolute 1e-7), but for the lines of testdata/node_ignore.txt,
// each with its reason; a line whose test passes is an error. Tests of operators that shoal does not have are counted.
func TestStandardNodeTests(t *testing.T) {
	dirs, _ := filepath.Glob(filepath.Join(nodeTests, "test_*"))
	if len(dirs) == 0 {
		if strings.Contains(os.Getenv("SHOAL_REQUIRE"), "onnx-testdata") {
			t.Fatal("SHOAL_REQUIRE asks for Debian's libonnx-testdata, which is missing")
		}
		t.Skip("Debian's libonnx-testdata is not installed")
	}
	ignore := ignoreList(t)
	passed, missing := 0, map[string]int{}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		// Operands that shape the result (axes, sizes, pads) come as inputs in these tests, and as constants in networks: they are tried
		// as inputs, then all but the first as constants, then all.
		err := nodeTest(dir, 1<<30)
		for from := 1; err != nil && from >= 0; from-- {
			if e := nodeTest(dir, from); e == nil {
				err = nil
			}
		}
		var u *onnxio.UnsupportedError
		switch reason, listed := ignore[name]; {
		case err == nil && listed:
			t.Errorf("%s passes; take it off the list (%s)", name, reason)
		case err == nil:
			passed++
		case listed:
		case errors.As(err, &u) && u.Face == "" && u.Why == "":
			missing[u.Op]++
		default:
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d of %d tests pass, %d are on the list; %d operators are missing: %v", passed, len(dirs), len(ignore), len(missing), missing)
	if passed < 820 {
		t.Errorf("only %d tests passed", passed)
	}
}

func ignoreList(t *testing.T) map[string]string { return reasons(t, "node_ignore.txt") }

// reasons reads a list of tests with a reason each.
func reasons(t *testing.T, file string) map[string]string {
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			name, reason, _ := strings.Cut(line, " ")
			if reason == "" {
				t.Errorf("%s has no reason", name)
			}
			out[name] = reason
		}
	}
	return out
}

// wrongOutput is a result that differs from the test's.
type wrongOutput struct {
	output int
	err    error
}

func (w *wrongOutput) Error() string { return fmt.Sprintf("output %d: %v", w.output, w.err) }

// nodeTest runs one test on the Go engine; inputs from number constFrom on are constants.
func nodeTest(dir string, constFrom int) error {
	return nodeTestOn(dir, constFrom, engine.Options{Threads: 1})
}

func nodeTestOn(dir string, constFrom int, o engine.Options) error {
	m, err := onnxio.Load(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	for i, v := range m.Graph.Inputs {
		if i < constFrom {
			continue
		}
		if v.Kind != "" {
			return &onnxio.UnsupportedError{Why: v.Kind}
		}
		t, err := tensor(filepath.Join(dir, "test_data_set_0"), "input", i)
		if err != nil {
			return err
		}
		v.Const = t
	}
	s, err := engine.Open(context.Background(), m, o)
	if err != nil {
		return err
	}
	defer s.Close()
	sets, _ := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if len(sets) == 0 {
		return errors.New("no data")
	}
	for _, set := range sets {
		in, err := tensors(set, "input", len(s.Inputs()))
		if err != nil {
			return err
		}
		out, err := s.Run(context.Background(), in)
		if err != nil {
			return err
		}
		want, err := tensors(set, "output", len(out))
		if err != nil {
			return err
		}
		for i := range want {
			if m.Graph.Outputs[i].DType == onnxio.BFloat16 { // computed in float32, and rounded where the file's type counts
				for k, v := range out[i].F32() {
					out[i].F32()[k] = onnxio.BFloat16.Round(v)
				}
			}
			if err := near(out[i], want[i]); err != nil {
				return &wrongOutput{i, err}
			}
		}
	}
	return nil
}

func tensors(set, kind string, n int) ([]*onnxio.Tensor, error) {
	var out []*onnxio.Tensor
	for i := range n {
		t, err := tensor(set, kind, i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func tensor(set, kind string, i int) (*onnxio.Tensor, error) {
	d, err := os.ReadFile(filepath.Join(set, fmt.Sprintf("%s_%d.pb", kind, i)))
	if err != nil {
		return nil, err
	}
	return onnxio.ParseTensor(d)
}

func near(got, want *onnxio.Tensor) error {
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) || got.DType != want.DType {
		return fmt.Errorf("%v %v, want %v %v", got.DType, got.Shape, want.DType, want.Shape)
	}
	g, err := got.Float64s()
	if err != nil {
		return err
	}
	w, err := want.Float64s()
	if err != nil {
		return err
	}
	for i, v := range w {
		if g[i] == v || math.IsNaN(g[i]) && math.IsNaN(v) {
			continue
		}
		if !(math.Abs(g[i]-v) <= 1e-7+1e-3*math.Abs(v)) {
			return fmt.Errorf("element %d is %v, want %v", i, g[i], v)
		}
	}
	return nil
}
