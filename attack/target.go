package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/together"
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
	// KeepSoftmax takes a final softmax as part of the model, for properties of its outputs.
	KeepSoftmax bool
	// Straight takes the straight-through estimator for derivatives of what is rounded: see GradientOptions.
	Straight bool
	// Logits is a graph of the same inputs and as many outputs whose order of classes is the model's: gradients and losses are of it, and what is found
	// is replayed by the model. nil for the model's own, without a final softmax.
	Logits *onnxio.Graph
}

// Target is a model opened for attacks. It may be used by several goroutines.
type Target struct {
	model    *onnxio.Model
	graph    *onnxio.Graph // with a free batch where the model bears one
	o        Options
	original engine.Session
	logits   engine.Session

	inputs  []port
	size    int // elements of one sample: all inputs one behind the other
	outputs int
	fixed   bool // the file fixes the batch, or has none: the graph takes one sample at a time
	softmax bool
	double  bool  // the outputs are float64
	noGrad  error // why there is no gradient

	looked    sync.Mutex
	known     bool         // whether outputs have a row for each sample
	follow    bool         // they have
	sure      atomic.Int64 // up to how many samples together were found to have what they have alone
	depend    atomic.Bool  // some had not: all go alone from there on
	mu        sync.Mutex
	graphs    map[string]engine.Session
	evaluated atomic.Int64
}

// port is an input: its shape with a batch of 1, where it begins in a sample, and its type.
type port struct {
	shape    []int
	at, size int
	dtype    onnxio.DType
}

// Open prepares a model with floating-point inputs. Gradients are made when an attack first asks for them; see GradientError.
func Open(ctx context.Context, m *onnxio.Model, o Options) (*Target, error) {
	if m == nil {
		return nil, errors.New("there is no model")
	}
	if err := m.Graph.Check(); err != nil {
		return nil, err
	}
	t := &Target{model: m, o: o, graph: m.Graph, graphs: map[string]engine.Session{}}
	if o.Logits != nil {
		t.graph = o.Logits
	}
	if freed := FreeBatch(ctx, t.graph); freed != nil {
		t.graph = freed
	}
	one, err := infer.Prepare(ctx, t.graph, infer.Options{Batch: 1, Reading: o.Engine.Reading})
	if err != nil {
		return nil, err
	}
	for _, v := range one.Inputs {
		if v.Const != nil {
			continue
		}
		if v.DType != onnxio.Float && v.DType != onnxio.Double {
			return nil, fmt.Errorf("input %q is of type %v; attacks need floating-point inputs", v.Name, v.DType)
		}
		p := port{shape: slices.Clone(v.Shape), at: t.size, size: onnxio.NumElements(v.Shape), dtype: v.DType}
		t.inputs = append(t.inputs, p)
		t.size += p.size
	}
	if t.size == 0 {
		return nil, fmt.Errorf("the model has no inputs to attack")
	}
	t.fixed = infer.FixedBatch(t.graph) != 0 || slices.ContainsFunc(t.inputs, func(p port) bool { return len(p.shape) < 2 })
	t.softmax = !o.KeepSoftmax && infer.FinalSoftmax(one, rows(one)) != nil
	for _, v := range one.Outputs {
		t.outputs += onnxio.NumElements(v.Shape)
		t.double = v.DType == onnxio.Double
	}
	if t.original, err = engine.Open(ctx, m, o.Engine); err != nil {
		return nil, err
	}
	if t.logits, err = t.openLogits(ctx); err != nil {
		t.original.Close()
		return nil, err
	}
	if _, err := GradientContext(ctx, t.graph, Loss{Kind: Linear}, t.gradientOptions(1)); err != nil {
		t.noGrad = err
	}
	return t, nil
}

// single tells whether samples go one at a time. That every output has a row for each sample of a batch is looked at when it is first asked.
func (t *Target) single(ctx context.Context) (bool, error) {
	if t.fixed || t.depend.Load() {
		return true, nil
	}
	t.looked.Lock()
	defer t.looked.Unlock()
	if !t.known {
		follow := followed(ctx, t.graph, infer.Options{Reading: t.o.Engine.Reading})
		if ctx.Err() != nil { // the end of the time says nothing about the model
			return true, ctx.Err()
		}
		t.known, t.follow = true, follow
	}
	return !t.follow, nil
}

func (t *Target) gradientOptions(batch int) GradientOptions {
	gpu := t.original != nil && t.original.Engine() != "go" && t.original.Engine() != "ort:cpu"
	return GradientOptions{Batch: batch, KeepSoftmax: t.o.KeepSoftmax, OneSample: true, Portable: gpu, Straight: t.o.Straight,
		Reading: t.o.Engine.Reading}
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

// InputShape is the shape of the first input, its batch 1.
func (t *Target) InputShape() []int { return slices.Clone(t.inputs[0].shape) }

// InputSize is the number of elements of a sample: all inputs one behind the other.
func (t *Target) InputSize() int { return t.size }

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
	if n > 1 {
		if single, err := t.single(ctx); err != nil {
			return nil, err
		} else if single {
			return t.alone(ctx, s, x, n)
		}
	}
	ys, err := s.Run(ctx, t.tensors(x, n))
	if err != nil {
		return nil, err
	}
	out, err := joinOutputs(ys, n, t.outputs)
	if err != nil || int64(n) <= max(1, t.sure.Load()) {
		return out, err
	}
	for _, i := range []int{0, n / 2, n - 1} {
		one, err := t.alone(ctx, s, x[i*t.size:(i+1)*t.size], 1)
		if err != nil {
			return nil, err
		}
		if !near(out[i*t.outputs:(i+1)*t.outputs], one) {
			t.depend.Store(true)
			return t.alone(ctx, s, x, n)
		}
	}
	t.sure.Store(int64(n))
	return out, nil
}

