package trial

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
)

// TestTeachersHaveAScoreForEachClass: a student learns logits, before a softmax, and two of one score; numbers without classes as they stand, softmax
// and all; one score that nobody has said anything of is nothing to learn from.
func TestTeachersHaveAScoreForEachClass(t *testing.T) {
	for name, c := range map[string]struct {
		net                func(s *sketch) *onnxio.Value
		decision           string
		taught, hasSoftmax bool
	}{
		"logits":        {func(s *sketch) *onnxio.Value { return s.rows(4) }, "", true, false},
		"probabilities": {func(s *sketch) *onnxio.Value { return s.node("Softmax", onnxio.Attrs{"axis": int64(1)}, s.rows(4)) }, "", true, true},
		"one score":     {func(s *sketch) *onnxio.Value { return s.node("Sigmoid", nil, s.rows(1)) }, "", true, true},
		"numbers":       {func(s *sketch) *onnxio.Value { return s.rows(4) }, "regress", true, false},
		"shares":        {func(s *sketch) *onnxio.Value { return s.node("Softmax", onnxio.Attrs{"axis": int64(1)}, s.rows(4)) }, "regress", true, false},
		"one number":    {func(s *sketch) *onnxio.Value { return s.rows(1) }, "", false, false},
	} {
		s := newSketch()
		want, err := ParseDecision(c.decision)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := Read(context.Background(), s.model(t, c.net(s)), "", want)
		if err != nil {
			t.Fatal(err)
		}
		m, stripped, err := Teacher(sub, "test")
		var unsupported *onnxio.UnsupportedError
		switch {
		case name == "shares" && err == nil && m == sub.Model:
		case c.taught && (err != nil || stripped != c.hasSoftmax || m.Graph.Outputs[0].Producer.Op != "MatMul"):
			t.Errorf("%s: stripped %t, %v", name, stripped, err)
		case !c.taught && !errors.As(err, &unsupported):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBadLessonsAreNamedByTheirPlace: a label without a class and a pixel that is no number are reported by their place in the file, whatever range
// is read.
func TestBadLessonsAreNamedByTheirPlace(t *testing.T) {
	set, shape, err := OpenImages(context.Background(), "fmnist:"+filepath.Join("..", "..", "testdata", "fmnist"),
		dataset.Options{Split: "test", Range: "20:40"})
	if err != nil {
		t.Fatal(err)
	}
	set.Labels[7] = 10
	var label *LabelError
	for _, index := range [][]int{nil, {3, 7}} {
		if err := CheckLessons(set, index, 10); !errors.As(err, &label) || label.Index != 27 || label.Label != 10 {
			t.Errorf("%v: %v", index, err)
		}
	}
	if err := CheckLessons(set, []int{3, 8}, 10); err != nil {
		t.Error(err)
	}
	if _, err := Decode(context.Background(), set, shape, []int{3, 8}); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	x := make([]float32, 6*4)
	x[5*4+3] = float32(math.NaN())
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for name, part := range map[string]struct {
		shape string
		v     any
	}{"inputs": {"<f4', 'fortran_order': False, 'shape': (6, 1, 2, 2)", x},
		"labels": {"<i8', 'fortran_order': False, 'shape': (6,)", make([]int64, 6)}} {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		head := fmt.Sprintf("{'descr': '%s, }", part.shape)
		head += strings.Repeat(" ", 127-10-len(head)) + "\n"
		fmt.Fprintf(w, "\x93NUMPY\x01\x00%c\x00%s", len(head), head)
		if err := binary.Write(w, binary.LittleEndian, part.v); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "nan.npz"), file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	set, shape, err = OpenImages(context.Background(), "npz:"+filepath.Join(dir, "nan.npz"), dataset.Options{})
	if err == nil {
		_, err = Decode(context.Background(), set, shape, []int{0, 5})
	}
	if err == nil || !strings.Contains(err.Error(), "sample 5: number 3 is NaN") {
		t.Error(err)
	}
}
