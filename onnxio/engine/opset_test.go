package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

func intValue(name string, v ...int64) *onnxio.Value {
	return &onnxio.Value{Name: name, DType: onnxio.Int64, Const: onnxio.FromInt64(v, len(v))}
}

func floatValue(name string, shape []int, v ...float32) *onnxio.Value {
	return &onnxio.Value{Name: name, DType: onnxio.Float, Const: onnxio.FromFloat32(v, shape...)}
}

// notReal are the types of outputs that are not real, by operator and place.
var notReal = map[string]onnxio.DType{"TopK1": onnxio.Int64, "ArgMax0": onnxio.Int64, "ArgMin0": onnxio.Int64, "QuantizeLinear0": onnxio.Uint8}

// oneNode is a model of one node that reads x, of the given shape, and constants.
func oneNode(t *testing.T, op string, opset int, attrs onnxio.Attrs, shape []int, outputs int, more ...*onnxio.Value) *onnxio.Model {
	t.Helper()
	x := &onnxio.Value{Name: "x", DType: onnxio.Float, HasShape: true}
	for _, d := range shape {
		x.Dims = append(x.Dims, onnxio.Dim{Size: d})
	}
	n := &onnxio.Node{Name: "the node", Op: op, Opset: opset, Attrs: attrs, Inputs: append([]*onnxio.Value{x}, more...)}
	g := &onnxio.Graph{Name: "g", Inputs: []*onnxio.Value{x}, Nodes: []*onnxio.Node{n}}
	for k := range outputs {
		y := &onnxio.Value{Name: fmt.Sprint("y", k), DType: onnxio.Float}
		if d := notReal[fmt.Sprint(op, k)]; d != 0 {
			y.DType = d
		}
		n.Outputs = append(n.Outputs, y)
	}
	g.Outputs = n.Outputs
	m, err := onnxio.NewModel(g, "test")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// outputsOf runs a model on x of numbers between -2 and 2.
func outputsOf(t *testing.T, m *onnxio.Model, shape []int) [][]float64 {
	t.Helper()
	s, err := Open(context.Background(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(7, 7))
	x := make([]float32, onnxio.NumElements(shape))
	for i := range x {
		x[i] = 4*rng.Float32() - 2
	}
	out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(x, shape...)})
	if err != nil {
		t.Fatal(err)
	}
	all := numbersIn(t, out)
	for i, o := range out {
		all[i] = append(all[i], float64(len(o.Shape)))
	}
	return all
}