// SamplesDepend tells that samples were seen to change each other's outputs when they went through the model together. They then go alone.
func (t *Target) SamplesDepend() bool { return t.depend.Load() }

// alone runs samples one by one, on all cores.
func (t *Target) alone(ctx context.Context, s engine.Session, x []float32, n int) ([]float32, error) {
	out := make([]float32, n*t.outputs)
	return out, spread(t.workers(), n, func(i int) error {
		ys, err := s.Run(ctx, t.tensors(x[i*t.size:(i+1)*t.size], 1))
		if err != nil {
			return err
		}
		y, err := joinOutputs(ys, 1, t.outputs)
		copy(out[i*t.outputs:], y)
		return err
	})
}

// near tells whether outputs in company are those of a sample alone, within what sums that are cut otherwise may differ.
func near(company, alone []float32) bool {
	most := 1e-6
	for _, v := range alone {
		if f := math.Abs(float64(v)); f > most && !math.IsInf(f, 0) {
			most = f
		}
	}
	for i, v := range alone {
		a, b := float64(company[i]), float64(v)
		if a != b && !(math.IsNaN(a) && math.IsNaN(b)) && !(math.Abs(a-b) <= batchTolerance*most) {
			return false
		}
	}
	return true
}

// tensors cuts samples into the model's inputs.
func (t *Target) tensors(x []float32, n int) []*onnxio.Tensor {
	var out []*onnxio.Tensor
	for _, p := range t.inputs {
		d := x
		if len(t.inputs) > 1 {
			d = make([]float32, 0, n*p.size)
			for i := range n {
				d = append(d, x[i*t.size+p.at:][:p.size]...)
			}
		}
		shape := slices.Clone(p.shape)
		if !t.fixed {
			shape[0] = n
		}
		v := onnxio.FromFloat32(d, shape...)
		if p.dtype == onnxio.Double {
			f, _ := v.Float64s() // float32s have them
			v = onnxio.FromFloat64(f, shape...)
		}
		out = append(out, v)
	}
	return out
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
	if loss == nil {
		return nil, errors.New("there is no loss")
	}
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
	most, err := t.batch(ctx, n)
	if err != nil {
		return nil, err
	}
	var pieces [][2]int
	size := min(most, powerAbove((n+workers-1)/workers))
	for from := 0; from < n; {
		// Whole powers of two as far as they go, so that few rows are filled up with zeros.
		for size > 8 && size > n-from {
			size /= 2
		}
		pieces = append(pieces, [2]int{from, min(n, from+size)})
		from += size
	}
	piece := func(from, to int) error {
		b := min(most, powerAbove(to-from))
		s, err := t.session(ctx, loss, b)
		if err != nil {
			return err
		}
		in := append(t.tensors(part(x, from, to, b, t.size), b), t.rows(part(weights, from, to, b, columns), b, columns))
		if loss.Kind.targeted() {
			in = append(in, t.rows(part(targets, from, to, b, t.outputs), b, t.outputs))
		}
		ys, err := s.Run(ctx, in)
		if err != nil {
			return err
		}
		if err := fill(out.Logits[from*t.outputs:to*t.outputs], ys[0], t.outputs, 0, t.outputs); err != nil {
			return err
		}
		if err := fill(out.Loss[from:to], ys[1], 1, 0, 1); err != nil {
			return err
		}
		for k, p := range t.inputs {
			if err := fill(out.Gradient[from*t.size:to*t.size], ys[2+k], t.size, p.at, p.size); err != nil {
				return err
			}
		}
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
	together.Run(workers, func(w int) {
		for errs[w] == nil {
			i := int(next.Add(1)) - 1
			if i >= jobs {
				return
			}
			errs[w] = run(i)
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// part cuts rows [from, to) out, filled up with zeros to b rows.
func part(x []float32, from, to, b, size int) []float32 {
	d := x[from*size : to*size]
	if to-from < b {
		d = append(slices.Clone(d), make([]float32, (b-to+from)*size)...)
	}
	return d
}

// rows is a matrix in the type of the model's outputs.
func (t *Target) rows(d []float32, rows, columns int) *onnxio.Tensor {
	v := onnxio.FromFloat32(d, rows, columns)
	if t.double {
		f, _ := v.Float64s()
		v = onnxio.FromFloat64(f, rows, columns)
	}
	return v
}

// fill copies rows of n numbers to column `at` of rows of width numbers.
func fill(to []float32, t *onnxio.Tensor, width, at, n int) error {
	d := t.F32()
	if d == nil {
		f, err := t.Float64s()
		if err != nil {
			return err
		}
		d = make([]float32, len(f))
		for i, v := range f {
			d[i] = float32(v)
		}
	}
	for r := range len(to) / width {
		copy(to[r*width+at:][:n], d[r*n:])
	}
	return nil
}

// powerAbove is the smallest power of two that is at least n.
func powerAbove(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

// workers is how many gradient batches run side by side: onnxruntime spreads one batch over the cores by itself.
func (t *Target) workers() int {
	if t.original.Engine() != "go" {
		return 1
	}
	return kernel.Workers(t.o.Engine.Threads)
}

// batch is the largest number of so many samples in a gradient graph.
func (t *Target) batch(ctx context.Context, n int) (int, error) {
	most := 64
	switch {
	case t.o.Batch > 0:
		most = powerAbove(t.o.Batch)
	case t.original.Engine() == "go":
		most = 16
	}
	if n == 1 || most == 1 {
		return 1, nil
	}
	single, err := t.single(ctx)
	if single {
		most = 1
	}
	return most, err
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
	g, err := GradientContext(ctx, t.graph, *loss, t.gradientOptions(batch))
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
