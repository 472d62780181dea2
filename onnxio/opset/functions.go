package opset

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Operators that came as functions of others. Below the opset that brought them they are written out in the forms of the opset before it; the
// steps further down then adapt those. The numbers are exact in every float type (a square root is a node, not a rounded number), so that over the
// reals both files compute the same; the one exception is 0.044715 and 2/pi of the Gelu with tanh, which the standard's own function has rounded too.

func (t table) functions() {
	t.at(12, adapter{down: celuDown}, "Celu")
	t.at(12, adapter{down: orEqualDown("Greater")}, "GreaterOrEqual")
	t.at(12, adapter{down: orEqualDown("Less")}, "LessOrEqual")
	t.at(14, adapter{down: hardSwishDown}, "HardSwish")
	t.at(15, adapter{down: castLikeDown}, "CastLike")
	t.at(17, adapter{down: layerNormDown}, "LayerNormalization")
	t.at(18, adapter{down: mishDown}, "Mish")
	t.at(18, adapter{down: groupNormDown}, "GroupNormalization")
	t.at(20, adapter{down: geluDown}, "Gelu")
	t.at(23, adapter{down: rmsNormDown}, "RMSNormalization")
	t.at(23, adapter{down: attentionDown}, "Attention")
	t.at(23, adapter{down: rotaryDown}, "RotaryEmbedding")
	t.at(24, adapter{down: swishDown}, "Swish")
	t.at(28, adapter{down: swiGLUDown}, "SwiGLU")
}

// emit puts a node in front of the one that is adapted and gives its output's name; like is a value of the output's shape, "" for not known.
func (c *step) emit(op string, d onnxio.DType, like string, in []string, attrs ...*pb.AttributeProto) string {
	s, _ := c.g.shapeOf(like)
	out := c.value(op, d, s)
	n := c.node(op, in, []string{out}, attrs...)
	n.p.Name = proto.String(out)
	c.before = append(c.before, n)
	return out
}

// become makes the node itself the last of its parts.
func (c *step) become(op string, in ...string) {
	c.rename(op)
	c.n.p.Input, c.n.p.Attribute = in, nil
}

