package engine

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// plan is a graph with its memory: every value has a place, and running it allocates nothing. It serves one goroutine at a time.
type plan struct {
	graph  *onnxio.Graph
	inputs []*onnxio.Value // those that are not constants
	tensor map[*onnxio.Value]*onnxio.Tensor
	steps  []step
	work   op.Workspace
}

type step struct {
	def  *op.Def
	call op.Call
}

// newPlan gives every value its memory. A value's memory is used again once its last reader has run.
func newPlan(g *onnxio.Graph) (*plan, error) {
	p := &plan{graph: g, tensor: map[*onnxio.Value]*onnxio.Tensor{}}
	for _, v := range g.Inputs {
		if v.Const == nil {
			p.inputs = append(p.inputs, v)
			p.tensor[v] = onnxio.NewTensor(v.DType, v.Shape...)
		}
	}
	last := map[*onnxio.Value]int{}
	for i, n := range g.Nodes {
		for _, v := range n.Inputs {
			last[v] = i
		}
	}
	for _, v := range g.Outputs {
		last[v] = len(g.Nodes)
	}
	store := &memory{}
	for i, n := range g.Nodes {
		def, err := op.Lookup(n)
		if err != nil {
			return nil, err
		}
		if def.Eval == nil {
			return nil, &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: "Eval"}
		}
		s := step{def: def, call: op.Call{Node: n, Work: &p.work}}
		for _, v := range n.Inputs {
			s.call.In = append(s.call.In, p.at(v))
		}
		for _, v := range n.Outputs {
			if v == nil {
				s.call.Out = append(s.call.Out, nil)
				continue
			}
			t := store.get(v)
			p.tensor[v] = t
			s.call.Out = append(s.call.Out, t)
		}
		p.steps = append(p.steps, s)
		for _, v := range append(slices.Clone(n.Inputs), n.Outputs...) {
			if v != nil && v.Const == nil && last[v] <= i && v.Producer != nil {
				store.put(p.tensor[v])
				last[v] = len(g.Nodes) + 1 // once
			}
		}
	}
	return p, nil
}

func (p *plan) at(v *onnxio.Value) *onnxio.Tensor {
	if v == nil {
		return nil
	}
	if v.Const != nil {
		return v.Const
	}
	return p.tensor[v]
}

// memory lends slices of float32 and float64, the types of nearly all values; others are allocated for themselves.
type memory struct {
	f32 [][]float32
	f64 [][]float64
}

func (m *memory) get(v *onnxio.Value) *onnxio.Tensor {
	n := onnxio.NumElements(v.Shape)
	switch v.DType {
	case onnxio.Float:
		if d, ok := fit(&m.f32, n); ok {
			return onnxio.FromFloat32(d, v.Shape...)
		}
	case onnxio.Double:
		if d, ok := fit(&m.f64, n); ok {
			return onnxio.FromFloat64(d, v.Shape...)
		}
	}
	return onnxio.NewTensor(v.DType, v.Shape...)
}

func fit[T any](free *[][]T, n int) ([]T, bool) {
	for i, b := range *free {
		if cap(b) >= n {
			*free = slices.Delete(*free, i, i+1)
			return b[:n], true
		}
	}
	return nil, false
}

func (m *memory) put(t *onnxio.Tensor) {
	switch d := t.Data.(type) {
	case []float32:
		m.f32 = append(m.f32, d)
	case []float64:
		m.f64 = append(m.f64, d)
	}
}

func (p *plan) run(ctx context.Context) error {
	for i := range p.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &p.steps[i]
		if err := s.def.Eval(&s.call); err != nil {
			return &onnxio.NodeError{Node: s.call.Node.Name, Op: s.call.Node.Op, Err: err}
		}
	}
	return nil
}

// load copies the part of an input that begins at element from.
func (p *plan) load(i int, t *onnxio.Tensor, from int) error {
	dst := p.tensor[p.inputs[i]]
	n := dst.Len()
	switch d := dst.Data.(type) {
	case []float32:
		switch s := t.Data.(type) {
		case []float32:
			copy(d, s[from:from+n])
		case []float64:
			for k, v := range s[from : from+n] {
				d[k] = float32(v)
			}
		}
	case []float64:
		switch s := t.Data.(type) {
		case []float32:
			for k, v := range s[from : from+n] {
				d[k] = float64(v)
			}
		case []float64:
			copy(d, s[from:from+n])
		}
	default:
		src := reflect.ValueOf(t.Data)
		if src.Type() != reflect.TypeOf(dst.Data) {
			return fmt.Errorf("input %q of type %v where %v is needed", p.inputs[i].Name, t.DType, dst.DType)
		}
		reflect.Copy(reflect.ValueOf(dst.Data), src.Slice(from, from+n))
	}
	return nil
}

// store copies an output into its place in the whole batch's output, which it allocates the first time.
func (p *plan) store(k int, out **onnxio.Tensor, piece, pieces, batch, n, from int) error {
	v := p.graph.Outputs[k]
	src := p.at(v)
	if *out == nil {
		shape := slices.Clone(v.Shape)
		switch {
		case len(shape) > 0 && shape[0] == n && n != batch:
			shape[0] = batch
		case len(shape) > 0 && n != batch:
			shape[0] *= pieces
		case len(shape) == 0 && pieces > 1:
			return fmt.Errorf("output %q is a scalar and cannot be joined over a batch", v.Name)
		}
		*out = onnxio.NewTensor(src.DType, shape...)
	}
	at := piece * src.Len()
	if n > 0 && len(v.Shape) > 0 && v.Shape[0] == n {
		at = from * (src.Len() / n)
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
