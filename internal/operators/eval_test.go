package operators

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestEvalOnIntegers covers the shape arithmetic that exporters write: everything constant, of type int64, int32 or bool.
func TestEvalOnIntegers(t *testing.T) {
	i64 := func(v ...int64) *onnxio.Value { return ints(v...) }
	boolean := func(v ...bool) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{len(v)}, Data: v})
	}
	i32 := func(v ...int32) *onnxio.Value {
		return fixed(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{len(v)}, Data: v})
	}
	image := &onnxio.Value{DType: onnxio.Float, Shape: []int{1, 3, 8, 9}, Const: onnxio.NewTensor(onnxio.Float, 1, 3, 8, 9)}
	for _, c := range []struct {
		n     *onnxio.Node
		dtype onnxio.DType
		shape []int
		want  []float64
	}{
		{node(t, "Add", 14, nil, i64(1, 2), i64(10)), onnxio.Int64, []int{2}, []float64{11, 12}},
		{node(t, "Sub", 14, nil, i64(1), i64(10, 20)), onnxio.Int64, []int{2}, []float64{-9, -19}},
		{node(t, "Mul", 14, nil, i32(3, 4), i32(5, -6)), onnxio.Int32, []int{2}, []float64{15, -24}},
		{node(t, "Div", 14, nil, i64(7, -7), i64(2)), onnxio.Int64, []int{2}, []float64{3, -3}},
		{node(t, "Equal", 13, nil, i64(1, 2), i64(1, 3)), onnxio.Bool, []int{2}, []float64{1, 0}},
		{node(t, "Where", 16, nil, boolean(true, false), i64(1, 2), i64(-1)), onnxio.Int64, []int{2}, []float64{1, -1}},
		{node(t, "Shape", 13, nil, image), onnxio.Int64, []int{4}, []float64{1, 3, 8, 9}},
		{node(t, "Shape", 15, onnxio.Attrs{"start": int64(-2), "end": int64(100)}, image), onnxio.Int64, []int{2}, []float64{8, 9}},
		{node(t, "Size", 13, nil, image), onnxio.Int64, []int{}, []float64{216}},
		{node(t, "Gather", 13, nil, i64(4, 5, 6), fixed(onnxio.FromInt64([]int64{-1}))), onnxio.Int64, []int{}, []float64{6}},
		{node(t, "Concat", 13, onnxio.Attrs{"axis": int64(0)}, i64(4), i64(5, 6)), onnxio.Int64, []int{3}, []float64{4, 5, 6}},
		{node(t, "Slice", 13, nil, i64(4, 5, 6, 7), i64(1), i64(3)), onnxio.Int64, []int{2}, []float64{5, 6}},
		{node(t, "Unsqueeze", 13, nil, fixed(onnxio.FromInt64([]int64{9})), i64(0)), onnxio.Int64, []int{1}, []float64{9}},
		{node(t, "Squeeze", 13, nil, i64(9)), onnxio.Int64, []int{}, []float64{9}},
		{node(t, "Cast", 13, onnxio.Attrs{"to": int64(onnxio.Int32)}, floats([]float64{1.9, -1.9}, 2)), onnxio.Int32, []int{2}, []float64{1, -1}},
		{node(t, "Cast", 13, onnxio.Attrs{"to": int64(onnxio.Bool)}, i64(0, 3)), onnxio.Bool, []int{2}, []float64{0, 1}},
		{node(t, "ConstantOfShape", 9, onnxio.Attrs{"value": onnxio.FromInt64([]int64{-1}, 1)}, i64(2, 1)), onnxio.Int64, []int{2, 1}, []float64{-1, -1}},
		{node(t, "ConstantOfShape", 9, nil, i64()), onnxio.Float, []int{}, []float64{0}},
		{node(t, "Constant", 12, onnxio.Attrs{"value_ints": []int64{3, 4}}), onnxio.Int64, []int{2}, []float64{3, 4}},
		{node(t, "Constant", 12, onnxio.Attrs{"value_float": float32(0.5)}), onnxio.Float, []int{}, []float64{0.5}},
		{node(t, "Expand", 13, nil, i64(7), i64(2, 3)), onnxio.Int64, []int{2, 3}, []float64{7, 7, 7, 7, 7, 7}},
		{node(t, "ReduceSum", 13, nil, i64(1, 2, 3)), onnxio.Int64, []int{1}, []float64{6}},
		{node(t, "Min", 13, nil, i64(3, 1), i64(2)), onnxio.Int64, []int{2}, []float64{2, 1}},
	} {
		out := c.n.Outputs[0]
		if out.DType != c.dtype || out.Shape == nil || !slices.Equal(out.Shape, c.shape) {
			t.Errorf("%s: %v %v, want %v %v", c.n.Op, out.DType, out.Shape, c.dtype, c.shape)
			continue
		}
		if got := run(t, c.n)[0]; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.n.Op, got, c.want)
		}
	}
}

