package attack

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// openTest opens a network of testdata and some images in its layout.
func openTest(t *testing.T, model, data string, n int, o Options) (*Target, *Samples) {
	t.Helper()
	m, err := onnxio.Load("../testdata/" + model)
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	set, err := dataset.Open(data, dataset.Options{Range: fmt.Sprintf("0:%d", n)})
	if err != nil {
		t.Fatal(err)
	}
	shape := target.InputShape()
	last := shape[len(shape)-1] == set.Channels && shape[1] != set.Channels
	s := &Samples{Size: set.Size(), Labels: set.Labels, Image: Image{set.Channels, set.Height, set.Width, last}}
	for i := range n {
		x := make([]float32, s.Size)
		if err := set.Pixels(x, i, last); err != nil {
			t.Fatal(err)
		}
		s.X = append(s.X, x...)
	}
	return target, s
}

// quickAttacks are all methods with few steps.
func quickAttacks() []Attack {
	return []Attack{FGSM{}, BIM{}, MIM{Steps: 5}, PGD{Steps: 8, Restarts: 2}, Thesis{Steps: 5}, APGD{Loss: CE, Steps: 12, Restarts: 1},
		APGD{Loss: DLR, Steps: 12, Restarts: 1},
		APGD{Loss: DLRT, Steps: 8, Targets: 3}, FAB{Steps: 10, Targets: 3}, Square{Queries: 30}, SPSA{Steps: 2, Pairs: 4},
		CW{Steps: 20, Searches: 3}, Standard{Queries: 20}}
}

// TestAdversarialPointsAreValidAndWrong checks everything that attacks report by other means: the ball in exact arithmetic of float64, and a
// fresh session of the original file.
func TestAdversarialPointsAreValidAndWrong(t *testing.T) {
	nets := []struct{ model, data string }{
		{"fmnist-conv-ts.onnx", "fmnist:../testdata/fmnist"}, {"fmnist-keras-conv.onnx", "fmnist:../testdata/fmnist"},
		{"cifar-residual-dyn.onnx", "cifar10:../testdata/cifar10"},
	}
	if testing.Short() {
		nets = nets[:1]
	}
	for _, net := range nets {
		target, s := openTest(t, net.model, net.data, 4, Options{})
		fresh, err := engine.OpenGraph(context.Background(), target.model.Graph, engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range quickAttacks() {
			for _, threat := range []Threat{{Linf, 0.05}, {L2, 1.5}, {L1, 12}} {
				res, err := Run(context.Background(), target, s, threat, a, RunOptions{Seed: 5})
				if err != nil {
					continue // a norm that the method is not for; TestNormsOfMethods has the list
				}
				_, thesis := a.(Thesis)
				found := 0
				for i, o := range res.Outcomes {
					if !o.Adversarial {
						continue
					}
					found++
					clean := s.X[i*s.Size : (i+1)*s.Size]
					sum := 0.0
					for k, v := range o.Point {
						d := math.Abs(float64(v) - float64(clean[k]))
						switch threat.Norm {
						case Linf:
							if d > threat.Eps {
								t.Fatalf("%s %s %s: sample %d moves by %v", net.model, a.Name(), threat.Norm, i, d)
							}
						case L2:
							sum += d * d
						default:
							sum += d
						}
						if v < 0 || v > 1 {
							t.Fatalf("%s %s: a pixel of %v", net.model, a.Name(), v)
						}
					}
					if threat.Norm == L2 && math.Sqrt(sum) > threat.Eps || threat.Norm == L1 && sum > threat.Eps {
						t.Errorf("%s %s %s: sample %d has length %v", net.model, a.Name(), threat.Norm, i, sum)
					}
					shape := target.InputShape()
					y, err := fresh.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(o.Point, shape...)})
					if err != nil {
						t.Fatal(err)
					}
					if c := kernel.Largest(y[0].F32()); c != o.Class || c == o.Label {
						t.Errorf("%s %s: sample %d of label %d is said to be %d and is %d", net.model, a.Name(), i, o.Label, o.Class, c)
					}
				}
				search := a.Name() == "square" || a.Name() == "spsa" // see TestAttacksWithoutGradientsBreak
				if found == 0 && threat.Norm == Linf && !thesis && !search {
					t.Errorf("%s: %s breaks nothing at %v", net.model, a.Name(), threat.Eps)
				}
			}
		}
		fresh.Close()
	}
}

