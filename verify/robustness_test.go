package verify

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestBallEnds compares both boxes with the ball in exact arithmetic: the outer holds it, the inner is held, and no float64 lies between.
func TestBallEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rat := func(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
	open := 0
	for range 2000 {
		c := float32(rng.IntN(256)) / 255
		b := Ball{Center: []float32{c}, Eps: []float64{0, 0.1, 2.0 / 255, 1e-9, 0.25, rng.Float64()}[rng.IntN(6)]}
		lo := new(big.Rat).Sub(rat(float64(c)), rat(b.Eps))
		up := new(big.Rat).Add(rat(float64(c)), rat(b.Eps))
		if lo.Sign() < 0 {
			lo.SetInt64(0)
		}
		if one := big.NewRat(1, 1); up.Cmp(one) > 0 {
			up = one
		}
		steps := 1.0
		if rng.IntN(2) == 0 {
			steps = 2
			b.Mean, b.Std, b.Channel = []float64{[]float64{0.485, 0, 0.5, float64(c)}[rng.IntN(4)]},
				[]float64{[]float64{0.229, 1, 0.5, 3}[rng.IntN(4)]}, []int{0}
			for _, x := range []*big.Rat{lo, up} {
				x.Sub(x, rat(b.Mean[0])).Quo(x, rat(b.Std[0]))
			}
		}
		outer, inner := b.Boxes()
		for _, e := range []struct {
			exact    *big.Rat
			low, top float64
		}{{lo, outer.Lower[0], inner.Lower[0]}, {up, inner.Upper[0], outer.Upper[0]}} {
			if rat(e.low).Cmp(e.exact) > 0 || rat(e.top).Cmp(e.exact) < 0 {
				t.Fatalf("%+v: %v is not between %v and %v", b, e.exact, e.low, e.top)
			}
			if e.low != e.top {
				open++
			}
			// One rounding in the difference, one in the quotient; the difference's is in units of the larger operand.
			if wide := 2 * steps * 0x1p-52 * (1 + math.Abs(e.top)) / min(1, stdOf(b)); e.top-e.low > wide {
				t.Fatalf("%+v: ends %v and %v", b, e.low, e.top)
			}
		}
	}
	if open == 0 {
		t.Fatal("no end was between two float64s")
	}
}

func stdOf(b Ball) float64 {
	if b.Std == nil {
		return 1
	}
	return b.Std[0]
}

// TestPointBall: without a radius both boxes are the point.
func TestPointBall(t *testing.T) {
	b := Ball{Center: []float32{0.1, 0, 1, 0.7}}
	outer, inner := b.Boxes()
	for i, c := range b.Center {
		for _, x := range []float64{outer.Lower[i], outer.Upper[i], inner.Lower[i], inner.Upper[i]} {
			if x != float64(c) {
				t.Errorf("%v instead of %v", x, c)
			}
		}
	}
}

// TestRobustnessNeedsAnotherClass: a property without an opposing case would hold of every model, and is an error instead, whoever asks.
func TestRobustnessNeedsAnotherClass(t *testing.T) {
	m, err := onnxio.Load(filepath.Join("..", "testdata", "fmnist-mlp-ts.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(context.Background(), m, Options{DropSoftmax: true})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ball := Ball{Center: make([]float32, v.Info().Inputs), Eps: 0.01}
	for _, c := range []struct{ label, classes int }{{0, 1}, {0, 0}, {-1, 10}, {10, 10}, {1, 1}, {3, 2}} {
		p := Robust(ball, c.label, c.classes)
		if r, err := v.Verify(context.Background(), p); !errors.Is(err, ErrInput) {
			t.Errorf("class %d of %d: %v, %v", c.label, c.classes, r.Verdict, err)
		}
		if _, _, err := v.Radius(context.Background(), func(float64) Property { return p }, RadiusOptions{Max: 0.1, Tol: 0.01}); !errors.Is(err, ErrInput) {
			t.Errorf("class %d of %d: the radius: %v", c.label, c.classes, err)
		}
	}
}

// TestOneSidedAgainstExact: over a network that only subtracts, what is verified or falsified of a threshold is so in exact arithmetic, for
// thresholds on the border of the ball's values too, and nothing away from the border stays open.
func TestOneSidedAgainstExact(t *testing.T) {
	w := onnxio.FromFloat32([]float32{1, -1}, 2, 1)
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: 2}}}
	n := &onnxio.Node{Op: "MatMul", Opset: 13, Inputs: []*onnxio.Value{x, {Name: "w", DType: onnxio.Float, Const: w, Shape: w.Shape}}}
	y := &onnxio.Value{Name: "y", DType: onnxio.Float, Producer: n}
	n.Outputs = []*onnxio.Value{y}
	m, err := onnxio.NewModel(&onnxio.Graph{Name: "minus", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{n}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	v, err := Open(ctx, m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	count := map[Verdict]int{}
	rng := rand.New(rand.NewPCG(3, 5))
	for i := range 400 {
		c := []float32{float32(rng.IntN(64)) / 64, float32(rng.IntN(64)) / 64}
		eps := float64(rng.IntN(16)) / 64
		low, high := new(big.Rat), new(big.Rat)
		for k, sign := range []int64{1, -1} {
			l, u := max(0, float64(c[k])-eps), min(1, float64(c[k])+eps)
			if sign < 0 {
				l, u = -u, -l
			}
			low.Add(low, new(big.Rat).SetFloat64(l))
			high.Add(high, new(big.Rat).SetFloat64(u))
		}
		at := new(big.Rat).SetFloat64(float64(rng.IntN(128)-64) / 64)
		switch i % 4 {
		case 0:
			at.Set(low)
		case 1:
			at.Set(high)
		case 2:
			at.Add(high, big.NewRat(int64(rng.IntN(3)-1), 1<<40))
		}
		label := rng.IntN(2)
		holds := high.Cmp(at) <= 0
		if label == 1 {
			holds = low.Cmp(at) > 0
		}
		r, err := v.Verify(ctx, OneSided(Ball{Center: c, Eps: eps}, label, at))
		if err != nil {
			t.Fatal(err)
		}
		count[r.Verdict]++
		switch {
		case r.Verdict == Verified && !holds, r.Verdict == Falsified && holds:
			t.Errorf("label %d over [%v,%v] at %v: %s", label, low, high, at, r.Verdict)
		case r.Verdict == Unknown:
			border := high
			if label == 1 {
				border = low
			}
			if d, _ := new(big.Rat).Sub(border, at).Float64(); math.Abs(d) > 1e-9 {
				t.Errorf("label %d over [%v,%v] at %v stays open", label, low, high, at)
			}
		}
	}
	if count[Verified] < 50 || count[Falsified] < 50 {
		t.Errorf("%v is too one-sided", count)
	}
	if _, err := v.Verify(ctx, OneSided(Ball{Center: []float32{0, 0}}, 2, new(big.Rat))); !errors.Is(err, ErrInput) {
		t.Errorf("a third side: %v", err)
	}
}
