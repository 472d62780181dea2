package trial

import (
	"context"
	"errors"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestTeachersHaveAScoreForEachClass: a student learns logits, before a softmax, and two of one score; numbers without classes are
// nothing to learn from.
func TestTeachersHaveAScoreForEachClass(t *testing.T) {
	for name, c := range map[string]struct {
		net                func(s *sketch) *onnxio.Value
		decision           string
		taught, hasSoftmax bool
	}{
		"logits":        {func(s *sketch) *onnxio.Value { return s.rows(4) }, "", true, false},
		"probabilities": {func(s *sketch) *onnxio.Value { return s.node("Softmax", onnxio.Attrs{"axis": int64(1)}, s.rows(4)) }, "", true, true},
		"one score":     {func(s *sketch) *onnxio.Value { return s.node("Sigmoid", nil, s.rows(1)) }, "", true, true},
		"a number":      {func(s *sketch) *onnxio.Value { return s.rows(4) }, "regress", false, false},
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
		case c.taught && (err != nil || stripped != c.hasSoftmax || m.Graph.Outputs[0].Producer.Op != "MatMul"):
			t.Errorf("%s: stripped %t, %v", name, stripped, err)
		case !c.taught && !errors.As(err, &unsupported):
			t.Errorf("%s: %v", name, err)
		}
	}
}
