package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// mixer draws layers of any operator. It knows the shape of every value as it goes, from the operators' own Shape faces, so that a layer
// can choose axes, windows and constants that fit.
type mixer struct {
	*builder
	opset int
	bare  bool // what has a shape is an input of the graph, and no dense layer's output
}

// width is the most elements that a layer may be given: beyond it a network costs more than it tells.
const width = 48

// add appends a node with any number of outputs, of which it returns the first.
func (m *mixer) add(name string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return m.outputs(name, 1, attrs, in...)[0]
}

func (m *mixer) outputs(name string, count int, attrs onnxio.Attrs, in ...*onnxio.Value) []*onnxio.Value {
	return m.ofDomain("", name, count, attrs, in...)
}

// versionsOf are the versions of other domains that nodes are of.
var versionsOf = map[string]int{"com.microsoft": 1, "ai.onnx.ml": 5}

func (m *mixer) ofDomain(domain, name string, count int, attrs onnxio.Attrs, in ...*onnxio.Value) []*onnxio.Value {
	out := m.node(name, attrs, in...)
	n := out.Producer
	n.Domain, n.Opset = domain, m.opset
	if domain != "" {
		n.Opset = versionsOf[domain]
	}
	for range count - 1 {
		m.n++
		n.Outputs = append(n.Outputs, &onnxio.Value{Name: fmt.Sprintf("v%d", m.n), Producer: n})
	}
	def, err := operators.Lookup(n)
	var types []op.Type
	if err == nil && def.Apart(n) {
		types, err = operators.Table().PartTypes(context.Background(), def, n, m.opset)
	} else if err == nil {
		types, err = def.Shape(n)
	}
	if err != nil {
		panic(fmt.Sprintf("%s at opset %d: %v", name, m.opset, err)) // the layer is written wrongly
	}
	for i, t := range types {
		if i < len(n.Outputs) {
			n.Outputs[i].DType, n.Outputs[i].Shape = t.DType, t.Shape
		}
	}
	return n.Outputs
}

func (m *mixer) constant(t *onnxio.Tensor) *onnxio.Value {
	m.n++
	return &onnxio.Value{Name: fmt.Sprintf("w%d", m.n), DType: t.DType, Shape: slices.Clone(t.Shape), Const: t}
}

func (m *mixer) floats(scale float64, shape ...int) *onnxio.Value {
	return m.constant(m.weights(scale, shape...).Const)
}

func (m *mixer) scalar(f float32) *onnxio.Value { return m.constant(onnxio.FromFloat32([]float32{f})) }

func (m *mixer) ints(v ...int64) *onnxio.Value { return m.constant(onnxio.FromInt64(v, len(v))) }

// int8s are small numbers of 8 bits.
func (m *mixer) int8s(shape ...int) *onnxio.Value {
	t := onnxio.NewTensor(onnxio.Int8, shape...)
	for i := range t.Data.([]int8) {
		t.Data.([]int8)[i] = int8(m.rng.IntN(9) - 4)
	}
	return m.constant(t)
}

// number is a random float32 between lo and hi, for attributes.
func (m *mixer) number(lo, hi float64) float32 { return float32(lo + (hi-lo)*m.rng.Float64()) }

func (m *mixer) coin() bool { return m.rng.IntN(2) == 0 }

// pick is an axis of x, of the last two where x is large; sometimes counted from the end.
func (m *mixer) pick(x *onnxio.Value) int64 {
	a := m.rng.IntN(len(x.Shape)-1) + 1
	if m.coin() {
		a -= len(x.Shape)
	}
	return int64(a)
}

// from11 is pick for operators that read negative axes from opset 11 on.
func (m *mixer) from11(x *onnxio.Value) int64 {
	a := m.pick(x)
	if a < 0 && m.opset < 11 {
		a += int64(len(x.Shape))
	}
	return a
}

func at(x *onnxio.Value, axis int64) int {
	if axis < 0 {
		axis += int64(len(x.Shape))
	}
	return x.Shape[axis]
}

