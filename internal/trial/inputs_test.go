package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

const inputModels = "../../cmd/shoal/testdata/models/inputs"

// openInputs reads a model and its data, asked as a question about balls is, or as one about samples alone.
func openInputs(t *testing.T, model, data string, balls bool, hold ...string) (*Inputs, *dataset.Set, *onnxio.Model) {
	t.Helper()
	ctx := context.Background()
	m, err := onnxio.Load(filepath.Join(inputModels, model+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	var given Given
	for _, text := range hold {
		h, err := ParseHold(text)
		if err != nil {
			t.Fatal(err)
		}
		given.Hold = append(given.Hold, h)
	}
	in, err := NewInputs(m, given)
	if err != nil {
		t.Fatal(err)
	}
	in.Balls = balls
	set, err := dataset.Open("npz:"+filepath.Join(inputModels, data+".npz"), in.Options(dataset.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Take(ctx, set); err != nil {
		t.Fatal(err)
	}
	return in, set, m
}

// scoresOf runs the file itself, as it lies there, for one sample: x for the input asked about, which is its first, and the data's values for the
// others.
func scoresOf(t *testing.T, s engine.Session, x []float32, others ...*onnxio.Tensor) []float64 {
	t.Helper()
	shape := append([]int{}, s.Inputs()[0].Shape...)
	shape[0] = 1
	out, err := s.Run(context.Background(), append([]*onnxio.Tensor{onnxio.FromFloat32(x, shape...)}, others...))
	if err != nil {
		t.Fatal(err)
	}
	v, err := out[0].Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestHeldBallsHoldInTheFile is an adversary of proofs with held inputs: what is verified in a ball around one input is what the file itself decides
// at points of that ball, with the other input at the sample's own value; and what is falsified is decided otherwise by the file. The states of the
// cell and the lengths of the sums differ from sample to sample, so that a proof with another sample's value would be found out.
func TestHeldBallsHoldInTheFile(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		model, data, output string
		hold                []string
		other               func(set *dataset.Set, i int) *onnxio.Tensor
	}{
		{"cell", "cell", "scores", []string{"h"}, func(set *dataset.Set, i int) *onnxio.Tensor {
			return onnxio.FromFloat32((&dataset.Array{Floats: set.Arrays["h"].Floats[i*5 : i*5+5]}).Float32s(), 1, 5)
		}},
		{"cell", "cell-zero", "scores", []string{"h=1/4"}, func(*dataset.Set, int) *onnxio.Tensor {
			return onnxio.FromFloat32([]float32{0.25, 0.25, 0.25, 0.25, 0.25}, 1, 5)
		}},
		{"lengths", "lengths", "scores", nil, func(set *dataset.Set, i int) *onnxio.Tensor {
			return onnxio.FromInt64(set.Arrays["lengths"].Ints[i:i+1], 1)
		}},
	} {
		in, set, file := openInputs(t, c.model, c.data, true, c.hold...)
		m, err := in.Model(ctx, Proven, 0)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := Read(ctx, m, c.output, Decision{})
		if err == nil {
			err = sub.Take(in)
		}
		if err != nil {
			t.Fatal(err)
		}
		v, err := OpenVerifier(ctx, sub, verify.Options{Method: verify.DeepPoly})
		if err != nil {
			t.Fatal(err)
		}
		samples, err := Join(FromSet(set), v.Info().InputShape, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		p := Proofs{Subject: sub, Verifier: v, Samples: samples}
		if in.Varies(Proven) {
			p.Reopen = func(ctx context.Context, i int) (*verify.Verifier, *falsify.Attack, error) {
				m, err := in.Model(ctx, Proven, i)
				if err != nil {
					return nil, nil, err
				}
				again, err := Read(ctx, m, c.output, Decision{})
				if err != nil {
					return nil, nil, err
				}
				v, err := OpenVerifier(ctx, again, verify.Options{Method: verify.DeepPoly})
				return v, nil, err
			}
		}
		original, err := engine.OpenGraph(ctx, file.Graph, engine.Options{Float64: false})
		if err != nil {
			t.Fatal(err)
		}
		proven := 0
		for i := range samples.Len() {
			x, err := samples.Center(i)
			if err != nil {
				t.Fatal(err)
			}
			label := Decision{Kind: Argmax}.Class(scoresOf(t, original, x, c.other(set, i)))
			for _, eps := range []float64{0.001, 0.01, 0.05, 0.2, 0.5} {
				q := Certify{Proofs: p, Eps: []Eps{{eps, fmt.Sprint(eps)}}, Semantics: verify.Real}
				rows, err := q.Ask(ctx, i)
				if err != nil {
					t.Fatalf("%s: %v", c.model, err)
				}
				if rows[0].Predicted != label {
					t.Errorf("%s, sample %d: class %d, the file says %d", c.data, i, rows[0].Predicted, label)
				}
				p.reopened = q.reopened
				if rows[0].Verdict != string(verify.Verified) {
					continue
				}
				proven++
				for range 100 {
					y := make([]float32, len(x))
					for k := range y {
						switch rng.IntN(3) {
						case 0:
							y[k] = float32(float64(x[k]) + eps*(2*rng.Float64()-1)*0.999)
						case 1:
							y[k] = float32(float64(x[k]) + eps*0.999)
						default:
							y[k] = float32(float64(x[k]) - eps*0.999)
						}
					}
					if got := (Decision{Kind: Argmax}).Class(scoresOf(t, original, y, c.other(set, i))); got != label {
						t.Fatalf("%s, sample %d, eps %v: verified, and %v is of class %d and not %d", c.data, i, eps, y, got, label)
					}
				}
			}
		}
		if proven < 3 {
			t.Errorf("%s: only %d balls were proven", c.data, proven)
		}
		p.Close()
		v.Close()
		original.Close()
	}
}

// TestPointsOfHeldPropertiesAreSamples: a property of all inputs has the held values as its only ones.
func TestPointsOfHeldPropertiesAreSamples(t *testing.T) {
	o := &opened{behind: []float64{2, -3}}
	p := o.property(verify.Robust(verify.Ball{Center: []float32{0.5, 0.25}, Eps: 0.1}, 0, 3))
	if len(p.Cases) != 2 {
		t.Fatalf("%d cases", len(p.Cases))
	}
	for _, c := range p.Cases {
		for _, b := range []verify.Box{c.Box, *c.Inner} {
			if len(b.Lower) != 4 || b.Lower[2] != 2 || b.Upper[2] != 2 || b.Lower[3] != -3 || b.Upper[3] != -3 || !(b.Lower[0] < b.Upper[0]) {
				t.Errorf("%+v", b)
			}
		}
		if &c.Box.Lower[0] != &p.Cases[0].Box.Lower[0] {
			t.Error("cases of one box have no box together")
		}
	}
	if q := o.property(verify.Robust(verify.Ball{Center: []float32{1}}, 0, 1)); len(q.Cases) != 1 { // a question without a meaning stays one
		t.Errorf("%+v", q)
	}
}

// TestBatchesThatMixTheirSamplesAreNotTakenApart: a batch of the file is taken out only where each sample has alone what it has in company; the least
// influence, far below what float32 would show, is enough to refuse it.
func TestBatchesThatMixTheirSamplesAreNotTakenApart(t *testing.T) {
	for _, mixing := range []float32{0, 1e-7, 1e-5, 1} {
		s := newSketch()
		x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: 3}, {Size: 4}}}
		s.g.Inputs = []*onnxio.Value{x}
		mean := s.node("ReduceMean", onnxio.Attrs{"axes": []int64{0}, "keepdims": int64(1)}, x)
		part := s.node("Mul", nil, mean, &onnxio.Value{Name: "mixing", DType: onnxio.Float, Const: onnxio.FromFloat32([]float32{mixing}), Shape: []int{}})
		y := s.node("Add", nil, s.node("Relu", nil, x), part)
		m := s.model(t, y)
		in, err := NewInputs(m, Given{})
		if err != nil {
			t.Fatal(err)
		}
		in.Balls = true
		in.asked = 0
		in.all[0].axis = 0
		err = in.single(context.Background())
		var no *onnxio.UnsupportedError
		switch {
		case mixing == 0 && err != nil:
			t.Errorf("a batch that does nothing: %v", err)
		case mixing != 0 && (!errors.As(err, &no) || !strings.Contains(err.Error(), "batch of 3")):
			t.Errorf("mixing of %v: %v", mixing, err)
		}
	}
}

// TestHoldIsRead: the values that --hold takes, and those that it does not.
func TestHoldIsRead(t *testing.T) {
	for text, want := range map[string]string{"h": "h", "h=0": "h=0", " h = 1/3 ": "h=1/3", "a=b=1": "a=b=1", "h=1,2,3": "h=1,2,3",
		"h=zeros": "h=zeros", "h=true": "h=true"} {
		h, err := ParseHold(text)
		if err != nil || h.String() != want {
			t.Errorf("%q: %v, %v", text, h, err)
		}
	}
	for _, text := range []string{"", "=1", "h=", "h=x", "h=1,,2", "h=1/0", "h=nan"} {
		if h, err := ParseHold(text); err == nil {
			t.Errorf("%q: %v", text, h)
		}
	}
	for text, want := range map[string]int{"x=0": 0, "x=none": NoAxis, "a=b=2": 2} {
		if _, axis, err := ParseAxis(text); err != nil || axis != want {
			t.Errorf("%q: %d, %v", text, axis, err)
		}
	}
	for _, text := range []string{"", "x", "=1", "x=", "x=-1", "x=1.5", "x=100"} {
		if name, axis, err := ParseAxis(text); err == nil {
			t.Errorf("%q: %s %d", text, name, axis)
		}
	}
}

// TestHeldValuesAreOfTheInputsType: what a type cannot hold is an error, and nothing else is rounded than reals to float32.
func TestHeldValuesAreOfTheInputsType(t *testing.T) {
	for _, c := range []struct {
		dtype onnxio.DType
		value string
		want  any
	}{
		{onnxio.Float, "0.1", []float32{0.1, 0.1, 0.1}}, {onnxio.Double, "0.1", []float64{0.1, 0.1, 0.1}}, {onnxio.Int64, "7", []int64{7, 7, 7}},
		{onnxio.Int64, "9007199254740993", []int64{9007199254740993, 9007199254740993, 9007199254740993}}, {onnxio.Uint8, "1,2,255", []uint8{1, 2, 255}},
		{onnxio.Float16, "0.1", []float32{0.0999755859375, 0.0999755859375, 0.0999755859375}},
		{onnxio.BFloat16, "0.1", []float32{0.10009765625, 0.10009765625, 0.10009765625}}, {onnxio.Bool, "true", []bool{true, true, true}},
		{onnxio.Uint8, "256", nil}, {onnxio.Int64, "1/2", nil}, {onnxio.Bool, "2", nil}, {onnxio.Float, "1,2", nil},
	} {
		x := &inlet{name: "h", dtype: c.dtype, dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 3}}, value: c.value}
		got, err := (&Inputs{}).heldAt(x, 0)
		if c.want == nil {
			if err == nil {
				t.Errorf("%v of %s: %v", c.dtype, c.value, got.Data)
			}
			continue
		}
		if err != nil || fmt.Sprint(got.Data) != fmt.Sprint(c.want) || fmt.Sprint(got.Shape) != "[1 3]" {
			t.Errorf("%v of %s: %v, %v", c.dtype, c.value, got, err)
		}
	}
}

