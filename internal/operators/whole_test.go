package operators

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// wholeCases are nodes that compute on integers, beside those of all gradients and couplings.
func wholeCases() []gradCase {
	cs := slices.Clone(coupleCases())
	s := []int{2, 3}
	for _, name := range []string{"Add", "Sub", "Mul", "Div", "Pow"} {
		cs = append(cs, gradCase{op: name, opsets: []int{14, 15}, in: vars(s, s)})
	}
	cs = append(cs, gradCase{op: "MatMul", opsets: []int{13}, in: vars(s, []int{3, 2})},
		gradCase{op: "MatMul", opsets: []int{13}, in: with(s, weightsOf(3, 2))},
		gradCase{op: "Mean", opsets: []int{13}, in: vars(s, s)}, gradCase{op: "Sum", opsets: []int{13}, in: vars(s, s)})
	for _, name := range []string{"ReduceSum", "ReduceMean", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
		"ReduceLogSumExp", "ReduceMax"} {
		cs = append(cs, gradCase{op: name, opsets: []int{18}, in: with(s, ints(1))})
	}
	return cs
}

// wholeTensor fills a shape with integers near one of the type's ends or near zero.
func wholeTensor(rng *rand.Rand, d onnxio.DType, shape []int) *onnxio.Tensor {
	t := onnxio.NewTensor(d, shape...)
	least, most := op.IntegerRange(d)
	middle := []float64{0, 5, least, most, math.Trunc(most / 2), math.Trunc(math.Sqrt(most)), math.Trunc(math.Cbrt(most))}
	for i := range t.Len() {
		setWhole(t, i, middle[rng.IntN(len(middle))]+float64(rng.IntN(7)-3), least, most)
	}
	return t
}

func setWhole(t *onnxio.Tensor, i int, x, least, most float64) {
	x = min(max(x, least), most)
	switch e := t.Data.(type) {
	case []int64:
		if e[i] = int64(x); x >= 1<<63 {
			e[i] = math.MaxInt64
		}
	case []int32:
		e[i] = int32(x)
	case []int8:
		e[i] = int8(x)
	case []uint8:
		e[i] = uint8(x)
	case []int16:
		e[i] = int16(x)
	case []uint16:
		e[i] = uint16(x)
	case []uint32:
		e[i] = uint32(x)
	case []uint64:
		if e[i] = uint64(x); x >= 1<<64 {
			e[i] = math.MaxUint64
		}
	}
}

// TestBoundsOfIntegersHold: whatever an engine makes of integers that their type does not hold, wrapping around as Go's do, is within the
// bounds. Every operator that takes integers is asked, near the ends of types too.
func TestBoundsOfIntegersHold(t *testing.T) {
	asked := map[string]int{}
	wrapped := 0
	for _, c := range wholeCases() {
		for _, d := range []onnxio.DType{onnxio.Int32, onnxio.Uint8, onnxio.Int64, onnxio.Int8, onnxio.Int16, onnxio.Uint16, onnxio.Uint32, onnxio.Uint64} {
			opsets := c.opsets
			if opsets == nil {
				opsets = []int{18}
			}
			for _, o := range opsets {
				for seed := range uint64(12) {
					if w, ok := checkWhole(t, c, d, o, seed); ok {
						asked[c.op]++
						wrapped += w
					}
				}
			}
		}
	}
	for _, name := range []string{"Add", "Sub", "Mul", "Div", "Neg", "Abs", "MatMul", "ReduceSum", "ReduceProd", "ReduceMean", "CumSum", "Max",
		"Where", "Gather", "Transpose"} {
		if asked[name] == 0 {
			t.Errorf("%s was not asked", name)
		}
	}
	if wrapped < 100 {
		t.Errorf("%d sums and products left their types, which says little", wrapped)
	}
}

