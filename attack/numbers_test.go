package attack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// dense is a graph of x*a and, where b is not nil, of max(x*a, 0)*b; in and out are its sizes, double its type.
func dense(t *testing.T, in int, a []float32, b []float32, double bool) *onnxio.Model {
	t.Helper()
	dtype := onnxio.Float
	constant := func(v []float32, rows int) *onnxio.Value {
		c := onnxio.FromFloat32(v, rows, len(v)/rows)
		if double {
			f, _ := c.Float64s()
			c = onnxio.FromFloat64(f, rows, len(v)/rows)
		}
		return &onnxio.Value{Name: fmt.Sprint("w", rows, len(v)), DType: c.DType, Const: c, Shape: c.Shape}
	}
	if double {
		dtype = onnxio.Double
	}
	x := &onnxio.Value{Name: "x", DType: dtype, HasShape: true, Dims: []onnxio.Dim{{Name: "N", Size: -1}, {Size: in}}}
	g := &onnxio.Graph{Name: "dense", Inputs: []*onnxio.Value{x}}
	last := x
	add := func(op string, more ...*onnxio.Value) {
		n := &onnxio.Node{Op: op, Opset: 13, Inputs: append([]*onnxio.Value{last}, more...)}
		last = &onnxio.Value{Name: fmt.Sprint("v", len(g.Nodes)), DType: dtype, Producer: n}
		n.Outputs = []*onnxio.Value{last}
		g.Nodes = append(g.Nodes, n)
	}
	add("MatMul", constant(a, in))
	if b != nil {
		add("Relu")
		add("MatMul", constant(b, len(a)/in))
	}
	g.Outputs = []*onnxio.Value{last}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func drawn(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.IntN(33)-16) / 16
	}
	return out
}

// methodsOfNumbers are those that have a form for numbers, with few steps.
func methodsOfNumbers() []Attack {
	return []Attack{FGSM{}, BIM{Steps: 20, Step: 0.02}, MIM{Steps: 5}, PGD{Steps: 20, Restarts: 3}, APGD{Loss: Away, Steps: 25, Restarts: 3},
		APGD{Loss: DLRT, Steps: 15}, Square{Queries: 200},
		SPSA{Steps: 40, Pairs: 8, Rate: 0.05}, Standard{Queries: 20}}
}

// TestNumbersAgainstExact attacks networks that only multiply: how far each output can be driven is known exactly. A tolerance that no output can
// pass is never passed, and one that some can well pass is by every method that aims at one output after the other; the others end where the distance
// is largest nearby.
func TestNumbersAgainstExact(t *testing.T) {
	ctx := context.Background()
	through := 0
	for seed := range uint64(9) {
		rng := rand.New(rand.NewPCG(seed, 3))
		in, out, n := 2+rng.IntN(4), 1+rng.IntN(3), 3
		w := drawn(rng, in*out)
		target, err := Open(ctx, dense(t, in, w, nil, seed%3 == 0), Options{KeepSoftmax: true})
		if err != nil {
			t.Fatal(err)
		}
		s := &Samples{Size: in, X: make([]float32, n*in), Labels: []int{-1, -1, -1}}
		for i := range s.X {
			s.X[i] = float32(rng.IntN(17)) / 16
		}
		eps := 1.0 / float64(int(1)<<(2+rng.IntN(4)))
		most := make([]float64, n) // exact: sixteenths times powers of two
		for i := range most {
			lower, upper := s.box(i, Threat{Linf, eps})
			for k := range out {
				up, down := 0.0, 0.0
				for j, x := range s.X[i*in : (i+1)*in] {
					a := float64(w[j*out+k])
					h, l := a*(float64(upper[j])-float64(x)), a*(float64(lower[j])-float64(x))
					up, down = up+max(h, l), down-min(h, l)
				}
				most[i] = max(most[i], up, down)
			}
		}
		for _, a := range methodsOfNumbers() {
			aims := true
			switch a.Name() {
			case "square", "spsa":
				if seed > 2 { // slow, and the same every time
					continue
				}
				aims = false
			case "apgd":
				aims = false
			}
			for _, share := range []float64{1, 0.7} {
				one := *s
				for i := range n {
					if most[i] == 0 {
						continue
					}
					one.X, one.Labels, one.Index = s.X[i*in:(i+1)*in], []int{-1}, []int{i}
					tolerance := share * most[i]
					r, err := Run(ctx, target, &one, Threat{Linf, eps}, a, RunOptions{Tolerance: tolerance, Seed: seed})
					if err != nil {
						t.Fatal(err)
					}
					o := r.Outcomes[0]
					if o.Adversarial && share == 1 || !o.Adversarial && share < 1 && aims {
						t.Errorf("seed %d, %s: outputs of sample %d get %v away, tolerance %v: %t, deviation %v", seed, a.Name(), i, most[i], tolerance, o.Adversarial, o.Deviation)
					}
					if o.Deviation > most[i] || o.Adversarial && o.Deviation <= tolerance || aims && o.Deviation < 0.5*most[i] {
						t.Errorf("seed %d, %s: a deviation of %v, the most is %v, the tolerance %v", seed, a.Name(), o.Deviation, most[i], tolerance)
					}
					if o.Adversarial {
						through++
					}
				}
			}
		}
		target.Close()
	}
	if through < 150 {
		t.Errorf("only %d samples were driven beyond their tolerance", through)
	}
}

