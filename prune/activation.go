package prune

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Samples calls f with the inputs of a model, batch after batch, until f or the data ends.
type Samples func(ctx context.Context, f func(inputs []*onnxio.Tensor) error) error

// activations gives every unit of every class its mean absolute value over data, where the network sums over its slots: what a removed
// channel no longer sends on. Several ends add up. whole tells that data gives single samples, which may lie along any axis.
func (c *Coupling) activations(ctx context.Context, data Samples, whole bool) (map[*Class][]float64, error) {
	if data == nil {
		return nil, fmt.Errorf("score %s needs data", Activation)
	}
	ends := c.endsOf()
	g, list := c.probe(c.file, ends)
	with := engine.Options{}
	if whole {
		with = engine.Options{Threads: 1, MaxBatch: math.MaxInt32}
	}
	s, err := engine.OpenGraph(ctx, c.Sized(g), with)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	sums, count := map[op.Axis][]float64{}, map[op.Axis]float64{}
	err = data(ctx, func(in []*onnxio.Tensor) error {
		out, err := s.Run(ctx, in)
		if err != nil {
			return err
		}
		for k, f := range list {
			d, err := out[k].Float64s()
			if err != nil {
				return err
			}
			for _, a := range f.axes {
				if c.pinned(a) { // no channel lies along it; the samples may, of which the data can have more than the file
					continue
				}
				if len(out[k].Shape) != len(a.Value.Shape) || out[k].Shape[a.Axis] != a.Size() {
					return fmt.Errorf("value %q of shape %v, where %v was inferred", a.Value.Name, out[k].Shape, a.Value.Shape)
				}
				real := c.reals(a.Value)
				part := along(out[k].Shape, a.Axis, d, 0, func(was, x float64) float64 { return was + math.Abs(real(0, x)) })
				if sums[a] == nil {
					sums[a] = make([]float64, a.Size())
				}
				for i, x := range part {
					sums[a][i] += x
				}
				count[a] += float64(len(d) / a.Size())
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := map[*Class][]float64{}
	for _, cl := range c.Classes {
		score := make([]float64, len(cl.units))
		found := false
		for i, u := range cl.units {
			for _, r := range u.slots {
				if a := c.axes[r.axis]; count[a] > 0 {
					score[i] += sums[a][r.index] / count[a]
					found = true
				}
			}
		}
		if found {
			out[cl] = score
		}
	}
	return out, nil
}