// TestArrangedModelsSayTheSame: whatever the layout of the file, samples through the arranged model have the scores that the labels were made of.
func TestArrangedModelsSayTheSame(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ model, data, output string }{
		{"lstm", "lstm", ""}, {"lstm", "lstm-first", ""}, {"cell", "cell", "scores"}, {"lengths", "lengths", ""}, {"tokens", "tokens", ""},
		{"time-free", "time-free", ""}, {"time", "time", ""},
	} {
		in, set, _ := openInputs(t, c.model, c.data, false)
		m, err := in.Model(ctx, Fed, 0)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := Read(ctx, m, c.output, Decision{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := engine.OpenGraph(ctx, sub.Model.Graph, engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		samples := &Samples{Source: FromSet(set)}
		feed := in.Feed(samples, s.Inputs(), 1)
		for _, size := range []int{1, 2, set.Len()} {
			b := &Batches{Session: s, Fixed: 1}
			for from := 0; from < set.Len(); from += size {
				n := min(size, set.Len()-from)
				x, padded, err := feed.Next(from, n)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := b.Run(ctx, x, n, padded)
				if err != nil {
					t.Fatal(err)
				}
				for i, row := range rows[0] {
					if got := (Decision{Kind: Argmax}).Class(row); got != set.Labels[from+i] || math.IsNaN(row[0]) {
						t.Errorf("%s, sample %d in batches of %d: class %d, want %d", c.data, from+i, size, got, set.Labels[from+i])
					}
				}
			}
		}
		s.Close()
	}
}

// TestSamplesAsTheFileHasThem: activations are taken of the file's own graph, which is given what the arranged one is, in its own shapes.
func TestSamplesAsTheFileHasThem(t *testing.T) {
	ctx := context.Background()
	m, err := onnxio.Load("../../cmd/shoal/testdata/models/inputs/time-free.onnx")
	if err != nil {
		t.Fatal(err)
	}
	in, err := NewInputs(m, Given{Axes: map[string]int{"x": 1}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open("npz:../../cmd/shoal/testdata/models/inputs/time-free.npz", in.Options(dataset.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Take(ctx, set); err != nil {
		t.Fatal(err)
	}
	arranged, err := in.Model(ctx, Fed, 0)
	if err != nil {
		t.Fatal(err)
	}
	ports, turned, err := in.AsFile(nil)
	if err != nil || turned == nil {
		t.Fatal(ports, err)
	}
	samples := &Samples{Source: FromSet(set)}
	feed := turned(in.Feed(samples, ports, 1))
	for i := range set.Len() {
		var outs [2][]float64
		for k, side := range []struct {
			graph *onnxio.Graph
			feed  *Feed
		}{{sized(m.Graph, "d1", 1), feed}, {arranged.Graph, in.Feed(samples, PortsOf(arranged.Graph), 1)}} {
			s, err := engine.OpenGraph(ctx, side.graph, engine.Options{Threads: 1, MaxBatch: 1 << 20}) // the first axis of the file is the time
			if err != nil {
				t.Fatal(err)
			}
			x, _, err := side.feed.Next(i, 1)
			if err != nil {
				t.Fatal(err)
			}
			if want := [][]int{{5, 1, 3}, {1, 5, 3}}[k]; !slices.Equal(x[0].Shape, want) {
				t.Fatalf("shape %v, want %v", x[0].Shape, want)
			}
			y, err := s.Run(ctx, x)
			if err != nil {
				t.Fatal(err)
			}
			if outs[k], err = y[0].Float64s(); err != nil {
				t.Fatal(err)
			}
			outs[k] = slices.Clone(outs[k])
			s.Close()
		}
		if !slices.Equal(outs[0], outs[1]) {
			t.Errorf("sample %d: %v in the file, %v arranged", i, outs[0], outs[1])
		}
	}
	if _, _, err := feed.Next(0, 2); err == nil {
		t.Error("two samples went together")
	}
	if _, _, err := in.AsFile(map[string]int{"d1": 2}); err == nil {
		t.Error("two samples were asked for together")
	}
}

// sized is a graph with a size for a dimension of its inputs.
func sized(g *onnxio.Graph, name string, n int) *onnxio.Graph {
	g = g.Clone()
	for _, v := range g.Inputs {
		for k, d := range v.Dims {
			if d.Name == name {
				v.Dims[k] = onnxio.Dim{Size: n}
			}
		}
	}
	return g
}
