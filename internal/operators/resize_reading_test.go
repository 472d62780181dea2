package operators

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestReadings has a node for each line of the list in docs/soundness.md, with what the standard's reading gives and what onnxruntime 1.32 gave.
// Inputs are 1, 2, 3 and so on.
func TestReadings(t *testing.T) {
	ints := func(v ...int64) *onnxio.Value { return fixed(onnxio.FromInt64(v, len(v))) }
	floats := func(v ...float32) *onnxio.Value { return fixed(onnxio.FromFloat32(v, len(v))) }
	for name, c := range map[string]struct {
		op                string
		opset             int
		attrs             onnxio.Attrs
		shape             []int
		more              []*onnxio.Value
		standard, runtime string // shape and values; "refused"
		why               string
	}{
		"VALID with ceil_mode": {"MaxPool", 12, onnxio.Attrs{"kernel_shape": []int64{2}, "strides": []int64{2}, "ceil_mode": int64(1), "auto_pad": "VALID"},
			[]int{1, 1, 3}, nil, "[1 1 1] [2]", "[1 1 2] [2 3]", "ceil_mode"},
		"SAME with dilations": {"MaxPool", 12, onnxio.Attrs{"kernel_shape": []int64{2}, "dilations": []int64{3}, "auto_pad": "SAME_UPPER"},
			[]int{1, 1, 8}, nil, "[1 1 8] [3 4 5 6 7 8 6 7]", "[1 1 6] [4 5 6 7 8 6]", "dilations"},
		"SAME with a stride larger than the kernel": {"MaxPool", 12, onnxio.Attrs{"kernel_shape": []int64{1},
			"strides": []int64{3}, "auto_pad": "SAME_UPPER"},
			[]int{1, 1, 9}, nil, "[1 1 3] [1 4 7]", "refused", "negative"},
		"ConvTranspose with SAME": {"ConvTranspose", 11, onnxio.Attrs{"strides": []int64{3}, "auto_pad": "SAME_LOWER"},
			[]int{1, 1, 2}, []*onnxio.Value{fixed(onnxio.FromFloat64([]float64{1, 2}, 1, 1, 2))}, "[1 1 6] [1 2 0 2 4 0]", "[1 1 5] [1 2 0 2 4]", "SAME"},
		"Pad that wraps and cuts": {"Pad", 19, onnxio.Attrs{"mode": "wrap"}, []int{3}, []*onnxio.Value{ints(1, -2)}, "[2] [3 1]", "[2] [1 1]", "cuts"},
		"Resize to the same size": {"Resize", 13, onnxio.Attrs{"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
			[]int{1, 1, 2}, []*onnxio.Value{nil, floats(1, 1, 1.25)}, "[1 1 2] [1 1]", "[1 1 2] [1 2]", "copies"},
		"Resize in float32": {"Resize", 13, onnxio.Attrs{"mode": "nearest", "nearest_mode": "floor"},
			[]int{1, 1, 4}, []*onnxio.Value{nil, floats(1, 1, 0.6)}, "[1 1 2] [1 2]", "[1 1 2] [1 3]", "float32"},
		"Resize with align_corners and a broken size": {"Resize", 13, onnxio.Attrs{"mode": "linear", "coordinate_transformation_mode": "align_corners"},
			[]int{1, 1, 5}, []*onnxio.Value{nil, floats(1, 1, 0.5)}, "[1 1 2] [1 3.6666666666666665]", "[1 1 2] [1 5]", "align_corners"},
		"Resize of opset 10 that shrinks": {"Resize", 10, onnxio.Attrs{"mode": "nearest"},
			[]int{1, 1, 4}, []*onnxio.Value{floats(1, 1, 0.75)}, "[1 1 3] [1 2 3]", "[1 1 3] [1 3 4]", "shrinks"},
	} {
		for reading, want := range map[onnxio.Reading]string{onnxio.Standard: c.standard, onnxio.ONNXRuntime: c.runtime} {
			n := &onnxio.Node{Name: "n", Op: c.op, Opset: c.opset, Attrs: c.attrs, Reading: reading,
				Inputs: append([]*onnxio.Value{variable(c.shape...)}, c.more...)}
			n.Outputs = make([]*onnxio.Value, 1)
			d, err := Lookup(n)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if why := d.Departs(n); !strings.Contains(why, c.why) {
				t.Errorf("%s: departs because it %q", name, why)
			}
			types, err := d.Shape(n)
			if err != nil {
				if want != "refused" {
					t.Errorf("%s, %v: %v", name, reading, err)
				}
				continue
			}
			n.Outputs[0] = &onnxio.Value{Name: "y", DType: types[0].DType, Shape: types[0].Shape, Producer: n}
			x := make([]float64, product(c.shape))
			for i := range x {
				x[i] = float64(i + 1)
			}
			if got := fmt.Sprint(types[0].Shape, run(t, n, x)[0]); strings.Replace(got, " 3.666666611", " 3.6666666666666665", 1) != want {
				t.Errorf("%s, %v: %s, want %s", name, reading, got, want)
			}
		}
	}
}

// TestReadingsAgree: nodes as exporters write them have one reading.
func TestReadingsAgree(t *testing.T) {
	floats := func(v ...float32) *onnxio.Value { return fixed(onnxio.FromFloat32(v, len(v))) }
	pool := func(stride, kernel int64) onnxio.Attrs {
		return onnxio.Attrs{"kernel_shape": []int64{kernel, kernel}, "strides": []int64{stride, stride}, "auto_pad": "SAME_UPPER"}
	}
	x := variable(1, 2, 7, 8)
	for _, n := range []*onnxio.Node{
		node(t, "MaxPool", 12, pool(2, 3), x), node(t, "MaxPool", 12, pool(2, 2), x), node(t, "AveragePool", 11, pool(1, 3), x),
		node(t, "MaxPool", 12, onnxio.Attrs{"kernel_shape": []int64{2, 2}, "strides": []int64{2, 2}, "ceil_mode": int64(1)}, x),
		node(t, "Resize", 13, onnxio.Attrs{"mode": "nearest"}, x, nil, floats(1, 1, 2, 2)),
		node(t, "Resize", 13, onnxio.Attrs{"mode": "linear"}, x, nil, floats(1, 1, 2, 2)),
		node(t, "Resize", 13, onnxio.Attrs{"mode": "linear", "coordinate_transformation_mode": "align_corners"}, x, nil, floats(1, 1, 2, 2)),
		node(t, "Resize", 10, onnxio.Attrs{"mode": "nearest"}, x, floats(1, 1, 2, 2)),
		node(t, "Upsample", 9, onnxio.Attrs{"mode": "nearest"}, x, floats(1, 1, 2, 2)),
		node(t, "Pad", 19, onnxio.Attrs{"mode": "wrap"}, x, ints(0, 0, 1, 1, 0, 0, 1, 2)),
	} {
		d, err := Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		if why := d.Departs(n); why != "" {
			t.Errorf("%s %v: onnxruntime %s", n.Op, n.Attrs, why)
		}
	}
}