// checkWhole samples a node of a type. ok tells that the node takes it and has bounds; wrapped counts elements whose real value the type does
// not hold.
func checkWhole(t *testing.T, c gradCase, d onnxio.DType, opset int, seed uint64) (wrapped int, ok bool) {
	rng := rand.New(rand.NewPCG(seed, uint64(d)))
	n := &onnxio.Node{Name: "n", Op: c.op, Domain: c.domain, Opset: opset, Attrs: c.attrs, Inputs: c.in()}
	if c.domain != "" || n.Attrs.Has("to") {
		return 0, false
	}
	boxes := make([]relax.Box, len(n.Inputs))
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		w := *v
		if v.Const != nil && v.Const.DType != onnxio.Double {
			f, err := v.Const.Float64s()
			if err != nil {
				return 0, false
			}
			boxes[i] = relax.Box{Lower: f, Upper: f}
			continue
		}
		if v.DType != onnxio.Bool {
			w.DType = d
		}
		x := wholeTensor(rng, w.DType, v.Shape)
		f, err := x.Float64s()
		if err != nil {
			return 0, false
		}
		b := relax.Box{Lower: slices.Clone(f), Upper: slices.Clone(f)}
		if v.Const != nil {
			w.Const = x
		} else if w.DType != onnxio.Bool {
			_, most := op.IntegerRange(d)
			for k := range f {
				b.Upper[k] = min(f[k]+float64(rng.IntN(4)), most)
			}
		}
		n.Inputs[i], boxes[i] = &w, b
	}
	def, err := Lookup(n)
	if err != nil || def.Shape == nil || def.Eval == nil {
		return 0, false
	}
	types, err := def.Shape(n)
	if err != nil || types[0].DType.IsFloat() { // rounding to real numbers is another matter
		return 0, false
	}
	for i := range max(c.outputs, 1) {
		n.Outputs = append(n.Outputs, &onnxio.Value{Name: fmt.Sprint("y", i), DType: types[i].DType, Shape: types[i].Shape, Producer: n})
	}
	reals := def
	if def, err = Lookup(n); err != nil {
		return 0, false
	}
	var out []relax.Box
	if def.Interval != nil {
		if out, err = def.Interval(n, boxes); err != nil {
			return 0, false
		}
	}
	var lin *op.Linear
	if def.Linear != nil {
		if lin, err = def.Linear(n); err != nil {
			lin = nil
		}
	}
	if out == nil && (lin == nil || lin.Maps == nil) {
		return 0, false
	}
	for range 6 {
		call := &op.Call{Node: n, Work: &gradWork}
		var x [][]float64
		for i, v := range n.Inputs {
			if v == nil || v.Const != nil {
				var t *onnxio.Tensor
				if v != nil {
					t = v.Const
				}
				call.In, x = append(call.In, t), append(x, boxes[i].Lower)
				continue
			}
			at := onnxio.NewTensor(v.DType, v.Shape...)
			least, most := op.IntegerRange(d)
			for k := range at.Len() {
				setWhole(at, k, boxes[i].Lower[k]+float64(rng.IntN(int(boxes[i].Upper[k]-boxes[i].Lower[k])+1)), least, most)
			}
			f, _ := at.Float64s()
			call.In, x = append(call.In, at), append(x, f)
		}
		for _, v := range n.Outputs {
			call.Out = append(call.Out, onnxio.NewTensor(v.DType, v.Shape...))
		}
		if err := def.Eval(call); err != nil {
			return 0, false
		}
		got, err := call.Out[0].Float64s()
		if err != nil {
			return 0, false
		}
		least, most := op.IntegerRange(types[0].DType)
		for i, y := range got {
			if out != nil && (y < out[0].Lower[i] || y > out[0].Upper[i]) {
				t.Errorf("%s of %v, opset %d: %v outside [%v, %v] for %v", c.op, d, opset, y, out[0].Lower[i], out[0].Upper[i], x)
				return 0, false
			}
			if reals != def && out[0].Lower[i] == least && out[0].Upper[i] == most {
				wrapped++
			}
		}
		if lin == nil || lin.Maps == nil {
			continue
		}
		sum := make([]float64, len(got))
		copy(sum, lin.Bias)
		for k, m := range lin.Maps {
			if m == nil {
				continue
			}
			for i, v := range applyMap(t, m, x[k]) {
				sum[i] += v
			}
		}
		for i, y := range got {
			if math.Abs(sum[i]-y) > 1e-9*math.Abs(y) {
				t.Errorf("%s of %v, opset %d: %v, and %v by its maps, for %v", c.op, d, opset, y, sum[i], x)
				return 0, false
			}
		}
	}
	return wrapped, true
}