func TestNormsOfMethods(t *testing.T) {
	target, s := openTest(t, "fmnist-mlp-ts.onnx", "fmnist:../testdata/fmnist", 2, Options{})
	only := map[string][]Norm{"spsa": {Linf}, "cw": {L2}, "square": {Linf, L2}, "apgd-ce": {Linf, L2}, "apgd-dlr": {Linf, L2}, "apgd-t": {Linf, L2}}
	for _, a := range quickAttacks() {
		for _, n := range []Norm{Linf, L2, L1} {
			want := only[a.Name()] == nil || slices.Contains(only[a.Name()], n)
			_, err := Run(context.Background(), target, s, Threat{n, 0.01}, a, RunOptions{})
			if (err == nil) != want {
				t.Errorf("%s in %s: %v", a.Name(), n, err)
			}
		}
	}
}

// TestResultsDoNotDependOnBatchesOrThreads attacks the same images together, in two halves, and on one thread.
func TestResultsDoNotDependOnBatchesOrThreads(t *testing.T) {
	const n = 8
	for _, a := range []Attack{PGD{Steps: 5}, APGD{Loss: CE, Steps: 8, Restarts: 1}, Square{Queries: 30}} {
		var all [][]Outcome
		for _, threads := range []int{1, 2} {
			target, s := openTest(t, "fmnist-mlp-ts.onnx", "fmnist:../testdata/fmnist", n, Options{Engine: engine.Options{Threads: threads}})
			res, err := Run(context.Background(), target, s, Threat{Linf, 0.02}, a, RunOptions{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, res.Outcomes)
			var halves []Outcome
			for _, r := range [][2]int{{0, 3}, {3, n}} {
				part := *s
				part.X, part.Labels = s.X[r[0]*s.Size:r[1]*s.Size], s.Labels[r[0]:r[1]]
				part.Index = nil
				for i := r[0]; i < r[1]; i++ {
					part.Index = append(part.Index, i)
				}
				res, err := Run(context.Background(), target, &part, Threat{Linf, 0.02}, a, RunOptions{Seed: 3})
				if err != nil {
					t.Fatal(err)
				}
				halves = append(halves, res.Outcomes...)
			}
			all = append(all, halves)
		}
		for k, outcomes := range all[1:] {
			for i, o := range outcomes {
				if o.Adversarial != all[0][i].Adversarial || o.Class != all[0][i].Class {
					t.Errorf("%s: sample %d differs in way %d", a.Name(), i, k+1)
				}
			}
		}
	}
}

func TestTargetedAttackReachesItsGoal(t *testing.T) {
	target, s := openTest(t, "fmnist-conv-ts.onnx", "fmnist:../testdata/fmnist", 6, Options{})
	goals := []int{3, 3, 3, 3, 3, 3}
	for _, a := range []Attack{PGD{}, APGD{Loss: CE, Restarts: 1}, APGD{Loss: DLR, Restarts: 1}, FAB{}, CW{Steps: 200}} {
		threat := Threat{Linf, 0.2}
		if a.Name() == "cw" {
			threat = Threat{L2, 4}
		}
		res, err := Run(context.Background(), target, s, threat, a, RunOptions{Goals: goals})
		if err != nil {
			t.Fatal(err)
		}
		hit := 0
		for i, o := range res.Outcomes {
			if o.Adversarial {
				hit++
				if o.Class != 3 {
					t.Errorf("%s: sample %d ends as %d", a.Name(), i, o.Class)
				}
			}
		}
		if hit < 5 {
			t.Errorf("%s reaches the goal for %d of 6 samples", a.Name(), hit)
		}
	}
}

// TestToPlaneIsNearest compares the projection onto a half-space inside a box with many random points that satisfy both.
func TestToPlaneIsNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for range 300 {
		const n = 4
		s := &Samples{Size: n, X: make([]float32, n), Labels: []int{0}}
		g := make([]float32, n)
		for k := range n {
			s.X[k] = rng.Float32()
			g[k] = float32(rng.NormFloat64())
			if rng.IntN(5) == 0 {
				g[k] = 0
			}
		}
		rise := rng.Float64()
		for _, norm := range []Norm{Linf, L2, L1} {
			j := newJob(&Target{outputs: 2, size: n}, s, Threat{norm, 1}, 0, "")
			to := make([]float32, n)
			j.toPlane(to, 0, make([]float32, n), g, rise)
			got, most := 0.0, 0.0
			for k, v := range to {
				if x := s.X[k] + v; x < -1e-6 || x > 1+1e-6 {
					t.Fatalf("%s: %v leaves the box", norm, x)
				}
				got += float64(g[k]) * float64(v)
				most += max(float64(g[k])*float64(1-s.X[k]), -float64(g[k])*float64(s.X[k]))
			}
			if got < min(rise, most)-1e-5 {
				t.Fatalf("%s: rises by %v where %v was asked and %v can be had", norm, got, rise, most)
			}
			length := norm.norm(to)
			d := make([]float32, n)
			for range 200 {
				sum := 0.0
				for k := range d {
					d[k] = rng.Float32() - s.X[k]
					sum += float64(g[k]) * float64(d[k])
				}
				if sum >= rise && most > rise+1e-4 && norm.norm(d) < length-1e-4 {
					t.Fatalf("%s: %v of length %v is nearer than %v of length %v", norm, d, norm.norm(d), to, length)
				}
			}
		}
	}
}

