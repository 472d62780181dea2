package infer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// sketch builds a small graph, node by node.
type sketch struct {
	g     *onnxio.Graph
	opset int
}

func newSketch() *sketch { return &sketch{g: &onnxio.Graph{Name: "sketch"}, opset: 13} }

// dims reads a declared shape: numbers are sizes, words are names, "?" is a size that the file does not tell.
func dims(sizes ...any) []onnxio.Dim {
	out := []onnxio.Dim{}
	for _, s := range sizes {
		switch s := s.(type) {
		case int:
			out = append(out, onnxio.Dim{Size: s})
		case string:
			if s == "?" {
				s = ""
			}
			out = append(out, onnxio.Dim{Size: -1, Name: s})
		}
	}
	return out
}

func (s *sketch) input(name string, sizes ...any) *onnxio.Value {
	v := &onnxio.Value{Name: name, DType: onnxio.Float, Dims: dims(sizes...), HasShape: true}
	s.g.Inputs = append(s.g.Inputs, v)
	return v
}

// node adds a node of one output, which is called as the node is.
func (s *sketch) node(op, name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return s.nodes(op, 1, name, attrs, in...)[0]
}

// nodes adds a node of several outputs.
func (s *sketch) nodes(op string, outputs int, name string, attrs onnxio.Attrs, in ...*onnxio.Value) []*onnxio.Value {
	n := &onnxio.Node{Name: name, Op: op, Inputs: in, Attrs: attrs, Opset: s.opset}
	for i := range outputs {
		v := &onnxio.Value{Name: name, Producer: n}
		if i > 0 {
			v.Name = fmt.Sprintf("%s.%d", name, i)
		}
		n.Outputs = append(n.Outputs, v)
	}
	s.g.Nodes = append(s.g.Nodes, n)
	return n.Outputs
}

// graph ends the sketch.
func (s *sketch) graph(outputs ...*onnxio.Value) *onnxio.Graph {
	s.g.Outputs = outputs
	return s.g
}

func constant(name string, t *onnxio.Tensor) *onnxio.Value {
	return &onnxio.Value{Name: name, DType: t.DType, Const: t}
}

func f32(name string, data []float32, shape ...int) *onnxio.Value {
	return constant(name, onnxio.FromFloat32(data, shape...))
}

// ramp is a constant of the numbers 1, 2, 3, ... over ten.
func ramp(name string, shape ...int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Float, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(i+1) / 10
	}
	return constant(name, t)
}

func i64(name string, data ...int64) *onnxio.Value {
	return constant(name, onnxio.FromInt64(data, len(data)))
}

// scalar is an int64 of rank 0.
func scalar(name string, v int64) *onnxio.Value {
	return constant(name, onnxio.FromInt64([]int64{v}))
}

func prepare(t *testing.T, g *onnxio.Graph, o Options) *onnxio.Graph {
	t.Helper()
	out, err := Prepare(context.Background(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// names lists the nodes that are there, in order.
func names(g *onnxio.Graph) string {
	var out []string
	for _, n := range g.Nodes {
		out = append(out, n.Name)
	}
	return strings.Join(out, " ")
}

// at runs a graph at one point: with its inputs constant, everything folds.
func at(t *testing.T, g *onnxio.Graph, points ...*onnxio.Tensor) [][]float64 {
	t.Helper()
	g = g.Clone()
	for i, p := range points {
		g.Inputs[i].Const = p
	}
	g = prepare(t, g, Options{})
	var out [][]float64
	for _, v := range g.Outputs {
		if v.Const == nil {
			t.Fatalf("output %q did not fold", v.Name)
		}
		f, err := v.Const.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// dump writes down everything a graph holds, data by their hash. Values are numbered, so that two that became one show.
func dump(g *onnxio.Graph) string {
	var b strings.Builder
	ids := map[*onnxio.Value]int{}
	value := func(v *onnxio.Value) {
		if v == nil {
			b.WriteString(" absent")
			return
		}
		id, ok := ids[v]
		if !ok {
			id = len(ids)
			ids[v] = id
		}
		fmt.Fprintf(&b, " #%d", id)
		if ok {
			return
		}
		fmt.Fprintf(&b, "{%q %v %v %v %#v", v.Name, v.DType, v.Dims, v.HasShape, v.Shape)
		if v.Producer != nil {
			fmt.Fprintf(&b, " of %s", v.Producer.Name)
		}
		if v.Const != nil {
			h := sha256.New()
			if binary.Write(h, binary.LittleEndian, v.Const.Data) != nil { // strings
				fmt.Fprint(h, v.Const.Data)
			}
			fmt.Fprintf(&b, " = %v %#v %x", v.Const.DType, v.Const.Shape, h.Sum(nil))
		}
		b.WriteString("}")
	}
	line := func(what string, vs []*onnxio.Value) {
		fmt.Fprintf(&b, "%s:", what)
		for _, v := range vs {
			value(v)
		}
		b.WriteString("\n")
	}
	line("inputs", g.Inputs)
	for _, n := range g.Nodes {
		var attrs []string
		for k, v := range n.Attrs {
			attrs = append(attrs, fmt.Sprintf("%s=%v", k, v))
		}
		slices.Sort(attrs)
		fmt.Fprintf(&b, "%s %s %s %d %v\n", n.Name, n.Domain, n.Op, n.Opset, attrs)
		line("  in", n.Inputs)
		line("  out", n.Outputs)
	}
	line("outputs", g.Outputs)
	return b.String()
}
