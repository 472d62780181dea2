package trial

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// Batches runs samples through a session together where that gives each what it has alone, and else one by one.
//
// Where in an output the samples lie, and whether they change each other, is tried on the first batch of every size: its first, middle and last
// sample are run alone too. A sample's rows are its part of every output, as the session gives them for this sample alone.
type Batches struct {
	Session engine.Session
	Fixed   int // the batch that the file fixes, 1 where it is free: a sample alone is then in the company of itself

	// Axis, where set, is what a user says of the axis of the samples in an output; it must be what trying shows.
	Axis func(output string) (axis int, said bool)

	// Alone tells that samples are run one by one: their parts of an output cannot be told, or they depend on each other.
	Alone bool
	// Depend tells that a sample had other outputs in company than alone.
	Depend bool
	// Axes are the axes of the samples in the outputs, as the last batch of several had them; nil before, -1 where there is none.
	Axes []int

	tried map[int][]int // by batch size
}

// Words say why samples run one by one; "" where they do not.
func (b *Batches) Words() string {
	switch {
	case b.Depend:
		return "samples depend on each other in a batch: each is run alone"
	case b.Alone:
		return "in a batch it is not clear what is whose sample: each is run alone"
	}
	return ""
}

// Shift is how far outputs in company may be from those alone, relative to the largest: sums are cut differently for different batches.
const Shift = 1e-4

// Row is one output of one sample, flat.
type Row = []float64

// Run gives the rows of the first n of padded samples, by output and sample. Inputs have the samples in their first places, padded of them; those
// of another size go to every sample as they are.
func (b *Batches) Run(ctx context.Context, x []*onnxio.Tensor, n, padded int) ([][]Row, error) {
	if b.Alone {
		return b.alone(ctx, x, n, padded)
	}
	out, err := b.Session.Run(ctx, x)
	if err != nil && padded > b.Fixed && ctx.Err() == nil { // pieces that cannot be put together again, perhaps
		if rows, e := b.alone(ctx, x, n, padded); e == nil {
			b.Alone = true
			return rows, nil
		}
	}
	if err != nil {
		return nil, err
	}
	axes, ok := b.tried[padded]
	if !ok {
		if axes, err = b.try(ctx, x, out, n, padded); err != nil {
			return nil, err
		}
		if b.Alone {
			return b.alone(ctx, x, n, padded)
		}
		if b.tried == nil {
			b.tried = map[int][]int{}
		}
		b.tried[padded] = axes
	}
	rows := make([][]Row, len(out))
	for k, t := range out {
		v, err := t.Float64s()
		if err != nil {
			return nil, err
		}
		for i := range n {
			rows[k] = append(rows[k], cutRow(v, t.Shape, axes[k], i, padded))
		}
	}
	return rows, nil
}

// try finds the axis of every output along which each sample has what it has alone. Where there is none samples run alone from here on.
func (b *Batches) try(ctx context.Context, x, out []*onnxio.Tensor, n, padded int) ([]int, error) {
	axes := make([]int, len(out))
	if padded == 1 {
		return axes, nil
	}
	some := []int{0, n / 2, n - 1}
	alone := make([][]*onnxio.Tensor, len(some))
	for k, i := range some {
		var err error
		if alone[k], err = b.Session.Run(ctx, b.only(x, i, padded)); err != nil {
			return nil, err
		}
	}
	for k, t := range out {
		v, err := t.Float64s()
		if err != nil {
			return nil, err
		}
		axes[k] = -1
		aligned := false // an axis grew with the batch and nothing else did
		want, said := -1, false
		if b.Axis != nil {
			want, said = b.Axis(b.Session.Outputs()[k].Name)
		}
		for a := range t.Shape {
			if said && a != want {
				continue
			}
			grows := slices.Clone(alone[0][k].Shape)
			clear := len(grows) == len(t.Shape) && grows[a] == b.Fixed
			if clear {
				grows[a] = padded
				clear = slices.Equal(grows, t.Shape)
			}
			if a > 0 && !clear || a == 0 && len(v)%padded != 0 {
				continue
			}
			same, err := b.same(v, t.Shape, a, some, alone, k, padded)
			if err != nil {
				return nil, err
			}
			if same {
				axes[k] = a
				break
			}
			aligned = aligned || clear
		}
		if axes[k] < 0 && said {
			name := b.Session.Outputs()[k].Name
			return nil, unclear("without it the axis is looked for", "--batch-axis %s=%d: along that axis samples have not in company what they have alone", name, want)
		}
		if axes[k] < 0 {
			b.Alone, b.Depend = true, b.Depend || aligned
		}
	}
	b.Axes = axes
	return axes, nil
}