// TestEvalFollowsTheDataType: in float64 runs tensors declared float32 are float64.
func TestEvalFollowsTheDataType(t *testing.T) {
	n := node(t, "Cast", 13, onnxio.Attrs{"to": int64(onnxio.Float)}, variable(1))
	c := &op.Call{Node: n, In: []*onnxio.Tensor{onnxio.FromFloat64([]float64{0.1}, 1)}, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Double, 1)},
		Work: new(op.Workspace)}
	if err := known["Cast"].Eval(c); err != nil || c.Out[0].F64()[0] != 0.1 {
		t.Errorf("%v %v", c.Out[0], err)
	}
	c.Out[0] = onnxio.NewTensor(onnxio.Float, 1)
	if err := known["Cast"].Eval(c); err != nil || c.Out[0].F32()[0] != float32(0.1) {
		t.Errorf("%v %v", c.Out[0], err)
	}
	n = node(t, "ConstantOfShape", 9, onnxio.Attrs{"value": onnxio.FromFloat32([]float32{0.5}, 1)}, ints(2))
	c = &op.Call{Node: n, In: []*onnxio.Tensor{n.Inputs[0].Const}, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Double, 2)}, Work: new(op.Workspace)}
	if err := known["ConstantOfShape"].Eval(c); err != nil || c.Out[0].F64()[1] != 0.5 {
		t.Errorf("%v %v", c.Out[0], err)
	}
}

// TestShapeErrors: one line that says what does not fit.
func TestShapeErrors(t *testing.T) {
	x := variable(2, 3)
	for _, c := range []struct {
		n    *onnxio.Node
		want string
	}{
		{&onnxio.Node{Op: "Add", Inputs: []*onnxio.Value{x, variable(4)}}, "do not broadcast"},
		{&onnxio.Node{Op: "Add", Inputs: []*onnxio.Value{x}}, "1 inputs"},
		{&onnxio.Node{Op: "Reshape", Inputs: []*onnxio.Value{x, ints(4, -1)}}, "does not reshape"},
		{&onnxio.Node{Op: "Reshape", Inputs: []*onnxio.Value{x, ints(-1, -1)}}, "two sizes"},
		{&onnxio.Node{Op: "Reshape", Inputs: []*onnxio.Value{x, variable(2)}}, "not constant"},
		{&onnxio.Node{Op: "Reshape", Inputs: []*onnxio.Value{x, ints(1<<40, 1<<40)}}, "elements"},
		{&onnxio.Node{Op: "ConstantOfShape", Inputs: []*onnxio.Value{ints(1<<20, 1<<20)}}, "elements"},
		{&onnxio.Node{Op: "Transpose", Inputs: []*onnxio.Value{x}, Attrs: onnxio.Attrs{"perm": []int64{0, 0}}}, "twice"},
		{&onnxio.Node{Op: "Concat", Inputs: []*onnxio.Value{x, variable(3, 3)}, Attrs: onnxio.Attrs{"axis": int64(1)}}, "is needed"},
		{&onnxio.Node{Op: "Squeeze", Inputs: []*onnxio.Value{x, ints(0)}}, "is not 1"},
		{&onnxio.Node{Op: "Split", Inputs: []*onnxio.Value{x}, Outputs: make([]*onnxio.Value, 2), Attrs: onnxio.Attrs{"axis": int64(1)}}, "equal parts"},
		{&onnxio.Node{Op: "Slice", Inputs: []*onnxio.Value{x, ints(0), ints(1), ints(0), ints(0)}}, "step 0"},
		{&onnxio.Node{Op: "Pad", Inputs: []*onnxio.Value{x, ints(1, 2, 3)}}, "3 pads"},
		{&onnxio.Node{Op: "Pad", Inputs: []*onnxio.Value{x, ints(-2, 0, -2, 0)}}, "pads"},
		{&onnxio.Node{Op: "ReduceSum", Inputs: []*onnxio.Value{x, ints(2)}}, "axis 2"},
		{&onnxio.Node{Op: "Dropout", Inputs: []*onnxio.Value{x, nil, fixed(&onnxio.Tensor{DType: onnxio.Bool, Shape: []int{}, Data: []bool{true}})}},
			"training"},
	} {
		if c.n.Opset = 13; c.n.Outputs == nil {
			c.n.Outputs = make([]*onnxio.Value, 1)
		}
		_, err := known[c.n.Op].Shape(c.n)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.n.Op, err, c.want)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	div := node(t, "Div", 14, nil, ints(1), ints(0))
	gather := node(t, "Gather", 13, nil, ints(1, 2), ints(2))
	for _, n := range []*onnxio.Node{div, gather} {
		c := &op.Call{Node: n, In: []*onnxio.Tensor{n.Inputs[0].Const, n.Inputs[1].Const}, Out: []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int64, 1)},
			Work: new(op.Workspace)}
		if err := known[n.Op].Eval(c); err == nil {
			t.Errorf("%s: no error", n.Op)
		}
	}
}

