package operators

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// axis is one spatial axis of a random test case; out and the pads follow the standard's formulas, written a second time.
type axis struct{ in, kernel, stride, dilation, before, after, out int }

func (a axis) extent() int { return (a.kernel-1)*a.dilation + 1 }

// randomAxis draws an axis whose window fits. ceil counts windows that begin before the padding at the end.
func randomAxis(rng *rand.Rand, auto string, ceil bool) axis {
	for {
		a := axis{in: 1 + rng.IntN(9), kernel: 1 + rng.IntN(4), stride: 1 + rng.IntN(3), dilation: 1 + rng.IntN(3)}
		if rng.IntN(2) == 0 {
			a.dilation = 1
		}
		switch auto {
		case "NOTSET":
			a.before, a.after = rng.IntN(3), rng.IntN(3)
		case "SAME_UPPER", "SAME_LOWER":
			a.out = int(math.Ceil(float64(a.in) / float64(a.stride)))
			pad := max(0, (a.out-1)*a.stride+a.extent()-a.in)
			a.before, a.after = pad/2, pad-pad/2
			if auto == "SAME_LOWER" {
				a.before, a.after = a.after, a.before
			}
			return a
		}
		for start := -a.before; ; start += a.stride {
			fits := start+a.extent() <= a.in+a.after
			// With ceil, one more window may hang over, if anything of the input is left and its start is before the padding.
			over := ceil && auto == "NOTSET" && start < a.in && start-a.stride+a.extent() < a.in+a.after && a.out > 0
			if !fits && !over {
				break
			}
			a.out++
			if !fits {
				break
			}
		}
		if a.out > 0 {
			return a
		}
	}
}

// reads lists the input elements under output o, as (tap, element).
func (a axis) reads(o int) (at [][2]int) {
	for k := range a.kernel {
		if i := o*a.stride - a.before + k*a.dilation; i >= 0 && i < a.in {
			at = append(at, [2]int{k, i})
		}
	}
	return at
}

type geometry struct {
	axes  []axis
	attrs onnxio.Attrs
	n     int
}