// TestL1ProjectionIsNearest compares with random points of the ball.
func TestL1ProjectionIsNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	for range 200 {
		x := make([]float32, 5)
		for k := range x {
			x[k] = float32(rng.NormFloat64())
		}
		p := slices.Clone(x)
		projectL1(p, 1)
		if L1.norm(p) > 1+1e-5 {
			t.Fatalf("length %v", L1.norm(p))
		}
		if L1.norm(x) <= 1 && !slices.Equal(p, x) {
			t.Fatal("a point of the ball moves")
		}
		near := distanceBetween(L2, p, x)
		q := make([]float32, 5)
		for range 200 {
			for k := range q {
				q[k] = float32(rng.NormFloat64())
			}
			if r := L1.norm(q); r > 1 {
				for k := range q {
					q[k] /= float32(r)
				}
			}
			if distanceBetween(L2, q, x) < near-1e-5 {
				t.Fatalf("%v is nearer to %v than %v", q, x, p)
			}
		}
	}
}

// TestBallEndsLieInside checks the ends of float32 balls against exact differences.
func TestBallEndsLieInside(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 20000 {
		x, r := rng.Float32(), rng.Float64()*math.Pow(10, -float64(rng.IntN(12)))
		end := sound.Float32AboveSum(float64(x), -r)
		// Both differences are exact in float64 where the numbers are near each other, and monotone anyway.
		if math.FMA(1, float64(x), -float64(end)) > r {
			t.Fatalf("%v is further than %v from %v", end, r, x)
		}
		if below := math.Nextafter32(end, -2); float64(x)-float64(below) < r*(1-1e-9) {
			t.Fatalf("%v lies inside too, below %v", below, end)
		}
	}
}

func TestSearchFindsAndRefuses(t *testing.T) {
	target, s := openTest(t, "fmnist-conv-ts.onnx", "fmnist:../testdata/fmnist", 1, Options{})
	lower, upper := make([]float64, s.Size), make([]float64, s.Size)
	for k, v := range s.X {
		lower[k], upper[k] = max(0, float64(v)-0.2), min(1, float64(v)+0.2)
	}
	row := make([]float64, 10)
	row[s.Labels[0]], row[(s.Labels[0]+1)%10] = 1, -1
	both := make([]float64, 10)
	both[s.Labels[0]], both[(s.Labels[0]+2)%10] = 1, -1
	r := &Region{Lower: lower, Upper: upper, Cases: [][]Constraint{{{Row: row}, {Row: both}}}}
	f, err := target.Search(context.Background(), r, SearchOptions{Rounds: 20})
	if err != nil || f == nil {
		t.Fatalf("%v, %v", f, err)
	}
	z, err := target.Logits(context.Background(), f.Input)
	if err != nil {
		t.Fatal(err)
	}
	if _, v := violation(r.Cases[0], z); v > 0 {
		t.Errorf("the point misses by %v", v)
	}
	for k, v := range f.Input {
		if float64(v) < lower[k] || float64(v) > upper[k] {
			t.Fatalf("element %d lies at %v outside [%v, %v]", k, v, lower[k], upper[k])
		}
	}
	r.Cases[0][0].Bound = -1e6 // cannot be met
	if f, err := target.Search(context.Background(), r, SearchOptions{}); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	r.Cases[0][0].Row = row[:3]
	if _, err := target.Search(context.Background(), r, SearchOptions{}); err == nil {
		t.Error("a constraint over three outputs is taken")
	}
}

// TestFixedBatchIsFreed compares a file of batch 1 with its freed graph, and refuses one whose batch cannot be freed.
func TestFixedBatchIsFreed(t *testing.T) {
	target, s := openTest(t, "fmnist-mlp-ts.onnx", "fmnist:../testdata/fmnist", 5, Options{})
	together, err := target.Logits(context.Background(), s.X)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		alone, err := target.Replay(context.Background(), s.X[i*s.Size:(i+1)*s.Size])
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range alone {
			if d := math.Abs(float64(v - together[i*10+k])); d > 1e-4 {
				t.Errorf("sample %d differs by %v", i, d)
			}
		}
	}
}

