package engine

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// plan is a graph with its memory: every value has a place, and running it allocates nothing. It serves one goroutine at a time.
type plan struct {
	graph  *onnxio.Graph
	inputs []*onnxio.Value // those that are not constants
	tensor map[*onnxio.Value]*onnxio.Tensor
	order  map[*onnxio.Value]op.Order
	out    []*onnxio.Tensor // the graph's outputs, in row-major order
	steps  []step
	work   op.Workspace
	free   memory
	copies map[*onnxio.Value][]*onnxio.Tensor // the same in another order
	places map[*onnxio.Value][]op.Order

	room *budget.Budget
	held int64 // bytes of all values
	full error // the first request that the budget refused
}

type step struct {
	run  func(*op.Call) error
	call op.Call
}

// newPlan gives every value its memory and every node its way of running: the fast one on images stored channels-last where the
// operator has one, else Eval, with copies into the order that a node needs in between. A value's memory is used again once its last
// reader has run. packed keeps packed weights from plan to plan; eval asks for Eval everywhere. The context's budget is asked for every
// value, and holds them for as long as the plan is there.
func newPlan(ctx context.Context, g *onnxio.Graph, packed map[string]any, eval bool) (*plan, error) {
	p := &plan{room: budget.Of(ctx), graph: g, tensor: map[*onnxio.Value]*onnxio.Tensor{}, order: map[*onnxio.Value]op.Order{},
		copies: map[*onnxio.Value][]*onnxio.Tensor{}, places: map[*onnxio.Value][]op.Order{}}
	for _, v := range g.Inputs {
		if v.Const == nil {
			p.inputs = append(p.inputs, v)
			if p.tensor[v] = p.get(v); p.full != nil {
				return nil, p.full
			}
		}
	}
	readers := g.Consumers()
	last := map[*onnxio.Value]int{}
	for i, n := range g.Nodes {
		for _, v := range n.Inputs {
			last[v] = i
		}
	}
	for _, v := range g.Outputs {
		last[v] = len(g.Nodes)
	}
	done := map[*onnxio.Node]bool{}
	for i, n := range g.Nodes {
		if done[n] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		def, err := operators.Lookup(n)
		if err != nil {
			return nil, err
		}
		if def.Eval == nil {
			return nil, &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: "Eval"}
		}
		written := n.Outputs
		if eval {
			p.plain(def, n)
		} else if clamp := p.fast(def, n, follower(g, readers, n), packed); clamp != nil {
			done[clamp] = clamp != n
			written = clamp.Outputs
		} else if !p.anyOrder(def, n) {
			p.plain(def, n)
		}
		if p.full != nil {
			return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: p.full}
		}
		for _, v := range append(slices.Clone(n.Inputs), written...) {
			if v != nil && v.Const == nil && last[v] <= i && p.tensor[v] != nil {
				if v.Producer != nil {
					p.free.put(p.tensor[v])
				}
				for _, t := range p.copies[v] {
					p.free.put(t)
				}
				last[v] = len(g.Nodes) + 1 // once
			}
		}
	}
	for _, v := range g.Outputs {
		p.out = append(p.out, p.in(v, op.Order{}))
	}
	return p, p.full
}

// follower is the only reader of a node's only output, or nil.
func follower(g *onnxio.Graph, readers map[*onnxio.Value][]*onnxio.Node, n *onnxio.Node) *onnxio.Node {
	if len(n.Outputs) != 1 || len(readers[n.Outputs[0]]) != 1 || slices.Contains(g.Outputs, n.Outputs[0]) {
		return nil
	}
	return readers[n.Outputs[0]][0]
}

