package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/student/tape"
)

// FromGraph reads a network of the layers that a student can have, with its weights: a pruned model that is to be trained further, say. The
// nodes must form a chain from one input [N,C,H,W]. A softmax at the end is left out, Dropout is not kept, and what a student cannot have is
// an error that names the node.
func FromGraph(g *onnxio.Graph) (*Architecture, error) {
	g, _, err := StripSoftmax(g)
	if err != nil {
		return nil, err
	}
	if g, err = infer.Prepare(g, infer.Options{}); err != nil {
		return nil, err
	}
	if len(g.Inputs) != 1 || len(g.Inputs[0].Shape) != 4 {
		return nil, fmt.Errorf("a student has one input [N,C,H,W]; this graph has %d, the first of shape %v", len(g.Inputs), g.Inputs[0].Shape)
	}
	x := g.Inputs[0]
	r := &importer{arch: &Architecture{Name: g.Name, Input: [3]int(x.Shape[1:]), start: map[string][]float32{}}, counts: map[Kind]int{}}
	for _, n := range g.Nodes {
		data := n.Input(0)
		if n.Op == "Add" && data != x {
			n.Inputs[0], n.Inputs[1] = n.Inputs[1], n.Inputs[0] // an Add of a bias from the left; the graph is our copy
			data = n.Input(0)
		}
		if data != x {
			return nil, fmt.Errorf("node %q (%s): the graph is no chain of layers", n.Name, n.Op)
		}
		if err := r.node(n); err != nil {
			return nil, fmt.Errorf("node %q (%s): %w", n.Name, n.Op, err)
		}
		x = n.Outputs[0]
	}
	if x != g.Outputs[0] {
		return nil, fmt.Errorf("the graph's output %q is not that of its last node", g.Outputs[0].Name)
	}
	return r.arch, r.arch.Validate()
}

type importer struct {
	arch   *Architecture
	counts map[Kind]int
	open   bool // the last layer is a MatMul whose bias may follow
}

func (r *importer) add(kind Kind, l Layer, weights map[string][]float32) {
	r.counts[kind]++
	for name, w := range weights {
		r.arch.start[fmt.Sprintf("%s%d.%s", kind, r.counts[kind], name)] = w
	}
	r.arch.Layers = append(r.arch.Layers, l)
}

func (r *importer) node(n *onnxio.Node) error {
	constant := func(i, length int) ([]float32, error) {
		t := n.ConstInput(i)
		if t == nil && n.Input(i) == nil {
			return make([]float32, length), nil // an absent bias
		}
		if t == nil || t.F32() == nil || length > 0 && t.Len() != length {
			return nil, fmt.Errorf("input %d is no constant of float32 and the right size", i)
		}
		return append([]float32(nil), t.F32()...), nil
	}
	wasOpen := r.open
	r.open = false
	switch n.Op {
	case "Conv":
		return r.conv(n, constant)
	case "MaxPool", "AveragePool", "GlobalAveragePool":
		return r.pool(n)
	case "BatchNormalization":
		if eps := n.Attrs.Float("epsilon", 1e-5); eps != tape.BatchNormEps {
			return fmt.Errorf("epsilon %v; students have %v", eps, tape.BatchNormEps)
		}
		w := map[string][]float32{}
		for i, name := range []string{"weight", "bias", "running_mean", "running_var"} {
			v, err := constant(i+1, 0)
			if err != nil {
				return err
			}
			w[name] = v
		}
		r.add(KindBatchNorm, Layer{BatchNorm: true}, w)
	case "Relu":
		r.add(KindRelu, Layer{Relu: true}, nil)
	case "Flatten", "Reshape":
		in, out := n.Input(0).Shape, n.Outputs[0].Shape
		if len(out) != 2 || out[0] != in[0] {
			return fmt.Errorf("from %v to %v: students only flatten images", in, out)
		}
		if len(in) == 4 {
			r.add(KindFlatten, Layer{Flatten: true}, nil)
		}
	case "Gemm":
		if n.Attrs.Float("alpha", 1) != 1 || n.Attrs.Float("beta", 1) != 1 || n.Attrs.Int("transA", 0) != 0 {
			return fmt.Errorf("alpha, beta and transA must be 1, 1 and 0")
		}
		return r.dense(n, n.Attrs.Int("transB", 0) != 0, constant)
	case "MatMul":
		r.open = true
		return r.dense(n, false, constant)
	case "Add":
		units := n.Outputs[0].Shape[len(n.Outputs[0].Shape)-1]
		b, err := constant(1, units)
		if !wasOpen || err != nil {
			return fmt.Errorf("students add only biases of dense layers")
		}
		r.arch.start[fmt.Sprintf("%s%d.bias", KindDense, r.counts[KindDense])] = b
	default:
		return fmt.Errorf("students have no such layer; they have Conv, BatchNormalization, Relu, MaxPool, AveragePool, Flatten and Gemm")
	}
	return nil
}

