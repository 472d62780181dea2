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

// TestWritingTakesNoMemoryForTheTree: a certificate of a hundred thousand nodes is written with as much memory as a small one. The network is 0
// everywhere, relu(z) - relu(-z) - relu(z) + relu(-z) of z = x - y, and bounds show that only as nearly as boxes are small along the diagonal.
func TestWritingTakesNoMemoryForTheTree(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	net := &plNet{in: 2, out: 1, double: true, steps: []plStep{
		{kind: "dense", w: [][]float64{{1, -1}, {-1, 1}, {1, -1}, {-1, 1}}, b: make([]float64, 4)},
		{kind: "Relu"},
		{kind: "dense", w: [][]float64{{1, -1, -1, 1}}, b: make([]float64, 1)},
	}}
	m, err := onnxio.NewModel(net.graph(), "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	v, err := Open(ctx, m, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	write := func(parts int64) (n int, most uint64) {
		one, none := big.NewRat(1, 1), new(big.Rat)
		q := &vnnlib.Query{Inputs: 2, Outputs: 1, Cases: []vnnlib.Case{{Lower: []*big.Rat{none, none}, Upper: []*big.Rat{one, one},
			Atoms: []vnnlib.Atom{{Index: []int{0}, Coef: []*big.Rat{one}, Bound: big.NewRat(-1, parts)}}}}}
		var claim certificate.Property
		if claim, err = ClaimVNNLIB(q); err != nil {
			t.Fatal(err)
		}
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
