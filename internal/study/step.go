package study

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student"
)

// step is one piece of work. Its key is made of its kind, version and settings and of what its inputs gave.
type step struct {
	kind string
	// version is raised when the same settings would give something else.
	version  int
	name     string // for people
	settings any
	inputs   []*step
	// run does the work; result is what the JSON file holds, model what the ONNX file does.
	run func(ctx context.Context, s *step) (result any, model *onnxio.Model, err error)
	// prepare, where set, changes the training images, and says how the run is to be watched.
	prepare func(ctx context.Context, train *student.Data) (*student.Data, student.Options, error)
	// alias, where set, makes the step stand for one of its inputs, once they are finished: nothing is stored.
	alias func(s *step) (*step, error)
	// asks, where set, are the answers about images that the step is made of: it measures, and no other step needs it.
	asks []record.Part
	// fresh, where set, gives what is stored its Go type again.
	fresh func() any

	done   bool
	err    error
	key    string
	reused bool
	// seconds the work took, when it was done.
	seconds float64
	result  any
	hash    string // of the result, or of the model where there is one
	file    string // of the model
	model   *onnxio.Model
}

// ErrSkipped is wrapped by the errors of steps whose inputs failed.
var ErrSkipped = errors.New("not run")

// keyOf is a step's key; all inputs are finished.
func keyOf(s *step) (string, error) {
	doc := map[string]any{"kind": s.kind, "version": s.version, "settings": s.settings}
	var in []string
	for _, i := range s.inputs {
		in = append(in, i.hash)
	}
	doc["inputs"] = in
	b, err := json.Marshal(doc) // keys of maps are sorted
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.name, err)
	}
	return hashOf(b), nil
}

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// load reads the step's model, once.
func (s *step) load() (*onnxio.Model, error) {
	if s.model == nil {
		m, err := onnxio.Load(s.file)
		if err != nil {
			return nil, err
		}
		s.model = m
	}
	return s.model, nil
}
