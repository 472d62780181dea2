package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
	"github.com/shallow-waters/shoal/onnxio/opset"
)

// older is a file of one node in the form of an opset before 7: inputs x of a shape (nil for one that is not declared) and constants.
type older struct {
	op     string
	opset  int64
	attrs  []*pb.AttributeProto
	shape  []int64
	consts []*pb.TensorProto
	out    int64 // type of the output
}

func said(name string, v any) *pb.AttributeProto {
	a := &pb.AttributeProto{Name: proto.String(name)}
	switch v := v.(type) {
	case int:
		a.I, a.Type = proto.Int64(int64(v)), proto.Int32(pb.AttrInt)
	case float64:
		a.F, a.Type = proto.Float32(float32(v)), proto.Int32(pb.AttrFloat)
	case string:
		a.S, a.Type = []byte(v), proto.Int32(pb.AttrString)
	case []int64:
		a.Ints, a.Type = v, proto.Int32(pb.AttrInts)
	}
	return a
}

func numbers(name string, dims []int64, v ...float32) *pb.TensorProto {
	return &pb.TensorProto{Name: proto.String(name), Dims: dims, DataType: proto.Int32(1), FloatData: v}
}

func wholes(name string, v ...int64) *pb.TensorProto {
	return &pb.TensorProto{Name: proto.String(name), Dims: []int64{int64(len(v))}, DataType: proto.Int32(7), Int64Data: v}
}

func port(name string, kind int64, shape []int64) *pb.ValueInfoProto {
	t := &pb.TypeProto_TensorType{ElemType: proto.Int32(int32(kind))}
	if shape != nil {
		t.Shape = &pb.TensorShapeProto{}
		for _, d := range shape {
			t.Shape.Dim = append(t.Shape.Dim, &pb.TensorShapeProto_Dimension{DimValue: proto.Int64(d)})
		}
	}
	return &pb.ValueInfoProto{Name: proto.String(name), Type: &pb.TypeProto{TensorType: t}}
}

// bytes are the file's: x goes through an Identity first where inside is set, so that its rank has to be found.
func (o older) bytes(t *testing.T, inside bool) []byte {
	t.Helper()
	x := "x"
	g := &pb.GraphProto{Name: proto.String("g"), Input: []*pb.ValueInfoProto{port("x", 1, o.shape)}}
	if inside {
		x = "inner"
		g.Node = append(g.Node, &pb.NodeProto{OpType: proto.String("Identity"), Input: []string{"x"}, Output: []string{x}})
	}
	n := &pb.NodeProto{OpType: proto.String(o.op), Name: proto.String("the node"), Input: []string{x}, Output: []string{"y"}, Attribute: o.attrs}
	for _, c := range o.consts {
		n.Input = append(n.Input, c.GetName())
		g.Initializer = append(g.Initializer, c)
		g.Input = append(g.Input, port(c.GetName(), int64(c.GetDataType()), c.Dims))
	}
	g.Node = append(g.Node, n)
	g.Output = []*pb.ValueInfoProto{port("y", max(1, o.out), nil)}
	imports := []*pb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(o.opset)}}
	m := &pb.ModelProto{IrVersion: proto.Int64(3), Graph: g, OpsetImport: imports}
	if o.opset == 1 { // the first files named no opset
		m.IrVersion, m.OpsetImport = proto.Int64(2), nil
	}
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// ramp are the numbers -2, -1.75, ...
func ramp(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)/4 - 2
	}
	return out
}

