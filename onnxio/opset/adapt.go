package opset

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// table is the adapters, which take nodes across the opsets that operatorHistory marks. What is not here in a direction is refused.
type table map[change]adapter

var adapters = newTable()

func newTable() table {
	t := table{}
	t.forms()
	t.axes()
	t.resize()
	t.softmax()
	t.functions()
	return t
}

// at says how operators cross opset v.
func (t table) at(v int, a adapter, ops ...string) {
	for _, op := range ops {
		t[change{op, v}] = a
	}
}

func keep(*step) {}

// all runs adapters one after the other.
func all(steps ...func(*step)) func(*step) {
	return func(c *step) {
		for _, s := range steps {
			if c.err == nil {
				s(c)
			}
		}
	}
}

// dropInt takes an integer attribute away that the older form does not have; only the value that the older form means can go.
func dropInt(name string, means int64) func(*step) {
	return func(c *step) {
		if v := c.intAttr(name, means); v != means {
			c.refuse(fmt.Sprintf("its %s is %d, which is new in opset %d", name, v, c.v), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
			return
		}
		c.remove(name)
	}
}

func dropString(name, means string) func(*step) {
	return func(c *step) {
		if v := c.stringAttr(name, means); v != means {
			c.refuse(fmt.Sprintf("its %s is %s, which is new in opset %d", name, v, c.v), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
			return
		}
		c.remove(name)
	}
}

// dropOnes takes a list of ones away.
func dropOnes(name string) func(*step) {
	return func(c *step) {
		if a := c.attr(name); a != nil && slices.ContainsFunc(a.Ints, func(v int64) bool { return v != 1 }) {
			c.refuse(fmt.Sprintf("its %s are %v, which is new in opset %d", name, a.Ints, c.v), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
			return
		}
		c.remove(name)
	}
}

// noInput refuses an input that the older form does not have.
func noInput(i int, what string) func(*step) {
	return func(c *step) {
		if c.input(i) != "" {
			c.refuse(fmt.Sprintf("its input %s is new in opset %d", what, c.v), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
		}
	}
}

// onlyFirstOutput takes the other outputs away where nobody reads them.
func onlyFirstOutput(c *step) {
	p := c.n.p
	for _, name := range p.Output[min(1, len(p.Output)):] {
		if name != "" && c.g.file.reads[name] > 0 {
			c.refuse(fmt.Sprintf("its output %q has another meaning in the other opset, and is read", name), "")
			return
		}
	}
	if len(p.Output) > 1 {
		p.Output, c.n.changed = p.Output[:1], true
	}
}

// forms are the adapters of single attributes, inputs and outputs.
func (t table) forms() {
	t.at(8, adapter{up: keep, down: sameShapes}, "Sum", "Max", "Min", "Mean")
	t.at(8, adapter{up: keep, down: all(onlyFirstOutput, func(c *step) { c.remove("storage_order") })}, "MaxPool")
	t.at(9, adapter{up: spatialOnly, down: keep}, "BatchNormalization")
	t.at(10, adapter{up: keep, down: all(dropInt("ceil_mode", 0), dropOnes("dilations"))}, "MaxPool")
	t.at(10, adapter{up: keep, down: dropInt("ceil_mode", 0)}, "AveragePool")
	t.at(10, adapter{up: onlyFirstOutput, down: onlyFirstOutput}, "Dropout") // the mask changed its type
	t.at(11, adapter{up: clipUp, down: clipDown}, "Clip")
	t.at(11, adapter{up: keep, down: gemmDown}, "Gemm")
	t.at(11, adapter{up: keep, down: dropString("mode", "DCR")}, "DepthToSpace")
	t.at(11, adapter{up: keep, down: gatherDown}, "Gather")
	t.at(11, adapter{up: pooledPads, down: pooledPads}, "ConvTranspose")
	t.at(11, adapter{up: func(c *step) { c.rename("ScatterElements") }}, "Scatter")
	t.at(11, adapter{down: all(positiveAxes, negativeIndices, func(c *step) { c.rename("Scatter") })}, "ScatterElements")
	t.at(11, adapter{up: keep, down: constantDown11}, "Constant")
	t.at(12, adapter{up: keep, down: constantDown12}, "Constant")
	t.at(12, adapter{up: keep, down: dropInt("select_last_index", 0)}, "ArgMax", "ArgMin")
	t.at(12, adapter{up: keep, down: dropInt("batch_dims", 0)}, "GatherND")
	t.at(12, adapter{up: dropoutUp, down: dropoutDown}, "Dropout")
	t.at(13, adapter{up: keep, down: oneScale}, "QuantizeLinear", "DequantizeLinear")
	t.at(14, adapter{up: onlyInference, down: all(dropInt("training_mode", 0), onlyInference)}, "BatchNormalization")
	t.at(14, adapter{up: keep, down: dropInt("layout", 0)}, "LSTM", "GRU", "RNN")
	t.at(14, adapter{up: keep, down: allowZero}, "Reshape")
	t.at(15, adapter{up: keep, down: shapeDown}, "Shape")
	t.at(16, adapter{up: keep, down: dropString("reduction", "none")}, "ScatterElements", "ScatterND")
	t.at(16, adapter{up: roiUp, down: roiDown}, "RoiAlign")
	t.at(18, adapter{up: keep, down: addOrMul}, "ScatterElements", "ScatterND")
	t.at(18, adapter{up: keep, down: all(dropInt("ceil_mode", 0), dropOnes("dilations"))}, "LpPool")
	t.at(18, adapter{up: keep, down: func(c *step) {
		if c.input(0) == "" {
			c.refuse("it has no input, which is new in opset 18", "")
		}
	}}, "OptionalHasElement")
	t.at(19, adapter{up: keep, down: dropInt("saturate", 1)}, "Cast", "CastLike", "QuantizeLinear")
	t.at(19, adapter{up: keep, down: dropOnes("dilations")}, "AveragePool")
	t.at(20, adapter{up: gridUp, down: gridDown}, "GridSample")
	t.at(20, adapter{up: dftUp, down: dftDown}, "DFT")
	t.at(21, adapter{up: keep, down: all(dropInt("block_size", 0), quantisedType)}, "QuantizeLinear")
	t.at(21, adapter{up: keep, down: dropInt("block_size", 0)}, "DequantizeLinear")
	t.at(21, adapter{up: groupsUp, down: groupsDown}, "GroupNormalization")
	t.at(22, adapter{up: ceilWindows, down: ceilWindows}, "MaxPool", "AveragePool", "LpPool")
	t.at(23, adapter{up: keep, down: dropInt("precision", 0)}, "QuantizeLinear")
	t.at(23, adapter{up: keep, down: dropInt("output_dtype", 0)}, "DequantizeLinear")
	t.at(24, adapter{up: keep, down: dropString("round_mode", "up")}, "Cast", "CastLike")
	t.at(24, adapter{up: keep, down: noInput(6, "nonpad_kv_seqlen")}, "Attention")
	t.at(25, adapter{up: keep, down: all(dropInt("left_window_size", -1), dropInt("right_window_size", -1))}, "Attention")
	t.at(27, adapter{up: keep, down: func(c *step) { c.remove("stash_type") }}, "Range") // of half precision, which it did not take
	t.at(28, adapter{up: keep, down: modDown}, "Mod")
	t.at(28, adapter{up: noIntegers, down: keep}, "ReduceLogSum", "ReduceLogSumExp")
	t.at(28, adapter{up: keep, down: spaceToDepthDown}, "SpaceToDepth")
}

// modDown: the remainder of floats that rounds down came with opset 28.
func modDown(c *step) {
	if c.intAttr("fmod", 0) != 0 {
		return
	}
	if d := c.dtype(c.input(0)); c.err == nil && d.IsFloat() {
		c.refuse("its fmod is 0 and its inputs are of type "+d.String()+", which is new in opset 28", "--opset 28 is the lowest for this file")
	}
}

// noIntegers refuses what opset 28 took away.
func noIntegers(c *step) {
	if d := c.g.typeOf(c.input(0)); d != 0 && !d.IsFloat() {
		c.refuse("its input is of type "+d.String()+", which it does not take any more", "")
	}
}

// spaceToDepthDown writes the order of depth before blocks as what it is: a Transpose of the image with its blocks as axes.
func spaceToDepthDown(c *step) {
	mode, b := c.stringAttr("mode", "DCR"), c.intAttr("blocksize", 0)
	c.remove("mode")
	if mode == "DCR" || c.err != nil {
		return
	}
	x, d := c.input(0), c.dtype(c.input(0))
	s, ok := c.g.shapeOf(x)
	switch {
	case c.err != nil:
	case mode != "CRD" || b < 1:
		c.refuse(fmt.Sprintf("its mode is %s and its blocksize %d", mode, b), "")
	case !ok || len(s) != 4 || slices.Contains(s[1:], -1):
		c.needShape(x, "shape")
	}
	if c.err != nil {
		return
	}
	depth, height, width := int64(s[1]), int64(s[2])/b, int64(s[3])/b
	blocks := c.emit("Reshape", d, "", []string{x, c.intConstant("blocks", []int64{0, depth, height, b, width, b})})
	turned := c.emit("Transpose", d, "", []string{blocks}, attribute("perm", []int64{0, 1, 3, 5, 2, 4}))
	c.become("Reshape", turned, c.intConstant("image", []int64{0, depth * b * b, height, width}))
}

// sameShapes: before opset 8 these operators did not broadcast.
func sameShapes(c *step) {
	if len(c.n.p.Input) == 1 {
		return
	}
	var first []int
	for i, name := range c.n.p.Input {
		s, ok := c.g.shapeOf(name)
		switch {
		case !ok:
			c.needShape(name, "shape")
			return
		case i == 0:
			first = s
		case !slices.Equal(first, s) || slices.Contains(s, -1):
			c.refuse(fmt.Sprintf("its inputs are of shapes %v and %v, and opset 7 does not broadcast them", first, s), "--opset 8 is the lowest for this file")
			return
		}
	}
}

// ceilWindows: opset 22 leaves a last window out that begins behind the image, in the padding at its end. None does where the kernel is
// as long as the stride and that padding together.
func ceilWindows(c *step) {
	if c.intAttr("ceil_mode", 0) == 0 || c.stringAttr("auto_pad", "NOTSET") != "NOTSET" || c.err != nil {
		return
	}
	list := func(name string, axes int, def int64) []int64 {
		if a := c.attr(name); a != nil && len(a.Ints) == axes {
			return a.Ints
		}
		return slices.Repeat([]int64{def}, axes)
	}
	axes := 0
	if a := c.attr("kernel_shape"); a != nil {
		axes = len(a.Ints)
	}
	kernel, strides, dilations, pads := list("kernel_shape", axes, 1), list("strides", axes, 1), list("dilations", axes, 1), list("pads", 2*axes, 0)
	s, ok := c.g.shapeOf(c.input(0))
	for i := range axes {
		long, step, first, last := (kernel[i]-1)*dilations[i]+1, strides[i], pads[i], pads[axes+i]
		if long >= step+last || step < 1 {
			continue
		}
		if !ok || len(s) != axes+2 || s[i+2] < 0 {
			c.needShape(c.input(0), "shape")
			return
		}
		size := int64(s[i+2])
		if over := (size + first + last - long + step - 1) / step; over*step >= size+first {
			c.refuse("with its ceil_mode the last window begins in the padding, which opset 22 leaves out", "")
			return
		}
	}
}

func spatialOnly(c *step) {
	if c.intAttr("spatial", 1) != 1 && c.rank(c.input(0)) != 2 {
		c.refuse("its spatial is 0, which opset 9 took away", "")
	}
	c.remove("spatial")
}

// onlyInference: training mode was told by the outputs, then by an attribute.
func onlyInference(c *step) {
	for _, name := range c.n.p.Output[min(1, len(c.n.p.Output)):] {
		if name != "" {
			c.refuse("it has the outputs of training", "export the model for inference")
		}
	}
}

func clipUp(c *step) {
	for i, name := range []string{"min", "max"} {
		a := c.attr(name)
		if a == nil {
			continue
		}
		v := a.GetF()
		if d := c.dtype(c.input(0)); c.err == nil {
			c.remove(name)
			c.setInput(i+1, c.scalar(name, d, v))
		}
	}
}

func clipDown(c *step) {
	for i, name := range []string{"min", "max"} {
		v, ok := c.floats(i+1, name)
		if !ok || c.err != nil {
			continue
		}
		if len(v) != 1 || float64(float32(v[0])) != v[0] {
			c.refuse(fmt.Sprintf("its %s is %v, which is no float32", name, v), "--opset 11 is the lowest for this file")
			return
		}
		c.set(name, float32(v[0]))
		c.swallow(i + 1)
	}
}

func gemmDown(c *step) {
	if c.input(2) == "" {
		if d := c.dtype(c.input(0)); c.err == nil {
			c.setInput(2, c.scalar("zero", d, 0))
		}
	}
}

// gatherDown: negative indices came with opset 11. Computed ones were always within the axis, or the older form stops at them.
func gatherDown(c *step) {
	positiveAxes(c)
	negativeIndices(c)
}

func negativeIndices(c *step) {
	if c.err != nil || c.g.constantTensor(c.input(1)) == nil {
		return
	}
	v, _ := c.ints(1, "indices")
	if slices.ContainsFunc(v, func(i int64) bool { return i < 0 }) {
		c.refuse("its indices are counted from the end, which is new in opset 11", "--opset 11 is the lowest for this file")
	}
}

// pooledPads: opset 11 says the other way round where an odd padding goes.
func pooledPads(c *step) {
	if p := c.stringAttr("auto_pad", "NOTSET"); c.attr("output_shape") != nil || p == "SAME_UPPER" || p == "SAME_LOWER" {
		c.refuse("opset 11 changed which side of its output an odd padding is cut off", "write its padding as pads")
	}
}

func constantDown11(c *step) {
	if c.attr("sparse_value") != nil {
		c.refuse("it holds a sparse tensor, which is new in opset 11", "")
	}
}

func constantDown12(c *step) {
	if c.attr("value") != nil || c.attr("sparse_value") != nil || c.err != nil {
		return
	}
	t := constantValue(c.n.p)
	if t == nil {
		c.refuse("it holds strings in an attribute that is new in opset 12", "")
		return
	}
	raw := &pb.TensorProto{DataType: t.DataType, Dims: t.Dims, RawData: rawInts(t.Int64Data)}
	if onnxio.DType(t.GetDataType()) == onnxio.Float {
		raw.RawData = rawFloats(t.FloatData)
	}
	c.n.p.Attribute = nil
	c.set("value", raw)
}

func dropoutUp(c *step) {
	if a := c.attr("ratio"); a != nil {
		v := a.GetF()
		c.remove("ratio")
		c.setInput(1, c.scalar("ratio", onnxio.Float, v))
	}
}

func dropoutDown(c *step) {
	if v, ok := c.floats(2, "training mode"); ok && slices.ContainsFunc(v, func(x float64) bool { return x != 0 }) {
		c.refuse("it is in training mode", "export the model for inference")
	}
	if c.err != nil {
		return
	}
	c.swallow(2)
	if c.input(1) != "" && c.g.constantTensor(c.input(1)) != nil {
		if v, ok := c.floats(1, "ratio"); ok && len(v) == 1 {
			c.set("ratio", float32(v[0]))
		}
	}
	c.swallow(1)
	c.remove("seed")
}

// oneScale: scales by axis came with opset 13.
func oneScale(c *step) {
	s, ok := c.g.shapeOf(c.input(1))
	if !ok {
		c.needShape(c.input(1), "shape")
		return
	}
	if len(s) > 0 {
		c.refuse("its scales go by axis, which is new in opset 13", "--opset 13 is the lowest for this file")
	}
	c.remove("axis")
}

func quantisedType(c *step) {
	if c.intAttr("output_dtype", 0) != 0 && c.input(2) == "" && c.intAttr("output_dtype", 0) != int64(onnxio.Uint8) {
		c.refuse("its output_dtype is new in opset 21 and it has no zero point to say the same", "--opset 21 is the lowest for this file")
	}
	c.remove("output_dtype")
}

// allowZero: without it a 0 of the target stands for the input's size.
func allowZero(c *step) {
	if c.intAttr("allowzero", 0) != 0 {
		if !c.neverEmpty() {
			c.refuse("its allowzero may mean a size of 0, which is new in opset 14",
				"--opset 14 is the lowest for this file; shoal simplify folds what is constant")
		}
	}
	c.remove("allowzero")
}

// neverEmpty tells whether the target of a Reshape has no 0, or no values are reshaped that could be none: an exporter's habit to say
// allowzero of all of them then changes nothing.
func (c *step) neverEmpty() bool {
	if c.g.constantTensor(c.input(1)) != nil {
		v, _ := c.ints(1, "sizes")
		return !slices.Contains(v, 0)
	}
	s, ok := c.g.shapeOf(c.n.p.Output[0])
	return ok && !slices.Contains(s, 0) && c.neverZero(c.input(1), 0)
}

// neverZero tells whether a computed target holds no 0: it is joined of parts that hold none.
func (c *step) neverZero(name string, depth int) bool {
	if t := c.g.constantTensor(name); t != nil {
		v, err := c.g.file.tensor(t)
		if err != nil {
			return false
		}
		f, err := v.Float64s()
		return err == nil && !slices.Contains(f, 0)
	}
	p := c.g.producer(name)
	if p == nil || len(p.Input) == 0 || len(p.Input) > 64 || depth > 4 { // real targets are small
		return false
	}
	switch p.GetOpType() {
	case "Shape": // of a value that holds something
		s, ok := c.g.shapeOf(p.Input[0])
		return ok && !slices.Contains(s, 0)
	case "Concat", "Cast", "Squeeze", "Unsqueeze", "Identity", "Gather", "Slice", "Reshape":
		parts := p.Input[:1]
		if p.GetOpType() == "Concat" {
			parts = p.Input
		}
		return !slices.ContainsFunc(parts, func(in string) bool { return !c.neverZero(in, depth+1) })
	}
	return false
}

// shapeDown cuts a part of a shape out with a Slice.
func shapeDown(c *step) {
	start, end := c.intAttr("start", 0), c.intAttr("end", math.MaxInt64)
	if start != 0 || c.attr("end") != nil {
		whole := c.value("whole", onnxio.Int64, nil)
		from, to := c.intConstant("start", []int64{start}), c.intConstant("end", []int64{end})
		c.after = append(c.after, c.node("Slice", []string{whole, from, to}, c.n.p.Output))
		c.n.p.Output, c.n.changed = []string{whole}, true
	}
	c.remove("start")
	c.remove("end")
}

// roiUp: opset 16 made half a pixel the default.
func roiUp(c *step) { c.set("coordinate_transformation_mode", "output_half_pixel") }

func roiDown(c *step) {
	if mode := c.stringAttr("coordinate_transformation_mode", "half_pixel"); mode != "output_half_pixel" {
		c.refuse("its coordinate_transformation_mode "+mode+" is new in opset 16", "--opset 16 is the lowest for this file")
	}
	c.remove("coordinate_transformation_mode")
}

func addOrMul(c *step) {
	if r := c.stringAttr("reduction", "none"); r == "min" || r == "max" {
		c.refuse("its reduction "+r+" is new in opset 18", "--opset 18 is the lowest for this file")
	}
}

func gridUp(c *step) {
	switch c.stringAttr("mode", "bilinear") {
	case "bilinear":
		if c.attr("mode") != nil {
			c.set("mode", "linear")
		}
	case "bicubic":
		c.set("mode", "cubic")
	}
}

func gridDown(c *step) {
	if c.rank(c.input(0)) != 4 {
		c.refuse("it samples from other than images, which is new in opset 20", "--opset 20 is the lowest for this file")
	}
	switch c.stringAttr("mode", "linear") {
	case "linear":
		c.set("mode", "bilinear")
	case "cubic":
		c.set("mode", "bicubic")
	}
}

func dftUp(c *step) {
	axis := c.intAttr("axis", 1)
	c.remove("axis")
	c.setInput(2, c.scalar("axis", onnxio.Int64, float32(axis)))
}

func dftDown(c *step) {
	axis := int64(-2)
	if v, ok := c.ints(2, "axis"); ok && len(v) == 1 {
		axis = v[0]
	}
	if c.err == nil {
		c.set("axis", axis)
		c.swallow(2)
	}
}