// TestHostileArgumentsNeverPanic throws random arguments at every operator of this kind: an error is fine, a panic is not.
func TestHostileArgumentsNeverPanic(t *testing.T) {
	seed := uint64(17)
	rng := rand.New(rand.NewPCG(seed, 18))
	number := func() int64 {
		return []int64{0, 1, 2, 3, -1, -2, 5, 1 << 31, -1 << 31, 1<<63 - 1, -1 << 63, 4, 1}[rng.IntN(13)]
	}
	list := func() []int64 {
		v := make([]int64, rng.IntN(5))
		for i := range v {
			v[i] = number()
		}
		return v
	}
	ops := []string{"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Concat", "Split", "Slice", "Gather", "Pad", "ReduceSum", "ReduceMean",
		"Softmax", "Expand", "Where", "Equal", "Add", "Flatten", "ConstantOfShape", "Clip", "Shape", "Size", "Constant", "Cast", "Max", "Pow",
		"Dropout", "Div", "Neg", "Mod", "BitShift", "PRelu", "Less", "And", "Not", "Mean", "IsNaN", "Elu", "Gelu",
		"ReduceMax", "ReduceProd", "ReduceL2", "ReduceLogSumExp"}
	evaluated := 0
	for range 60000 {
		n := &onnxio.Node{Op: ops[rng.IntN(len(ops))], Opset: 7 + rng.IntN(20), Attrs: onnxio.Attrs{}, Outputs: make([]*onnxio.Value, 1+rng.IntN(3))}
		for _, name := range []string{"axes", "perm", "starts", "ends", "pads", "split"} {
			if rng.IntN(2) == 0 {
				n.Attrs[name] = list()
			}
		}
		for _, name := range []string{"axis", "to", "keepdims", "start", "end", "num_outputs", "value_int", "noop_with_empty_axes"} {
			if rng.IntN(3) == 0 {
				n.Attrs[name] = number()
			}
		}
		if rng.IntN(2) == 0 {
			n.Attrs["mode"] = []string{"reflect", "edge", "wrap", "constant", "odd"}[rng.IntN(5)]
		}
		for range rng.IntN(5) {
			switch rng.IntN(4) {
			case 0:
				n.Inputs = append(n.Inputs, nil)
			case 1:
				shape := make([]int, rng.IntN(4))
				for i := range shape {
					shape[i] = rng.IntN(4)
				}
				x := onnxio.NewTensor(onnxio.Float, shape...)
				n.Inputs = append(n.Inputs, &onnxio.Value{DType: x.DType, Shape: x.Shape, Const: x})
			default:
				n.Inputs = append(n.Inputs, ints(list()...))
			}
		}
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Fatalf("%s, opset %d, seed %d: %v\n%v\n%v", n.Op, n.Opset, seed, r, n.Attrs, n.Inputs)
				}
			}()
			d := known[n.Op] // not Lookup, which would refuse most of these
			if d == nil {
				return
			}
			types, err := d.Shape(n)
			if err != nil {
				return
			}
			c := &op.Call{Node: n, Work: new(op.Workspace)}
			for _, v := range n.Inputs {
				if v == nil {
					c.In = append(c.In, nil)
				} else {
					c.In = append(c.In, v.Const)
				}
			}
			for o := range n.Outputs {
				if o >= len(types) || product(types[o].Shape) > 1<<16 || types[o].DType.Size() == 0 {
					return
				}
				c.Out = append(c.Out, onnxio.NewTensor(types[o].DType, types[o].Shape...))
			}
			if d.Eval(c) == nil {
				evaluated++
			}
		}()
	}
	if evaluated < 2000 {
		t.Errorf("only %d nodes were evaluated", evaluated)
	}
}