// float makes numbers of other types floats, as layers want them.
func (m *mixer) float(x *onnxio.Value) *onnxio.Value {
	if x.DType == onnxio.Float {
		return x
	}
	return m.add("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, x)
}

func (m *mixer) flat(x *onnxio.Value) *onnxio.Value {
	return m.add("Reshape", nil, x, m.ints(1, int64(onnxio.NumElements(x.Shape))))
}

// gemm is a dense layer to n neurons.
func (m *mixer) gemm(x *onnxio.Value, n int) *onnxio.Value {
	x = m.flat(x)
	k := x.Shape[1]
	return m.add("Gemm", onnxio.Attrs{"transB": int64(1)}, x, m.floats(1.2/float64(1+k/3), n, k), m.floats(0.3, n))
}

// image is x as an image of some channels, by a dense layer where x is none.
func (m *mixer) image(x *onnxio.Value) *onnxio.Value {
	if m.bare {
		return m.picture()
	}
	if len(x.Shape) == 4 && x.Shape[0] == 1 && x.Shape[2] >= 2 && x.Shape[3] >= 2 && onnxio.NumElements(x.Shape) <= width {
		return x
	}
	c := 2 << m.rng.IntN(2)
	return m.add("Reshape", nil, m.gemm(x, c*6), m.ints(1, int64(c), 2, 3))
}

// plain is x where layers can read it: a batch of 1, one to three more axes, and few elements. Else a dense layer makes it so.
func (m *mixer) plain(x *onnxio.Value) *onnxio.Value {
	if len(x.Shape) < 2 || x.Shape[0] != 1 || len(x.Shape) > 4 || onnxio.NumElements(x.Shape) > width || onnxio.NumElements(x.Shape) < 2 {
		return m.gemm(x, 3+m.rng.IntN(6))
	}
	return x
}

// tame brings x into [-1, 1], for operators that grow fast or are defined on a part of the line.
func (m *mixer) tame(x *onnxio.Value) *onnxio.Value {
	if m.coin() {
		return m.add("Tanh", nil, x)
	}
	return m.add("Softsign", nil, x)
}

// positive brings x above 0.2.
func (m *mixer) positive(x *onnxio.Value) *onnxio.Value {
	switch m.rng.IntN(3) {
	case 0:
		return m.add("Add", nil, m.add("Sigmoid", nil, x), m.scalar(0.25))
	case 1:
		return m.add("Exp", nil, m.tame(x))
	}
	return m.add("Add", nil, m.add("Abs", nil, x), m.scalar(0.3))
}

// other is a second variable of x's shape.
func (m *mixer) other(x *onnxio.Value) *onnxio.Value {
	switch m.rng.IntN(3) {
	case 0:
		return m.add("Relu", nil, x)
	case 1:
		return m.add("Add", nil, m.add("Mul", nil, x, m.floats(1, x.Shape...)), m.floats(1, x.Shape...))
	}
	n := onnxio.NumElements(x.Shape)
	shape := make([]int64, len(x.Shape))
	for i, d := range x.Shape {
		shape[i] = int64(d)
	}
	return m.add("Reshape", nil, m.gemm(x, n), m.ints(shape...))
}

// over is a node whose axes are an attribute before opset since, and an input from there on.
func (m *mixer) over(name string, since int, x *onnxio.Value, attrs onnxio.Attrs, axes ...int64) *onnxio.Value {
	if m.opset < 11 {
		for i, a := range axes {
			if a < 0 {
				axes[i] = a + int64(len(x.Shape))
			}
		}
	}
	if m.opset < since {
		if attrs == nil {
			attrs = onnxio.Attrs{}
		}
		attrs["axes"] = axes
		return m.add(name, attrs, x)
	}
	return m.add(name, attrs, x, m.ints(axes...))
}

// mixedNet draws a network with the two named layers, among ordinary ones. It reads everything from rng.
func mixedNet(rng *rand.Rand, named []layer) (*onnxio.Graph, int, int) {
	shape := [][]int{{1, 4}, {1, 6}, {1, 3, 3}, {1, 2, 2, 3}, {1, 2, 3, 3}}[rng.IntN(5)]
	b, x := newBuilder(rng, shape...)
	x.Shape = shape
	m := &mixer{builder: b, opset: []int{9, 11, 12, 13, 17, 18, 20, 21, 24}[rng.IntN(9)]}
	for _, l := range named {
		m.opset = max(m.opset, l.since)
	}
	y := x
	ordinary := func() {
		switch rng.IntN(6) {
		case 0:
			i := m.image(y)
			c := 1 + rng.IntN(3)
			y = m.add("Conv", onnxio.Attrs{"kernel_shape": []int64{2, 2}, "pads": []int64{0, 1, 1, 0}}, i,
				m.floats(0.6, c, i.Shape[1], 2, 2), m.floats(0.3, c))
		case 1:
			y = m.gemm(y, 2+rng.IntN(8))
		case 2:
			y = m.add("Relu", nil, y)
		case 3:
			p := m.plain(y)
			y = m.add("Add", nil, p, m.other(p))
		case 4:
			p := m.plain(y)
			variance := m.floats(1, p.Shape[1])
			for i, v := range variance.Const.F32() {
				variance.Const.F32()[i] = v*v + 0.5
			}
			y = m.add("BatchNormalization", nil, p, m.floats(1, p.Shape[1]), m.floats(0.3, p.Shape[1]), m.floats(0.3, p.Shape[1]), variance)
		}
	}
	for i, l := range named {
		if i > 0 || rng.IntN(4) > 0 {
			ordinary()
		}
		y = m.float(l.make(m, m.plain(y)))
	}
	if rng.IntN(3) == 0 {
		ordinary()
	}
	y = m.flat(y)
	if y.Shape[1] > 16 || rng.IntN(3) == 0 {
		y = m.gemm(y, 3)
	}
	m.g.Outputs = []*onnxio.Value{y}
	return m.g, onnxio.NumElements(shape), y.Shape[1]
}
