package infer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// wild makes a graph of any operators, attributes and constants out of bytes: what a hostile file can ask for.
type wild struct {
	bytes  []byte
	values []*onnxio.Value
}

// next takes a byte; 0 once there are none.
func (w *wild) next() int {
	if len(w.bytes) == 0 {
		return 0
	}
	b := w.bytes[0]
	w.bytes = w.bytes[1:]
	return int(b)
}

func pick[T any](w *wild, list []T) T { return list[w.next()%len(list)] }

// Sizes stay small, or are so large that nothing may be allocated for them.
var (
	wildInts   = []int64{0, 1, 2, 3, -1, 1, 2, 4, 5, 8, -2, -3, 1 << 31, 1 << 40, math.MaxInt64, math.MinInt64}
	wildSizes  = []int{1, 2, 3, 4, 1, 0, 5}
	wildFloats = []float32{0, 1, -1, 0.5, 3, -2, float32(math.Inf(1)), float32(math.NaN()), math.MaxFloat32}
	wildTypes  = []onnxio.DType{onnxio.Float, onnxio.Int64, onnxio.Double, onnxio.Float, onnxio.Bool, onnxio.Int32,
		onnxio.Uint8, onnxio.String, onnxio.Uint64}
	wildNames = []string{"axis", "axes", "kernel_shape", "pads", "strides", "dilations", "group", "perm", "to", "keepdims", "split", "num_outputs",
		"transA", "transB", "alpha", "beta", "epsilon", "allowzero", "ceil_mode", "auto_pad", "mode", "value", "value_int", "value_ints", "value_float",
		"output_padding", "output_shape", "count_include_pad", "storage_order", "starts", "ends", "start", "end", "min", "max", "ratio",
		"training_mode", "noop_with_empty_axes", "value_string", "batch_dims", "largest", "sorted", "exclusive", "reverse", "blocksize"}
	wildWords = []string{"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "constant", "reflect", "edge", "wrap", "linear", "nearest", ""}
)

func (w *wild) shape() []int {
	shape := make([]int, w.next()%5)
	for i := range shape {
		shape[i] = pick(w, wildSizes)
	}
	return shape
}

func (w *wild) tensor() *onnxio.Tensor {
	t := onnxio.NewTensor(pick(w, wildTypes), w.shape()...)
	for i := range min(t.Len(), 16) {
		switch d := t.Data.(type) {
		case []float32:
			d[i] = pick(w, wildFloats)
		case []float64:
			d[i] = float64(pick(w, wildFloats))
		case []int64:
			d[i] = pick(w, wildInts)
		case []int32:
			d[i] = int32(pick(w, wildInts))
		case []uint8:
			d[i] = uint8(w.next())
		case []uint64:
			d[i] = uint64(pick(w, wildInts))
		case []bool:
			d[i] = w.next()%2 == 1
		}
	}
	return t
}

func (w *wild) attribute() any {
	switch w.next() % 8 {
	case 0, 1, 2:
		return pick(w, wildInts)
	case 3, 4:
		list := make([]int64, w.next()%9)
		for i := range list {
			list[i] = pick(w, wildInts)
		}
		return list
	case 5:
		return pick(w, wildFloats)
	case 6:
		return pick(w, wildWords)
	}
	return w.tensor()
}

func (w *wild) input() *onnxio.Value {
	switch b := w.next() % 16; {
	case b == 0:
		return nil
	case b < 7:
		return constant(fmt.Sprintf("c%d", len(w.bytes)), w.tensor())
	}
	return pick(w, w.values)
}

func (w *wild) graph() *onnxio.Graph {
	x := &onnxio.Value{Name: "x", DType: pick(w, wildTypes), HasShape: true, Dims: []onnxio.Dim{{Size: -1, Name: "N"}}}
	for _, d := range w.shape() {
		x.Dims = append(x.Dims, onnxio.Dim{Size: d})
	}
	g := &onnxio.Graph{Inputs: []*onnxio.Value{x}}
	w.values = []*onnxio.Value{x}
	all := operators.All()
	for range 1 + w.next()%5 {
		d := pick(w, all)
		n := &onnxio.Node{Name: fmt.Sprintf("n%d", len(g.Nodes)), Op: d.Name, Domain: d.Domain, Opset: op.MinOpset + w.next()%(op.MaxOpset-op.MinOpset+1),
			Attrs: onnxio.Attrs{}}
		for range w.next() % 6 {
			n.Inputs = append(n.Inputs, w.input())
		}
		for range w.next() % 5 {
			n.Attrs[pick(w, wildNames)] = w.attribute()
		}
		for k := range 1 + max(0, w.next()%8-5) {
			y := &onnxio.Value{Name: fmt.Sprintf("%s.%d", n.Name, k), Producer: n}
			n.Outputs = append(n.Outputs, y)
			w.values = append(w.values, y)
		}
		g.Nodes = append(g.Nodes, n)
	}
	g.Outputs = []*onnxio.Value{w.values[len(w.values)-1], pick(w, w.values)}
	return g
}

// FuzzPrepare: a graph is prepared or refused, whatever is in it; nothing panics, and the model stays as it was.
func FuzzPrepare(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		seed := make([]byte, 20+rng.IntN(100))
		for i := range seed {
			seed[i] = byte(rng.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, d []byte) {
		w := &wild{bytes: d}
		g := w.graph()
		o := Options{Batch: 1 + w.next()%3, Float64: w.next()%2 == 1}
		before := dump(g)
		p, err := Prepare(context.Background(), g, o)
		if dump(g) != before {
			t.Error("the model changed")
		}
		if err != nil {
			return
		}
		Fuse(p)
		known := func(v *onnxio.Value) {
			if v.Shape == nil {
				t.Errorf("%s has no shape", v.Name)
			}
			if c := v.Const; c != nil && (!slices.Equal(c.Shape, v.Shape) || c.DType != v.DType) {
				t.Errorf("%s of type %v and shape %v is the constant of type %v and shape %v", v.Name, v.DType, v.Shape, c.DType, c.Shape)
			}
		}
		for _, n := range p.Nodes {
			for _, v := range n.Outputs {
				if v != nil {
					known(v)
				}
			}
		}
		for _, v := range p.Outputs {
			known(v)
		}
	})
}
