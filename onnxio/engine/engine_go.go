package engine

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// goSession is the embedded engine: samples run side by side, each worker on a plan of its own.
type goSession struct {
	graph *onnxio.Graph
	o     Options
	ports

	mu     sync.Mutex
	plans  map[int][]*plan // idle plans by batch size
	tried  map[int]*onnxio.Graph
	packed map[string]any // weights, by the node's output
}

// defaultBatch is the number of samples that one worker takes at once where the batch is free: enough to fill the kernels, small
// enough for the cache.
const defaultBatch = 16

func openGo(_ context.Context, g *onnxio.Graph, o Options) (Session, error) {
	s := &goSession{graph: g, o: o, ports: ports{fixed: infer.FixedBatch(g)}, plans: map[int][]*plan{}, tried: map[int]*onnxio.Graph{}, packed: map[string]any{}}
	if o.MaxBatch <= 0 {
		s.o.MaxBatch = defaultBatch
	}
	if o.Threads <= 0 {
		s.o.Threads = runtime.GOMAXPROCS(0)
	}
	size := max(s.fixed, 1)
	p, err := s.take(size)
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
	s.give(size, p)
	return s, nil
}

// Engine implements Session.
func (s *goSession) Engine() string { return "go" }

// Close implements Session.
func (s *goSession) Close() error { return nil }

// take lends a plan for a batch size, or makes one.
func (s *goSession) take(batch int) (*plan, error) {
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
		if g, err = infer.Prepare(s.graph, infer.Options{Batch: batch, Float64: s.o.Float64, Reading: s.o.Reading}); err != nil {
			return nil, err
		}
		infer.Fuse(g)
		s.tried[batch] = g
	}
	return newPlan(g, s.packed, s.o.Once)
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
	}
	out := make([]*onnxio.Tensor, len(s.out))
	var once sync.Mutex
	run := func(from int) error {
		n := min(step, batch-from)
		p, err := s.take(n)
		if err != nil {
			return err
		}
		defer s.give(n, p)
		for i := range inputs {
			at := 0
			if !s.whole(i) {
				at = from * perSample(inputs[i], batch)
			}
			if err := p.load(i, inputs[i], at); err != nil {
				return err
			}
		}
		if err := p.run(ctx); err != nil {
			return err
		}
		once.Lock()
		defer once.Unlock()
		for k := range out {
			if err := join(s.out[k].Name, &out[k], p.out[k], piece{size: n, from: from, step: step, batch: batch}); err != nil {
				return err
			}
		}
		return nil
	}
	return out, s.spread(ctx, batch, step, run)
}

// spread runs the pieces of a batch on the workers.
func (s *goSession) spread(ctx context.Context, batch, step int, run func(from int) error) error {
	pieces := (batch + step - 1) / step
	if workers := min(s.o.Threads, pieces); workers > 1 {
		var next atomic.Int64
		var wg sync.WaitGroup
		errs := make([]error, workers)
		for w := range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					i := int(next.Add(1)) - 1
					if i >= pieces || errs[w] != nil {
						return
					}
					errs[w] = run(i * step)
				}
			}()
		}
		wg.Wait()
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