// TestNumbersAreConfirmed looks at every point by other means: it lies in the ball, and a fresh session gives outputs that far away.
func TestNumbersAreConfirmed(t *testing.T) {
	ctx := context.Background()
	hits := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 4))
		in, hidden, out, n := 6, 8, 1+int(seed%3), 4
		m := dense(t, in, drawn(rng, in*hidden), drawn(rng, hidden*out), false)
		target, err := Open(ctx, m, Options{KeepSoftmax: true})
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := engine.Open(ctx, m, engine.Options{Engine: "go", Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		run := func(x []float32) []float32 {
			y, err := fresh.Run(ctx, []*onnxio.Tensor{onnxio.FromFloat32(x, 1, in)})
			if err != nil {
				t.Fatal(err)
			}
			return y[0].F32()
		}
		s := &Samples{Size: in, X: make([]float32, n*in), Labels: make([]int, n)}
		for i := range s.X {
			s.X[i] = rng.Float32()
		}
		for _, norm := range []Norm{Linf, L2} {
			for _, a := range methodsOfNumbers() {
				if norm == L2 && a.Name() == "spsa" {
					continue
				}
				const eps, tolerance = 0.125, 0.2
				r, err := Run(ctx, target, s, Threat{norm, eps}, a, RunOptions{Tolerance: tolerance, Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range r.Outcomes {
					if o.Predicted != -1 || o.Class != -1 || len(o.Values) != out {
						t.Errorf("%s: %+v", a.Name(), o)
					}
					if !o.Adversarial {
						continue
					}
					hits++
					y, y0 := run(o.Point), run(s.X[i*in:(i+1)*in])
					far, length := 0.0, 0.0
					for k := range y {
						far = max(far, math.Abs(float64(y[k])-float64(y0[k])))
					}
					for k, v := range o.Point {
						d := math.Abs(float64(v) - float64(s.X[i*in+k]))
						if norm == Linf {
							length = max(length, d)
						} else {
							length = math.Hypot(length, d)
						}
						if v < 0 || v > 1 {
							t.Errorf("%s: a point outside of the valid inputs", a.Name())
						}
					}
					if !(far > tolerance) || math.Abs(far-o.Deviation) > 1e-6 || length > eps*(1+1e-12) {
						t.Errorf("%s in %s: outputs are %v away at a distance of %v; the outcome says %v", a.Name(), norm, far, length, o.Deviation)
					}
				}
			}
		}
		target.Close()
		fresh.Close()
	}
	if hits < 100 {
		t.Errorf("only %d hits", hits)
	}
}

// TestClassesAndNumbersKeepApart: a method for one refuses the other.
func TestClassesAndNumbersKeepApart(t *testing.T) {
	ctx := context.Background()
	target, err := Open(ctx, dense(t, 2, []float32{1, -1, 0.5, 2}, nil, false), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	s := &Samples{Size: 2, X: []float32{0.5, 0.5}, Labels: []int{0}}
	for _, a := range []Attack{FAB{}, CW{}, Thesis{}, APGD{}, APGD{Loss: DLR}} {
		var no *NoNumbersError
		if _, err := Run(ctx, target, s, Threat{L2, 0.1}, a, RunOptions{Tolerance: 1}); !errors.As(err, &no) {
			t.Errorf("%s of numbers: %v", a.Name(), err)
		}
	}
	for _, a := range []Attack{APGD{Loss: Away}, Standard{Numbers: true}} {
		var no *NoNumbersError
		if _, err := Run(ctx, target, s, Threat{Linf, 0.1}, a, RunOptions{}); !errors.As(err, &no) {
			t.Errorf("%s of classes: %v", a.Name(), err)
		}
	}
	for _, o := range []RunOptions{{Tolerance: -1}, {Tolerance: math.NaN()}, {Tolerance: math.Inf(1)}, {Tolerance: 1, Goals: []int{0}}} {
		if _, err := Run(ctx, target, s, Threat{Linf, 0.1}, PGD{}, o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
