package study

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestTeachersAreAskedAsTheySay gives a teacher of two outputs, either of which can be the scores: the study says which, or the step says that it is
// unclear.
func TestTeachersAreAskedAsTheySay(t *testing.T) {
	m, err := onnxio.Load("../../testdata/fmnist-mlp-ts.onnx")
	if err != nil {
		t.Fatal(err)
	}
	last := m.Graph.Outputs[0].Producer
	hidden := last.Inputs[0]
	// The file declares types of its outputs alone.
	hidden.DType, hidden.HasShape = onnxio.Float, true
	hidden.Dims = []onnxio.Dim{{Name: "N"}, {Size: last.Inputs[1].Const.Shape[0]}}
	m.Graph.Outputs = append(m.Graph.Outputs, hidden)
	path := filepath.Join(t.TempDir(), "two.onnx")
	if err := m.Save(path, onnxio.SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of      Teacher
		classes int
		fault   string
	}{
		{Teacher{Output: m.Graph.Outputs[0].Name}, 10, ""},
		{Teacher{Output: m.Graph.Outputs[0].Name, Decision: "argmax"}, 10, ""},
		{Teacher{}, 0, "several outputs may be the scores"},
		{Teacher{Output: "heat"}, 0, "no output is named"},
		{Teacher{Output: m.Graph.Outputs[0].Name, Decision: "threshold:0"}, 0, "threshold is for one score"},
		{Teacher{Output: m.Graph.Outputs[0].Name, Decision: "regress"}, 0, "no classes"},
	} {
		sub, err := (&Spec{}).asked(context.Background(), &step{name: "teacher two", done: true, file: path}, &c.of, trial.Fed)
		switch {
		case c.fault == "" && (err != nil || sub.Classes() != c.classes):
			t.Errorf("%+v: %v, %v", c.of, sub, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault) || !strings.HasPrefix(err.Error(), "teacher two: ")):
			t.Errorf("%+v: %v, want %q", c.of, err, c.fault)
		}
	}
}

// TestHeldInputsOfTeachers: a teacher of several inputs is asked with the others held as its study says, and not at all where it does not.
func TestHeldInputsOfTeachers(t *testing.T) {
	made := &step{name: "teacher", done: true, file: "../../cmd/shoal/testdata/models/inputs/picture.onnx"}
	for _, v := range []trial.View{trial.Fed, trial.Proven, trial.Searched} {
		sub, err := (&Spec{}).asked(context.Background(), made, &Teacher{Hold: []string{"extra=1,2"}}, v)
		if err != nil {
			t.Fatal(err)
		}
		if at := sub.Describe(nil).HeldAt["extra"]; at != "1,2" || sub.Classes() != 10 {
			t.Errorf("held at %q, %d classes", at, sub.Classes())
		}
		inputs := 0
		for _, in := range sub.Model.Graph.Inputs {
			if in.Const == nil {
				inputs++
			}
		}
		if want := map[trial.View]int{trial.Fed: 1, trial.Proven: 2, trial.Searched: 1}[v]; inputs != want {
			t.Errorf("view %d: %d inputs, want %d", v, inputs, want)
		}
	}
	if _, err := (&Spec{}).asked(context.Background(), made, &Teacher{}, trial.Fed); err == nil ||
		!strings.Contains(err.Error(), "nothing says the value of input extra") {
		t.Error(err)
	}
}
