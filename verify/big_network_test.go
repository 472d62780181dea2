package verify

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// A network in high precision: the reference of real semantics. It is written from the standard's text, operator by operator, and shares with
// the operators' own code only the shapes. Whole numbers and truths are numbers too.

// bigTensor is a tensor in row-major order.
type bigTensor struct {
	shape []int
	v     []*big.Float
}

// bigNode is a node under evaluation, with its inputs (nil where absent).
type bigNode struct {
	*onnxio.Node
	in []*bigTensor
}

func (n *bigNode) float(name string, otherwise float64) *big.Float {
	return bigOf(float64(n.Attrs.Float(name, float32(otherwise))))
}

// axis is an axis of the first input, counted from the front.
func (n *bigNode) axis(otherwise int) int {
	a := n.Attrs.Int("axis", otherwise)
	if a < 0 {
		a += len(n.in[0].shape)
	}
	return a
}

// intsOf are the numbers of an input as integers.
func (n *bigNode) intsOf(i int) []int {
	if i >= len(n.in) || n.in[i] == nil {
		return nil
	}
	out := make([]int, len(n.in[i].v))
	for k, v := range n.in[i].v {
		f, _ := v.Float64()
		out[k] = int(max(-1<<40, min(1<<40, f)))
	}
	return out
}

// list is an attribute of integers.
func (n *bigNode) list(name string, otherwise ...int) []int {
	v := n.Attrs.Ints(name)
	if v == nil {
		return otherwise
	}
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// bigNet evaluates a graph.
type bigNet struct {
	g        *onnxio.Graph
	constant map[*onnxio.Value]*bigTensor
	most     *big.Float // largest magnitude of the last run
}

func newBigNet(g *onnxio.Graph) *bigNet {
	n := &bigNet{g: g, constant: map[*onnxio.Value]*bigTensor{}}
	for _, node := range g.Nodes {
		for _, v := range node.Inputs {
			if v == nil || v.Const == nil || n.constant[v] != nil {
				continue
			}
			f, err := v.Const.Float64s()
			if err != nil {
				panic(err)
			}
			n.constant[v] = bigFrom(f, v.Const.Shape)
		}
	}
	return n
}

func bigFrom(f []float64, shape []int) *bigTensor {
	t := &bigTensor{shape, make([]*big.Float, len(f))}
	for i, x := range f {
		t.v[i] = bigOf(x)
	}
	return t
}

// run gives the outputs at a point; ok is false where the reference has no answer there.
func (n *bigNet) run(x []float64) (y []*big.Float, why string) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case outOfRange:
			y, why = nil, e.why
		case big.ErrNaN:
			y, why = nil, e.Error()
		default:
			panic(e)
		}
	}()
	values := map[*onnxio.Value]*bigTensor{}
	for _, in := range n.g.Inputs {
		k := onnxio.NumElements(in.Shape)
		values[in] = bigFrom(x[:k], in.Shape)
		x = x[k:]
	}
	n.most = bigOf(1)
	for _, node := range n.g.Nodes {
		b := &bigNode{Node: node}
		for _, v := range node.Inputs {
			t := values[v]
			if t == nil {
				t = n.constant[v]
			}
			b.in = append(b.in, t)
		}
		f := bigOps[node.Op]
		if f == nil {
			panic(fmt.Sprintf("the reference lacks %s", node.Op))
		}
		for i, t := range f(b) {
			if i >= len(node.Outputs) || node.Outputs[i] == nil {
				continue
			}
			o := node.Outputs[i]
			if !slices.Equal(t.shape, o.Shape) || len(t.v) != onnxio.NumElements(o.Shape) {
				panic(fmt.Sprintf("%s: the reference's output %d has shape %v and %d numbers, want %v", node.Op, i, t.shape, len(t.v), o.Shape))
			}
			for _, v := range t.v {
				if v.IsInf() {
					panic(outOfRange{"an infinity"})
				}
				n.most = bigMax(n.most, bigAbs(v))
			}
			values[o] = t
		}
	}
	return values[n.g.Outputs[0]].v, ""
}

// sure is what the last run's numbers are off by at most.
func (n *bigNet) sure() *big.Float {
	return newBig().SetMantExp(n.most, bigSure)
}

// one is a single output.
func one(t *bigTensor) []*bigTensor { return []*bigTensor{t} }

