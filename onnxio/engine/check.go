package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/shallow-waters/shoal/onnxio"
)

// CheckResult is how an engine did on the small model of Check.
type CheckResult struct {
	Engine           string  `json:"engine"`
	SamplesPerSecond float64 `json:"samples_per_second"`
	// Difference is the largest difference of an output from the Go engine's in float64, relative to the largest output.
	Difference float64 `json:"difference"`
}

// Check runs a small convolutional network on an engine for about a quarter of a second and compares it with the Go engine.
func Check(ctx context.Context, o Options) (*CheckResult, error) {
	m, err := checkModel()
	if err != nil {
		return nil, err
	}
	const batch = 32
	rng := rand.New(rand.NewPCG(11, 12))
	x := onnxio.NewTensor(onnxio.Float, batch, 3, 32, 32)
	for i := range x.F32() {
		x.F32()[i] = rng.Float32()
	}
	want, err := runOnce(ctx, m, Options{Float64: true}, x)
	if err != nil {
		return nil, err
	}
	s, err := Open(ctx, m, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(ctx, []*onnxio.Tensor{x})
	if err != nil {
		return nil, err
	}
	got, err := out[0].Float64s()
	if err != nil {
		return nil, err
	}
	r := &CheckResult{Engine: s.Engine()}
	scale := 0.0
	for i, w := range want {
		scale = max(scale, math.Abs(w))
		r.Difference = max(r.Difference, math.Abs(got[i]-w))
		if math.IsNaN(got[i]) {
			r.Difference = math.Inf(1)
		}
	}
	r.Difference /= scale
	start, n := time.Now(), 0
	for time.Since(start) < 250*time.Millisecond {
		if _, err := s.Run(ctx, []*onnxio.Tensor{x}); err != nil {
			return nil, err
		}
		n += batch
	}
	r.SamplesPerSecond = float64(n) / time.Since(start).Seconds()
	return r, nil
}

func runOnce(ctx context.Context, m *onnxio.Model, o Options, x *onnxio.Tensor) ([]float64, error) {
	s, err := Open(ctx, m, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(ctx, []*onnxio.Tensor{x})
	if err != nil {
		return nil, err
	}
	return out[0].Float64s()
}

// checkModel is conv, ReLU, max pool, conv, ReLU, global average pool, dense, with seeded weights.
func checkModel() (*onnxio.Model, error) {
	rng := rand.New(rand.NewPCG(13, 14))
	g := &onnxio.Graph{Name: "check"}
	last := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}, {Size: 3}, {Size: 32}, {Size: 32}}}
	g.Inputs = []*onnxio.Value{last}
	weight := func(name string, shape ...int) *onnxio.Value {
		t := onnxio.NewTensor(onnxio.Float, shape...)
		scale := math.Sqrt(2 / float64(max(1, t.Len()/shape[0])))
		for i := range t.F32() {
			t.F32()[i] = float32(scale * rng.NormFloat64())
		}
		return &onnxio.Value{Name: name, DType: onnxio.Float, Const: t}
	}
	add := func(op string, attrs onnxio.Attrs, weights ...*onnxio.Value) {
		n := &onnxio.Node{Name: op + "_" + last.Name, Op: op, Opset: 13, Attrs: attrs, Inputs: append([]*onnxio.Value{last}, weights...)}
		last = &onnxio.Value{Name: n.Name + "_out", DType: onnxio.Float, Producer: n}
		n.Outputs = []*onnxio.Value{last}
		g.Nodes = append(g.Nodes, n)
	}
	same := onnxio.Attrs{"pads": []int64{1, 1, 1, 1}}
	add("Conv", same, weight("w1", 16, 3, 3, 3), weight("b1", 16))
	add("Relu", nil)
	add("MaxPool", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}})
	add("Conv", same, weight("w2", 32, 16, 3, 3), weight("b2", 32))
	add("Relu", nil)
	add("GlobalAveragePool", nil)
	add("Flatten", nil)
	add("Gemm", onnxio.Attrs{"transB": int64(1)}, weight("w3", 10, 32), weight("b3", 10))
	g.Outputs = []*onnxio.Value{last}
	return onnxio.NewModel(g, "shoal")
}
