package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// exportOpset is what students are written in.
const exportOpset = 17

// Model writes a student as an ONNX model: input "input" [batch,C,H,W], output "logits" [batch,K], weights named as the parameters are.
func Model(a *Architecture, w *Weights, producer string) (*onnxio.Model, error) {
	g, err := graphOf(a, w, 0)
	if err != nil {
		return nil, err
	}
	return onnxio.NewModel(g, producer)
}

// graphOf writes the graph, with the batch bound where it is not 0.
func graphOf(a *Architecture, w *Weights, batch int) (*onnxio.Graph, error) {
	first := onnxio.Dim{Size: -1, Name: "batch"}
	if batch > 0 {
		first = onnxio.Dim{Size: batch}
	}
	dims := func(sizes ...int) []onnxio.Dim {
		out := []onnxio.Dim{first}
		for _, s := range sizes {
			out = append(out, onnxio.Dim{Size: s})
		}
		return out
	}
	x := &onnxio.Value{Name: "input", DType: onnxio.Float, HasShape: true, Dims: dims(a.Input[:]...)}
	g := &onnxio.Graph{Name: "student", Inputs: []*onnxio.Value{x}}
	ints := func(v ...int) []int64 {
		out := make([]int64, len(v))
		for i, s := range v {
			out[i] = int64(s)
		}
		return out
	}
	for i, s := range w.stages {
		in := []*onnxio.Value{x}
		for _, p := range s.Params {
			data, shape := w.ONNX(p)
			t := onnxio.FromFloat32(data, shape...)
			v := &onnxio.Value{Name: p.Name, DType: onnxio.Float, Const: t, Shape: shape, HasShape: true}
			for _, d := range shape {
				v.Dims = append(v.Dims, onnxio.Dim{Size: d})
			}
			in = append(in, v)
		}
		n := &onnxio.Node{Name: s.Name, Inputs: in, Opset: exportOpset, Attrs: onnxio.Attrs{}}
		window := func() {
			n.Attrs["kernel_shape"] = ints(s.Window[:]...)
			n.Attrs["strides"] = ints(s.Stride[:]...)
			n.Attrs["pads"] = ints(s.Pad[:]...)
		}
		switch s.Kind {
		case KindConv:
			n.Op = "Conv"
			window()
		case KindMaxPool:
			n.Op = "MaxPool"
			window()
		case KindAvgPool:
			n.Op = "AveragePool"
			window()
		case KindBatchNorm:
			n.Op = "BatchNormalization"
			n.Attrs["epsilon"] = float32(tape.BatchNormEps)
		case KindDropout: // nothing, once training is over
			continue
		case KindFlatten:
			n.Op = "Flatten"
			n.Attrs["axis"] = int64(1)
		case KindDense:
			n.Op = "Gemm"
			n.Attrs["transB"] = int64(1)
		case KindRelu:
			n.Op = "Relu"
		default:
			return nil, fmt.Errorf("stage %s: no ONNX operator for %s", s.Name, s.Kind)
		}
		out := s.Out
		if len(out) == 3 {
			out = []int{out[2], out[0], out[1]}
		}
		x = &onnxio.Value{Name: s.Name + ".out", DType: onnxio.Float, HasShape: true, Dims: dims(out...), Producer: n}
		if i == len(w.stages)-1 {
			x.Name = "logits"
		}
		n.Outputs = []*onnxio.Value{x}
		g.Nodes = append(g.Nodes, n)
	}
	g.Outputs = []*onnxio.Value{x}
	return g, nil
}
