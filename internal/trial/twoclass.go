package trial

import (
	"context"
	"fmt"
	"math"
	"math/big"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// Attacked is the model as attacks need it, with an output for each class. scores is what is attacked, and logits the graph whose gradients lead
// there, nil where it is the model's own.
//
// For argmax, and for numbers, that is the model itself. One score s with a threshold T becomes the two scores T-s and s-T: differences of
// floating-point numbers have the sign that they should, so that the first largest of the two is class 1 exactly where s > T; where T is no number of
// the score's type, the next one below is as good. Where a difference of finite numbers may leave the type's range, it is held inside. Behind a
// Sigmoid, logits are of what the Sigmoid takes, which does not saturate.
func (s *Subject) Attacked(ctx context.Context) (scores *onnxio.Model, logits *onnxio.Graph, err error) {
	if err := s.Answers(); err != nil {
		return nil, nil, err
	}
	if s.Decision.Kind != Threshold {
		return s.Model, nil, nil
	}
	g := s.Model.Graph.Clone()
	if err := twoScores(g, s.Decision.At); err != nil {
		return nil, nil, err
	}
	if scores, err = onnxio.NewModel(g, "shoal"); err != nil {
		return nil, nil, err
	}
	scores.Path, scores.SHA256 = s.Model.Path, s.Model.SHA256
	at, _ := s.Decision.At.Float64()
	if !s.sigmoid || !(at > 0 && at < 1) {
		return scores, nil, nil
	}
	logits = s.Model.Graph.Clone()
	dropSigmoid(logits)
	return scores, logits, twoScores(logits, new(big.Rat).SetFloat64(math.Log(at/(1-at))))
}

// twoScores lets a graph of one score end in T-s and s-T.
func twoScores(g *onnxio.Graph, at *big.Rat) error {
	s := g.Outputs[0]
	opset := 0
	for _, n := range g.Nodes {
		if n.Domain == "" {
			opset = n.Opset
		}
	}
	var t *onnxio.Tensor
	switch s.DType {
	case onnxio.Float:
		t = onnxio.FromFloat32([]float32{0 - sound.Float32AboveRat(new(big.Rat).Neg(at))}, 1)
	case onnxio.Double:
		t = onnxio.FromFloat64([]float64{sound.RatDown(at)}, 1)
	default:
		return &onnxio.UnsupportedError{Why: fmt.Sprintf("output %q is of type %v; a threshold is attacked in float32 and float64", s.Name, s.DType)}
	}
	if opset < 7 { // whose Sub does not broadcast by itself
		return &onnxio.UnsupportedError{Why: fmt.Sprintf("opset %d; shoal convert --opset 13 makes a file of it whose threshold can be attacked", opset)}
	}
	constant := func(name string, t *onnxio.Tensor) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: t.DType, Const: t, Shape: t.Shape}
	}
	add := func(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
		n := &onnxio.Node{Name: fmt.Sprintf("shoal_threshold/%d", len(g.Nodes)), Op: op, Inputs: in, Attrs: attrs, Opset: opset}
		v := &onnxio.Value{Name: n.Name + "/out", DType: s.DType, Producer: n}
		n.Outputs = []*onnxio.Value{v}
		g.Nodes = append(g.Nodes, n)
		return v
	}
	difference := func(a, b *onnxio.Value) *onnxio.Value { return add("Sub", nil, a, b) }
	if most, far := furthest(s.DType); new(big.Rat).Abs(at).Cmp(far) > 0 {
		attrs, ends := onnxio.Attrs{"min": -most, "max": most}, []*onnxio.Value(nil)
		if opset >= 11 { // whose Clip takes its ends as inputs
			attrs = nil
			for i, end := range []float32{-most, most} {
				t := onnxio.FromFloat32([]float32{end})
				if s.DType == onnxio.Double {
					t = onnxio.FromFloat64([]float64{float64(end)})
				}
				ends = append(ends, constant(fmt.Sprintf("shoal_threshold/end%d", i), t))
			}
		}
		difference = func(a, b *onnxio.Value) *onnxio.Value {
			return add("Clip", attrs, append([]*onnxio.Value{add("Sub", nil, a, b)}, ends...)...)
		}
	}
	border, column := constant("shoal_threshold/at", t), constant("shoal_threshold/column", onnxio.FromInt64([]int64{-1, 1}, 2))
	below := add("Reshape", nil, difference(border, s), column)
	over := add("Reshape", nil, difference(s, border), column)
	g.Outputs = []*onnxio.Value{add("Concat", onnxio.Attrs{"axis": int64(1)}, below, over)}
	return nil
}

// furthest is a bound that differences can be held inside of, and the threshold below which nothing that is finite gets beyond the type's range when
// the threshold is taken from it: half of the distance between its largest two numbers.
func furthest(t onnxio.DType) (most float32, far *big.Rat) {
	if t == onnxio.Double { // whose sign is all that counts
		return math.MaxFloat32, new(big.Rat).SetFloat64(0x1p969)
	}
	return math.MaxFloat32, new(big.Rat).SetFloat64(0x1p102)
}

// dropSigmoid lets a graph whose one output is a Sigmoid's, perhaps shaped otherwise, give what the Sigmoid takes.
func dropSigmoid(g *onnxio.Graph) {
	n := behind(g.Outputs[0], func(*onnxio.Node) bool { return false })
	from, to := n.Outputs[0], n.Inputs[0]
	to.DType = from.DType
	for _, m := range g.Nodes {
		for i, v := range m.Inputs {
			if v == from {
				m.Inputs[i] = to
			}
		}
	}
	if g.Outputs[0] == from {
		g.Outputs[0] = to
	}
	kept := g.Nodes[:0]
	for _, m := range g.Nodes {
		if m != n {
			kept = append(kept, m)
		}
	}
	g.Nodes = kept
}
