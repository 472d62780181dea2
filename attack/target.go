package attack

import (
	"context"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Options configures Open. The zero value runs on the Go engine and all cores.
type Options struct {
	Engine engine.Options
	// Batch is the largest number of samples that go through a gradient graph at once; 0 means 16 on the Go engine, which runs several such
	// batches side by side, and 64 elsewhere.
	Batch int
}

// Target is a model opened for attacks. It may be used by several goroutines.
type Target struct {
	model    *onnxio.Model
	graph    *onnxio.Graph // with a free batch where the model bears one
	o        Options
	original engine.Session
	logits   engine.Session

	shape   []int // of the input, its first dimension (the batch) 1
	size    int   // elements of one input
	outputs int
	fixed   bool // the graph takes one sample at a time
	softmax bool
	noGrad  error // why there is no gradient

	mu        sync.Mutex
	graphs    map[string]engine.Session
	evaluated atomic.Int64
}

// Open prepares a model with one floating-point input. Gradients are made when an attack first asks for them; see GradientError.
func Open(ctx context.Context, m *onnxio.Model, o Options) (*Target, error) {
	t := &Target{model: m, o: o, graph: m.Graph, graphs: map[string]engine.Session{}}
	if freed := freeBatch(ctx, m.Graph); freed != nil {
		t.graph = freed
	}
	one, err := infer.Prepare(t.graph, infer.Options{Batch: 1})
	if err != nil {
		return nil, err
	}
	var input *onnxio.Value
	for _, v := range one.Inputs {
		if v.Const != nil {
			continue
		}
		if input != nil {
			return nil, fmt.Errorf("the model has several inputs (%q, %q); attacks need one", input.Name, v.Name)
		}
		input = v
	}
	if input == nil || input.DType != onnxio.Float {
		return nil, fmt.Errorf("attacks need a float32 input")
	}
	t.shape, t.size = slices.Clone(input.Shape), onnxio.NumElements(input.Shape)
	if t.fixed = infer.FixedBatch(t.graph) != 0; t.fixed && len(t.shape) > 1 && t.shape[0] != 1 {
		return nil, fmt.Errorf("the file fixes the batch to %d; attacks need 1 or a free batch: shoal convert --batch 1", t.shape[0])
	}
	t.softmax = dropSoftmax(one)
	for _, v := range one.Outputs {
		t.outputs += onnxio.NumElements(v.Shape)
	}
	if t.original, err = engine.Open(ctx, m, o.Engine); err != nil {
		return nil, err
	}
	if t.logits, err = t.openLogits(ctx); err != nil {
		t.original.Close()
		return nil, err
	}
	if _, err := Gradient(t.graph, Loss{Kind: Linear}, GradientOptions{Batch: 1}); err != nil {
		t.noGrad = err
	}
	return t, nil
}

// openLogits opens the model with a free batch and without a final softmax.
func (t *Target) openLogits(ctx context.Context) (engine.Session, error) {
	g := t.graph.Clone()
	if t.softmax {
		// Shapes decide whether a softmax is over all outputs; they were known to Open.
		for i, n := range g.Nodes {
			if n == g.Outputs[0].Producer {
				g.Outputs[0] = n.Inputs[0]
				g.Nodes = slices.Delete(g.Nodes, i, i+1)
				break
			}
		}
	} else if t.graph == t.model.Graph {
		return t.original, nil
	}
	m, err := onnxio.NewModel(g, "shoal")
	if err != nil {
		return nil, err
	}
	return engine.Open(ctx, m, t.pinned())
}

// pinned are the engine's options with the choice that auto made for the model itself.
func (t *Target) pinned() engine.Options {
	o := t.o.Engine
	o.Engine, o.Notice = t.original.Engine(), nil
	return o
}

// Close frees the engines.
func (t *Target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.original.Close()
	if t.logits != t.original {
		t.logits.Close()
	}
	for _, s := range t.graphs {
		s.Close()
	}
	return err
}

// Outputs is the number of outputs of a sample.
func (t *Target) Outputs() int { return t.outputs }

// InputShape is the shape of one input, its batch 1.
func (t *Target) InputShape() []int { return slices.Clone(t.shape) }

// Engine names what runs the model.
func (t *Target) Engine() string { return t.original.Engine() }

// SoftmaxDropped tells that gradients and losses are of what the model's final softmax takes.
func (t *Target) SoftmaxDropped() bool { return t.softmax }

// GradientError tells why the model has no gradient; nil where it has.
func (t *Target) GradientError() error { return t.noGrad }

// Evaluations is how many samples went through the model so far, a forward pass and one with its gradient counting one each.
func (t *Target) Evaluations() int64 { return t.evaluated.Load() }

// Logits runs the model on samples, flat one behind the other, and returns their logits.
func (t *Target) Logits(ctx context.Context, x []float32) ([]float32, error) {
	return t.run(ctx, t.logits, x)
}

// Replay is Logits of the original file: with its softmax, if it has one, and in its own batches.
func (t *Target) Replay(ctx context.Context, x []float32) ([]float32, error) {
	return t.run(ctx, t.original, x)
}

func (t *Target) run(ctx context.Context, s engine.Session, x []float32) ([]float32, error) {
	n := len(x) / t.size
	if n == 0 {
		return nil, nil
	}
	t.evaluated.Add(int64(n))
	shape := slices.Clone(t.shape)
	if len(shape) > 1 {
		shape[0] = n
	} else if n > 1 { // no batch at all
		var out []float32
		for i := range n {
			y, err := t.run(ctx, s, x[i*t.size:(i+1)*t.size])
			if err != nil {
				return nil, err
			}
			out = append(out, y...)
		}
		t.evaluated.Add(-int64(n))
		return out, nil
	}
	ys, err := s.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
	if err != nil {
		return nil, err
	}
	return joinOutputs(ys, n, t.outputs)
}

// joinOutputs puts several outputs of each sample side by side.
func joinOutputs(ys []*onnxio.Tensor, n, outputs int) ([]float32, error) {
	if len(ys) == 1 && len(ys[0].F32()) == n*outputs {
		return ys[0].F32(), nil
	}
	out := make([]float32, n*outputs)
	at := 0
	for _, y := range ys {
		d, err := y.Float64s()
		if err != nil {
			return nil, err
		}
		size := len(d) / n
		for i := range n {
			for k := range size {
				out[i*outputs+at+k] = float32(d[i*size+k])
			}
		}
		at += size
	}
	if at != outputs {
		return nil, fmt.Errorf("%d outputs of a sample where %d were expected", at, outputs)
	}
	return out, nil
}

// Slopes are what a gradient graph gives for some samples: logits, the loss and its derivative in the input.
type Slopes struct{ Logits, Loss, Gradient []float32 }

// Gradient runs the gradient graph of a loss. x are samples; weights and, for targeted losses, targets are a row for each.
func (t *Target) Gradient(ctx context.Context, loss *Loss, x, weights, targets []float32) (*Slopes, error) {
	n := len(x) / t.size
	columns := loss.weights(t.outputs)
	if len(x) != n*t.size || len(weights) != n*columns || loss.Kind.targeted() && len(targets) != n*t.outputs {
		return nil, fmt.Errorf("%d inputs, %d weights and %d targets for %d samples", len(x), len(weights), len(targets), n)
	}
	if t.noGrad != nil {
		return nil, t.noGrad
	}
	t.evaluated.Add(int64(n))
	out := &Slopes{make([]float32, n*t.outputs), make([]float32, n), make([]float32, n*t.size)}
	workers := t.workers()
	most := t.batch()
	var pieces [][2]int
	size := min(most, powerAbove((n+workers-1)/workers))
	for from := 0; from < n; from += size {
		pieces = append(pieces, [2]int{from, min(n, from+size)})
	}
	piece := func(from, to int) error {
		b := min(most, powerAbove(to-from))
		s, err := t.session(ctx, loss, b)
		if err != nil {
			return err
		}
		in := []*onnxio.Tensor{part(x, from, to, b, t.size, t.inputShape(b)), part(weights, from, to, b, columns, []int{b, columns})}
		if loss.Kind.targeted() {
			in = append(in, part(targets, from, to, b, t.outputs, []int{b, t.outputs}))
		}
		ys, err := s.Run(ctx, in)
		if err != nil {
			return err
		}
		copy(out.Logits[from*t.outputs:to*t.outputs], ys[0].F32())
		copy(out.Loss[from:to], ys[1].F32())
		copy(out.Gradient[from*t.size:to*t.size], ys[2].F32())
		return nil
	}
	return out, spread(workers, len(pieces), func(i int) error { return piece(pieces[i][0], pieces[i][1]) })
}

// spread runs jobs on some goroutines and returns the first error.
func spread(workers, jobs int, run func(i int) error) error {
	if workers = min(workers, jobs); workers <= 1 {
		for i := range jobs {
			if err := run(i); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= jobs {
					return
				}
				errs[w] = run(i)
			}
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Target) inputShape(batch int) []int {
	s := slices.Clone(t.shape)
	if len(s) > 1 {
		s[0] = batch
	}
	return s
}

// part cuts rows [from, to) out, filled up with zeros to b rows.
func part(x []float32, from, to, b, size int, shape []int) *onnxio.Tensor {
	d := x[from*size : to*size]
	if to-from < b {
		d = append(slices.Clone(d), make([]float32, (b-to+from)*size)...)
	}
	return onnxio.FromFloat32(d, shape...)
}

// powerAbove is the smallest power of two that is at least n.
func powerAbove(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

// workers is how many gradient batches run side by side: onnxruntime spreads one batch over the cores by itself.
func (t *Target) workers() int {
	if t.original.Engine() != "go" {
		return 1
	}
	if n := t.o.Engine.Threads; n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

func (t *Target) batch() int {
	switch {
	case t.fixed:
		return 1
	case t.o.Batch > 0:
		return powerAbove(t.o.Batch)
	case t.original.Engine() == "go":
		return 16
	}
	return 64
}

// session is the gradient graph of a loss for a batch size, opened once.
func (t *Target) session(ctx context.Context, loss *Loss, batch int) (engine.Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := fmt.Sprintf("%s %d", loss.Kind, batch)
	if loss.Kind == Rows {
		key = fmt.Sprintf("%p %d", loss, batch)
	}
	if s := t.graphs[key]; s != nil {
		return s, nil
	}
	g, err := Gradient(t.graph, *loss, GradientOptions{Batch: batch})
	if err != nil {
		return nil, err
	}
	o := t.pinned()
	var s engine.Session
	if o.Engine == "go" {
		o.Threads = 1
		s, err = engine.OpenGraph(ctx, g, o)
	} else {
		var m *onnxio.Model
		if m, err = onnxio.NewModel(g, "shoal"); err == nil {
			o.MaxBatch = batch
			s, err = engine.Open(ctx, m, o)
		}
	}
	if err == nil {
		t.graphs[key] = s
	}
	return s, err
}
