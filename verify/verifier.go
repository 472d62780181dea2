package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// Verifier proves properties of one network. Safe for concurrent use.
type Verifier struct {
	graph   *onnxio.Graph // prepared
	net     *bound.Network
	o       Options
	info    Info
	model   *onnxio.Model
	session engine.Session
	ports   []engine.Port
	same    []int         // see alike
	odd     func() string // which of the model's constants are not finite; "" for none
	hinged  hinged
}

// Open compiles the model with batch size 1. The error names the node that cannot be treated (*onnxio.UnsupportedError).
func Open(ctx context.Context, m *onnxio.Model, o Options) (*Verifier, error) {
	switch o.Method {
	case "":
		o.Method = Auto
	case Auto, Interval, Symbolic, FastLin, FastLinPlain, DeepPoly, Alpha, Complete:
	default:
		return nil, fmt.Errorf("%w: method %q is none of %v", ErrInput, o.Method, Methods())
	}
	switch o.Semantics {
	case "":
		o.Semantics = Real
	case Real, Float32:
	default:
		return nil, fmt.Errorf("%w: semantics %q is neither real nor float32", ErrInput, o.Semantics)
	}
	if m == nil {
		return nil, fmt.Errorf("%w: there is no model", ErrInput)
	}
	g, err := infer.Prepare(ctx, m.Graph, infer.Options{Batch: 1, Reading: o.Reading, Steps: true})
	if err != nil {
		return nil, err
	}
	departures := operators.Departures(g, m.Graph)
	for _, d := range departures {
		if d.Varies && o.Reading == onnxio.ONNXRuntime {
			return nil, &onnxio.UnsupportedError{Node: d.Node, Op: d.Op, Why: "onnxruntime " + d.Why + ": its reading is none that bounds could follow; the standard's is"}
		}
	}
	var net *bound.Network
	err = budget.Do(ctx, func() error {
		made, err := bound.Compile(ctx, g, o.DropSoftmax)
		net = made
		return err
	})
	if err != nil {
		return nil, err
	}
	v := &Verifier{model: m, graph: g, net: net, o: o, same: alike(g.Outputs), odd: sync.OnceValue(m.Graph.NotFinite)}
	v.session, err = engine.OpenGraph(ctx, m.Graph, engine.Options{Engine: "go", Threads: 1, Reading: o.Reading})
	if err != nil {
		return nil, err
	}
	v.ports = v.session.Inputs()
	v.info = Info{Inputs: net.Inputs(), Outputs: net.Outputs(), SoftmaxDropped: net.SoftmaxDropped(), Neurons: net.Neurons(), Departures: []Departure{}}
	if len(v.same) != net.Outputs() {
		v.same = nil
	}
	for _, d := range departures {
		v.info.Departures = append(v.info.Departures, Departure(d))
	}
	for _, w := range infer.Widened(m.Graph) {
		v.info.Widened = append(v.info.Widened, w.DType.String())
	}
	for _, in := range g.Inputs {
		if in.Const == nil {
			v.info.InputShape = in.Shape
			break
		}
	}
	if net.Outputs() > 0 && len(g.Outputs) > 0 {
		v.info.OutputShape = g.Outputs[0].Shape
	}
	return v, nil
}

// Close frees the replaying engine.
func (v *Verifier) Close() error { return v.session.Close() }

// Info describes the network.
func (v *Verifier) Info() Info { return v.info }

// Predict runs the Go engine on one input (flat, in the model's order) and returns its outputs: the numbers of the file's own type, so
// float32s of a float32 model and float64s of a double one.
func (v *Verifier) Predict(ctx context.Context, x []float32) ([]float64, error) {
	if len(x) != v.net.Inputs() {
		return nil, fmt.Errorf("%w: %d numbers for a model of %d inputs", ErrInput, len(x), v.net.Inputs())
	}
	var in []*onnxio.Tensor
	at := 0
	for i, n := range v.net.InputSizes() {
		shape := append([]int(nil), v.ports[i].Shape...)
		if len(shape) > 0 && shape[0] < 0 {
			shape[0] = 1
		}
		t := onnxio.FromFloat32(x[at:at+n:at+n], shape...)
		if v.ports[i].DType == onnxio.Double {
			d := make([]float64, n)
			for k, f := range x[at : at+n] {
				d[k] = float64(f)
			}
			t = onnxio.FromFloat64(d, shape...)
		}
		in = append(in, t)
		at += n
	}
	out, err := v.session.Run(ctx, in)
	if err != nil {
		return nil, err
	}
	var y []float64
	for _, t := range out {
		f, err := t.Float64s()
		if err != nil {
			return nil, err
		}
		y = append(y, f...)
	}
	return y, nil
}

func (v *Verifier) checkBox(b Box) error {
	if len(b.Lower) != v.net.Inputs() || len(b.Upper) != v.net.Inputs() {
		return fmt.Errorf("%w: box of %d and %d numbers for a model of %d inputs", ErrInput, len(b.Lower), len(b.Upper), v.net.Inputs())
	}
	for i, l := range b.Lower {
		if !(l <= b.Upper[i]) || math.IsInf(l, 0) || math.IsInf(b.Upper[i], 0) {
			return fmt.Errorf("%w: input %d has the range [%v, %v]", ErrInput, i, l, b.Upper[i])
		}
	}
	return nil
}

// Bounds gives sound lower bounds of rows*y over a box. rows are over the flat outputs. Auto means DeepPoly here. With layers, the
// result also has the bounds of every activation's input.
func (v *Verifier) Bounds(ctx context.Context, box Box, rows [][]float64, layers bool) (*BoundsResult, error) {
	if err := v.checkBox(box); err != nil {
		return nil, err
	}
	for i, r := range rows {
		if len(r) != v.net.Outputs() {
			return nil, fmt.Errorf("%w: row %d has %d numbers for a model of %d outputs", ErrInput, i, len(r), v.net.Outputs())
		}
	}
	m := v.o.Method
	if m == Auto || m == Complete {
		m = DeepPoly
	}
	start := time.Now()
	b, err := v.bound(ctx, v.o, m, box)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	low, err := b.Lower(rows, make([]int32, len(rows)), nil)
	if err != nil {
		return nil, err
	}
	res := &BoundsResult{Lower: low, Reason: b.Beyond(0), Seconds: time.Since(start).Seconds()}
	if layers {
		for _, l := range b.Layers() {
			res.Layers = append(res.Layers, LayerBounds{Node: l.Node, Op: l.Op, Lower: l.Box.Lower, Upper: l.Box.Upper})
		}
	}
	return res, nil
}

// isDeadline tells whether an error is the context's end.
func isDeadline(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
