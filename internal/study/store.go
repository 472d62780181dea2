package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/onnxio"
)

// store is the folder that finished steps lie in: KEY.json, and KEY.onnx where a step made a model. Files appear whole or not at all.
type store struct{ dir string }

// entry is a finished step as the file has it.
type entry struct {
	Key      string          `json:"key"`
	Kind     string          `json:"kind"`
	Version  int             `json:"version"`
	Name     string          `json:"name"`
	Settings any             `json:"settings"`
	Inputs   []string        `json:"inputs"`
	Made     string          `json:"made"` // when
	By       string          `json:"by"`
	Seconds  float64         `json:"seconds"`
	Result   json.RawMessage `json:"result"`
	Model    string          `json:"model_sha256,omitempty"`
}

func (st store) path(s *step, ext string) string {
	return filepath.Join(st.dir, s.kind+"-"+s.key[:24]+ext)
}

// find fills a step from what an earlier run left. What is damaged counts as not there.
func (st store) find(s *step) bool {
	data, err := input.ReadFile(context.Background(), st.path(s, ".json"))
	if err != nil {
		return false
	}
	var e entry
	if json.Unmarshal(data, &e) != nil || e.Key != s.key {
		return false
	}
	result := s.fresh()
	if json.Unmarshal(e.Result, result) != nil {
		return false
	}
	s.hash = hashOf(e.Result)
	if e.Model != "" {
		m, err := onnxio.Load(st.path(s, ".onnx"))
		if err != nil || m.SHA256 != e.Model {
			return false
		}
		s.file, s.hash = st.path(s, ".onnx"), e.Model
	}
	s.result, s.seconds, s.reused = result, e.Seconds, true
	return true
}

// keep writes a finished step down: the model first, since the JSON file says that it is there.
func (st store) keep(s *step, result any, m *onnxio.Model, by string) error {
	raw, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	e := entry{Key: s.key, Kind: s.kind, Version: s.version, Name: s.name, Settings: s.settings, Made: time.Now().UTC().Format(time.RFC3339),
		By: by, Seconds: s.seconds, Result: raw}
	for _, i := range s.inputs {
		e.Inputs = append(e.Inputs, i.hash)
	}
	s.result, s.hash = result, hashOf(raw)
	if m != nil {
		s.file = st.path(s, ".onnx")
		if err := m.Save(s.file, onnxio.SaveOptions{}); err != nil {
			return err
		}
		if m, err = onnxio.Load(s.file); err != nil { // what others will read
			return err
		}
		e.Model, s.hash = m.SHA256, m.SHA256
	}
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := output.Write(st.path(s, ".json"), append(b, '\n')); err != nil {
		return err
	}
	if err := os.Remove(st.path(s, recordsEnd)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
