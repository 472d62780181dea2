package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// Verifier proves properties of one network. Safe for concurrent use.
type Verifier struct {
	net     *network
	o       Options
	info    Info
	session engine.Session
	ports   []engine.Port
}

// Open compiles the model with batch size 1. The error names the node that cannot be treated (*onnxio.UnsupportedError).
// dropSoftmax allows a final Softmax or LogSoftmax to be left out, which keeps every property about the order of outputs.
func Open(ctx context.Context, m *onnxio.Model, o Options, dropSoftmax bool) (*Verifier, error) {
	switch o.Method {
	case "":
		o.Method = Auto
	case Auto, Interval, Symbolic, FastLin, DeepPoly:
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
	g, err := infer.Prepare(m.Graph, infer.Options{Batch: 1})
	if err != nil {
		return nil, err
	}
	net, err := compile(g, dropSoftmax)
	if err != nil {
		return nil, err
	}
	if o.Semantics == Float32 {
		net.measure()
	}
	v := &Verifier{net: net, o: o}
	v.session, err = engine.OpenGraph(ctx, m.Graph, engine.Options{Engine: "go", Threads: 1})
	if err != nil {
		return nil, err
	}
	v.ports = v.session.Inputs()
	v.info = Info{Inputs: net.nIn, Outputs: net.nOut, SoftmaxDropped: net.softmax}
	for _, in := range g.Inputs {
		if in.Const == nil {
			v.info.InputShape = in.Shape
			break
		}
	}
	if len(net.outputs) > 0 && len(g.Outputs) > 0 {
		v.info.OutputShape = g.Outputs[0].Shape
	}
	for _, x := range net.values {
		if x.kind == kindAct || x.kind == kindRelax || x.kind == kindOpaque {
			v.info.Neurons += x.n
		}
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
	if len(x) != v.net.nIn {
		return nil, fmt.Errorf("%w: %d numbers for a model of %d inputs", ErrInput, len(x), v.net.nIn)
	}
	var in []*onnxio.Tensor
	at := 0
	for i, id := range v.net.inputs {
		n := v.net.values[id].n
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
	if len(b.Lower) != v.net.nIn || len(b.Upper) != v.net.nIn {
		return fmt.Errorf("%w: box of %d and %d numbers for a model of %d inputs", ErrInput, len(b.Lower), len(b.Upper), v.net.nIn)
	}
	for i, l := range b.Lower {
		if !(l <= b.Upper[i]) || math.IsInf(l, 0) || math.IsInf(b.Upper[i], 0) {
			return fmt.Errorf("%w: input %d has the range [%v, %v]", ErrInput, i, l, b.Upper[i])
		}
	}
	return nil
}

// rowsOver splits rows over the flat outputs into one batch per output value, in stored order.
func (v *Verifier) rowsOver(rows [][]float64) []*affine.Rows {
	out := make([]*affine.Rows, len(v.net.outputs))
	at := 0
	for o, id := range v.net.outputs {
		x := v.net.values[id]
		g := x.order.Geom
		r := &affine.Rows{N: len(rows), H: g.H, W: g.W, C: g.C, Full: g, Data: make([]float64, len(rows)*x.n)}
		for i, row := range rows {
			x.order.Store(r.Data[i*x.n:(i+1)*x.n], row[at:at+x.n])
		}
		out[o] = r
		at += x.n
	}
	return out
}

// bounded is some boxes bounded by one domain, ready for rows.
type bounded struct {
	p   *pass
	sym []*symbolic // one per box, if symbolic
}

// bound bounds several boxes at once; the symbolic domain takes them one by one.
func (v *Verifier) bound(ctx context.Context, o Options, m Method, boxes []Box) (*bounded, error) {
	if m != Symbolic {
		b := &bounded{p: newPass(ctx, v.net, o, m, len(boxes))}
		if err := b.p.run(boxes); err != nil {
			b.p.close()
			return nil, err
		}
		return b, nil
	}
	if len(boxes) != 1 {
		panic("verify: symbolic intervals of several boxes at once")
	}
	b := &bounded{p: newPass(ctx, v.net, o, m, 1)}
	sym, err := b.p.runSymbolic(boxes[0])
	if err != nil {
		b.p.close()
		return nil, err
	}
	b.sym = []*symbolic{sym}
	return b, nil
}

// lower bounds rows over the outputs from below, row i over the box owner[i]; corners, if wanted, gets for every row the input that
// minimises its final form.
func (b *bounded) lower(v *Verifier, rows [][]float64, owner []int32, corners [][]float64) ([]float64, error) {
	low := make([]float64, len(rows))
	p := b.p
	top := p.net.values[len(p.net.values)-1]
	if b.sym != nil {
		var forms [][]float64
		low, forms = b.sym[0].bound(v.rowsOver(rows), len(rows))
		for i := range corners {
			corners[i] = b.sym[0].corner(forms[i])
		}
		if p.o.Plain {
			return low, nil
		}
	}
	full := b.sym == nil && p.method != Interval
	err := p.chunks(top, len(rows), func(w *affine.Work, from, to int) {
		own := owner[from:to]
		if !full || !p.o.Plain {
			part := make([]float64, to-from)
			p.forms(w, v.rowsOver(rows[from:to]), own, true, nil, part)
			for i, x := range part {
				if b.sym != nil {
					low[from+i] = max(low[from+i], x)
				} else {
					low[from+i] = x
				}
			}
		}
		if !full {
			return
		}
		part := make([]float64, to-from)
		var corner func(int, *affine.Rows)
		if corners != nil {
			for i := from; i < to; i++ {
				corners[i] = make([]float64, p.net.nIn)
			}
			corner = func(id int, r *affine.Rows) { b.corner(id, r, own, corners[from:to]) }
		}
		p.forms(w, v.rowsOver(rows[from:to]), own, false, corner, part)
		for i, x := range part {
			if p.o.Plain {
				low[from+i] = x
			} else {
				low[from+i] = max(low[from+i], x)
			}
		}
	})
	return low, err
}

// corner writes where in the box the rows over an input are least.
func (b *bounded) corner(id int, r *affine.Rows, owner []int32, out [][]float64) {
	at := 0
	for _, in := range b.p.net.inputs {
		if in == id {
			break
		}
		at += b.p.net.values[in].n
	}
	v := b.p.net.values[id]
	for i := range r.N {
		s := b.p.at(id, int(owner[i]))
		for k, c := range r.Row(i) {
			x := s.lo[k]
			if c < 0 {
				x = s.up[k]
			} else if c == 0 {
				x = 0.5*s.lo[k] + 0.5*s.up[k]
			}
			out[i][at+v.order.At(k)] = x
		}
	}
}

func (y *symbolic) corner(form []float64) []float64 {
	out := make([]float64, y.d)
	for id, at := range y.first {
		v := y.p.net.values[id]
		for k := range v.n {
			x := y.lo[at+k]
			if form[at+k] < 0 {
				x = y.up[at+k]
			}
			out[at+v.order.At(k)] = x
		}
	}
	return out
}

// Bounds gives sound lower bounds of rows*y over a box. rows are over the flat outputs. Auto means DeepPoly here. With layers, the
// result also has the bounds of every activation's input.
func (v *Verifier) Bounds(ctx context.Context, box Box, rows [][]float64, layers bool) (*BoundsResult, error) {
	if err := v.checkBox(box); err != nil {
		return nil, err
	}
	for i, r := range rows {
		if len(r) != v.net.nOut {
			return nil, fmt.Errorf("%w: row %d has %d numbers for a model of %d outputs", ErrInput, i, len(r), v.net.nOut)
		}
	}
	m := v.o.Method
	if m == Auto {
		m = DeepPoly
	}
	start := time.Now()
	b, err := v.bound(ctx, v.o, m, []Box{box})
	if err != nil {
		return nil, err
	}
	defer b.p.close()
	low, err := b.lower(v, rows, make([]int32, len(rows)), nil)
	if err != nil {
		return nil, err
	}
	res := &BoundsResult{Lower: low, Reason: b.p.beyondReason(0), Seconds: time.Since(start).Seconds()}
	if layers {
		res.Layers = b.layers()
	}
	return res, nil
}

func (b *bounded) layers() []LayerBounds {
	var out []LayerBounds
	for _, v := range b.p.net.values {
		if v.kind != kindAct && v.kind != kindRelax && v.kind != kindOpaque {
			continue
		}
		in := b.p.net.values[v.in[0]]
		s := b.p.at(in.id, 0)
		l := LayerBounds{Node: v.node.Name, Op: v.node.Op, Lower: make([]float64, in.n), Upper: make([]float64, in.n)}
		in.order.Load(l.Lower, s.lo)
		in.order.Load(l.Upper, s.up)
		out = append(out, l)
	}
	return out
}

// isDeadline tells whether an error is the context's end.
func isDeadline(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