// TestSumsBeyondInt32WrapAround: products of integers with biases near 2^31 are what int32 makes of them, as in onnxruntime 1.32.0 (which gives
// the same 21, 235 and 21 of these), whichever operator has them, and their bounds hold that.
func TestSumsBeyondInt32WrapAround(t *testing.T) {
	const depth, x, w = 8, 255, 127
	bias := []int32{math.MaxInt32, math.MaxInt32 - depth*x*w, math.MinInt32 + 5}
	xs, ys := float32(1e-3), float32(20)
	fill := func(d onnxio.DType, v float64, shape ...int) *onnxio.Tensor {
		t := onnxio.NewTensor(d, shape...)
		least, most := op.IntegerRange(d)
		for i := range t.Len() {
			setWhole(t, i, v, least, most)
		}
		return t
	}
	scalar := func(v float32) *onnxio.Value { return fixed(onnxio.FromFloat32([]float32{v})) }
	none, signed, middle := fixed(fill(onnxio.Uint8, 0)), fixed(fill(onnxio.Int8, 0)), fixed(fill(onnxio.Uint8, 128))
	c := fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{3}, Data: bias})
	for _, name := range []string{"QLinearConv", "QGemm", "QGemm of numbers"} {
		shape, weights := []int{1, depth}, []int{depth, 3}
		if name == "QLinearConv" {
			shape, weights = []int{1, depth, 1, 1}, []int{3, depth, 1, 1}
		}
		in := &onnxio.Value{Name: "x", DType: onnxio.Uint8, Shape: shape}
		b := fixed(fill(onnxio.Int8, w, weights...))
		n := &onnxio.Node{Name: "n", Op: name, Opset: 13, Attrs: onnxio.Attrs{}}
		if name == "QLinearConv" {
			n.Inputs = []*onnxio.Value{in, scalar(xs), none, b, scalar(xs), signed, scalar(ys), middle, c}
		} else {
			n.Op, n.Domain, n.Opset = "QGemm", microsoft, 1
			n.Inputs = []*onnxio.Value{in, scalar(xs), none, b, scalar(xs), signed, c}
			if name == "QGemm" {
				n.Inputs = append(n.Inputs, scalar(ys), middle)
			}
		}
		nodes := made(t, n, 1, 13)
		values := map[*onnxio.Value]*onnxio.Tensor{in: fill(onnxio.Uint8, x, shape...)}
		evalNodes(t, nodes, values)
		got, err := values[n.Outputs[0]].Float64s()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range bias {
			want := float64(depth*x*w+v) * float64(xs) * float64(xs) // in int32
			if name != "QGemm of numbers" {
				want = min(max(math.RoundToEven(want/float64(ys))+128, 0), 255)
			}
			if !(math.Abs(got[i]-want) <= 1e-6*math.Abs(want)) {
				t.Errorf("%s: output %d is %v, want %v", name, i, got[i], want)
			}
		}
		if name != "QLinearConv" {
			continue
		}
		boxes := make([]relax.Box, len(n.Inputs))
		for i, v := range n.Inputs {
			f := make([]float64, depth)
			for k := range f {
				f[k] = x - 1
			}
			if v.Const != nil {
				if f, err = v.Const.Float64s(); err != nil {
					t.Fatal(err)
				}
			}
			boxes[i] = relax.Box{Lower: f, Upper: slices.Clone(f)}
		}
		for k := range depth {
			boxes[0].Upper[k] = x
		}
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Interval(n, boxes)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if v < out[0].Lower[i] || v > out[0].Upper[i] {
				t.Errorf("%s: %v outside [%v, %v]", name, v, out[0].Lower[i], out[0].Upper[i])
			}
		}
	}
}
