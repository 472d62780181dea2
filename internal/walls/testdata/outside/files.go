package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/onnxio/opset"
	"github.com/shallow-waters/shoal/prune"
)

// load reads the bench's model anew, so that it may be changed.
func (b *bench) load() (*onnxio.Model, error) { return onnxio.LoadContext(b.ctx, b.path) }

// same tells whether a file decides the images as the model does.
func (b *bench) same(path string) error {
	m, err := onnxio.LoadContext(b.ctx, path)
	if err != nil {
		return err
	}
	y, err := logits(b.ctx, b.model, b.x, engine.Options{})
	if err != nil {
		return err
	}
	z, err := logits(b.ctx, m, b.x, engine.Options{})
	if err != nil {
		return err
	}
	for i := range y {
		if d := y[i] - z[i]; d > 1e-4 || d < -1e-4 {
			return expect(false, "%s differs by %v", path, d)
		}
	}
	return nil
}

func simplify(b *bench) error {
	m, err := b.load()
	if err != nil {
		return err
	}
	if m.Graph, err = infer.Simplify(b.ctx, m.Graph, infer.Options{}); err != nil {
		return err
	}
	path := filepath.Join(b.out, "simple.onnx")
	if err := m.Save(path, onnxio.SaveOptions{}); err != nil {
		return err
	}
	return b.same(path)
}

// shrink prunes, writes plan and model, and carries the plan out once more.
func shrink(b *bench) error {
	m, err := b.load()
	if err != nil {
		return err
	}
	r, err := prune.Run(b.ctx, m.Graph, prune.Options{Choice: prune.Choice{Score: prune.L1, Ratio: 0.5}})
	if err != nil {
		return err
	}
	text, err := json.Marshal(r.Plan)
	if err != nil {
		return err
	}
	stored := &prune.Plan{}
	if err := json.Unmarshal(text, stored); err != nil {
		return err
	}
	again, err := prune.Replay(b.ctx, b.model.Graph, stored, nil)
	if err != nil {
		return err
	}
	before, _, err := r.Coupling.Costs(b.model.Graph)
	if err != nil {
		return err
	}
	after, _, err := again.Coupling.Costs(again.Graph)
	if err != nil {
		return err
	}
	m.Graph = r.Graph
	if err := m.Save(filepath.Join(b.out, "small.onnx"), onnxio.SaveOptions{}); err != nil {
		return err
	}
	if _, err := onnxio.LoadContext(b.ctx, filepath.Join(b.out, "small.onnx")); err != nil {
		return err
	}
	return expect(after.Parameters < before.Parameters, "%d parameters before, %d after", before.Parameters, after.Parameters)
}

// convert writes the model for another opset.
func convert(b *bench) error {
	m, err := b.load()
	if err != nil {
		return err
	}
	data, err := m.Convert(onnxio.Convert{Batch: len(b.x)})
	if err != nil {
		return err
	}
	if data, err = opset.Convert(m, data, 21, nil); err != nil {
		return err
	}
	path := filepath.Join(b.out, "converted.onnx")
	if err := m.SaveBytes(path, data, onnxio.SaveOptions{}); err != nil {
		return err
	}
	now, err := onnxio.LoadContext(b.ctx, path)
	if err != nil {
		return err
	}
	if err := expect(now.Opsets[""] == 21, "opset %v", now.Opsets); err != nil {
		return err
	}
	return b.same(path)
}