func TestFlagsOfSoftmaxAndFlatGradients(t *testing.T) {
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 3}}}
	a, b := &onnxio.Value{Name: "a"}, &onnxio.Value{Name: "b"}
	y := &onnxio.Value{Name: "y", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "n"}, {Size: 3}}}
	g := &onnxio.Graph{Name: "flat", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{y}, Nodes: []*onnxio.Node{
		{Name: "below", Op: "Neg", Inputs: []*onnxio.Value{x}, Outputs: []*onnxio.Value{b}, Opset: 13, Attrs: onnxio.Attrs{}},
		{Name: "flat", Op: "Relu", Inputs: []*onnxio.Value{b}, Outputs: []*onnxio.Value{a}, Opset: 13, Attrs: onnxio.Attrs{}},
		{Name: "soft", Op: "Softmax", Inputs: []*onnxio.Value{a}, Outputs: []*onnxio.Value{y}, Opset: 13, Attrs: onnxio.Attrs{}},
	}}
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	s := &Samples{Size: 3, X: []float32{0.2, 0.3, 0.9}, Labels: []int{0}}
	res, err := Run(context.Background(), target, s, Threat{Linf, 0.15}, PGD{}, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range res.Flags {
		codes = append(codes, f.Code)
	}
	if !slices.Contains(codes, FlagSoftmax) || !slices.Contains(codes, FlagZeroGradient) {
		t.Errorf("flags %v", codes)
	}
	j := newJob(target, s, Threat{Linf, 0.45}, 0, "standard")
	for method, want := range map[string]bool{"square": true, "apgd-ce": false} {
		flags := j.flags(&Result{Outcomes: []Outcome{{Method: method}}})
		if slices.ContainsFunc(flags, func(f Flag) bool { return f.Code == FlagMasking }) != want {
			t.Errorf("samples broken by %s raise %v", method, flags)
		}
	}
}

// TestAttacksWithoutGradientsBreak gives the searches room: Square and SPSA need more than the gradient attacks.
func TestAttacksWithoutGradientsBreak(t *testing.T) {
	target, s := openTest(t, "fmnist-mlp-ts.onnx", "fmnist:../testdata/fmnist", 4, Options{})
	for _, a := range []Attack{Square{Queries: 1000}, SPSA{Steps: 40, Pairs: 32}} {
		res, err := Run(context.Background(), target, s, Threat{Linf, 0.2}, a, RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if k := broken(res); k < 3 {
			t.Errorf("%s breaks %d of 4", a.Name(), k)
		}
	}
}

func broken(res *Result) int {
	n := 0
	for _, o := range res.Outcomes {
		if o.Adversarial {
			n++
		}
	}
	return n
}

func TestRunRefusesWhatDoesNotFit(t *testing.T) {
	target, s := openTest(t, "fmnist-mlp-ts.onnx", "fmnist:../testdata/fmnist", 2, Options{})
	ctx := context.Background()
	for name, f := range map[string]func(s *Samples, th *Threat, o *RunOptions){
		"eps":    func(_ *Samples, th *Threat, _ *RunOptions) { th.Eps = math.NaN() },
		"norm":   func(_ *Samples, th *Threat, _ *RunOptions) { th.Norm = "l7" },
		"label":  func(s *Samples, _ *Threat, _ *RunOptions) { s.Labels = []int{0, 10} },
		"size":   func(s *Samples, _ *Threat, _ *RunOptions) { s.Size = 3; s.X = s.X[:6] },
		"limits": func(s *Samples, _ *Threat, _ *RunOptions) { s.Lower = []float32{0} },
		"goals":  func(_ *Samples, _ *Threat, o *RunOptions) { o.Goals = []int{1} },
		"index":  func(s *Samples, _ *Threat, _ *RunOptions) { s.Index = []int{1} },
		"image":  func(s *Samples, _ *Threat, _ *RunOptions) { s.Image = Image{1, 2, 3, false} },
		"scale":  func(s *Samples, _ *Threat, _ *RunOptions) { s.Scale = make([]float32, s.Size) },
	} {
		q, th, o := *s, Threat{Linf, 0.1}, RunOptions{}
		f(&q, &th, &o)
		if _, err := Run(ctx, target, &q, th, FGSM{}, o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
