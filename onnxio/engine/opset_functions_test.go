package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

// TestFunctionsAreWrittenOut takes operators that came as functions of others to every opset that has these, at which float64 finds the same
// numbers to its rounding (off is what rounded constants of the standard's own function cost besides), and, where onnxruntime is there, so does
// that in float32. Below the lowest the node is refused by name.
func TestFunctionsAreWrittenOut(t *testing.T) {
	mat, img := []int{3, 6}, []int{2, 4, 3, 2}
	type a = onnxio.Attrs
	two, four := []int{2}, []int{4}
	row, back := floatValue("s", []int{6}, 1, 2, 3, 4, 5, -1), floatValue("b", []int{6}, 6, 5, 4, 3, 2, 1)
	draw := func(name string, shape ...int) *onnxio.Value {
		v := make([]float32, onnxio.NumElements(shape))
		for i := range v {
			v[i] = float32(math.Sin(float64(i*i + len(name))))
		}
		return floatValue(name, shape, v...)
	}
	q, four4 := []int{2, 3, 8}, []int{2, 4, 3, 2}
	k, v := draw("k", 2, 4, 4), draw("v", 2, 4, 6)
	grouped := a{"q_num_heads": int64(4), "kv_num_heads": int64(2)}
	capped := a{"q_num_heads": int64(4), "kv_num_heads": int64(2), "softcap": float32(1.5), "scale": float32(0.7), "is_causal": int64(1)}
	far := draw("mask", 1, 1, 3, 4) // with a query that no key answers
	for i := range 4 {
		far.Const.F32()[i] = float32(math.Inf(-1))
	}
	truth := &onnxio.Value{Name: "mask", DType: onnxio.Bool, Const: &onnxio.Tensor{DType: onnxio.Bool, Shape: []int{3, 4},
		Data: []bool{true, false, true, true, false, false, false, false, false, true, false, true}}}
	places := &onnxio.Value{Name: "at", DType: onnxio.Int64, Const: onnxio.FromInt64([]int64{0, 1, 4, 2, 2, 3}, 2, 3)}
	for _, c := range []struct {
		op      string
		opset   int
		attrs   a
		shape   []int
		outputs int
		more    []*onnxio.Value
		lowest  int
		off     float64
	}{
		{"Gelu", 20, nil, mat, 1, nil, 9, 0},
		{"Gelu", 20, a{"approximate": "tanh"}, img, 1, nil, 7, 1e-7},
		{"Mish", 18, nil, mat, 1, nil, 7, 0},
		{"HardSwish", 14, nil, mat, 1, nil, 7, 0},
		{"Swish", 24, nil, mat, 1, nil, 7, 0},
		{"Swish", 24, a{"alpha": float32(1.7)}, mat, 1, nil, 7, 0},
		{"Celu", 12, nil, mat, 1, nil, 7, 0},
		{"Celu", 12, a{"alpha": float32(0.3)}, mat, 1, nil, 7, 0},
		{"LayerNormalization", 17, nil, mat, 1, []*onnxio.Value{row}, 7, 0},
		{"LayerNormalization", 17, a{"axis": int64(1), "epsilon": float32(0.1)}, mat, 3, []*onnxio.Value{row, back}, 7, 0},
		{"LayerNormalization", 17, a{"axis": int64(-2)}, img, 1, []*onnxio.Value{floatValue("s", []int{3, 2}, 1, 2, 3, 4, 5, 6)}, 7, 0},
		{"RMSNormalization", 23, a{"epsilon": float32(0.01)}, mat, 1, []*onnxio.Value{row}, 7, 0},
		{"GroupNormalization", 18, a{"num_groups": int64(2)}, img, 1, []*onnxio.Value{floatValue("s", two, 1, 2), floatValue("b", two, 3, 4)}, 7, 0},
		{"GroupNormalization", 21, a{"num_groups": int64(2)}, img, 1,
			[]*onnxio.Value{floatValue("s", four, 1, 1, 2, 2), floatValue("b", four, 3, 3, 4, 4)}, 7, 0},
		{"GroupNormalization", 21, a{"num_groups": int64(2), "epsilon": float32(0.5)}, img, 1,
			[]*onnxio.Value{floatValue("s", four, 1, 2, 3, 4), floatValue("b", four, 5, 6, 7, 8)}, 7, 0},
		{"Attention", 23, grouped, q, 1, []*onnxio.Value{k, v}, 8, 0},
		{"Attention", 24, capped, q, 1, []*onnxio.Value{k, v}, 9, 0},
		{"Attention", 23, grouped, q, 1, []*onnxio.Value{k, v, far}, 8, 0},
		{"Attention", 23, capped, q, 1, []*onnxio.Value{k, v, far}, 9, 0},
		{"Attention", 23, a{}, four4, 1, []*onnxio.Value{draw("k", 2, 4, 4, 2), draw("v", 2, 4, 4, 3), truth}, 9, 0},
		{"Attention", 24, a{}, four4, 1, []*onnxio.Value{draw("k", 2, 2, 4, 2), draw("v", 2, 2, 4, 3), draw("mask", 4, 3, 4)}, 8, 0},
		{"RotaryEmbedding", 23, a{"num_heads": int64(2)}, q, 1, []*onnxio.Value{draw("cos", 5, 2), draw("sin", 5, 2), places}, 7, 0},
		{"RotaryEmbedding", 23, a{"num_heads": int64(2), "interleaved": int64(1)}, q, 1,
			[]*onnxio.Value{draw("cos", 2, 3, 2), draw("sin", 2, 3, 2)}, 10, 0},
		{"RotaryEmbedding", 23, a{"rotary_embedding_dim": int64(4)}, []int{2, 2, 3, 6}, 1,
			[]*onnxio.Value{draw("cos", 5, 2), draw("sin", 5, 2), places}, 7, 0},
		{"GreaterOrEqual", 16, nil, mat, 1, []*onnxio.Value{row}, 11, 0},
		{"LessOrEqual", 12, nil, mat, 1, []*onnxio.Value{row}, 11, 0},
		{"CastLike", 19, nil, mat, 1, []*onnxio.Value{intValue("like", 1)}, 7, 0},
	} {
		name := fmt.Sprint(c.op, " of opset ", c.opset, " ", c.attrs)
		m := oneNode(t, c.op, c.opset, c.attrs, c.shape, c.outputs, c.more...)
		if c.op == "CastLike" || c.op == "GreaterOrEqual" || c.op == "LessOrEqual" { // which oneNode declares as float32
			m = retyped(t, m, map[string]onnxio.DType{"CastLike": onnxio.Int64}[c.op])
		}
		want := numbersOf(t, m, c.shape, Options{Float64: true})
		for to := c.lowest; to < c.opset; to++ {
			there := converted(t, name, m, to, nil)
			if there == nil {
				continue
			}
			what := fmt.Sprintf("%s for opset %d", name, to)
			closeBy(t, what, numbersOf(t, there, c.shape, Options{Float64: true}), want, 1e-13+c.off)
			if lib := os.Getenv("SHOAL_ONNXRUNTIME"); lib != "" && !(c.op == "CastLike" && to < 9) {
				closeBy(t, what+" on onnxruntime", numbersOf(t, there, c.shape, Options{Engine: "ort:cpu", Library: lib, Threads: 1}), want, 2e-6)
			}
		}
		if c.lowest > 7 {
			var e *opset.Error
			if _, err := toOpset(m, c.lowest-1, nil); !errors.As(err, &e) {
				t.Errorf("%s for opset %d: error %v, want one of the node", name, c.lowest-1, err)
			}
		}
	}
}

