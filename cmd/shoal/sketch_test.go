package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"golang.org/x/image/bmp"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message on the wire is its fields one behind the other.
type message []byte

func (m *message) number(field protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), v)
}

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

func (m *message) text(field protowire.Number, s string) { m.bytes(field, []byte(s)) }

// modelSketch writes small ONNX files.
type modelSketch struct {
	graph message
	opset uint64
}

// port declares an input (field 11 of GraphProto) or output (12) of float32. Sizes are ints, or names.
func (m *modelSketch) port(field protowire.Number, name string, sizes ...any) {
	var shape message
	for _, s := range sizes {
		var dim message
		switch s := s.(type) {
		case int:
			dim.number(1, uint64(s))
		case string:
			dim.text(2, s)
		}
		shape.bytes(1, dim)
	}
	var tensor, typ, value message
	tensor.number(1, 1)
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	value.text(1, name)
	value.bytes(2, typ)
	m.graph.bytes(field, value)
}

func (m *modelSketch) input(name string, sizes ...any)  { m.port(11, name, sizes...) }
func (m *modelSketch) output(name string, sizes ...any) { m.port(12, name, sizes...) }

// weights adds a float32 initializer.
func (m *modelSketch) weights(name string, data []float32, shape ...uint64) {
	var t message
	for _, d := range shape {
		t.number(1, d)
	}
	t.number(2, 1)
	t.text(8, name)
	raw := make([]byte, 0, 4*len(data))
	for _, f := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	t.bytes(9, raw)
	m.graph.bytes(5, t)
}

// external adds a float32 initializer whose data lies in another file.
func (m *modelSketch) external(name, file string, shape ...uint64) {
	var t, at message
	for _, d := range shape {
		t.number(1, d)
	}
	t.number(2, 1)
	t.text(8, name)
	at.text(1, "location")
	at.text(2, file)
	t.bytes(13, at)
	t.number(14, 1)
	m.graph.bytes(5, t)
}

// integers adds an int64 initializer.
func (m *modelSketch) integers(name string, data []int64, shape ...uint64) {
	var t message
	for _, d := range shape {
		t.number(1, d)
	}
	t.number(2, 7)
	t.text(8, name)
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	t.bytes(9, raw)
	m.graph.bytes(5, t)
}

// node adds a node; attributes are numbers, strings or lists of numbers.
func (m *modelSketch) node(op, out string, attrs map[string]any, in ...string) {
	var n message
	for _, name := range in {
		n.text(1, name)
	}
	n.text(2, out)
	n.text(3, out+" node")
	n.text(4, op)
	for name, v := range attrs {
		var a message
		a.text(1, name)
		switch v := v.(type) {
		case int:
			a.number(3, uint64(v))
			a.number(20, 2)
		case []int:
			for _, i := range v {
				a.number(8, uint64(i))
			}
			a.number(20, 7)
		case float32:
			a = protowire.AppendFixed32(protowire.AppendTag(a, 2, protowire.Fixed32Type), math.Float32bits(v))
			a.number(20, 1)
		case []float32:
			for _, f := range v {
				a = protowire.AppendFixed32(protowire.AppendTag(a, 7, protowire.Fixed32Type), math.Float32bits(f))
			}
			a.number(20, 6)
		case string:
			a.bytes(4, []byte(v))
			a.number(20, 3)
		}
		n.bytes(5, a)
	}
	m.graph.bytes(1, n)
}

func (m *modelSketch) write(path string) error {
	var opset, file message
	opset.number(2, m.opset)
	m.graph.text(2, "sketch")
	file.number(1, 8)
	file.text(2, "sketch")
	file.bytes(8, opset)
	file.bytes(7, m.graph)
	return os.WriteFile(path, file, 0o644)
}

