package main

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strconv"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/engine/ortlib"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

func itoa(i int) string { return strconv.Itoa(i) }

// logits runs a model on all images together.
func logits(ctx context.Context, m *onnxio.Model, x [][]float32, o engine.Options) ([]float32, error) {
	s, err := engine.Open(ctx, m, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	shape := append([]int{}, s.Inputs()[0].Shape...)
	shape[0] = len(x)
	var flat []float32
	for _, v := range x {
		flat = append(flat, v...)
	}
	out, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(flat, shape...)})
	if err != nil {
		return nil, err
	}
	return out[0].F32(), nil
}

func classes(y []float32, n int) []int {
	var out []int
	for i := range n {
		row := y[i*len(y)/n : (i+1)*len(y)/n]
		best := 0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		out = append(out, best)
	}
	return out
}

func run(b *bench) error {
	y, err := logits(b.ctx, b.model, b.x, engine.Options{})
	if err != nil {
		return err
	}
	right := 0
	for i, c := range classes(y, len(b.x)) {
		if c == b.images.Labels[i] {
			right++
		}
	}
	return expect(right >= 6, "%d of %d are right", right, len(b.x))
}

// inspect reads what a file holds, what it costs, and whether everything that is asked of it can be.
func inspect(b *bench) error {
	g, err := infer.Prepare(b.ctx, b.model.Graph, infer.Options{Batch: 1})
	if err != nil {
		return err
	}
	parameters, macs := 0, 0
	for _, c := range infer.Costs(g) {
		parameters, macs = parameters+c.Parameters, macs+c.MACs
	}
	v, err := verify.Open(b.ctx, b.model, verify.Options{})
	var lacks *onnxio.UnsupportedError // names the node and what is missing
	if errors.As(err, &lacks) || err != nil {
		return err
	}
	defer v.Close()
	return expect(parameters > 1000 && macs > parameters && b.model.Opsets[""] > 0 && b.model.Producer != "" && v.Info().Neurons > 0,
		"%d parameters, %d multiply-adds, %v", parameters, macs, b.model.Opsets)
}

// compare runs two models on the same inputs, and proves how far they can differ.
func compare(b *bench) error {
	other, err := onnxio.LoadContext(b.ctx, filepath.Join(b.data, "fmnist-conv-ts.onnx"))
	if err != nil {
		return err
	}
	y, err := logits(b.ctx, b.model, b.x, engine.Options{})
	if err != nil {
		return err
	}
	z, err := logits(b.ctx, other, b.x, engine.Options{Threads: 1})
	if err != nil {
		return err
	}
	far := 0.0
	for i := range y {
		far = max(far, math.Abs(float64(y[i]-z[i])))
	}
	c, err := equal.Compare(b.ctx, b.model, b.model, equal.Ranges{{0, 1}}, verify.Options{Method: verify.Interval})
	if err != nil {
		return err
	}
	return expect(far > 0 && c.Equal && c.Delta == 0, "two models differ by %v, one from itself by %v", far, c.Delta)
}

// runtimes looks for onnxruntime. That there is none is no fault.
func runtimes(*bench) error {
	found, err := ortlib.Find(ortlib.Request{})
	if err != nil || len(found) == 0 {
		return nil //nolint:nilerr // it may be missing
	}
	_, err = engine.ORTVersion(found[0].Path)
	return err
}
