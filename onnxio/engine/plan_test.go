package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// randomGraph strings operators on images together, with branches that meet again.
type randomGraph struct {
	rng *rand.Rand
	g   *onnxio.Graph
	n   int
}

func (r *randomGraph) constant(shape ...int) *onnxio.Value {
	d := make([]float32, onnxio.NumElements(shape))
	for i := range d {
		d[i] = float32(r.rng.NormFloat64())
	}
	r.n++
	return &onnxio.Value{Name: fmt.Sprint("c", r.n), DType: onnxio.Float, Const: onnxio.FromFloat32(d, shape...)}
}

func (r *randomGraph) node(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	r.n++
	v := &onnxio.Value{Name: fmt.Sprint("v", r.n)}
	n := &onnxio.Node{Name: fmt.Sprint("n", r.n), Op: op, Attrs: attrs, Opset: 13, Inputs: in, Outputs: []*onnxio.Value{v}}
	v.Producer = n
	r.g.Nodes = append(r.g.Nodes, n)
	return v
}

// image grows a channels-first image of c x h x w by one operator.
func (r *randomGraph) image(x *onnxio.Value, c, h, w int) (*onnxio.Value, int, int, int) {
	pick := r.rng.IntN
	ints := func(v ...int64) []int64 { return v }
	switch pick(12) {
	case 0, 1, 2:
		groups := 1
		if pick(3) == 0 {
			groups = c
		} else if c%2 == 0 && pick(3) == 0 {
			groups = 2
		}
		m := groups * (1 + pick(5))
		if groups == c && pick(2) == 0 {
			m = c
		}
		kh, kw, s, d := 1+pick(3), 1+pick(3), 1+pick(2), 1+pick(2)
		pads := ints(int64(pick(3)), int64(pick(3)), int64(pick(3)), int64(pick(3)))
		oh, ow := (h+int(pads[0]+pads[2])-(kh-1)*d-1)/s+1, (w+int(pads[1]+pads[3])-(kw-1)*d-1)/s+1
		if h+int(pads[0]+pads[2]) < (kh-1)*d+1 || w+int(pads[1]+pads[3]) < (kw-1)*d+1 {
			return x, c, h, w
		}
		in := []*onnxio.Value{x, r.constant(m, c/groups, kh, kw)}
		if pick(2) == 0 {
			in = append(in, r.constant(m))
		}
		y := r.node("Conv", onnxio.Attrs{"group": int64(groups), "strides": ints(int64(s), int64(s)), "dilations": ints(int64(d), int64(d)), "pads": pads},
			in...)
		return y, m, oh, ow
	case 3:
		return r.node("Relu", nil, x), c, h, w
	case 4:
		lo, hi := r.constant(), r.constant()
		lo.Const.F32()[0], hi.Const.F32()[0] = -0.5, 2
		return r.node("Clip", nil, x, lo, hi), c, h, w
	case 5:
		v := r.constant(c)
		for i := range v.Const.F32() {
			v.Const.F32()[i] = 0.5 + r.rng.Float32()
		}
		return r.node("BatchNormalization", nil, x, r.constant(c), r.constant(c), r.constant(c), v), c, h, w
	case 6, 7:
		if h < 2 || w < 2 {
			return r.node("Sigmoid", nil, x), c, h, w
		}
		op := [...]string{"MaxPool", "AveragePool"}[pick(2)]
		attrs := onnxio.Attrs{"kernel_shape": ints(2, 2), "strides": ints(int64(1+pick(2)), 2), "pads": ints(int64(pick(2)), 0, 1, int64(pick(2)))}
		if op == "AveragePool" {
			attrs["count_include_pad"] = int64(pick(2))
		}
		y := r.node(op, attrs, x)
		p, s := attrs["pads"].([]int64), attrs["strides"].([]int64)
		return y, c, (h+int(p[0]+p[2])-2)/int(s[0]) + 1, (w+int(p[1]+p[3])-2)/int(s[1]) + 1
	case 8:
		a, b := r.node("Tanh", nil, x), r.node("LeakyRelu", onnxio.Attrs{"alpha": float32(0.1)}, x)
		return r.node("Concat", onnxio.Attrs{"axis": int64(1)}, a, b), 2 * c, h, w
	case 9:
		y := r.node("Conv", nil, x, r.constant(c, c, 1, 1))
		return r.node("Add", nil, y, x), c, h, w
	case 10:
		op := [...]string{"Add", "Mul", "Sub"}[pick(3)]
		shape := [][]int{{c, 1, 1}, {1, c, h, w}, {1}, {}, {w}, {h, 1}}[pick(6)]
		return r.node(op, nil, x, r.constant(shape...)), c, h, w
	}
	if pick(2) == 0 { // squeeze and excite
		s := r.node("Sigmoid", nil, r.node("GlobalAveragePool", nil, x))
		return r.node("Mul", nil, x, s), c, h, w
	}
	y := r.node("Transpose", onnxio.Attrs{"perm": ints(0, 2, 3, 1)}, x)
	if pick(2) == 0 {
		y = r.node("Relu", nil, y)
	}
	return r.node("Transpose", onnxio.Attrs{"perm": ints(0, 3, 1, 2)}, y), c, h, w
}

