package student

import (
	"errors"

	"github.com/shallow-waters/shoal/onnxio"
)

// exportOpset is what students are written in.
const exportOpset = 17

// Model writes a student as an ONNX model: input "input" [batch,C,H,W], output "logits" [batch,K], weights named as the parameters are. A student of
// rows of numbers, images of one pixel that go into a dense layer at once, has the input [batch,C].
func Model(a *Architecture, w *Weights, producer string) (*onnxio.Model, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if w == nil {
		return nil, errors.New("there are no weights")
	}
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
	rows := a.rows(w.stages)
	if rows {
		x.Dims = dims(a.Input[0])
	}
	g := &onnxio.Graph{Name: "student", Inputs: []*onnxio.Value{x}}
	for i, s := range w.stages {
		export := s.faces().export
		if export == nil || rows && i == 0 {
			continue
		}
		op, attrs := export(s)
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
		n := &onnxio.Node{Name: s.Name, Op: op, Inputs: in, Opset: exportOpset, Attrs: attrs}
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

// rows tells whether a student takes rows of numbers: there is one pixel, and the first thing is to flatten it.
func (a *Architecture) rows(stages []Stage) bool {
	return a.Input[1] == 1 && a.Input[2] == 1 && len(stages) > 0 && stages[0].Kind == KindFlatten
}