// exactly is a number of a type without axes, which must be able to say it.
func (c *step) exactly(suffix string, d onnxio.DType, v float32) string {
	if d.Round(v) != v {
		c.refuse(fmt.Sprintf("its parts need the number %v, which %v does not have", v, d), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
	}
	return c.scalar(suffix, d, v)
}

// floatOf is the type of the first input, which must be a float that constants can be written in.
func (c *step) floatOf() onnxio.DType {
	d := c.dtype(c.input(0))
	if c.err == nil && !slices.Contains([]onnxio.DType{onnxio.Float, onnxio.Double, onnxio.Float16, onnxio.BFloat16}, d) {
		c.refuse("its input is of type "+d.String(), "")
	}
	return d
}

// geluDown: x/2 * (1 + erf(x/sqrt(2))), or with tanh as the standard's function has it.
func geluDown(c *step) {
	x, d := c.input(0), c.floatOf()
	tanh := c.stringAttr("approximate", "none") == "tanh"
	if c.err != nil {
		return
	}
	var z string
	if tanh {
		root := c.emit("Sqrt", d, "", []string{c.scalar("two_over_pi", d, 2/math.Pi)})
		cube := c.emit("Mul", d, x, []string{c.emit("Mul", d, x, []string{x, x}), x})
		sum := c.emit("Add", d, x, []string{x, c.emit("Mul", d, x, []string{cube, c.scalar("coefficient", d, 0.044715)})})
		z = c.emit("Tanh", d, x, []string{c.emit("Mul", d, x, []string{sum, root})})
	} else {
		root := c.emit("Sqrt", d, "", []string{c.exactly("two", d, 2)})
		z = c.emit("Erf", d, x, []string{c.emit("Div", d, x, []string{x, root})})
	}
	half := c.emit("Mul", d, x, []string{x, c.exactly("half", d, 0.5)})
	c.become("Mul", half, c.emit("Add", d, x, []string{z, c.exactly("one", d, 1)}))
}

// hardSwishDown: x * min(max(x + 3, 0), 6) / 6, since no float is a sixth.
func hardSwishDown(c *step) {
	x, d := c.input(0), c.floatOf()
	if c.err != nil {
		return
	}
	six := c.exactly("six", d, 6)
	inner := c.emit("Clip", d, x, []string{c.emit("Add", d, x, []string{x, c.exactly("three", d, 3)}), c.exactly("zero", d, 0), six})
	c.become("Div", c.emit("Mul", d, x, []string{x, inner}), six)
}

func mishDown(c *step) {
	x, d := c.input(0), c.floatOf()
	if c.err != nil {
		return
	}
	c.become("Mul", x, c.emit("Tanh", d, x, []string{c.emit("Softplus", d, x, []string{x})}))
}

func swishDown(c *step) {
	x, d := c.input(0), c.floatOf()
	alpha := c.floatAttr("alpha", 1)
	if c.err != nil {
		return
	}
	c.become("Mul", x, c.gate(x, d, alpha))
}

// swiGLUDown: swish(a) * b. The Swish is written out at once, so that all opsets below have the same nodes.
func swiGLUDown(c *step) {
	a, b, d := c.input(0), c.input(1), c.floatOf()
	alpha := c.floatAttr("alpha", 1)
	if c.err == nil {
		c.become("Mul", c.emit("Mul", d, a, []string{a, c.gate(a, d, alpha)}), b)
	}
}

// gate is sigmoid(alpha*x).
func (c *step) gate(x string, d onnxio.DType, alpha float32) string {
	z := x
	if alpha != 1 {
		z = c.emit("Mul", d, x, []string{x, c.exactly("alpha", d, alpha)})
	}
	return c.emit("Sigmoid", d, x, []string{z})
}

// celuDown: alpha * elu(x/alpha), for alphas above 0.
func celuDown(c *step) {
	x, d := c.input(0), c.floatOf()
	alpha := c.floatAttr("alpha", 1)
	if c.err != nil {
		return
	}
	switch {
	case !(alpha > 0):
		c.refuse(fmt.Sprintf("its alpha is %v, for which no older operator is known", alpha), "--opset 12 is the lowest for this file")
	case alpha == 1:
		c.become("Elu", x)
	default:
		a := c.exactly("alpha", d, alpha)
		c.become("Mul", c.emit("Elu", d, x, []string{c.emit("Div", d, x, []string{x, a})}), a)
	}
}

// orEqualDown: both comparisons are false of NaN, so neither is the opposite of the other's strict form.
func orEqualDown(strict string) func(*step) {
	return func(c *step) {
		in := c.n.p.Input
		if len(in) != 2 {
			c.refuse("it has not two inputs", "")
			return
		}
		out := c.n.p.Output[0]
		c.become("Or", c.emit(strict, onnxio.Bool, out, slices.Clone(in)), c.emit("Equal", onnxio.Bool, out, slices.Clone(in)))
	}
}

func castLikeDown(c *step) {
	d := c.dtype(c.input(1))
	if c.err != nil {
		return
	}
	x, saturate := c.input(0), c.attr("saturate")
	if saturate != nil && saturate.GetI() != 1 {
		c.refuse("its saturate is 0", "--opset 19 is the lowest for this file")
	}
	c.become("Cast", x)
	c.set("to", int64(d))
}

// deviation brings x to mean 0 (where centre is set) and mean square 1 over axes, in the type that stash_type names. It gives the quotient, the mean
// ("" for none) and the root that it is divided by.
func (c *step) deviation(x string, d onnxio.DType, axes []int64, centre bool) (y, mean, root string) {
	epsilon := c.floatAttr("epsilon", 1e-5)
	average := func(v string) string {
		if c.v > 18 {
			return c.emit("ReduceMean", d, "", []string{v, c.intConstant("axes", axes)})
		}
		return c.emit("ReduceMean", d, "", []string{v}, attribute("axes", axes))
	}
	y = x
	if centre {
		mean = average(x)
		y = c.emit("Sub", d, x, []string{x, mean})
	}
	square := average(c.emit("Mul", d, x, []string{y, y}))
	root = c.emit("Sqrt", d, "", []string{c.emit("Add", d, "", []string{square, c.scalar("epsilon", d, epsilon)})})
	return c.emit("Div", d, x, []string{y, root}), mean, root
}

// stashed gives the input in the type in which a normalisation is computed: half precision in float32, as stash_type 1 says.
func (c *step) stashed() (x string, own, in onnxio.DType) {
	x, own = c.input(0), c.floatOf()
	if s := c.intAttr("stash_type", int64(onnxio.Float)); c.err == nil && s != int64(onnxio.Float) {
		c.refuse(fmt.Sprintf("its stash_type is %v", onnxio.DType(s)), fmt.Sprintf("--opset %d is the lowest for this file", c.v))
	}
	if own.Half() {
		return c.emit("Cast", onnxio.Float, x, []string{x}, attribute("to", int64(onnxio.Float))), own, onnxio.Float
	}
	return x, own, own
}

// lastAxes are the axes from the node's axis on, counted from the end.
func (c *step) lastAxes(x string) []int64 {
	axis := c.intAttr("axis", -1)
	if axis >= 0 && c.err == nil {
		r := c.rank(x)
		if c.err == nil && axis >= int64(r) {
			c.refuse(fmt.Sprintf("its axis is %d of %d axes", axis, r), "")
		}
		axis -= int64(r)
	}
	if c.err == nil && axis < -64 {
		c.refuse(fmt.Sprintf("its axis is %d", axis), "")
	}
	if c.err != nil {
		return nil
	}
	var out []int64
	for ; axis < 0; axis++ {
		out = append(out, axis)
	}
	return out
}

func layerNormDown(c *step) {
	axes := c.lastAxes(c.input(0))
	x, own, in := c.stashed()
	if c.err != nil {
		return
	}
	y, mean, root := c.deviation(x, in, axes, true)
	outputs := c.n.p.Output
	for i, name := range outputs[1:] {
		switch {
		case name == "":
		case own == onnxio.Double: // of which the standard has these in float32
			c.refuse("it gives mean or deviation of float64", "--opset 17 is the lowest for this file")
		case i == 0:
			c.after = append(c.after, c.node("Identity", []string{mean}, []string{name}))
		case i == 1:
			c.after = append(c.after, c.node("Reciprocal", []string{root}, []string{name}))
		}
	}
	c.n.p.Output = outputs[:1]
	c.scaled(y, own, in, c.input(1), c.input(2))
}

// scaled makes the node the last step of a normalisation: y in its own type, by a scale and with a bias that may be absent.
func (c *step) scaled(y string, own, in onnxio.DType, scale, bias string) {
	if own != in {
		y = c.emit("Cast", own, y, []string{y}, attribute("to", int64(own)))
	}
	if bias == "" {
		c.become("Mul", y, scale)
		return
	}
	c.become("Add", c.emit("Mul", own, y, []string{y, scale}), bias)
}

func rmsNormDown(c *step) {
	axes := c.lastAxes(c.input(0))
	x, own, in := c.stashed()
	if d := c.dtype(c.input(1)); c.err == nil && d != own {
		c.refuse(fmt.Sprintf("its scale is of type %v and its input of %v", d, own), "--opset 23 is the lowest for this file")
	}
	if c.err != nil {
		return
	}
	y, _, _ := c.deviation(x, in, axes, false)
	c.scaled(y, own, in, c.input(1), "")
}

// groupNormDown: the channels of a group are one axis while its deviation is found.
func groupNormDown(c *step) {
	image, groups := c.input(0), c.intAttr("num_groups", 0)
	x, own, in := c.stashed()
	if c.err == nil && groups < 1 {
		c.refuse(fmt.Sprintf("its num_groups is %d", groups), "")
	}
	if c.err != nil {
		return
	}
	column := func(name string) string {
		return c.emit("Reshape", own, "", []string{name, c.intConstant("column", []int64{groups, 1})})
	}
	grouped := c.emit("Reshape", in, "", []string{x, c.intConstant("groups", []int64{0, groups, -1})})
	c.g.shapes[grouped] = []int{-1, int(groups), -1}
	y, _, _ := c.deviation(grouped, in, []int64{-1}, true)
	if own != in {
		y = c.emit("Cast", own, y, []string{y}, attribute("to", int64(own)))
	}
	y = c.emit("Add", own, y, []string{c.emit("Mul", own, y, []string{y, column(c.input(1))}), column(c.input(2))})
	c.become("Reshape", y, c.emit("Shape", onnxio.Int64, "", []string{image}))
}

// perChannel writes a GroupNormalization whose scale and bias go by channel as one of 1 and 0 by group, times the one and plus the other.
func (c *step) perChannel(groups int) {
	d, r := c.floatOf(), c.rank(c.input(0))
	if c.err == nil && r < 2 {
		c.refuse(fmt.Sprintf("its input has %d axes", r), "")
	}
	if c.err != nil {
		return
	}
	fill := func(name string, v float32) string {
		raw := bytes.Repeat(c.number(d, v), groups)
		return c.constant(name, &pb.TensorProto{DataType: proto.Int32(int32(d)), Dims: []int64{int64(groups)}, RawData: raw})
	}
	target := append([]int64{-1}, slices.Repeat([]int64{1}, r-2)...)
	column := func(name string) string {
		return c.emit("Reshape", d, "", []string{name, c.intConstant("column", target)})
	}
	x, out := c.input(0), c.n.p.Output[0]
	scale, bias := column(c.input(1)), column(c.input(2))
	plain, scaled := c.value("plain", d, nil), c.value("scaled", d, nil)
	c.setInput(1, fill("one", 1))
	c.setInput(2, fill("zero", 0))
	c.n.p.Output, c.n.changed = []string{plain}, true
	c.g.shapes[plain] = c.g.shapes[x]
	c.after = append(c.after, c.node("Mul", []string{plain, scale}, []string{scaled}), c.node("Add", []string{scaled, bias}, []string{out}))
}
