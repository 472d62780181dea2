package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// exactReach is what each output of a network can be over a box, exactly; false where the network has too many regions.
func exactReach(n *plNet, lower, upper []*big.Rat) (least, most []*big.Rat, ok bool) {
	rs, ok := n.regions(lower, upper)
	least, most = make([]*big.Rat, n.out), make([]*big.Rat, n.out)
	for _, r := range rs {
		for _, p := range r {
			for i, v := range p.cur {
				if least[i] == nil || v.Cmp(least[i]) < 0 {
					least[i] = v
				}
				if most[i] == nil || v.Cmp(most[i]) > 0 {
					most[i] = v
				}
			}
		}
	}
	return least, most, ok
}

// TestToleranceAgainstExactEnumeration lays balls into small networks of which exact arithmetic knows what every output can be: bounds hold it, under
// either semantics, and a tolerance beside the exact border is verified and falsified only where it is so.
func TestToleranceAgainstExactEnumeration(t *testing.T) {
	t.Parallel()
	patiently(t, tolerances)
}

// tolerances is a turn of it.
func tolerances(t *testing.T, slow time.Duration) (little string) {
	ctx := context.Background()
	nets := draws(t, "SHOAL_EXACT", 400, 60)
	from := uint64(fromEnv(t, "SHOAL_SEED", 0))
	count := map[Verdict]int{}
	tight := 0
	for seed := from; seed < from+uint64(nets); seed++ {
		rng := rand.New(rand.NewPCG(seed, 9))
		net := drawPL(rng, 1+int(seed%3))
		m, err := onnxio.NewModel(net.graph(), "test")
		if err != nil {
			t.Fatal(err)
		}
		methods := slices.DeleteFunc(Methods(), func(m string) bool { return Method(m) == FastLinPlain })
		o := Options{Method: Method(methods[rng.IntN(len(methods))]), Semantics: []Semantics{Real, Float32}[rng.IntN(2)]}
		if o.Method == FastLin && seed%2 == 1 { // the two share their turn: bounds alone decide little
			o.Method = FastLinPlain
		}
		v, err := Open(ctx, m, o)
		if err != nil {
			continue // numbers that no graph takes
		}
		ball := Ball{Eps: float64(rng.IntN(64)) / 64, PixelLow: -3, PixelHigh: 3}
		for range net.in {
			ball.Center = append(ball.Center, float32(rng.IntN(129)-64)/32)
		}
		if seed%4 == 0 { // ends that no float64 is
			ball.Eps = 0.1 * rng.Float64()
		}
		lower, upper := make([]*big.Rat, net.in), make([]*big.Rat, net.in)
		eps := new(big.Rat).SetFloat64(ball.Eps)
		for i, c := range ball.Center {
			x := new(big.Rat).SetFloat64(float64(c))
			lower[i], upper[i] = new(big.Rat).Sub(x, eps), new(big.Rat).Add(x, eps)
			if l := big.NewRat(-3, 1); lower[i].Cmp(l) < 0 {
				lower[i] = l
			}
			if u := big.NewRat(3, 1); upper[i].Cmp(u) > 0 {
				upper[i] = u
			}
		}
		least, most, ok := exactReach(net, lower, upper)
		y, err := v.Predict(ctx, ball.Center)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || !finite(y) {
			v.Close()
			continue
		}
		outer, _ := ball.Boxes()
		r, err := v.Reach(ctx, outer)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		farthest := new(big.Rat) // how far an output really gets from its value
		for i := range y {
			if l := new(big.Rat).SetFloat64(r.Lower[i]); l != nil && l.Cmp(least[i]) > 0 || math.IsNaN(r.Lower[i]) {
				t.Errorf("seed %d, %+v: output %d is bounded by %v and gets down to %v", seed, o, i, r.Lower[i], least[i])
			}
			if u := new(big.Rat).SetFloat64(r.Upper[i]); u != nil && u.Cmp(most[i]) < 0 || math.IsNaN(r.Upper[i]) {
				t.Errorf("seed %d, %+v: output %d is bounded by %v and gets up to %v", seed, o, i, r.Upper[i], most[i])
			}
			at := new(big.Rat).SetFloat64(y[i])
			for _, end := range []*big.Rat{new(big.Rat).Sub(most[i], at), new(big.Rat).Sub(at, least[i])} {
				if end.Cmp(farthest) > 0 {
					farthest = end
				}
			}
			if w, _ := new(big.Rat).Sub(most[i], least[i]).Float64(); r.Upper[i]-r.Lower[i] <= w*(1+1e-6)+1e-6*math.Abs(y[i]) {
				tight++
			}
		}
		for range 4 {
			tolerance := new(big.Rat).Mul(farthest, new(big.Rat).SetFloat64([]float64{1, 1.25, 0.75, 1 + 1e-9, 1 - 1e-9, 3}[rng.IntN(6)]))
			if rng.IntN(3) == 0 {
				tolerance = beside(rng, farthest)
			}
			if tolerance.Sign() <= 0 {
				continue
			}
			short, cancel := context.WithTimeout(ctx, slow*40*time.Millisecond)
			res, err := v.Verify(short, Within(ball, y, tolerance))
			cancel()
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			count[res.Verdict]++
			holds := farthest.Cmp(tolerance) <= 0
			switch {
			case res.Verdict == Verified && !holds:
				t.Errorf("seed %d, %+v: tolerance %v is verified, an output gets %v away", seed, o, tolerance, farthest)
			case res.Verdict == Falsified && res.FalsifiedIn == Real && holds:
				t.Errorf("seed %d, %+v: tolerance %v is falsified, no output gets farther than %v", seed, o, tolerance, farthest)
			case res.Verdict == Falsified:
				c := res.Counterexample
				for i, x := range c.Inputs {
					if p := new(big.Rat).SetFloat64(float64(x)); !c.Nearest && (p.Cmp(lower[i]) < 0 || p.Cmp(upper[i]) > 0) {
						t.Errorf("seed %d: the counterexample %v is outside of the ball", seed, c.Inputs)
					}
				}
			}
		}
		v.Close()
	}
	t.Logf("%v, %d tight outputs", count, tight)
	if count[Verified] < nets/4 || count[Falsified] < nets/4 || tight < nets/4 {
		return fmt.Sprintf("%v and %d tight outputs say little", count, tight)
	}
	return ""
}

