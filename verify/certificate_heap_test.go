package verify

import (
	"context"
	"math/big"
	"runtime"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// heapSink takes a certificate, and looks at the heap now and then.
type heapSink struct {
	written, looked int
	most            uint64
}

func (s *heapSink) Write(b []byte) (int, error) {
	const each = 4 << 10
	if s.written += len(b); s.written >= s.looked {
		s.looked = s.written + each
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.most = max(s.most, m.HeapAlloc)
	}
	return len(b), nil
}

// zeroModel is 0 everywhere, relu(z) - relu(-z) - relu(z) + relu(-z) of z = x - y, and bounds show that only as nearly as boxes are small along the
// diagonal.
func zeroModel(t *testing.T) *onnxio.Model {
	t.Helper()
	net := &plNet{in: 2, out: 1, double: true, steps: []plStep{
		{kind: "dense", w: [][]float64{{1, -1}, {-1, 1}, {1, -1}, {-1, 1}}, b: make([]float64, 4)},
		{kind: "Relu"},
		{kind: "dense", w: [][]float64{{1, -1, -1, 1}}, b: make([]float64, 1)},
	}}
	m, err := onnxio.NewModel(net.graph(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// aboveZero claims that it is more than -1/parts on the unit square.
func aboveZero(t *testing.T, parts int64) certificate.Property {
	t.Helper()
	one, none := big.NewRat(1, 1), new(big.Rat)
	q := &vnnlib.Query{Inputs: 2, Outputs: 1, Cases: []vnnlib.Case{{Lower: []*big.Rat{none, none}, Upper: []*big.Rat{one, one},
		Atoms: []vnnlib.Atom{{Index: []int{0}, Coef: []*big.Rat{one}, Bound: big.NewRat(-1, parts)}}}}}
	claim, err := ClaimVNNLIB(q)
	if err != nil {
		t.Fatal(err)
	}
	return claim
}

// TestWritingTakesNoMemoryForTheTree: a certificate of a hundred thousand nodes is written with as much memory as a small one.
func TestWritingTakesNoMemoryForTheTree(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	m := zeroModel(t)
	ctx := context.Background()
	v, err := Open(ctx, m, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	write := func(parts int64) (n int, most uint64) {
		claim := aboveZero(t, parts)
		var s heapSink
		if n, err = v.Certificate(ctx, claim, Result{Verdict: Verified}, &s); err != nil {
			t.Fatal(err)
		}
		return n, s.most
	}
	few, small := write(16)
	many, large := write(20000)
	t.Logf("%d parts with %d bytes of heap, %d with %d", few, small, many, large)
	const room = 2 << 20 // a tree that is kept would take more than the 20 bytes a node
	if many < 50_000 || few*50 > many {
		t.Errorf("trees of %d and %d parts", few, many)
	}
	if large > small+room {
		t.Errorf("%d parts took %d bytes of heap, %d took %d", few, small, many, large)
	}
}
