package verify

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// slowFalsifier knows a point of the first property, and looks for one of the second until the time is over, which it then is.
type slowFalsifier struct {
	point []float64
	over  *context.CancelFunc
}

func (f slowFalsifier) Falsify(ctx context.Context, _ Box, cases [][]Constraint) ([][]float64, error) {
	if cases[0][0].Bound.Cmp(big.NewRat(1, 1)) == 0 {
		return [][]float64{f.point}, nil
	}
	(*f.over)()
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAnExecutionsCounterexampleOutlivesTheDeadline: what refutes float32 executions alone does not end the search for a proof over the reals; when
// the time does, it still is the verdict.
func TestAnExecutionsCounterexampleOutlivesTheDeadline(t *testing.T) {
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	fixed := func(name string, x []float32, shape ...int) *onnxio.Value {
		c := onnxio.FromFloat32(x, shape...)
		return &onnxio.Value{Name: name, DType: onnxio.Float, Const: c, HasShape: true, Shape: shape}
	}
	x, h, r, y := value("x", 2), value("h", 3), value("r", 3), value("y", 1)
	// y = x_0 + 2^-25 + 5 relu(x_1) - 5 relu(x_1), which float32 rounds to x_0 where that is 1, and intervals know little of.
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "late", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{
		{Name: "a", Op: "MatMul", Inputs: []*onnxio.Value{x, fixed("A", []float32{1, 0, 0, 0, 1, 1}, 2, 3)}, Outputs: []*onnxio.Value{h}, Opset: 13,
			Attrs: onnxio.Attrs{}},
		{Name: "b", Op: "Relu", Inputs: []*onnxio.Value{h}, Outputs: []*onnxio.Value{r}, Opset: 13, Attrs: onnxio.Attrs{}},
		{Name: "c", Op: "Gemm", Inputs: []*onnxio.Value{r, fixed("B", []float32{1, 5, -5}, 3, 1), fixed("C", []float32{0x1p-25}, 1)},
			Outputs: []*onnxio.Value{y}, Opset: 13, Attrs: onnxio.Attrs{}},
	}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, over := context.WithTimeout(context.Background(), hangs)
	defer over()
	v, err := Open(context.Background(), m, Options{Falsifier: slowFalsifier{[]float64{1, 0.5}, &over}})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	below := func(bound *big.Rat) Property {
		return Property{Cases: []Case{{Box: Box{Lower: []float64{1, -1}, Upper: []float64{2, 1}},
			Constraints: []Constraint{{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: bound}}}}}
	}
	rs, err := v.VerifyAll(ctx, []Property{below(big.NewRat(1, 1)), below(big.NewRat(1, 2))})
	if err != nil {
		t.Fatal(err)
	}
	if rs[0].Verdict != Falsified || rs[0].FalsifiedIn != Float32 {
		t.Errorf("with a counterexample among executions: %s in %q, %s", rs[0].Verdict, rs[0].FalsifiedIn, rs[0].Reason)
	}
	if rs[1].Verdict != Unknown || !rs[1].Timeout {
		t.Errorf("without one: %s, %s", rs[1].Verdict, rs[1].Reason)
	}
}

// stubborn finds nothing at once, and its point when it is asked for longer.
type stubborn struct {
	point []float64
	asked *time.Duration
}

func (f stubborn) Falsify(context.Context, Box, [][]Constraint) ([][]float64, error) { return nil, nil }

func (f stubborn) Persist(_ context.Context, _ Box, _ [][]Constraint, d time.Duration) ([][]float64, error) {
	*f.asked = max(*f.asked, d)
	return [][]float64{f.point}, nil
}

// TestALongAttackFollowsTheBounds: where many inputs vary the attack is asked once more for a share of the time, of the deadline's or of auto's own.
func TestALongAttackFollowsTheBounds(t *testing.T) {
	const inputs = 40
	value := func(name string, n int) *onnxio.Value {
		return &onnxio.Value{Name: name, DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: n}}}
	}
	ones := make([]float32, inputs)
	for i := range ones {
		ones[i] = 1
	}
	// y = |x|'s sum: bounds know no more than that it is not negative, and only points next to 0 are counterexamples.
	x, h, y := value("x", inputs), value("h", inputs), value("y", 1)
	w := &onnxio.Value{Name: "w", DType: onnxio.Float, Const: onnxio.FromFloat32(ones, inputs, 1), HasShape: true, Shape: []int{inputs, 1}}
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "sum", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{
		{Name: "a", Op: "Abs", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{h}, Opset: 13, Attrs: onnxio.Attrs{}},
		{Name: "b", Op: "MatMul", Inputs: []*onnxio.Value{h, w}, Outputs: []*onnxio.Value{y}, Opset: 13, Attrs: onnxio.Attrs{}},
	}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	lower, upper := make([]float64, inputs), make([]float64, inputs)
	for i := range lower {
		lower[i], upper[i] = -1, 2
	}
	p := Property{Cases: []Case{{Box: Box{Lower: lower, Upper: upper},
		Constraints: []Constraint{{Index: []int{0}, Coef: []*big.Rat{big.NewRat(1, 1)}, Bound: big.NewRat(1, 1000000)}}}}}
	for _, c := range []struct {
		within, deadline time.Duration
		least, most      time.Duration // that the attack is asked for
		threads          int
	}{{0, hangs, 100 * time.Millisecond, againMost, 1}, {hangs, 0, 100 * time.Millisecond, againMost, 1}, {-1, 0, 0, 0, 1},
		{0, hangs, 100 * time.Millisecond, 2 * againMost, 2}, {-1, 0, 0, 0, 2}} {
		asked := time.Duration(0)
		o := Options{Method: Auto, Falsifier: stubborn{make([]float64, inputs), &asked}, Within: c.within, Threads: c.threads}
		v, err := Open(context.Background(), m, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.Background(), context.CancelFunc(func() {})
		if c.deadline > 0 {
			ctx, cancel = context.WithTimeout(ctx, c.deadline)
		}
		r, err := v.Verify(ctx, p)
		cancel()
		v.Close()
		if err != nil || (r.Verdict == Falsified) != (c.most > 0) {
			t.Errorf("%+v: %s, %s, %v", c, r.Verdict, r.Reason, err)
		}
		if asked < c.least || asked > c.most {
			t.Errorf("%+v: asked for %v", c, asked)
		}
	}
}
