package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/engine"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// TestSubgraphsRunAsInOnnxruntime: Loop, Scan and If on data (testdata/generate/subgraphs.py) give onnxruntime's numbers, in both widths, and so does
// what simplify makes of them, which keeps the graphs of nodes as they are.
func TestSubgraphsRunAsInOnnxruntime(t *testing.T) {
	ctx := context.Background()
	for _, name := range []string{"loop", "loop-of-if", "scan", "scan8", "if"} {
		m, err := onnxio.Load(filepath.Join("testdata", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		ref, err := dataset.ReadNPZ(filepath.Join("testdata", name+".npz"))
		if err != nil {
			t.Fatal(err)
		}
		in, want := ref["inputs"], ref["outputs"]
		x := onnxio.FromFloat32(in.Float32s(), in.Shape...)
		y := onnxio.FromFloat32(want.Float32s(), want.Shape...)
		run := func(what string, m *onnxio.Model, o engine.Options) {
			s, err := engine.Open(ctx, m, o)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			defer s.Close()
			out, err := s.Run(ctx, []*onnxio.Tensor{x})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if out[0].DType == onnxio.Double {
				f, _ := out[0].Float64s()
				out[0] = onnxio.FromFloat32(make([]float32, len(f)), out[0].Shape...)
				for i, v := range f {
					out[0].F32()[i] = float32(v)
				}
			}
			if err := near(out[0], y); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		run(name, m, engine.Options{})
		run(name+" in float64", m, engine.Options{Float64: true})
		g, err := infer.Simplify(ctx, m.Graph, infer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		small := *m
		small.Graph = g
		data, err := small.Encode()
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(m.Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range innerConstants(m.Graph) {
			raw := make([]byte, 0, 4*len(c))
			for _, v := range c {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
			}
			if !bytes.Contains(file, raw) || !bytes.Contains(data, raw) {
				t.Errorf("%s: a constant of a graph of a node is not in the file as it was", name)
			}
		}
		again, err := onnxio.Parse(data, ".")
		if err != nil {
			t.Fatal(err)
		}
		run(name+" simplified", again, engine.Options{})
	}
}

// innerConstants are the real numbers that graphs of nodes bring.
func innerConstants(g *onnxio.Graph) [][]float32 {
	var out [][]float32
	for _, n := range g.Nodes {
		for _, a := range n.Attrs {
			sub, ok := a.(*onnxio.Graph)
			if !ok {
				continue
			}
			for _, m := range sub.Nodes {
				for _, v := range m.Inputs {
					if v != nil && v.Const != nil && v.Const.F32() != nil {
						out = append(out, v.Const.F32())
					}
				}
			}
			out = append(out, innerConstants(sub)...)
		}
	}
	return out
}