// fast prepares the node's fast way, with the clamp that follows if there is one. It returns the node whose output it writes: the
// clamp, or n itself; nil where there is no fast way.
func (p *plan) fast(def *op.Def, n, next *onnxio.Node, packed map[string]any) *onnxio.Node {
	if def.Fast == nil || n.Outputs[0] == nil || !n.Outputs[0].DType.IsFloat() {
		return nil
	}
	r := &op.FastRequest{Lo: math.Inf(-1), Hi: math.Inf(1), Packed: packed}
	for _, v := range n.Inputs {
		r.Orders = append(r.Orders, p.order[v])
	}
	if next != nil && next.Inputs[0] == n.Outputs[0] {
		if lo, hi, ok := operators.ClampOf(next); ok {
			r.Lo, r.Hi = lo, hi
			if f := def.Fast(n, r); f != nil {
				p.add(n, f, next.Outputs[0])
				return next
			}
			r.Lo, r.Hi = math.Inf(-1), math.Inf(1)
		}
	}
	f := def.Fast(n, r)
	if f == nil {
		return nil
	}
	p.add(n, f, n.Outputs[0])
	return n
}

func (p *plan) add(n *onnxio.Node, f *op.Fast, out *onnxio.Value) {
	s := step{run: f.Run, call: op.Call{Node: n, Work: &p.work}}
	for i, v := range n.Inputs {
		var want op.Order
		if i < len(f.In) {
			want = f.In[i]
		}
		s.call.In = append(s.call.In, p.in(v, want))
	}
	p.tensor[out], p.order[out] = p.get(out), f.Out
	s.call.Out = []*onnxio.Tensor{p.tensor[out]}
	p.steps = append(p.steps, s)
}

// plain runs Eval on row-major tensors.
func (p *plan) plain(def *op.Def, n *onnxio.Node) {
	s := step{run: def.Eval, call: op.Call{Node: n, Work: &p.work}}
	for _, v := range n.Inputs {
		s.call.In = append(s.call.In, p.in(v, op.Order{}))
	}
	for _, v := range n.Outputs {
		if v == nil {
			s.call.Out = append(s.call.Out, nil)
			continue
		}
		p.tensor[v] = p.get(v)
		s.call.Out = append(s.call.Out, p.tensor[v])
	}
	p.steps = append(p.steps, s)
}

// in is a value's tensor in the given order; it adds a step that copies where the value lies otherwise.
func (p *plan) in(v *onnxio.Value, want op.Order) *onnxio.Tensor {
	switch {
	case v == nil:
		return nil
	case v.Const != nil:
		return v.Const
	case p.order[v] == want:
		return p.tensor[v]
	}
	if i := slices.Index(p.places[v], want); i >= 0 {
		return p.copies[v][i]
	}
	from, src := p.order[v], p.tensor[v]
	if !from.Plain() && !want.Plain() {
		from, src = op.Order{}, p.in(v, op.Order{})
	}
	t := p.get(v)
	p.steps = append(p.steps, step{
		run: func(c *op.Call) error {
			if !op.Reorder(c.Out[0].Data, c.In[0].Data, from, want) {
				return fmt.Errorf("cannot store %q in another order", v.Name)
			}
			return nil
		},
		call: op.Call{Node: &onnxio.Node{Name: v.Name, Op: "reorder"}, In: []*onnxio.Tensor{src}, Out: []*onnxio.Tensor{t}, Work: &p.work},
	})
	p.copies[v], p.places[v] = append(p.copies[v], t), append(p.places[v], want)
	return t
}

// memory lends slices of float32 and float64, the types of nearly all values; others are allocated for themselves.
type memory struct {
	f32 [][]float32
	f64 [][]float64
}

// get gives a value its memory: some that is free, or new one that the budget has been asked for. Once it has refused, values get none.
func (p *plan) get(v *onnxio.Value) *onnxio.Tensor {
	n := onnxio.NumElements(v.Shape)
	switch v.DType {
	case onnxio.Float:
		if d, ok := fit(&p.free.f32, n); ok {
			return onnxio.FromFloat32(d, v.Shape...)
		}
	case onnxio.Double:
		if d, ok := fit(&p.free.f64, n); ok {
			return onnxio.FromFloat64(d, v.Shape...)
		}
	}
	size := int64(n) * int64(max(1, v.DType.Size()))
	if p.full == nil {
		p.full = budget.Hold(p.room, p, fmt.Sprintf("value %q", v.Name), size)
	}
	if p.full != nil {
		return onnxio.NewTensor(v.DType, 0)
	}
	p.held += size
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
		if err := s.run(&s.call); err != nil {
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