// TestReachUntilTheTimeIsOver: what a domain has found by then is the answer, and nothing else is.
func TestReachUntilTheTimeIsOver(t *testing.T) {
	m, err := onnxio.NewModel(drawPL(rand.New(rand.NewPCG(1, 9)), 2).graph(), "test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	box := Box{Lower: []float64{0, 0}, Upper: []float64{1, 1}}
	r, err := v.Reach(ctx, box)
	if err != nil || !r.Timeout || len(r.Methods) != 0 || !math.IsInf(r.Lower[0], -1) || !math.IsInf(r.Upper[0], 1) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := v.Reach(context.Background(), box); err != nil || r.Timeout || len(r.Methods) != 3 || math.IsInf(r.Lower[0], -1) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestWithinNeedsNumbers: what is no question is an error where it is asked.
func TestWithinNeedsNumbers(t *testing.T) {
	m, err := onnxio.NewModel(drawPL(rand.New(rand.NewPCG(1, 9)), 2).graph(), "test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ball, one := Ball{Center: []float32{0, 0}, Eps: 0.1}, big.NewRat(1, 1)
	y := make([]float64, v.Info().Outputs)
	for name, p := range map[string]Property{"no values": Within(ball, nil, one), "no tolerance": Within(ball, y, nil),
		"a tolerance of 0": Within(ball, y, new(big.Rat)),
		"NaN":              Within(ball, append([]float64{math.NaN()}, y[1:]...), one), "too many values": Within(ball, append(y, 0), one),
		"too few": Within(ball, y[:len(y)-1], one), "no ball": Within(Ball{Center: ball.Center, Eps: -1}, y, one)} {
		if r, err := v.Verify(context.Background(), p); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v, %v", name, r.Verdict, err)
		}
	}
}