// TestOlderForms runs a node of every form before opset 7 that opset 7 says otherwise, in the Go engine and, where it is there, in onnxruntime, at
// the file's opset and converted to 13, against what the standard of that opset says in plain loops.
func TestOlderForms(t *testing.T) {
	img := []int64{2, 3, 2, 2} // index n*12 + c*4 + h*2 + w
	list := []int64{3}
	at := func(i int) int { return i / 4 % 3 }
	of := func(f func(i int, x float64) float64) []float64 {
		out := ramp(24)
		for i, x := range out {
			out[i] = f(i, x)
		}
		return out
	}
	c := []float64{2, 3, 5}
	three := numbers("c", list, 2, 3, 5)
	on := func(axis int) []*pb.AttributeProto {
		return []*pb.AttributeProto{said("broadcast", 1), said("axis", axis)}
	}
	used := said("consumed_inputs", []int64{0, 0})
	for _, o := range []struct {
		older
		want []float64
	}{
		{older{"Add", 6, on(1), img, []*pb.TensorProto{three}, 0}, of(func(i int, x float64) float64 { return x + c[at(i)] })},
		{older{"Add", 1, append(on(1), used), img, []*pb.TensorProto{three}, 0}, of(func(i int, x float64) float64 { return x + c[at(i)] })},
		{older{"Sub", 6, on(-3), img, []*pb.TensorProto{three}, 0}, of(func(i int, x float64) float64 { return x - c[at(i)] })},
		{older{"Mul", 3, on(1), img, []*pb.TensorProto{numbers("c", []int64{3, 2}, 1, 2, 3, 4, 5, 6)}, 0},
			of(func(i int, x float64) float64 { return x * float64(i/2%6+1) })},
		{older{"Div", 6, on(0), img, []*pb.TensorProto{numbers("c", []int64{2}, 1, 4)}, 0},
			of(func(i int, x float64) float64 { return x / []float64{1, 4}[i/12] })},
		{older{"Div", 6, []*pb.AttributeProto{said("broadcast", 1)}, img, []*pb.TensorProto{numbers("c", []int64{2}, 1, 4)}, 0},
			of(func(i int, x float64) float64 { return x / []float64{1, 4}[i%2] })},
		{older{"Pow", 6, on(1), img, []*pb.TensorProto{three}, 0}, of(func(i int, x float64) float64 { return math.Pow(x, c[at(i)]) })},
		{older{"Add", 6, on(1), img, []*pb.TensorProto{numbers("c", nil, 7)}, 0}, of(func(_ int, x float64) float64 { return x + 7 })},
		{older{"Greater", 1, on(1), img, []*pb.TensorProto{numbers("c", list, 0, 1, 2)}, 9}, of(func(i int, x float64) float64 {
			if x > float64(at(i)) {
				return 1
			}
			return 0
		})},
		{older{"PRelu", 6, nil, img, []*pb.TensorProto{three}, 0}, of(func(i int, x float64) float64 {
			if x < 0 {
				return c[at(i)] * x
			}
			return x
		})},
		{older{"PRelu", 1, []*pb.AttributeProto{used}, img, []*pb.TensorProto{numbers("c", []int64{1}, 0.5)}, 0},
			of(func(_ int, x float64) float64 { return max(x, 0) + 0.5*min(x, 0) })},
		{older{"Relu", 1, []*pb.AttributeProto{used}, img, nil, 0}, of(func(_ int, x float64) float64 { return max(x, 0) })},
		{older{"Dropout", 6, []*pb.AttributeProto{said("is_test", 1), said("ratio", 0.25)}, img, nil, 0}, ramp(24)},
		{older{"BatchNormalization", 5, []*pb.AttributeProto{said("is_test", 1), said("epsilon", 0.0), used}, img, []*pb.TensorProto{three,
			numbers("b", list, 1, 1, 2), numbers("m", list, 0, 1, 0), numbers("v", list, 1, 4, 16)}, 0},
			of(func(i int, x float64) float64 {
				k := at(i)
				return (x-[]float64{0, 1, 0}[k])/[]float64{1, 2, 4}[k]*c[k] + []float64{1, 1, 2}[k]
			})},
		{older{"Cast", 5, []*pb.AttributeProto{said("to", "INT32")}, img, nil, 6}, of(func(_ int, x float64) float64 { return math.Trunc(x) })},
		{older{"Concat", 3, nil, img, []*pb.TensorProto{numbers("c", []int64{2, 1, 2, 2}, 9, 9, 9, 9, 8, 8, 8, 8)}, 0},
			append(append(append(append([]float64{}, ramp(12)...), 9, 9, 9, 9), ramp(24)[12:]...), 8, 8, 8, 8)},
		{older{"Gemm", 6, []*pb.AttributeProto{said("broadcast", 1)}, []int64{2, 2}, []*pb.TensorProto{numbers("w", []int64{2, 2}, 1, 2, 3, 4),
			numbers("c", []int64{2}, 10, 20)}, 0}, []float64{-2 - 1.75*3 + 10, -2*2 - 1.75*4 + 20, -1.5 - 1.25*3 + 10, -1.5*2 - 1.25*4 + 20}},
		{older{"GlobalLpPool", 1, []*pb.AttributeProto{said("p", 1.0)}, []int64{1, 1, 2, 2}, nil, 0}, []float64{2 + 1.75 + 1.5 + 1.25}},
		{older{"Pad", 1, []*pb.AttributeProto{said("paddings", []int64{0, 1, 0, 0}), said("value", 3.0)}, []int64{1, 2}, nil, 0},
			[]float64{3, -2, -1.75}},
		{older{"Reshape", 4, []*pb.AttributeProto{said("shape", []int64{0, -1})}, img, nil, 0}, ramp(24)},
		{older{"Selu", 1, nil, []int64{2}, nil, 0}, []float64{1.0507 * 1.6732 * (math.Exp(-2) - 1), 1.0507 * 1.6732 * (math.Exp(-1.75) - 1)}},
		{older{"Split", 1, []*pb.AttributeProto{said("axis", 0)}, []int64{4}, []*pb.TensorProto{wholes("s", 4)}, 0}, ramp(4)},
		{older{"Tile", 1, nil, []int64{1, 2}, []*pb.TensorProto{wholes("t", 2), wholes("a", 1)}, 0}, []float64{-2, -1.75, -2, -1.75}},
		{older{"Upsample", 1, []*pb.AttributeProto{said("height_scale", 1.0), said("width_scale", 2.0)}, []int64{1, 1, 1, 2}, nil, 0},
			[]float64{-2, -2, -1.75, -1.75}},
	} {
		for _, inside := range []bool{false, true} {
			name := fmt.Sprint(o.op, " of opset ", o.opset, " inside ", inside)
			data := o.bytes(t, inside)
			m, err := onnxio.Parse(data, "")
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if same, err := m.Encode(); err != nil || !bytes.Equal(same, data) {
				t.Errorf("%s: unchanged, it is written otherwise (%v)", name, err)
			}
			runs := map[string]*onnxio.Model{"": m}
			if up, err := opset.Convert(m, data, 13, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if runs[" in opset 13"], err = onnxio.Parse(up, ""); err != nil {
				t.Errorf("%s in opset 13: %v", name, err)
			}
			for what, m := range runs {
				if m == nil {
					continue
				}
				closeBy(t, name+what, onRamp(t, m, o.shape, Options{Float64: true}), [][]float64{o.want}, 1e-6)
				if lib := os.Getenv("SHOAL_ONNXRUNTIME"); lib != "" {
					closeBy(t, name+what+" on onnxruntime", onRamp(t, m, o.shape, Options{Engine: "ort:cpu", Library: lib}), [][]float64{o.want}, 1e-5)
				}
			}
		}
	}
}

func onRamp(t *testing.T, m *onnxio.Model, shape []int64, o Options) [][]float64 {
	t.Helper()
	s, err := Open(context.Background(), m, o)
	if err != nil {
		t.Errorf("%v", err)
		return nil
	}
	defer s.Close()
	sizes := make([]int, len(shape))
	for i, d := range shape {
		sizes[i] = int(d)
	}
	x := make([]float32, onnxio.NumElements(sizes))
	for i, v := range ramp(len(x)) {
		x[i] = float32(v)
	}
	out, err := s.Run(context.Background(), []*onnxio.Tensor{onnxio.FromFloat32(x, sizes...)})
	if err != nil {
		t.Errorf("%v", err)
		return nil
	}
	return numbersIn(t, out)
}

// TestOlderFormsThatStay: what opset 7 cannot say, or what the file does not tell, is refused by name where it is needed, and read past where it
// is not.
func TestOlderFormsThatStay(t *testing.T) {
	img := []int64{2, 3, 2, 2}
	list := []int64{3}
	three := func(name string) *pb.TensorProto { return numbers(name, list, 2, 3, 5) }
	for _, o := range []struct {
		older
		why string
	}{
		{older{"Dropout", 6, nil, img, nil, 0}, "training"},
		{older{"BatchNormalization", 6, nil, img, []*pb.TensorProto{three("a"), three("b"), three("m"), three("v")}, 0}, "training"},
		{older{"Add", 6, []*pb.AttributeProto{said("broadcast", 1), said("axis", 2)}, []int64{3}, []*pb.TensorProto{three("c")}, 0}, "its axis is 2"},
		{older{"Add", 6, []*pb.AttributeProto{said("broadcast", 1), said("axis", 1)}, nil, []*pb.TensorProto{three("c")}, 0}, "is not known"},
		{older{"PRelu", 6, nil, nil, []*pb.TensorProto{three("c")}, 0}, "is not known"},
		{older{"Cast", 5, []*pb.AttributeProto{said("to", "HALF")}, img, nil, 0}, "HALF"},
		{older{"GlobalLpPool", 1, []*pb.AttributeProto{said("p", 1.5)}, img, nil, 0}, "whole numbers"},
		{older{"Split", 1, nil, img, nil, 0}, "no axis"},
		{older{"Reshape", 3, nil, img, nil, 0}, "no shape"},
	} {
		data := o.bytes(t, false)
		m, err := onnxio.Parse(data, "")
		if err != nil {
			t.Errorf("%s: %v", o.op, err)
			continue
		}
		var u *onnxio.UnsupportedError
		named := func(err error) bool {
			return errors.As(err, &u) && u.Node == "the node" && strings.Contains(err.Error(), o.why)
		}
		if _, err := Open(context.Background(), m, Options{Engine: "go"}); !named(err) && o.shape != nil {
			t.Errorf("%s: opened with error %v", o.op, err)
		}
		if n := m.Graph.Nodes[0]; n.Opset != int(o.opset) || !strings.Contains(n.Unraised, o.why) {
			t.Errorf("%s: read as opset %d: %q", o.op, n.Opset, n.Unraised)
		}
		if _, err := onnxio.Raise(data); !named(err) {
			t.Errorf("%s: raised with error %v", o.op, err)
		}
		file := &pb.ModelProto{}
		if err := proto.Unmarshal(data, file); err != nil {
			t.Fatal(err)
		}
		if o.shape == nil {
			continue
		}
		file.Graph.Node = append(file.Graph.Node, &pb.NodeProto{OpType: proto.String("Relu"), Input: []string{"x"}, Output: []string{"z"}})
		file.Graph.Output = []*pb.ValueInfoProto{port("z", 1, nil)}
		if data, err = proto.Marshal(file); err != nil {
			t.Fatal(err)
		}
		if m, err = onnxio.Parse(data, ""); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(context.Background(), m, Options{Engine: "go"}); err != nil {
			t.Errorf("%s, which nothing needs: %v", o.op, err)
		} else {
			s.Close()
		}
	}
}

// TestOlderFileThatChanges is written for opset 7.
func TestOlderFileThatChanges(t *testing.T) {
	o := older{"Add", 2, []*pb.AttributeProto{said("broadcast", 1), said("axis", 1)}, []int64{2, 3, 2},
		[]*pb.TensorProto{numbers("c", []int64{3}, 1, 2, 3)}, 0}
	m, err := onnxio.Parse(o.bytes(t, true), "")
	if err != nil {
		t.Fatal(err)
	}
	want := onRamp(t, m, o.shape, Options{})
	m.Graph.Nodes[0].Op = "Abs"
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	now, err := onnxio.Parse(data, "")
	if err != nil {
		t.Fatal(err)
	}
	if now.Opsets[""] != 7 || now.IR != 3 {
		t.Errorf("opset %d, IR %d", now.Opsets[""], now.IR)
	}
	for i, x := range ramp(12) {
		want[0][i] += math.Abs(x) - x
	}
	closeBy(t, "changed", onRamp(t, now, o.shape, Options{}), want, 1e-6)
}
