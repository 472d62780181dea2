package trial

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// sketch is a graph under construction: an input x [N,3].
type sketch struct{ g onnxio.Graph }

func newSketch() *sketch {
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 3}}}
	return &sketch{onnxio.Graph{Name: "sketch", Inputs: []*onnxio.Value{x}}}
}

func (s *sketch) x() *onnxio.Value { return s.g.Inputs[0] }

func (s *sketch) node(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	n := &onnxio.Node{Op: op, Attrs: attrs, Inputs: in, Opset: 13}
	v := &onnxio.Value{Name: op + string(rune('a'+len(s.g.Nodes))), Producer: n, DType: onnxio.Float}
	if op == "ArgMax" {
		v.DType = onnxio.Int64
	}
	n.Outputs = []*onnxio.Value{v}
	s.g.Nodes = append(s.g.Nodes, n)
	return v
}

// rows multiplies by k columns.
func (s *sketch) rows(k int) *onnxio.Value {
	w := make([]float32, 3*k)
	for i := range w {
		w[i] = float32(i%5) - 2
	}
	t := onnxio.FromFloat32(w, 3, k)
	return s.node("MatMul", nil, s.x(), &onnxio.Value{Name: "w" + string(rune('a'+len(s.g.Nodes))), DType: onnxio.Float, Const: t, Shape: t.Shape})
}

func (s *sketch) model(t *testing.T, outputs ...*onnxio.Value) *onnxio.Model {
	t.Helper()
	s.g.Outputs = outputs
	m, err := onnxio.NewModel(&s.g, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReadingsOfOutputs: which output holds the scores and what they decide, or that it must be said.
func TestReadingsOfOutputs(t *testing.T) {
	type net = func(s *sketch) []*onnxio.Value
	label := func(s *sketch, v *onnxio.Value) *onnxio.Value {
		return s.node("ArgMax", onnxio.Attrs{"axis": int64(1), "keepdims": int64(0)}, v)
	}
	for name, c := range map[string]struct {
		net      net
		output   string
		want     string
		line     string // "" where it is unclear
		answered bool   // classes are decided
	}{
		"scores": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(4)} }, "", "",
			"scores: output MatMula [N,4], decision: argmax", true},
		"scores as regression": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(4)} }, "", "regress",
			"scores: output MatMula [N,4], decision: regress", false},
		"one logit": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(1)} }, "", "",
			"scores: output MatMula [N,1], decision: none", false},
		"one logit, said": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(1)} }, "", "threshold:-1/3",
			"scores: output MatMula [N,1], decision: threshold:-1/3", true},
		"a sigmoid, shaped": {func(s *sketch) []*onnxio.Value {
			p := s.node("Sigmoid", nil, s.rows(1))
			return []*onnxio.Value{s.node("Flatten", onnxio.Attrs{"axis": int64(0)}, p)}
		}, "", "", "scores: output Flattenc [1,N], decision: threshold:0.5 (one score behind a Sigmoid)", true},
		"argmax of one":     {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(1)} }, "", "argmax", "", false},
		"threshold of four": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(4)} }, "", "threshold:0", "", false},
		"class and value": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(1), s.rows(2)} }, "", "",
			"scores: output MatMulb [N,2], decision: argmax", true},
		"class and box": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(2), s.rows(4)} }, "", "", "", false},
		"class and box, named": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(2), s.rows(4)} }, "MatMulb", "",
			"scores: output MatMulb [N,4], decision: argmax", true},
		"two logits": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(1), s.rows(1)} }, "", "threshold:0", "", false},
		"no such":    {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{s.rows(2)} }, "y", "", "", false},
		"label and scores": {func(s *sketch) []*onnxio.Value { y := s.rows(4); return []*onnxio.Value{label(s, y), y} }, "", "",
			"scores: output MatMula [N,4], decision: argmax", true},
		"label alone": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{label(s, s.rows(4))} }, "", "",
			"scores: output ArgMaxb [N,4], decision: argmax (output ArgMaxb is their ArgMax)", true},
		"label as a number": {func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, label(s, s.rows(4)))}
		}, "", "", "scores: output Castc [N,4], decision: argmax (output Castc is their ArgMax)", true},
		"two labels": {func(s *sketch) []*onnxio.Value { return []*onnxio.Value{label(s, s.rows(4)), label(s, s.rows(3))} }, "", "", "", false},
		"the last of equals": {func(s *sketch) []*onnxio.Value {
			return []*onnxio.Value{s.node("ArgMax", onnxio.Attrs{"axis": int64(1), "select_last_index": int64(1)}, s.rows(4))}
		}, "", "", "label: output ArgMaxb [N,1]", false},
	} {
		want, err := ParseDecision(c.want)
		if err != nil {
			t.Fatal(err)
		}
		s := newSketch()
		got, err := Read(context.Background(), s.model(t, c.net(s)...), c.output, want)
		var u *UnclearError
		if c.line == "" {
			if !errors.As(err, &u) {
				t.Errorf("%s: %v, %v", name, got, err)
			}
			continue
		}
		if err != nil || got.String() != c.line {
			t.Errorf("%s: %v, %v, want %s", name, got, err, c.line)
			continue
		}
		if err := got.Classified(); (err == nil) != c.answered {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(got.Model.Graph.Outputs); n != 1 {
			t.Errorf("%s: %d outputs are left", name, n)
		}
	}
}

// TestThresholdsAreExact: on both sides of a threshold, at it and next to it, whether it is a float32 or not, the decision and the two scores that
// are attacked say what exact arithmetic says.
func TestThresholdsAreExact(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(7, 9))
	sides := [2]int{}
	for _, text := range []string{"0", "0.5", "1/3", "-0.7", "1e-45", "1e-60", "-1e-60", "3e38", "16777217", "0.1"} {
		d, err := ParseDecision("threshold:" + text)
		if err != nil {
			t.Fatal(err)
		}
		s := newSketch()
		column := onnxio.FromFloat32([]float32{1, 0, 0}, 3, 1)
		m := s.model(t, s.node("MatMul", nil, s.x(), &onnxio.Value{Name: "w", DType: onnxio.Float, Const: column, Shape: column.Shape}))
		sub, err := Read(ctx, m, "", d)
		if err != nil {
			t.Fatal(err)
		}
		scores, _, err := sub.Attacked(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sess, err := engine.Open(ctx, scores, engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		at, _ := d.At.Float32()
		var x []float32
		for _, v := range []float32{at, math.Nextafter32(at, 1e38), math.Nextafter32(at, -1e38), 0, float32(rng.NormFloat64()), at * 1.5, -at} {
			x = append(x, v, 0, 0)
		}
		out, err := sess.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, len(x)/3, 3)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(x) / 3 {
			v := float64(x[3*i])
			if math.IsInf(v, 0) {
				continue
			}
			want := 0
			if new(big.Rat).SetFloat64(v).Cmp(d.At) > 0 {
				want = 1
			}
			sides[want]++
			two := out[0].F32()[2*i : 2*i+2]
			if got := d.Class([]float64{v}); got != want {
				t.Errorf("%v at %s: class %d, want %d", v, text, got, want)
			}
			if got := (Decision{Kind: Argmax}).Class([]float64{float64(two[0]), float64(two[1])}); got != want {
				t.Errorf("%v at %s: the two scores %v decide for %d, want %d", v, text, two, got, want)
			}
		}
		sess.Close()
	}
	if min(sides[0], sides[1]) < 10 {
		t.Errorf("sides %v are too one-sided", sides)
	}
}