// difference begins a net of two inputs and two outputs: y0 = max(x0-x1, 0), y1 = max(x1-x0, 0). Everything about it can be worked out
// by hand: a point's class is where it is larger, and its radius half the distance of its numbers.
func difference(batch any) *modelSketch {
	m := &modelSketch{opset: 13}
	m.input("x", batch, 2)
	m.weights("w", []float32{1, -1, -1, 1}, 2, 2)
	m.node("MatMul", "d", nil, "x", "w")
	m.node("Relu", "y", nil, "d")
	m.output("y", batch, 2)
	return m
}

// sketches are the models that every script finds.
func sketches() map[string]*modelSketch {
	all := map[string]*modelSketch{"difference": difference("N"), "fixed": difference(1)}

	soft := &modelSketch{opset: 13}
	soft.input("x", "N", 2)
	soft.weights("w", []float32{1, -1, -1, 1}, 2, 2)
	soft.node("MatMul", "logits", nil, "x", "w")
	soft.node("Softmax", "y", nil, "logits")
	soft.output("y", "N", 2)
	all["softmax"] = soft

	line := &modelSketch{opset: 13} // y = x, of one number
	line.input("x", 1, 1)
	line.weights("one", []float32{1}, 1, 1)
	line.node("MatMul", "y", nil, "x", "one")
	line.output("y", 1, 1)
	all["line"] = line

	unknown := &modelSketch{opset: 13}
	unknown.input("x", "N", 2)
	unknown.node("Frobnicate", "f", nil, "x")
	unknown.node("Relu", "y", nil, "f")
	unknown.output("y", "N", 2)
	all["unknown"] = unknown

	// Each has something that the definitions do not read.
	for name, fault := range map[string]func(*modelSketch){
		"newer":     func(m *modelSketch) { m.opset = 29; m.node("Relu", "y", nil, "x") },
		"attribute": func(m *modelSketch) { m.node("Relu", "y", map[string]any{"of_tomorrow": 1}, "x") },
		"valued":    func(m *modelSketch) { m.node("ReduceSum", "y", map[string]any{"keepdims": 2}, "x") },
		"typed":     func(m *modelSketch) { m.node("Softmax", "y", map[string]any{"axis": "last"}, "x") },
		"third":     func(m *modelSketch) { m.node("MatMul", "y", nil, "x", "w", "w") },
		"crop": func(m *modelSketch) {
			m.node("Resize", "y", map[string]any{"coordinate_transformation_mode": "tf_crop_and_resize"}, "x", "w", "w")
		},
	} {
		m := &modelSketch{opset: 13}
		m.input("x", 2, 2)
		m.weights("w", []float32{1, -1, -1, 1}, 2, 2)
		fault(m)
		m.output("y", 2, 2)
		all[name] = m
	}

	// Three numbers in windows of two, two apart: of the last window only one is there. The standard leaves it out with auto_pad VALID, and
	// onnxruntime does not: y = max(x0, x1), and there (max(x0, x1), x2).
	halves := &modelSketch{opset: 13}
	halves.input("x", 1, 1, 3)
	halves.node("MaxPool", "p", map[string]any{"kernel_shape": []int{2}, "strides": []int{2}, "ceil_mode": 1, "auto_pad": "VALID"}, "x")
	halves.node("ReduceMax", "y", map[string]any{"axes": []int{2}, "keepdims": 0}, "p")
	halves.output("y", 1, 1)
	all["halves"] = halves

	ends := &modelSketch{opset: 13}
	ends.input("x", 1, 1, 3)
	ends.node("MaxPool", "p", map[string]any{"kernel_shape": []int{2}, "strides": []int{2}, "ceil_mode": 1, "auto_pad": "VALID"}, "x")
	ends.node("Flatten", "y", nil, "p")
	ends.output("y", 1, "ends")
	all["ends"] = ends

	blocks := &modelSketch{opset: 28}
	blocks.input("x", "N", 2, 2, 2)
	blocks.node("SpaceToDepth", "d", map[string]any{"blocksize": 2, "mode": "CRD"}, "x")
	blocks.node("Flatten", "y", nil, "d")
	blocks.output("y", "N", 8)
	all["blocks"] = blocks

	later := difference("N")
	later.opset = 99
	all["later"] = later

	two := &modelSketch{opset: 13}
	two.input("a", "N", 2)
	two.input("b", "N", 2)
	two.node("Sub", "y", nil, "a", "b")
	two.output("y", "N", 2)
	all["two"] = two

	for _, order := range []string{"ab", "ba", "ac", "pq"} { // the first input less the second
		m := &modelSketch{opset: 13}
		m.input(order[:1], "N", 2)
		m.input(order[1:], "N", 2)
		m.node("Sub", "y", nil, order[:1], order[1:])
		m.output("y", "N", 2)
		all["minus-"+order] = m
	}

	edge := &modelSketch{opset: 13} // class 0 where x0 is above -0.02
	edge.input("x", "N", 2)
	edge.weights("w", []float32{1, -1, 0, 0}, 2, 2)
	edge.weights("b", []float32{0.02, -0.02}, 2)
	edge.node("MatMul", "d", nil, "x", "w")
	edge.node("Add", "y", nil, "d", "b")
	edge.output("y", "N", 2)
	all["edge"] = edge

	score := &modelSketch{opset: 13} // one score of two numbers
	score.input("x", "N", 2)
	score.weights("w", []float32{1, -1}, 2, 1)
	score.node("MatMul", "d", nil, "x", "w")
	score.node("Sigmoid", "y", nil, "d")
	score.output("y", "N", 1)
	all["score"] = score

	brightest := &modelSketch{opset: 13} // of the channels of a picture, 4 high and 6 wide
	brightest.input("x", "N", 3, 4, 6)
	brightest.node("ReduceMean", "y", map[string]any{"axes": []int{2, 3}, "keepdims": 0}, "x")
	brightest.output("y", "N", 3)
	all["brightest"] = brightest

	mixed := &modelSketch{opset: 13} // less the mean of all samples, of which the file has one
	mixed.input("x", 1, 2)
	mixed.node("ReduceMean", "mean", map[string]any{"axes": []int{0}, "keepdims": 1}, "x")
	mixed.node("Sub", "y", nil, "x", "mean")
	mixed.output("y", 1, 2)
	all["mixed"] = mixed

	misfit := &modelSketch{opset: 13}
	misfit.input("x", "N", 3)
	misfit.weights("w", []float32{1, -1, -1, 1}, 2, 2)
	misfit.node("MatMul", "y", nil, "x", "w")
	misfit.output("y", "N", 2)
	all["misfit"] = misfit

	conv := &modelSketch{opset: 13} // images of 4x4, three classes
	conv.input("x", "N", 1, 4, 4)
	filters, dense := make([]float32, 4*9), make([]float32, 16*3)
	for i := range filters {
		filters[i] = float32(math.Sin(float64(3 * i)))
	}
	for i := range dense {
		dense[i] = float32(math.Cos(float64(2 * i)))
	}
	conv.weights("w", filters, 4, 1, 3, 3)
	conv.weights("b", []float32{0.1, -0.1, 0.2, -9}, 4) // the last filter is dead
	conv.weights("v", dense, 16, 3)
	conv.node("Conv", "c", nil, "x", "w", "b")
	conv.node("Relu", "r", nil, "c")
	conv.node("Flatten", "f", nil, "r")
	conv.node("MatMul", "y", nil, "f", "v")
	conv.output("y", "N", 3)
	all["convnet"] = conv

	steps := &modelSketch{opset: 13} // the mean over T steps of two numbers each
	steps.input("x", "N", "T", 2)
	steps.node("ReduceMean", "y", map[string]any{"axes": []int{1}, "keepdims": 0}, "x")
	steps.output("y", "N", 2)
	all["steps"] = steps
	return all
}