func randomGeometry(rng *rand.Rand, pool bool) geometry {
	g := geometry{attrs: onnxio.Attrs{}, n: 1 + rng.IntN(2)}
	auto := []string{"NOTSET", "NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}[rng.IntN(6)]
	ceil := pool && rng.IntN(2) == 0
	if auto != "NOTSET" || rng.IntN(2) == 0 {
		g.attrs["auto_pad"] = auto
	}
	if ceil {
		g.attrs["ceil_mode"] = int64(1)
	}
	var kernel, strides, dilations, starts, ends []int64
	for range 1 + rng.IntN(2) {
		a := randomAxis(rng, auto, ceil)
		g.axes = append(g.axes, a)
		kernel, strides, dilations = append(kernel, int64(a.kernel)), append(strides, int64(a.stride)), append(dilations, int64(a.dilation))
		starts, ends = append(starts, int64(a.before)), append(ends, int64(a.after))
	}
	g.attrs["kernel_shape"], g.attrs["strides"], g.attrs["dilations"] = kernel, strides, dilations
	if auto == "NOTSET" {
		g.attrs["pads"] = append(starts, ends...)
	}
	return g
}

// axis2 adds an axis of one row to one-dimensional geometries.
func (g geometry) axis2() (rows, cols axis) {
	if len(g.axes) == 1 {
		return axis{in: 1, kernel: 1, stride: 1, dilation: 1, out: 1}, g.axes[0]
	}
	return g.axes[0], g.axes[1]
}

func (g geometry) shape(n, c int, size func(axis) int) []int {
	s := []int{n, c}
	for _, a := range g.axes {
		s = append(s, size(a))
	}
	return s
}

func inSize(a axis) int  { return a.in }
func outSize(a axis) int { return a.out }

// near compares within a few roundings of sums of numbers of order one.
func near(t *testing.T, what any, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%v: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-12*(1+math.Abs(want[i]))) {
			t.Fatalf("%v: element %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// checkFloat32 runs the same node in float32.
func checkFloat32(t *testing.T, n *onnxio.Node, want []float64, data ...[]float64) {
	t.Helper()
	narrow := func(v []float64) []float32 {
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = float32(x)
		}
		return out
	}
	c := &op.Call{Node: n, Work: new(op.Workspace)}
	for _, v := range n.Inputs {
		f := []float64(nil)
		switch {
		case v == nil:
			c.In = append(c.In, nil)
			continue
		case v.Const != nil:
			f = v.Const.F64()
		default:
			f, data = data[0], data[1:]
		}
		c.In = append(c.In, onnxio.FromFloat32(narrow(f), v.Shape...))
	}
	y := onnxio.NewTensor(onnxio.Float, n.Outputs[0].Shape...)
	c.Out = []*onnxio.Tensor{y}
	d, _ := Lookup(n)
	if err := d.Eval(c); err != nil {
		t.Fatal(err)
	}
	for i, v := range y.F32() {
		if !(math.Abs(float64(v)-want[i]) <= 2e-5*(1+math.Abs(want[i]))) {
			t.Fatalf("%s in float32: element %d is %v, want %v", n.Op, i, v, want[i])
		}
	}
}

func TestWindowErrors(t *testing.T) {
	image := func(s ...int) *onnxio.Value { return variable(s...) }
	k := func(s ...int) *onnxio.Value { return floats(make([]float64, product(s)), s...) }
	for name, c := range map[string]struct {
		op     string
		attrs  onnxio.Attrs
		inputs []*onnxio.Value
	}{
		"three axes":         {"Conv", nil, []*onnxio.Value{image(1, 1, 3, 3, 3), k(1, 1, 2, 2, 2)}},
		"channels":           {"Conv", nil, []*onnxio.Value{image(1, 3, 3, 3), k(1, 2, 2, 2)}},
		"groups":             {"Conv", onnxio.Attrs{"group": int64(0)}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"too large":          {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 4, 2)}},
		"kernel_shape":       {"Conv", onnxio.Attrs{"kernel_shape": []int64{3, 3}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"bias":               {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2), k(3)}},
		"no weights":         {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3)}},
		"absent weights":     {"Conv", nil, []*onnxio.Value{image(1, 2, 3, 3), nil}},
		"stride 0":           {"Conv", onnxio.Attrs{"strides": []int64{0, 1}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"strides":            {"Conv", onnxio.Attrs{"strides": []int64{1}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"negative pads":      {"Conv", onnxio.Attrs{"pads": []int64{-1, 0, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"huge pads":          {"Conv", onnxio.Attrs{"pads": []int64{1 << 40, 0, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"large output":       {"Conv", onnxio.Attrs{"pads": []int64{1 << 23, 1 << 23, 0, 0}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"auto_pad":           {"Conv", onnxio.Attrs{"auto_pad": "WRAP"}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"transpose channels": {"ConvTranspose", nil, []*onnxio.Value{image(1, 2, 3, 3), k(3, 2, 2, 2)}},
		"transpose size":     {"ConvTranspose", onnxio.Attrs{"output_shape": []int64{0, 2}}, []*onnxio.Value{image(1, 2, 3, 3), k(2, 2, 2, 2)}},
		"no kernel":          {"MaxPool", nil, []*onnxio.Value{image(1, 2, 3, 3)}},
		"vector":             {"MaxPool", onnxio.Attrs{"kernel_shape": []int64{}}, []*onnxio.Value{image(1, 2)}},
		"pool of nothing":    {"AveragePool", onnxio.Attrs{"kernel_shape": []int64{1}, "pads": []int64{1, 1}}, []*onnxio.Value{image(1, 2, 3)}},
		"counts of MaxPool": {"MaxPool", onnxio.Attrs{"kernel_shape": []int64{1}, "pads": []int64{1, 1}, "count_include_pad": int64(1)},
			[]*onnxio.Value{image(1, 2, 3)}},
		"global of nothing": {"GlobalMaxPool", nil, []*onnxio.Value{image(1, 2, 0)}},
		"no input":          {"GlobalAveragePool", nil, nil},
	} {
		n := &onnxio.Node{Name: "n", Op: c.op, Opset: 19, Attrs: c.attrs, Inputs: c.inputs, Outputs: make([]*onnxio.Value, 1)}
		d, err := Lookup(n)
		if err != nil { // what the standard rules out
			continue
		}
		if ty, err := d.Shape(n); err == nil {
			t.Errorf("%s: %v", name, ty)
		}
	}
}