func (r *importer) conv(n *onnxio.Node, constant func(i, length int) ([]float32, error)) error {
	w, err := constant(1, 0)
	if err != nil {
		return err
	}
	s := n.Input(1).Shape
	if len(s) != 4 || n.Attrs.Int("group", 1) != 1 {
		return fmt.Errorf("students have two-dimensional convolutions of one group")
	}
	b, err := constant(2, s[0])
	if err != nil {
		return err
	}
	l := Layer{Conv: s[0], Kernel: s[2:4]}
	if err := slide(n, &l); err != nil {
		return err
	}
	r.add(KindConv, l, map[string][]float32{"weight": w, "bias": b})
	return nil
}

// slide reads stride and padding.
func slide(n *onnxio.Node, l *Layer) error {
	for _, d := range n.Attrs.Ints("dilations") {
		if d != 1 {
			return fmt.Errorf("students have no dilation")
		}
	}
	if a := n.Attrs.String("auto_pad", "NOTSET"); a != "NOTSET" && a != "VALID" {
		return fmt.Errorf("auto_pad %s: write the padding out", a)
	}
	if n.Attrs.Int("ceil_mode", 0) != 0 {
		return fmt.Errorf("students have no ceil_mode")
	}
	l.Stride = Sizes{1, 1}
	if s := n.Attrs.Ints("strides"); s != nil {
		l.Stride = s
	}
	for _, p := range n.Attrs.Ints("pads") {
		if p != 0 {
			l.Padding = n.Attrs.Ints("pads")
		}
	}
	return nil
}

func (r *importer) pool(n *onnxio.Node) error {
	if n.Op == "GlobalAveragePool" {
		s := n.Input(0).Shape
		r.add(KindAvgPool, Layer{AvgPool: s[2:4]}, nil)
		return nil
	}
	var l Layer
	if err := slide(n, &l); err != nil {
		return err
	}
	kind := KindMaxPool
	if l.MaxPool = n.Attrs.Ints("kernel_shape"); n.Op == "AveragePool" {
		kind, l.AvgPool, l.MaxPool = KindAvgPool, l.MaxPool, nil
	}
	r.add(kind, l, nil)
	return nil
}

func (r *importer) dense(n *onnxio.Node, trans bool, constant func(i, length int) ([]float32, error)) error {
	w, err := constant(1, 0)
	if err != nil {
		return err
	}
	s := n.Input(1).Shape
	if len(s) != 2 || len(n.Input(0).Shape) != 2 {
		return fmt.Errorf("students multiply matrices of two dimensions")
	}
	units := s[1]
	if trans {
		units = s[0]
	} else {
		t := make([]float32, len(w))
		for i := range s[0] {
			for j := range s[1] {
				t[j*s[0]+i] = w[i*s[1]+j]
			}
		}
		w = t
	}
	b, err := constant(2, 0)
	if err != nil {
		return err
	}
	if len(b) != units {
		if len(b) > 1 {
			return fmt.Errorf("a bias of %d numbers for %d units", len(b), units)
		}
		one := append(b, 0)[0] // absent, or one for all
		b = make([]float32, units)
		for i := range b {
			b[i] = one
		}
	}
	r.add(KindDense, Layer{Dense: units}, map[string][]float32{"weight": w, "bias": b})
	return nil
}
