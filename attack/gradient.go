package attack

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Names of the inputs and outputs that a gradient graph has beside the model's inputs.
const (
	WeightsInput   = "shoal_weights"
	TargetInput    = "shoal_target"
	LogitsOutput   = "shoal_logits"
	LossOutput     = "shoal_loss"
	GradientOutput = "shoal_gradient" // followed by _1, _2, ... for further inputs
)

// GradientOptions configures Gradient. The zero value is a batch of one, in float32.
type GradientOptions struct {
	Batch   int            // bound to the free first dimension of the inputs; 0 means 1
	Dims    map[string]int // other free sizes by name
	Float64 bool
	// KeepSoftmax leaves a final Softmax or LogSoftmax in place. By default the gradient is of its input: the order of the classes is the
	// same, and float32 does not round the gradient away.
	KeepSoftmax bool
	// OneSample takes a batch that the file fixes as one sample: one row of logits, one loss.
	OneSample bool
	// Portable uses only operators that GPU providers have too; on the CPU it is slower.
	Portable bool
	// Straight lets derivatives pass what a quantised network rounds as if it did not (see unrounded); others are zero there or do not exist.
	Straight bool
	// Reading is whose word counts where the standard's and onnxruntime's differ.
	Reading onnxio.Reading
}

// Gradient makes of a model's graph one that computes, in standard operators of the same opset:
//
//	inputs:  the model's inputs; weights [batch, outputs] (one-hot labels; or [batch, cases] for Rows); for DLRT the targets, one-hot
//	outputs: logits [batch, outputs], all outputs of a sample flat; the loss [batch]; dL/dx for every floating-point input, L being the
//	         sum of the losses, so that no sample's gradient depends on another sample
//
// Sizes are static. Where the derivative does not exist a stated one is taken: 0 for Relu at 0, the first of equal elements of a pooling
// window where MaxPool can name it and equal shares else, equal shares for the ties of ReduceMax, the first of Max's equal inputs, 0 for
// steps. The error is an *onnxio.UnsupportedError that names a node without gradient.
func Gradient(g *onnxio.Graph, loss Loss, o GradientOptions) (*onnxio.Graph, error) {
	return GradientContext(context.Background(), g, loss, o)
}

// GradientContext is Gradient until the context ends, and within its budget of memory.
func GradientContext(ctx context.Context, g *onnxio.Graph, loss Loss, o GradientOptions) (*onnxio.Graph, error) {
	g, err := infer.Prepare(ctx, g, infer.Options{Batch: o.Batch, Dims: o.Dims, Float64: o.Float64, Reading: o.Reading, Steps: true})
	if err != nil {
		return nil, err
	}
	if o.Straight {
		if g, err = unrounded(ctx, g); err != nil {
			return nil, err
		}
	}
	if !o.KeepSoftmax {
		g, _ = infer.WithoutSoftmax(g, rows(g))
	}
	e := op.NewEmitter(ctx, operators.Table(), g, "grad/")
	e.Portable, e.Straight = o.Portable, o.Straight
	batch, err := batchOf(g)
	if err != nil {
		return nil, err
	}
	if o.OneSample && infer.FixedBatch(g) != 0 {
		batch = 1
	}
	if o.Batch > 1 && batch == 1 && infer.FixedBatch(g) == 0 {
		return nil, fmt.Errorf("the outputs have no row for each of %d samples", o.Batch)
	}
	z, err := flatOutputs(e, g, batch)
	if err != nil {
		return nil, err
	}
	outputs := z.Shape[1]
	if outputs < loss.Kind.Classes() {
		return nil, fmt.Errorf("loss %s needs %d classes; the model has %d outputs", loss.Kind, loss.Kind.Classes(), outputs)
	}
	port := func(name string, size int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: z.DType, Shape: []int{batch, size}}
	}
	w := port(WeightsInput, loss.weights(outputs))
	inputs := append(slices.Clone(g.Inputs), w)
	var t *onnxio.Value
	if loss.Kind.targeted() {
		t = port(TargetInput, outputs)
		inputs = append(inputs, t)
	}
	l := loss.emit(e, z, w, t)
	if e.Err != nil {
		return nil, e.Err
	}
	// The loss is differentiated like the rest of the network.
	all := append(slices.Clone(g.Nodes), e.Nodes...)
	var wrt []*onnxio.Value
	for _, v := range g.Inputs {
		if v.Const == nil && v.DType.IsFloat() {
			wrt = append(wrt, v)
		}
	}
	forward := len(e.Nodes)
	dx, err := op.Backward(e, all, map[*onnxio.Value]*onnxio.Value{l: e.Filled(l, 1, l.Shape...)}, wrt)
	if err != nil {
		return nil, err
	}
	out := &onnxio.Graph{Name: g.Name + "_gradient", Inputs: inputs, Nodes: append(slices.Clone(g.Nodes), e.Nodes[:forward]...)}
	logits := named(e, z, LogitsOutput)
	value := named(e, e.Reshape(l, batch), LossOutput)
	out.Outputs = []*onnxio.Value{logits, value}
	for i, d := range dx {
		name := GradientOutput
		if i > 0 {
			name = fmt.Sprintf("%s_%d", GradientOutput, i)
		}
		if d == nil && read(g, wrt[i]) {
			return nil, steps(e, g, wrt[i])
		}
		if d == nil { // nothing reads it
			d = e.Zeros(wrt[i], wrt[i].Shape...)
		}
		out.Outputs = append(out.Outputs, named(e, d, name))
	}
	if e.Err != nil {
		return nil, e.Err
	}
	out.Nodes = widened(e, append(out.Nodes, e.Nodes[forward:]...))
	for _, v := range append(slices.Clone(out.Inputs), out.Outputs...) {
		declare(v)
	}
	return order(out), nil
}