func (b *Batches) same(v []float64, shape []int, axis int, some []int, alone [][]*onnxio.Tensor, output, padded int) (bool, error) {
	for k, i := range some {
		y, err := alone[k][output].Float64s()
		if err != nil {
			return false, err
		}
		row := cutRow(v, shape, axis, i, padded)
		if y = firstOf(y, alone[k][output].Shape, axis, b.Fixed); len(row) != len(y) {
			return false, nil
		}
		if !sameRow(row, y, Shift) {
			return false, nil
		}
	}
	return true, nil
}

// firstOf is a sample's part of what it gave in the company of itself.
func firstOf(y []float64, shape []int, axis, fixed int) []float64 {
	if fixed <= 1 {
		return y
	}
	return cutRow(y, shape, axis, 0, fixed)
}

// cutRow is sample i of n along an axis, flat.
func cutRow(v []float64, shape []int, axis, i, n int) []float64 {
	if axis == 0 {
		w := len(v) / n
		return v[i*w : (i+1)*w]
	}
	inner := onnxio.NumElements(shape[axis+1:])
	var row []float64
	for at := i * inner; at < len(v); at += n * inner {
		row = append(row, v[at:at+inner]...)
	}
	return row
}

// only are the inputs of one sample.
func (b *Batches) only(x []*onnxio.Tensor, i, padded int) []*onnxio.Tensor {
	out := make([]*onnxio.Tensor, len(x))
	for k, t := range x {
		port := b.Session.Inputs()[k].Shape
		if out[k] = t; len(t.Shape) == 0 || t.Shape[0] != padded || port[0] >= 0 && port[0] != b.Fixed {
			continue
		}
		shape := slices.Clone(t.Shape)
		shape[0] = b.Fixed
		out[k] = repeated(t, i, padded, shape)
	}
	return out
}

// repeated is sample i of n, as often as the shape has room for it.
func repeated(t *onnxio.Tensor, i, n int, shape []int) *onnxio.Tensor {
	from := reflect.ValueOf(t.Data)
	w := from.Len() / n
	row := from.Slice(i*w, (i+1)*w)
	to := reflect.MakeSlice(from.Type(), 0, shape[0]*w)
	for range shape[0] {
		to = reflect.AppendSlice(to, row)
	}
	one := *t
	one.Shape, one.Data = shape, to.Interface()
	return &one
}

// alone runs samples one by one, side by side on the embedded engine.
func (b *Batches) alone(ctx context.Context, x []*onnxio.Tensor, n, padded int) ([][]Row, error) {
	all := make([][]*onnxio.Tensor, n)
	workers := 1
	if b.Session.Engine() == "go" {
		workers = min(n, runtime.GOMAXPROCS(0))
	}
	var next atomic.Int64
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := int(next.Add(1)) - 1; i < n && errs[w] == nil; i = int(next.Add(1)) - 1 {
				all[i], errs[w] = b.Session.Run(ctx, b.only(x, i, padded))
			}
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	var rows [][]Row
	for i, out := range all {
		if rows == nil {
			rows = make([][]Row, len(out))
		}
		for k, t := range out {
			v, err := t.Float64s()
			if err != nil {
				return nil, err
			}
			if b.Fixed > 1 {
				if len(v)%b.Fixed != 0 {
					return nil, fmt.Errorf("output %d of shape %v has no part for each of a batch of %d", k, t.Shape, b.Fixed)
				}
				v = firstOf(v, t.Shape, max(0, slices.Index(t.Shape, b.Fixed)), b.Fixed)
			}
			rows[k] = append(rows[k], v)
		}
		all[i] = nil
	}
	return rows, nil
}