func newRandomGraph(seed uint64) *onnxio.Graph {
	r := &randomGraph{rng: rand.New(rand.NewPCG(seed, 5)), g: &onnxio.Graph{Name: "random"}}
	c, h, w := 1+r.rng.IntN(5), 1+r.rng.IntN(8), 1+r.rng.IntN(8)
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true, Dims: []onnxio.Dim{{Name: "batch", Size: -1}, {Size: c}, {Size: h}, {Size: w}}}
	r.g.Inputs = []*onnxio.Value{x}
	v := x
	for range 1 + r.rng.IntN(8) {
		v, c, h, w = r.image(v, c, h, w)
		if c*h*w > 4000 {
			break
		}
	}
	if r.rng.IntN(3) > 0 {
		switch r.rng.IntN(3) {
		case 0:
			v = r.node("Flatten", nil, v)
			v = r.node("Relu", nil, r.node("Gemm", onnxio.Attrs{"transB": int64(1)}, v, r.constant(7, c*h*w), r.constant(7)))
		case 1:
			v = r.node("Relu", nil, r.node("Flatten", nil, v))
			v = r.node("Add", nil, r.node("MatMul", nil, v, r.constant(c*h*w, 5)), r.constant(5))
		case 2:
			v = r.node("GlobalAveragePool", nil, v)
			v = r.node("Flatten", nil, v)
		}
	}
	r.g.Outputs = []*onnxio.Value{v}
	return r.g
}

// The fast ways, on channels-last images, with clamps and BatchNormalizations folded, give what Eval gives node by node.
func TestFastGivesWhatEvalGives(t *testing.T) {
	fast := 0
	for seed := range uint64(1500) {
		for _, double := range []bool{false, true} {
			batch := 1 + int(seed%3)
			o := infer.Options{Batch: batch, Float64: double}
			g := newRandomGraph(seed)
			plain, err := infer.Prepare(context.Background(), g, o)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			want := runPlan(t, seed, plain, true)
			fused, _ := infer.Prepare(context.Background(), g, o)
			infer.Fuse(fused)
			got := runPlan(t, seed, fused, false)
			unit := 2e-4
			if double {
				unit = 1e-11
			}
			scale := 1.0
			for _, v := range want {
				scale = max(scale, math.Abs(v))
			}
			for i, v := range want {
				if !(math.Abs(v-got[i]) <= unit*scale) {
					for _, n := range plain.Nodes {
						t.Log(n.Op, n.Attrs, n.Inputs[0].Shape, n.Outputs[0].Shape)
					}
					t.Fatalf("seed %d, float64 %v, output %d of %d: %v by the fast way, %v by Eval", seed, double, i, len(want), got[i], v)
				}
			}
			fast++
		}
	}
	t.Logf("%d graphs", fast)
}

func runPlan(t *testing.T, seed uint64, g *onnxio.Graph, eval bool) []float64 {
	t.Helper()
	p, err := newPlan(context.Background(), g, nil, eval)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	rng := rand.New(rand.NewPCG(seed, 6))
	x := make([]float32, p.tensor[p.inputs[0]].Len())
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	var out []float64
	for range 2 { // memory of the first run must not matter to the second
		if err := p.load(0, onnxio.FromFloat32(x, p.inputs[0].Shape...), 0); err != nil {
			t.Fatal(err)
		}
		if err := p.run(context.Background()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if out, err = p.out[0].Float64s(); err != nil {
			t.Fatal(err)
		}
	}
	return append([]float64{}, out...)
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, file := range []string{"fmnist-conv-ts.onnx", "fmnist-conv-dyn-robust.onnx"} {
		m, err := onnxio.Load("../../testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		g, err := infer.Prepare(context.Background(), m.Graph, infer.Options{Batch: 4})
		if err != nil {
			t.Fatal(err)
		}
		infer.Fuse(g)
		p, err := newPlan(context.Background(), g, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		if err := p.run(ctx); err != nil { // scratch grows once
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { _ = p.run(ctx) }); n != 0 {
			t.Errorf("%s: %v allocations a run", file, n)
		}
	}
}
