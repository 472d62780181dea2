package verify

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// execution runs a network of float32 inputs and one float32 output on one point, given flat. close frees it.
//
// flushes tells that subnormal numbers count as zeros: points that have some are not for it, since bounds are told of what executions compute and
// not of what becomes of inputs that are given.
type execution struct {
	name    string
	flushes bool
	run     func(x []float32) ([]float32, error)
	close   func()
}

// hasSubnormal tells whether a point has a number below float32's normal range.
func hasSubnormal(x []float32) bool {
	for _, f := range x {
		if f != 0 && math.Abs(float64(f)) < 0x1p-126 {
			return true
		}
	}
	return false
}

// splitInputs cuts a flat point into the inputs' parts.
func splitInputs(g *onnxio.Graph, x []float32) [][]float32 {
	var out [][]float32
	for _, in := range g.Inputs {
		n := 1
		for _, d := range in.Dims {
			n *= d.Size
		}
		out = append(out, x[:n:n])
		x = x[n:]
	}
	return out
}

// executions opens a network in the Go engine, and in onnxruntime with its optimisations off and on where it is at hand. What onnxruntime
// refuses to open is missing from the list, with its reason.
func executions(t testing.TB, g *onnxio.Graph) (list []execution, refused error) {
	t.Helper()
	s, err := engine.OpenGraph(context.Background(), g, engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, execution{"go", false, func(x []float32) ([]float32, error) {
		var in []*onnxio.Tensor
		for i, part := range splitInputs(g, x) {
			in = append(in, onnxio.FromFloat32(slices.Clone(part), s.Inputs()[i].Shape...))
		}
		y, err := s.Run(context.Background(), in)
		if err != nil {
			return nil, err
		}
		return slices.Clone(y[0].F32()), nil
	}, func() { s.Close() }})
	m, err := onnxio.NewModel(g, "test")
	if err != nil { // nodes of several opsets: a graph, but no file
		return list, err
	}
	more, refused := ortExecutions(t, m, g)
	return append(list, more...), refused
}
