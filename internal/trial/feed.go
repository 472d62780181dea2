package trial

import (
	"context"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/prune"
)

// Feed gives inputs for a model, a batch at a time.
type Feed struct {
	Len   int
	Index []int // the samples' numbers; nil means 0, 1, 2, ...
	// Next gives samples [from, from+n). Where a file fixes the batch, a part of one is filled up; padded is how many samples there are then. It is called in the
	// order of the samples.
	Next func(from, n int) (x []*onnxio.Tensor, padded int, err error)
}

// Filled gives a model's input for samples [from, from+n), with copies of the last one up to a multiple of what the file fixes. shape is the input's for
// one sample.
func (s *Samples) Filled(port engine.Port, shape []int, from, n, fixed int) (x *onnxio.Tensor, padded int, err error) {
	padded = (n + fixed - 1) / fixed * fixed
	index := make([]int, padded)
	for i := range index {
		index[i] = from + min(i, n-1)
	}
	shape = slices.Clone(shape)
	shape[0] = padded
	x, err = s.Tensor(port.DType, shape, index)
	return x, padded, err
}

// Feed gives the samples to a model's input of that port; shape is the input's for one sample.
func (s *Samples) Feed(port engine.Port, shape []int, fixed int) *Feed {
	return &Feed{s.Len(), s.Index, func(from, n int) ([]*onnxio.Tensor, int, error) {
		x, padded, err := s.Filled(port, shape, from, n, fixed)
		return []*onnxio.Tensor{x}, padded, err
	}}
}

// Activations gives the first samples of a feed, at most `most` (0: all), to the score of activations, a batch at a time. done, where set, is told how many
// went through.
func (f *Feed) Activations(most, batch int, done func(n int)) prune.Samples {
	total := f.Len
	if most > 0 {
		total = min(total, most)
	}
	return func(ctx context.Context, take func([]*onnxio.Tensor) error) error {
		for from := 0; from < total; from += batch {
			n := min(batch, total-from)
			x, _, err := f.Next(from, n)
			if err == nil {
				err = take(x)
			}
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if done != nil {
				done(n)
			}
		}
		return nil
	}
}
