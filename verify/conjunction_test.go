package verify

import (
	"context"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// sums is a network of n inputs: y0 is the sum of their magnitudes, y1 their sum, y2 the sum's opposite.
func sums(t *testing.T, n int) *onnxio.Model {
	t.Helper()
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	weights := func(name string, of float32) *onnxio.Value {
		w := make([]float32, n)
		for i := range w {
			w[i] = of
		}
		return &onnxio.Value{Name: name, DType: onnxio.Float, Const: onnxio.FromFloat32(w, n, 1), HasShape: true, Shape: []int{n, 1}}
	}
	x, h, y := value("x", n), value("h", n), []*onnxio.Value{value("y0", 1), value("y1", 1), value("y2", 1)}
	node := func(name, op string, in []*onnxio.Value, out *onnxio.Value) *onnxio.Node {
		return &onnxio.Node{Name: name, Op: op, Inputs: in, Outputs: []*onnxio.Value{out}, Opset: 13, Attrs: onnxio.Attrs{}}
	}
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "sums", Inputs: []*onnxio.Value{x}, Outputs: y, Nodes: []*onnxio.Node{
		node("a", "Abs", []*onnxio.Value{x}, h), node("b", "MatMul", []*onnxio.Value{h, weights("w", 1)}, y[0]),
		node("c", "MatMul", []*onnxio.Value{x, weights("v", 1)}, y[1]), node("d", "MatMul", []*onnxio.Value{x, weights("u", -1)}, y[2]),
	}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func cube(n int, lo, up float64) Box {
	b := Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i := range n {
		b.Lower[i], b.Upper[i] = lo, up
	}
	return b
}

func atMost(output int, bound *big.Rat) Constraint {
	return Constraint{Index: []int{output}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: bound}
}

// TestAConjunctionIsDisprovedByASum: a number and its opposite are never both below zero, and each alone may be on half of every box. Halving would
// go on for ever along the plane where they change sign; their sum decides the whole box.
func TestAConjunctionIsDisprovedByASum(t *testing.T) {
	v, err := Open(context.Background(), sums(t, 6), Options{Method: Complete})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	below := big.NewRat(-1, 1000)
	r, err := v.Verify(ctx, Property{Cases: []Case{{Box: cube(6, -1, 2),
		Constraints: []Constraint{atMost(1, below), atMost(2, below), atMost(0, big.NewRat(100, 1))}}}})
	if err != nil || r.Verdict != Verified || !strings.Contains(r.Reason, "on 1 parts") {
		t.Errorf("%s, %s, %v", r.Verdict, r.Reason, err)
	}
}

// TestAnAttackJoinsTheSearch: counterexamples lie next to a plane through the middle of every box, which no corner comes near to for long. The attack
// that is asked while boxes are halved knows one.
func TestAnAttackJoinsTheSearch(t *testing.T) {
	asked := time.Duration(0)
	v, err := Open(context.Background(), sums(t, 6), Options{Method: Complete, Falsifier: stubborn{make([]float64, 6), &asked}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(context.Background(), hangs)
	defer cancel()
	r, err := v.Verify(ctx, Property{Cases: []Case{{Box: cube(6, -1, 2),
		Constraints: []Constraint{atMost(1, big.NewRat(1, 1<<40)), atMost(2, big.NewRat(1, 1<<40))}}}})
	if err != nil || r.Verdict != Falsified || asked <= 0 {
		t.Errorf("%s, %s, asked for %v, %v", r.Verdict, r.Reason, asked, err)
	}
}
