package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/together"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// goSession is the embedded engine: samples run side by side, each worker on a plan of its own, where they have alone what they have in company
// (apart.go). A batch whose samples change each other goes through the graph whole.
type goSession struct {
	graph *onnxio.Graph
	o     Options
	ports

	mu     sync.Mutex
	plans  map[int][]*plan // idle plans by batch size
	tried  map[int]*onnxio.Graph
	word   verdict // of the operators, on a batch of most samples
	most   int
	cuts   map[int]verdict // of trying, by the number of samples that were tried
	packed map[string]any  // weights, by the node's output
	size   int64           // bytes of a plan's values, for one sample
}

// defaultBatch is the number of samples that one worker takes at once where the batch is free: enough to fill the kernels, small
// enough for the cache.
const defaultBatch = 16

func openGo(ctx context.Context, g *onnxio.Graph, o Options) (Session, error) {
	s := &goSession{graph: g, o: o, ports: ports{fixed: infer.FixedBatch(g)}, plans: map[int][]*plan{},
		tried: map[int]*onnxio.Graph{}, cuts: map[int]verdict{}, packed: map[string]any{}}
	if o.MaxBatch <= 0 {
		s.o.MaxBatch = defaultBatch
	}
	s.o.Threads = kernel.Workers(o.Threads)
	size := max(s.fixed, 1)
	p, err := s.take(ctx, size)
	if err != nil {
		return nil, err
	}
	port := func(v *onnxio.Value) Port {
		q := Port{Name: v.Name, DType: v.DType, Shape: slices.Clone(v.Shape)}
		if s.fixed == 0 && len(q.Shape) > 0 && !(len(v.Dims) > 0 && v.Dims[0].Known() && v.Producer == nil) {
			q.Shape[0] = -1
		}
		return q
	}
	for _, v := range p.inputs {
		s.in = append(s.in, port(v))
	}
	for _, v := range p.graph.Outputs {
		s.out = append(s.out, port(v))
	}
	s.size = p.held / int64(size)
	s.give(size, p)
	return s, nil
}

// Engine implements Session.
func (s *goSession) Engine() string { return "go" }

// Close implements Session.
func (s *goSession) Close() error { return nil }

// take lends a plan for a batch size, or makes one.
func (s *goSession) take(ctx context.Context, batch int) (*plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if idle := s.plans[batch]; len(idle) > 0 {
		p := idle[len(idle)-1]
		s.plans[batch] = idle[:len(idle)-1]
		return p, nil
	}
	g := s.tried[batch]
	if g == nil {
		var err error
		if g, err = infer.Prepare(ctx, s.graph, infer.Options{Batch: batch, Float64: s.o.Float64, Reading: s.o.Reading}); err != nil {
			return nil, err
		}
		infer.Fuse(g)
		s.tried[batch] = g
	}
	var p *plan
	packed := s.packed
	err := budget.Do(ctx, func() error {
		made, err := newPlan(ctx, g, packed, s.o.Once)
		p = made
		return err
	})
	if err != nil {
		s.packed = map[string]any{} // what was left behind may still write into the old one
		return nil, err
	}
	return p, nil
}

func (s *goSession) give(batch int, p *plan) {
	s.mu.Lock()
	s.plans[batch] = append(s.plans[batch], p)
	s.mu.Unlock()
}

// Run implements Session.
func (s *goSession) Run(ctx context.Context, inputs []*onnxio.Tensor) ([]*onnxio.Tensor, error) {
	batch, err := s.check(inputs)
	if err != nil {
		return nil, err
	}
	step := s.fixed
	if step == 0 {
		step = max(1, min(s.o.MaxBatch, (batch+s.o.Threads-1)/s.o.Threads))
		if step < batch {
			ok, err := s.cut(ctx, inputs, batch)
			if err != nil {
				return nil, err
			}
			if !ok {
				step = batch
			}
		}
	}
	out := make([]*onnxio.Tensor, len(s.out))
	var once sync.Mutex
	run := func(from int) error {
		n := min(step, batch-from)
		p, err := s.take(ctx, n)
		if err != nil {
			return err
		}
		for i := range inputs {
			at := 0
			if !s.whole(i) {
				at = from * perSample(inputs[i], batch)
			}
			if err := p.load(i, inputs[i], at); err != nil {
				return err
			}
		}
		// Where it ends before its work does, the plan is lost to whatever still writes into it.
		if err := budget.Do(ctx, func() error { return p.run(ctx) }); err != nil {
			return err
		}
		defer s.give(n, p)
		once.Lock()
		defer once.Unlock()
		if len(out) > 0 && out[0] == nil {
			bytes := int64(0)
			for _, t := range p.out {
				bytes += int64(t.Len()) * int64(max(1, t.DType.Size()))
			}
			if err := budget.Of(ctx).Ask("the outputs of all samples", bytes/int64(n)*int64(batch)); err != nil {
				return err
			}
		}
		for k := range out {
			if err := join(s.out[k].Name, &out[k], p.out[k], piece{size: n, from: from, step: step, batch: batch}); err != nil {
				return err
			}
		}
		return nil
	}
	return out, s.spread(ctx, batch, step, s.workers(ctx, step), run)
}

// workers is how many may run side by side: each has a plan of its own, and those that are not there yet must fit into the budget.
func (s *goSession) workers(ctx context.Context, step int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := s.plans[step]
	if len(idle) >= s.o.Threads {
		return s.o.Threads
	}
	size := s.size * int64(step) // of a plan, from what one for another batch takes
	if len(idle) > 0 {
		size = idle[0].held
	}
	more := int64(s.o.Threads)
	if size > 0 {
		more = min(more, budget.Of(ctx).Left()/2/size)
	}
	return max(1, min(s.o.Threads, len(idle)+int(more)))
}

// spread runs the pieces of a batch on the workers.
func (s *goSession) spread(ctx context.Context, batch, step, workers int, run func(from int) error) error {
	pieces := (batch + step - 1) / step
	if workers := min(workers, pieces); workers > 1 {
		var next atomic.Int64
		errs := make([]error, workers)
		together.Run(workers, func(w int) {
			for {
				i := int(next.Add(1)) - 1
				if i >= pieces || errs[w] != nil {
					return
				}
				errs[w] = run(i * step)
			}
		})
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	for from := 0; from < batch; from += step {
		if err := run(from); err != nil {
			return err
		}
	}
	return nil
}