// TestFunctionsThatStay: what an older form cannot say is refused.
func TestFunctionsThatStay(t *testing.T) {
	row := floatValue("s", []int{6}, 1, 2, 3, 4, 5, -1)
	for _, c := range []struct {
		op    string
		opset int
		attrs onnxio.Attrs
		more  []*onnxio.Value
		to    int
	}{
		{"Celu", 12, onnxio.Attrs{"alpha": float32(-1)}, nil, 11},
		{"LayerNormalization", 17, onnxio.Attrs{"stash_type": int64(10)}, []*onnxio.Value{row}, 16},
		{"LayerNormalization", 17, onnxio.Attrs{"axis": int64(2)}, []*onnxio.Value{row}, 16},
		{"Attention", 23, nil, []*onnxio.Value{row, row}, 22}, // of two axes
		{"RotaryEmbedding", 23, nil, []*onnxio.Value{row, row}, 22},
		{"RMSNormalization", 23, nil, []*onnxio.Value{intValue("s", 1, 2, 3, 4, 5, 6)}, 22},
	} {
		m := oneNode(t, c.op, c.opset, c.attrs, []int{3, 6}, 1, c.more...)
		var e *opset.Error
		if _, err := toOpset(m, c.to, nil); !errors.As(err, &e) || e.Node != "the node" {
			t.Errorf("%s %v: error %v", c.op, c.attrs, err)
		}
	}
}

// retyped declares the outputs of a model of another type; bool for none.
func retyped(t *testing.T, m *onnxio.Model, d onnxio.DType) *onnxio.Model {
	t.Helper()
	if d == 0 {
		d = onnxio.Bool
	}
	for _, v := range m.Graph.Outputs {
		v.DType = d
	}
	out, err := onnxio.NewModel(m.Graph, "test")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// numbersOf runs a model on x of numbers between -4 and 4, which pass where Gelu and HardSwish bend.
func numbersOf(t *testing.T, m *onnxio.Model, shape []int, o Options) [][]float64 {
	t.Helper()
	s, err := Open(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(3, 9))
	x := make([]float32, onnxio.NumElements(shape))
	for i := range x {
		x[i] = 8*rng.Float32() - 4
	}
	x[1] = 3
	out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
	if err != nil {
		t.Fatal(err)
	}
	return numbersIn(t, out)
}

func closeBy(t *testing.T, what string, got, want [][]float64, tolerance float64) {
	t.Helper()
	same := slices.EqualFunc(got, want, func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= tolerance*max(1, math.Abs(y)) })
	})
	if !same {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