// widened lets casts to half precision round, and come back to the type that the graph computes in: a file cannot say that their values are of both.
func widened(e *op.Emitter, nodes []*onnxio.Node) []*onnxio.Node {
	var out []*onnxio.Node
	for _, n := range nodes {
		to := onnxio.DType(n.Attrs.Int("to", 0))
		if n.Op != "Cast" || n.Domain != "" || !to.Half() || n.Outputs[0].DType == to {
			out = append(out, n)
			continue
		}
		v := n.Outputs[0]
		narrow := *n
		half := &onnxio.Value{Name: e.Name("half"), DType: to, Shape: slices.Clone(v.Shape), Producer: &narrow}
		narrow.Outputs = []*onnxio.Value{half}
		back := &onnxio.Node{Name: e.Name("wide"), Op: "Cast", Opset: n.Opset, Attrs: onnxio.Attrs{"to": int64(v.DType)}, Inputs: []*onnxio.Value{half},
			Outputs: []*onnxio.Value{v}}
		v.Producer = back
		out = append(out, &narrow, back)
	}
	return out
}

// read tells whether a node reads a value.
func read(g *onnxio.Graph, v *onnxio.Value) bool {
	return slices.ContainsFunc(g.Nodes, func(n *onnxio.Node) bool { return slices.Contains(n.Inputs, v) })
}

// steps is the error of an input that outputs depend on in steps alone, so that its gradient would be zeros.
func steps(e *op.Emitter, g *onnxio.Graph, v *onnxio.Value) error {
	why := fmt.Sprintf("outputs change with input %q in steps alone: its gradient is zero wherever there is one", v.Name)
	if len(e.Stuck) > 0 {
		n := e.Stuck[0]
		return n.Lacks("Gradient", why)
	}
	for _, n := range slices.Backward(g.Nodes) { // the last one that makes whole numbers of it, or none of it
		if len(n.Outputs) > 0 && n.Outputs[0] != nil && !n.Outputs[0].DType.IsFloat() {
			return n.Lacks("Gradient", why)
		}
	}
	return &onnxio.UnsupportedError{Face: "Gradient", Why: why}
}

// order sorts nodes so that values come before their readers.
func order(g *onnxio.Graph) *onnxio.Graph {
	made := map[*onnxio.Value]*onnxio.Node{}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				made[v] = n
			}
		}
	}
	var sorted []*onnxio.Node
	done := map[*onnxio.Node]bool{}
	var visit func(n *onnxio.Node)
	visit = func(n *onnxio.Node) {
		if done[n] {
			return
		}
		done[n] = true
		for _, v := range n.Inputs {
			if p := made[v]; v != nil && p != nil {
				visit(p)
			}
		}
		sorted = append(sorted, n)
	}
	for _, n := range g.Nodes {
		visit(n)
	}
	g.Nodes = sorted
	return g
}

// declare writes a static shape down as the file's declaration.
func declare(v *onnxio.Value) {
	v.HasShape, v.Dims = true, make([]onnxio.Dim, len(v.Shape))
	for i, d := range v.Shape {
		v.Dims[i] = onnxio.Dim{Size: d}
	}
}

// named gives a value under another name; Identity stands for a name that is taken.
func named(e *op.Emitter, v *onnxio.Value, name string) *onnxio.Value {
	if e.Err != nil {
		return v
	}
	n := &onnxio.Node{Name: e.Name("output"), Op: "Identity", Inputs: []*onnxio.Value{v}, Attrs: onnxio.Attrs{}, Opset: e.Opset}
	out := &onnxio.Value{Name: name, DType: v.DType, Shape: slices.Clone(v.Shape), Producer: n}
	n.Outputs = []*onnxio.Value{out}
	e.Nodes = append(e.Nodes, n)
	return out
}

// batchOf is the first dimension that inputs and outputs share; 1 where they do not, and all of them are one sample.
func batchOf(g *onnxio.Graph) (int, error) {
	batch := 0
	for _, v := range g.Inputs {
		if v.Const != nil || !v.DType.IsFloat() {
			continue
		}
		if len(v.Shape) < 2 || batch > 0 && v.Shape[0] != batch {
			return 1, nil
		}
		batch = v.Shape[0]
	}
	if batch == 0 {
		return 0, fmt.Errorf("the model has no floating-point input to attack")
	}
	for _, v := range g.Outputs {
		if len(v.Shape) == 0 || v.Shape[0] != batch {
			return 1, nil
		}
	}
	return batch, nil
}

// flatOutputs joins all outputs of a sample into one row.
func flatOutputs(e *op.Emitter, g *onnxio.Graph, batch int) (*onnxio.Value, error) {
	var rows []*onnxio.Value
	for _, v := range g.Outputs {
		if !v.DType.IsFloat() {
			return nil, fmt.Errorf("output %q is of type %v; a gradient needs floating-point outputs", v.Name, v.DType)
		}
		rows = append(rows, e.Reshape(v, batch, onnxio.NumElements(v.Shape)/batch))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the model has no outputs")
	}
	return e.Concat(1, rows...), e.Err
}

// rows is how many samples the first output has numbers of, as its shape says.
func rows(g *onnxio.Graph) int {
	if len(g.Outputs) == 0 || len(g.Outputs[0].Shape) < 2 {
		return 1
	}
	return g.Outputs[0].Shape[0]
}
