package main

import (
	"path/filepath"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/student"
)

// lessons are images with what the model says of them.
func (b *bench) lessons() (*student.Data, error) {
	set, err := dataset.OpenContext(b.ctx, "fmnist:"+filepath.Join(b.data, "fmnist"), dataset.Options{Range: "0:64"})
	if err != nil {
		return nil, err
	}
	d := &student.Data{Shape: [3]int{1, 28, 28}, Classes: 10, Labels: set.Labels}
	x := make([]float32, set.Size())
	for i := range set.Len() {
		if err := set.Pixels(x, i, false); err != nil {
			return nil, err
		}
		d.AppendImage(x)
	}
	s, err := engine.Open(b.ctx, b.model, engine.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	d.Logits, err = student.TeacherLogits(b.ctx, s, d, student.TeacherOptions{})
	return d, err
}

// train makes a small student at a temperature.
func (b *bench) train(d *student.Data, temperature float64) (*onnxio.Model, error) {
	a, err := student.Parse([]byte("input: [1, 28, 28]\nlayers:\n  - {dense: 8, relu: true}\n  - {dense: 10}\n"))
	if err != nil {
		return nil, err
	}
	c := student.Config{Technique: student.Temperature, Temperature: temperature, Epochs: 2, Batch: 16, LearningRate: 0.01}
	r, err := student.Train(b.ctx, a, d, nil, c, student.Options{})
	if err != nil {
		return nil, err
	}
	return r.Model()
}

func distill(b *bench) error {
	d, err := b.lessons()
	if err != nil {
		return err
	}
	m, err := b.train(d, 2)
	if err != nil {
		return err
	}
	return m.Save(filepath.Join(b.out, "student.onnx"), onnxio.SaveOptions{})
}

// sweep trains at several temperatures and takes the best.
func sweep(b *bench) error {
	d, err := b.lessons()
	if err != nil {
		return err
	}
	best := -1.0
	for _, t := range []float64{1, 4} {
		m, err := b.train(d, t)
		if err != nil {
			return err
		}
		s, err := engine.Open(b.ctx, m, engine.Options{})
		if err != nil {
			return err
		}
		score, err := student.Evaluate(b.ctx, s, d)
		s.Close()
		if err != nil {
			return err
		}
		best = max(best, score.Accuracy)
	}
	return expect(best > 0.1, "accuracy %v at best", best)
}
