package trial

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// laid is a session whose samples of w numbers give the t*w numbers x+j, laid out in one of several ways.
type laid struct {
	layout string
	t, w   int
	fixed  int
}

func (l laid) Engine() string         { return "go" }
func (l laid) Outputs() []engine.Port { return nil }
func (l laid) Close() error           { return nil }
func (l laid) Inputs() []engine.Port {
	n := -1
	if l.fixed > 1 {
		n = l.fixed
	}
	return []engine.Port{{Name: "x", DType: onnxio.Float, Shape: []int{n, l.w}}}
}

func (l laid) Run(_ context.Context, in []*onnxio.Tensor) ([]*onnxio.Tensor, error) {
	x, n := in[0].F32(), in[0].Shape[0]
	out := make([]float32, n*l.t*l.w)
	sum := float32(0)
	for _, v := range x {
		sum += v
	}
	for i := range n {
		for j := range l.t {
			for k := range l.w {
				v := x[i*l.w+k] + float32(j)
				if l.layout == "mixed" || l.layout == "mixed later" {
					v += sum - x[i*l.w+k]
				}
				at := (i*l.t+j)*l.w + k
				if l.layout == "later" || l.layout == "later stacked" || l.layout == "mixed later" {
					at = (j*n+i)*l.w + k
				}
				out[at] = v
			}
		}
	}
	shape := map[string][]int{"first": {n, l.t, l.w}, "mixed": {n, l.t, l.w}, "stacked": {n * l.t, l.w}, "later": {l.t, n, l.w},
		"mixed later": {l.t, n, l.w}, "later stacked": {l.t * n, l.w}}[l.layout]
	return []*onnxio.Tensor{onnxio.FromFloat32(out, shape...)}, nil
}

// TestSamplesHaveWhatTheyHaveAlone: however outputs are laid out and whatever samples do to each other, a sample's row is what the session
// gives for it alone, and dependence is told where it is there.
func TestSamplesHaveWhatTheyHaveAlone(t *testing.T) {
	ctx := context.Background()
	together, apart := 0, 0
	for seed := range 600 {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		l := laid{layout: []string{"first", "stacked", "later", "later stacked", "mixed", "mixed later"}[rng.IntN(6)],
			t: 1 + rng.IntN(4), w: 1 + rng.IntN(3), fixed: 1}
		if rng.IntN(4) == 0 && l.layout != "mixed" && l.layout != "mixed later" && l.layout != "later stacked" {
			l.fixed = 2
		}
		b := &Batches{Session: l, Fixed: l.fixed}
		most := 1
		for range 3 {
			n := 1 + rng.IntN(6)
			most = max(most, n)
			padded := (n + l.fixed - 1) / l.fixed * l.fixed
			x := onnxio.NewTensor(onnxio.Float, padded, l.w)
			for i := range x.F32() {
				x.F32()[i] = float32(rng.NormFloat64())
			}
			rows, err := b.Run(ctx, []*onnxio.Tensor{x}, n, padded)
			if err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, l, err)
			}
			for i := range n {
				var want []float64
				one := x.F32()[i*l.w : (i+1)*l.w]
				for j := range l.t {
					for k, v := range one {
						v += float32(j)
						if l.layout == "mixed" || l.layout == "mixed later" {
							s := float32(0)
							for _, u := range one {
								s += u
							}
							v += s - one[k]
						}
						want = append(want, float64(v))
					}
				}
				if !slices.EqualFunc(rows[0][i], want, func(a, b float64) bool { return a-b < 1e-3 && b-a < 1e-3 }) {
					t.Fatalf("seed %d: %+v, %d of %d: %v, alone %v", seed, l, i, n, rows[0][i], want)
				}
			}
		}
		mixed := l.layout == "mixed" || l.layout == "mixed later"
		if b.Depend && !mixed || mixed && most > 1 && !b.Alone {
			t.Errorf("seed %d: %+v: depend %v, alone %v", seed, l, b.Depend, b.Alone)
		}
		if l.layout == "mixed" && most > 1 && !b.Depend {
			t.Errorf("seed %d: %+v: nobody said that samples depend on each other", seed, l)
		}
		if b.Alone {
			apart++
		} else {
			together++
		}
	}
	if together < 100 || apart < 100 {
		t.Errorf("%d together and %d apart: too one-sided", together, apart)
	}
}
