package engine

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// ports are a session's inputs and outputs. Sizes of -1 are free.
type ports struct {
	fixed int // the batch size that the file fixes; 0 if free
	in    []Port
	out   []Port
}

// Inputs implements Session.
func (p *ports) Inputs() []Port { return p.in }

// Outputs implements Session.
func (p *ports) Outputs() []Port { return p.out }

// check compares the inputs with the ports and returns the batch size.
func (p *ports) check(inputs []*onnxio.Tensor) (int, error) {
	if len(inputs) != len(p.in) {
		return 0, fmt.Errorf("%d inputs for a model of %d", len(inputs), len(p.in))
	}
	batch, seen := 1, false
	for i, t := range inputs {
		q := p.in[i]
		if t == nil {
			return 0, fmt.Errorf("input %q is missing", q.Name)
		}
		if t.DType != q.DType && !(t.DType.IsFloat() && q.DType.IsFloat()) {
			return 0, fmt.Errorf("input %q: type %v where %v is needed", q.Name, t.DType, q.DType)
		}
		if len(t.Shape) != len(q.Shape) {
			return 0, &onnxio.ShapeError{What: fmt.Sprintf("input %q", q.Name), Want: q.Shape, Got: t.Shape}
		}
		for k, d := range q.Shape {
			if k > 0 && d >= 0 && t.Shape[k] != d {
				return 0, &onnxio.ShapeError{What: fmt.Sprintf("input %q", q.Name), Want: q.Shape, Got: t.Shape}
			}
		}
		if p.whole(i) {
			if len(q.Shape) > 0 && t.Shape[0] != q.Shape[0] {
				return 0, &onnxio.ShapeError{What: fmt.Sprintf("input %q", q.Name), Want: q.Shape, Got: t.Shape}
			}
			continue
		}
		if len(t.Shape) > 0 {
			if seen && t.Shape[0] != batch && p.fixed == 0 {
				return 0, fmt.Errorf("input %q: a batch of %d where another input has %d", q.Name, t.Shape[0], batch)
			}
			if !seen {
				batch, seen = t.Shape[0], true
			}
		}
		if batch < 1 {
			return 0, fmt.Errorf("input %q: an empty batch", q.Name)
		}
	}
	if p.fixed > 0 && batch%p.fixed != 0 {
		return 0, fmt.Errorf("a batch of %d; the file fixes it to %d", batch, p.fixed)
	}
	return batch, nil
}

// whole tells whether an input goes to every piece of a batch as it is: its first dimension is a number where the batch is free. Some
// exporters give constants as inputs.
func (p *ports) whole(i int) bool {
	s := p.in[i].Shape
	return p.fixed == 0 && (len(s) == 0 || s[0] >= 0)
}

func perSample(t *onnxio.Tensor, batch int) int { return t.Len() / batch }

// piece is a part of a batch that went through the graph at once: size samples from sample from on; others are of step samples.
type piece struct{ size, from, step, batch int }

// join copies a piece's output into its place in the whole batch's output, which it allocates the first time.
func join(name string, out **onnxio.Tensor, src *onnxio.Tensor, p piece) error {
	pieces := (p.batch + p.step - 1) / p.step
	if *out == nil {
		shape := slices.Clone(src.Shape)
		switch {
		case len(shape) > 0 && shape[0] == p.size && p.size != p.batch:
			shape[0] = p.batch
		case len(shape) > 0 && p.size != p.batch:
			shape[0] *= pieces
		case len(shape) == 0 && pieces > 1:
			return fmt.Errorf("output %q is a scalar and cannot be joined over a batch", name)
		}
		*out = onnxio.NewTensor(src.DType, shape...)
	}
	at := p.from / p.step * src.Len()
	if p.size > 0 && len(src.Shape) > 0 && src.Shape[0] == p.size {
		at = p.from * (src.Len() / p.size)
	}
	if at+src.Len() > (*out).Len() {
		return fmt.Errorf("output %q of shape %v cannot be joined over a batch of %d", name, src.Shape, p.batch)
	}
	switch d := (*out).Data.(type) {
	case []float32:
		copy(d[at:], src.Data.([]float32))
	case []float64:
		copy(d[at:], src.Data.([]float64))
	default:
		to := reflect.ValueOf((*out).Data)
		reflect.Copy(to.Slice(at, to.Len()), reflect.ValueOf(src.Data))
	}
	return nil
}