// npy is an array of float32 or int64 in numpy's format, version 1.0.
func npy(data any, shape ...int) []byte {
	dtype := "<f4"
	if _, ok := data.([]int64); ok {
		dtype = "<i8"
	}
	var sizes string
	for _, d := range shape {
		sizes += fmt.Sprintf("%d,", d)
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, sizes)
	for (10+len(head)+1)%64 != 0 {
		head += " "
	}
	head += "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	_ = binary.Write(&b, binary.LittleEndian, uint16(len(head)))
	b.WriteString(head)
	_ = binary.Write(&b, binary.LittleEndian, data)
	return b.Bytes()
}

// writePoints writes labelled points as an npz file.
func writePoints(path string, inputs []float32, labels []int64, shape ...int) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct {
		name string
		data []byte
	}{{"inputs.npy", npy(inputs, shape...)}, {"labels.npy", npy(labels, len(labels))}} {
		w, err := z.Create(f.name)
		if err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// writeSketches fills a folder with the small models and with points for them.
func writeSketches(dir string) error {
	for name, m := range sketches() {
		if err := m.write(filepath.Join(dir, name+".onnx")); err != nil {
			return err
		}
	}
	// The radii are 0.3, 0.125, 0.4 for the wrong class, and 0.05.
	points := []float32{0.8, 0.2, 0.25, 0.5, 0.9, 0.1, 0.55, 0.45}
	if err := writePoints(filepath.Join(dir, "points.npz"), points, []int64{0, 1, 1, 0}, 4, 2); err != nil {
		return err
	}
	if err := writePoints(filepath.Join(dir, "beyond.npz"), points, []int64{0, 7, 1, 0}, 4, 2); err != nil {
		return err
	}
	if err := writePictures(dir); err != nil {
		return err
	}
	// Two points that lie in [0,1] and one that does not.
	if err := writePoints(filepath.Join(dir, "edge.npz"), []float32{0.05, 0.5, 0.5, 0.5, 2, 0.5}, []int64{0, 0, 0}, 3, 2); err != nil {
		return err
	}
	// The means of the first two are (0.7, 0.3) and (0.5, 0.9).
	steps := []float32{0.8, 0.2, 0.7, 0.3, 0.6, 0.4, 0.4, 0.9, 0.5, 0.9, 0.6, 0.9}
	return writePoints(filepath.Join(dir, "steps.npz"), steps, []int64{0, 1}, 2, 3, 2)
}

// writePictures fills folders with pictures of one colour each, for the net of the brightest channel: empty/ has no picture of class 0,
// bmp/ one of another form, gray/ gray ones, wide/ one of another size.
func writePictures(dir string) error {
	colours := map[string]color.Color{"0_red": color.NRGBA{220, 20, 20, 255}, "1_green": color.NRGBA{20, 220, 20, 255},
		"2_blue": color.NRGBA{20, 20, 220, 255}}
	gray := color.Gray{77}
	put := func(name string, w int, c color.Color) error {
		name = filepath.Join(dir, name)
		var img interface {
			image.Image
			Set(x, y int, c color.Color)
		} = image.NewNRGBA(image.Rect(0, 0, w, 4))
		if c == gray {
			img = image.NewGray(image.Rect(0, 0, w, 4))
		}
		for y := range 4 {
			for x := range w {
				img.Set(x, y, c)
			}
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if filepath.Ext(name) == ".bmp" {
			return bmp.Encode(f, img)
		}
		return png.Encode(f, img)
	}
	for class, c := range colours {
		for _, set := range []string{"empty", "bmp", "gray", "wide"} {
			name, w, colour := set+"/"+class+"/1.png", 6, c
			switch {
			case set == "empty" && class == "0_red":
				if err := os.MkdirAll(filepath.Join(dir, "empty", class), 0o755); err != nil {
					return err
				}
				continue
			case set == "bmp" && class == "0_red":
				name = set + "/" + class + "/1.bmp"
			case set == "gray":
				colour = gray
			case set == "wide" && class == "2_blue":
				w = 7
			}
			if err := put(name, w, colour); err != nil {
				return err
			}
		}
	}
	return nil
}