// numbersIn are the elements of tensors.
func numbersIn(t *testing.T, of []*onnxio.Tensor) [][]float64 {
	t.Helper()
	var all [][]float64
	for _, x := range of {
		f, err := x.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestConvertedNodesComputeTheSame takes a node of every form that changed to all opsets from lowest to highest, and back from there: each
// gives the same numbers, and one opset further is refused by the node's name.
func TestConvertedNodesComputeTheSame(t *testing.T) {
	type a = onnxio.Attrs
	img, mat, vec3 := []int{2, 4, 6, 6}, []int{3, 5}, []int{2, 3, 4}
	none := (*onnxio.Value)(nil)
	for _, c := range []struct {
		op              string
		opset           int
		attrs           a
		shape           []int
		outputs         int
		more            []*onnxio.Value
		lowest, highest int
	}{
		{"Squeeze", 11, a{"axes": []int64{-2}}, []int{3, 1, 2}, 1, nil, 7, opset.Max},
		{"Squeeze", 13, nil, []int{3, 1, 2}, 1, []*onnxio.Value{intValue("axes", 1)}, 7, opset.Max},
		{"Unsqueeze", 11, a{"axes": []int64{-1, 0}}, mat, 1, nil, 7, opset.Max},
		{"ReduceSum", 11, a{"axes": []int64{-1}, "keepdims": int64(0)}, vec3, 1, nil, 7, opset.Max},
		{"ReduceSum", 13, a{"noop_with_empty_axes": int64(1)}, vec3, 1, nil, 7, opset.Max},
		{"ReduceSum", 13, nil, vec3, 1, nil, 7, opset.Max},
		{"ReduceMean", 18, a{"keepdims": int64(0)}, vec3, 1, []*onnxio.Value{intValue("axes", -1, 1)}, 7, opset.Max},
		{"ReduceMax", 13, a{"axes": []int64{1}}, vec3, 1, nil, 7, opset.Max},
		{"Slice", 9, a{"starts": []int64{1}, "ends": []int64{9223372036854775807}, "axes": []int64{1}}, mat, 1, nil, 7, opset.Max},
		{"Slice", 13, nil, mat, 1, []*onnxio.Value{intValue("s", 0), intValue("e", -1), intValue("a", -1), intValue("st", 1)}, 7, opset.Max},
		{"Slice", 13, nil, mat, 1, []*onnxio.Value{intValue("s", 0), intValue("e", 5), intValue("a", 1), intValue("st", 2)}, 10, opset.Max},
		{"Clip", 6 + 1, a{"min": float32(-1), "max": float32(0.5)}, mat, 1, nil, 7, opset.Max},
		{"Clip", 12, nil, mat, 1, []*onnxio.Value{none, floatValue("top", nil, 0.25)}, 7, opset.Max},
		{"Pad", 7, a{"pads": []int64{0, 1, 2, 0}, "value": float32(3)}, mat, 1, nil, 7, opset.Max},
		{"Pad", 18, nil, img, 1, []*onnxio.Value{intValue("pads", 1, 0, 2, 1), none, intValue("axes", -1, 2)}, 7, opset.Max},
		{"Dropout", 7, a{"ratio": float32(0.25)}, mat, 1, nil, 7, opset.Max},
		{"Dropout", 13, a{"seed": int64(3)}, mat, 1, []*onnxio.Value{floatValue("ratio", nil, 0.25)}, 7, opset.Max},
		{"TopK", 7, a{"k": int64(2), "axis": int64(1)}, mat, 2, nil, 7, opset.Max},
		{"TopK", 11, a{"largest": int64(0)}, mat, 2, []*onnxio.Value{intValue("k", 2)}, 11, opset.Max},
		{"Upsample", 7, a{"scales": []float32{1, 1, 2, 3}}, img, 1, nil, 7, opset.Max},
		{"Upsample", 9, a{"mode": "linear"}, img, 1, []*onnxio.Value{floatValue("s", []int{4}, 1, 1, 1.5, 2)}, 7, opset.Max},
		{"Resize", 13, nil, img, 1, []*onnxio.Value{none, floatValue("s", []int{4}, 1, 1, 2, 2)}, 7, opset.Max},
		{"Resize", 13, a{"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, img, 1,
			[]*onnxio.Value{none, none, intValue("s", 2, 4, 12, 18)}, 7, opset.Max},
		{"Resize", 18, a{"axes": []int64{2, -1}, "mode": "linear"}, img, 1, []*onnxio.Value{none, none, intValue("s", 7, 9)}, 11, opset.Max},
		{"Resize", 18, a{"axes": []int64{3}, "mode": "linear", "coordinate_transformation_mode": "asymmetric"}, img, 1,
			[]*onnxio.Value{none, floatValue("s", []int{1}, 2)}, 7, opset.Max},
		{"BatchNormalization", 7, a{"spatial": int64(1)}, img, 1, []*onnxio.Value{floatValue("s", []int{4}, 1, 2, 3, 4),
			floatValue("b", []int{4}, 0, 1, 0, 1),
			floatValue("m", []int{4}, 1, 2, 3, 4), floatValue("v", []int{4}, 1, 2, 3, 4)}, 7, opset.Max},
		{"Split", 7, a{"axis": int64(1), "split": []int64{2, 3}}, mat, 2, nil, 7, opset.Max},
		{"Split", 13, a{"axis": int64(-1)}, []int{2, 6}, 3, nil, 7, opset.Max},
		{"Split", 18, a{"axis": int64(1), "num_outputs": int64(2)}, mat, 2, nil, 7, opset.Max},
		{"Softmax", 7, nil, vec3, 1, nil, 7, opset.Max},
		{"LogSoftmax", 11, a{"axis": int64(0)}, mat, 1, nil, 7, opset.Max},
		{"Softmax", 12, nil, []int{2, 5, 1, 1}, 1, nil, 7, opset.Max},
		{"Softmax", 13, nil, vec3, 1, nil, 7, opset.Max},
		{"Softmax", 13, a{"axis": int64(1)}, vec3, 1, nil, 7, opset.Max},
		{"LogSoftmax", 13, a{"axis": int64(-3)}, vec3, 1, nil, 7, opset.Max},
		{"Reshape", 14, a{"allowzero": int64(1)}, mat, 1, []*onnxio.Value{intValue("t", 5, -1)}, 7, opset.Max},
		{"Gemm", 11, nil, mat, 1, []*onnxio.Value{floatValue("w", []int{5, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)}, 7, opset.Max},
		{"Gemm", 7, nil, mat, 1, []*onnxio.Value{floatValue("w", []int{5, 1}, 1, 2, 3, 4, 5), floatValue("c", []int{1}, 2)}, 7, opset.Max},
		{"MaxPool", 12, a{"kernel_shape": []int64{2, 2}, "ceil_mode": int64(1)}, img, 1, nil, 10, opset.Max},
		{"MaxPool", 12, a{"kernel_shape": []int64{2, 2}, "dilations": []int64{1, 1}, "storage_order": int64(0)}, img, 1, nil, 7, opset.Max},
		{"MaxPool", 12, a{"kernel_shape": []int64{1, 1}, "strides": []int64{3, 3}, "ceil_mode": int64(1)}, img, 1, nil, 10, 21},
		{"AveragePool", 19, a{"kernel_shape": []int64{2, 2}, "dilations": []int64{2, 2}}, img, 1, nil, 19, opset.Max},
		{"Gather", 11, a{"axis": int64(-1)}, mat, 1, []*onnxio.Value{intValue("i", 0, 3)}, 7, opset.Max},
		{"Gather", 11, nil, mat, 1, []*onnxio.Value{intValue("i", -1)}, 11, opset.Max},
		{"Concat", 11, a{"axis": int64(-1)}, mat, 1, []*onnxio.Value{floatValue("c", []int{3, 1}, 1, 2, 3)}, 7, opset.Max},
		{"Flatten", 11, a{"axis": int64(-1)}, vec3, 1, nil, 7, opset.Max},
		{"ArgMax", 12, a{"axis": int64(1), "select_last_index": int64(0)}, mat, 1, nil, 7, opset.Max},
		{"ArgMax", 12, a{"axis": int64(1), "select_last_index": int64(1)}, mat, 1, nil, 12, opset.Max},
		{"Max", 8, nil, mat, 1, []*onnxio.Value{floatValue("c", []int{1}, 0.5)}, 8, opset.Max},
		{"Sum", 8, nil, []int{2}, 1, []*onnxio.Value{floatValue("c", []int{2}, 0.5, 1)}, 7, opset.Max},
		{"QuantizeLinear", 19, a{"saturate": int64(1), "axis": int64(1)}, mat, 1, []*onnxio.Value{floatValue("s", nil, 0.1)}, 10, opset.Max},
		{"QuantizeLinear", 13, a{"axis": int64(0)}, mat, 1, []*onnxio.Value{floatValue("s", []int{3}, 0.1, 0.2, 0.3)}, 13, opset.Max},
		{"SpaceToDepth", 28, a{"blocksize": int64(2), "mode": "CRD"}, img, 1, nil, 7, opset.Max},
		{"SpaceToDepth", 13, a{"blocksize": int64(3)}, img, 1, nil, 7, opset.Max},
		{"SwiGLU", 28, a{"alpha": float32(1.5)}, []int{5}, 1, []*onnxio.Value{floatValue("b", []int{5}, 1, -2, 3, 0.5, 0)}, 7, opset.Max},
		{"SwiGLU", 28, nil, []int{5}, 1, []*onnxio.Value{floatValue("b", []int{5}, 1, -2, 3, 0.5, 0)}, 7, opset.Max},
		{"Mod", 28, a{"fmod": int64(1)}, mat, 1, []*onnxio.Value{floatValue("b", []int{5}, 1, -2, 3, 0.5, 0.25)}, 10, opset.Max},
		{"Mod", 28, nil, mat, 1, []*onnxio.Value{floatValue("b", []int{5}, 1, -2, 3, 0.5, 0.25)}, 28, opset.Max},
		{"ReduceLogSumExp", 18, nil, mat, 1, []*onnxio.Value{intValue("axes", 1)}, 7, opset.Max},
	} {
		name := fmt.Sprint(c.op, " of opset ", c.opset, " ", c.attrs)
		m := oneNode(t, c.op, c.opset, c.attrs, c.shape, c.outputs, c.more...)
		want := outputsOf(t, m, c.shape)
		for to := c.lowest; to <= c.highest; to++ {
			there := converted(t, name, m, to, nil)
			if there == nil {
				continue
			}
			if got := outputsOf(t, there, c.shape); !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s for opset %d: %v, want %v", name, to, got, want)
			}
			if back := converted(t, name, there, c.highest, nil); back != nil {
				if got := outputsOf(t, back, c.shape); !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%s for opset %d and then %d: %v, want %v", name, to, c.highest, got, want)
				}
			}
		}
		for _, to := range []int{c.lowest - 1, c.highest + 1} {
			if to < 7 || to > opset.Max {
				continue
			}
			_, err := toOpset(m, to, nil)
			var e *opset.Error
			if !errors.As(err, &e) || e.Node != "the node" {
				t.Errorf("%s for opset %d: error %v, want one of the node", name, to, err)
			}
		}
	}
}

func toOpset(m *onnxio.Model, to int, shapes map[string][]int) ([]byte, error) {
	data, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	return opset.Convert(m, data, to, shapes)
}

func converted(t *testing.T, name string, m *onnxio.Model, to int, shapes map[string][]int) *onnxio.Model {
	t.Helper()
	data, err := toOpset(m, to, shapes)
	if err != nil {
		t.Errorf("%s for opset %d: %v", name, to, err)
		return nil
	}
	out, err := onnxio.Parse(data, "")
	if err != nil {
		t.Errorf("%s for opset %d, read again: %v", name, to, err)
		return nil
	}
	if out.Opsets[""] != to {
		t.Errorf("%s for opset %d is of opset %d", name, to, out.Opsets[""])
	}
	return out
}

// TestNetworksOfEveryOpset takes the networks of testdata to every opset that has a form of all their nodes.
func TestNetworksOfEveryOpset(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no networks")
	}
	lowest := map[string]int{"cifar-residual-dyn.onnx": 9} // has integers in Constant, and tells no shape beside its Reshape
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Fatal(err)
		}
		m, err := onnxio.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		shape := slices.Clone(s.Inputs()[0].Shape)
		s.Close()
		shape[0] = max(1, shape[0])
		want := outputsOf(t, m, shape)
		shapes := map[string][]int{} // of what Softmax reads, which the Keras networks do not declare
		ready, err := infer.Prepare(context.Background(), m.Graph, infer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range ready.Nodes {
			shapes[n.Outputs[0].Name] = n.Outputs[0].Shape
		}
		for to := max(7, lowest[filepath.Base(f)]); to <= opset.Max; to++ {
			if there := converted(t, f, m, to, shapes); there != nil {
				if got := outputsOf(t, there, shape); !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("%s for opset %d computes something else", f, to)
				}
			}
		}
		if low := lowest[filepath.Base(f)]; low > 0 {
			if _, err := toOpset(m, low-1, nil); err == nil || !strings.Contains(err.Error(), "node \"") {
				t.Errorf("%s for opset %d: error %v", f, low-1, err)
			}
		}
	}
}