// eachIndex calls f with all places of a shape.
func eachIndex(shape []int, f func(i int, at []int)) {
	at := make([]int, len(shape))
	for i := range onnxio.NumElements(shape) {
		f(i, at)
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
}

// place is the number of a place in a shape.
func place(shape, at []int) int {
	i := 0
	for d, n := range shape {
		i = i*n + at[d]
	}
	return i
}

// spread is the element of t at a place of a shape that t broadcasts to.
func (t *bigTensor) spread(at []int) *big.Float {
	i := 0
	off := len(at) - len(t.shape)
	for d, n := range t.shape {
		k := at[off+d]
		if n == 1 {
			k = 0
		}
		i = i*n + k
	}
	return t.v[i]
}

// broadcast is the common shape.
func broadcast(ts ...*bigTensor) []int {
	var out []int
	for _, t := range ts {
		s := t.shape
		for len(out) < len(s) {
			out = append([]int{1}, out...)
		}
		for d, n := range s {
			if k := len(out) - len(s) + d; n != 1 {
				out[k] = n
			}
		}
	}
	return out
}

// zip applies f to the broadcast elements of all inputs.
func zip(f func(n *bigNode, v []*big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return func(n *bigNode) []*bigTensor {
		var in []*bigTensor
		for _, t := range n.in {
			if t != nil {
				in = append(in, t)
			}
		}
		out := newBigTensor(broadcast(in...))
		eachIndex(out.shape, func(i int, at []int) {
			v := make([]*big.Float, len(in))
			for k, t := range in {
				v[k] = t.spread(at)
			}
			out.v[i] = f(n, v)
		})
		return one(out)
	}
}

func newBigTensor(shape []int) *bigTensor {
	t := &bigTensor{shape, make([]*big.Float, onnxio.NumElements(shape))}
	for i := range t.v {
		t.v[i] = newBig()
	}
	return t
}

// truth is 1 or 0.
func truth(b bool) *big.Float {
	if b {
		return bigOf(1)
	}
	return newBig()
}

// lanes calls f with the elements along an axis, for every place on the others.
func (t *bigTensor) lanes(axis int, f func(base, step int, lane []*big.Float)) {
	step := onnxio.NumElements(t.shape[axis+1:])
	size := t.shape[axis]
	for outer := range onnxio.NumElements(t.shape[:axis]) {
		for inner := range step {
			base := outer*size*step + inner
			lane := make([]*big.Float, size)
			for k := range lane {
				lane[k] = t.v[base+k*step]
			}
			f(base, step, lane)
		}
	}
}

// foldAxes folds lanes over several axes at once.
func foldAxes(f func(n *bigNode, lane []*big.Float) *big.Float) func(n *bigNode) []*bigTensor {
	return func(n *bigNode) []*bigTensor {
		x := n.in[0]
		axes := n.list("axes")
		if len(n.in) > 1 {
			axes = n.intsOf(1)
		}
		gone := make([]bool, len(x.shape))
		for _, a := range axes {
			gone[(a+len(x.shape))%len(x.shape)] = true
		}
		if len(axes) == 0 {
			for i := range gone {
				gone[i] = true
			}
		}
		full := slices.Clone(x.shape)
		for d := range full {
			if gone[d] {
				full[d] = 1
			}
		}
		parts := make([][]*big.Float, onnxio.NumElements(full))
		eachIndex(x.shape, func(i int, at []int) {
			p := make([]int, len(at))
			for d := range at {
				if !gone[d] {
					p[d] = at[d]
				}
			}
			k := place(full, p)
			parts[k] = append(parts[k], x.v[i])
		})
		out := newBigTensor(n.Outputs[0].Shape)
		for i, p := range parts {
			out.v[i] = f(n, p)
		}
		return one(out)
	}
}

func bigSum(v []*big.Float) *big.Float {
	s := newBig()
	for _, x := range v {
		s = bigAdd(s, x)
	}
	return s
}

func bigMean(v []*big.Float) *big.Float { return bigQuo(bigSum(v), bigOf(float64(len(v)))) }

// bigVariance is the mean of squared differences to the mean.
func bigVariance(v []*big.Float) (mean, variance *big.Float) {
	mean = bigMean(v)
	s := newBig()
	for _, x := range v {
		d := bigSub(x, mean)
		s = bigAdd(s, bigMul(d, d))
	}
	return mean, bigQuo(s, bigOf(float64(len(v))))
}

// saturate is a whole number in the range of an 8-bit type.
func saturate(x *big.Float, t onnxio.DType) *big.Float {
	lo, hi := 0.0, 255.0
	if t == onnxio.Int8 {
		lo, hi = -128, 127
	}
	return bigMax(bigOf(lo), bigMin(bigOf(hi), x))
}

// toInteger is what a cast to integers gives; beyond 2^31 the standard leaves it open.
func toInteger(x *big.Float) *big.Float {
	if !small(x, 31) {
		panic(outOfRange{"a cast of a number beyond the type"})
	}
	if x.Sign() < 0 {
		return bigNeg(bigFloor(bigNeg(x)))
	}
	return bigFloor(x)
}

func castTo(x *big.Float, t onnxio.DType) *big.Float {
	switch t {
	case onnxio.Bool:
		return truth(x.Sign() != 0)
	case onnxio.Float, onnxio.Double:
		return x
	}
	return toInteger(x)
}
