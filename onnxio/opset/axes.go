package opset

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/internal/pb"
)

// Operators that were told axes, sizes and counts by attributes, and by inputs later; and those that count axes from the end since opset 11.

var reductions = []string{"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
	"ReduceMin", "ReduceProd", "ReduceSumSquare"}

func (t table) axes() {
	t.at(11, adapter{up: keep, down: positiveAxes}, append([]string{"ArgMax", "ArgMin", "Compress", "Concat",
		"Flatten", "Hardmax", "LogSoftmax", "Softmax",
		"OneHot", "ReduceSum", "Split", "Squeeze", "Unsqueeze"}, reductions...)...)
	t.at(13, adapter{up: listUp("axes", 1), down: listDown("axes", 1)}, "Squeeze", "Unsqueeze")
	t.at(13, adapter{up: listUp("axes", 1), down: reduceDown}, "ReduceSum")
	t.at(18, adapter{up: listUp("axes", 1), down: reduceDown}, reductions...)
	t.at(13, adapter{up: listUp("split", 1), down: listDown("split", 1)}, "Split")
	t.at(18, adapter{up: countUp, down: countDown}, "Split")
	t.at(10, adapter{up: sliceUp, down: sliceDown}, "Slice")
	t.at(11, adapter{up: keep, down: slicePositive}, "Slice")
	t.at(11, adapter{up: padUp, down: padDown}, "Pad")
	t.at(18, adapter{up: keep, down: padAxes}, "Pad")
	t.at(19, adapter{up: keep, down: func(c *step) {
		if c.stringAttr("mode", "constant") == "wrap" {
			c.refuse("its mode wrap is new in opset 19", "--opset 19 is the lowest for this file")
		}
	}}, "Pad")
	t.at(10, adapter{up: topUp, down: topDown}, "TopK")
	t.at(11, adapter{up: keep, down: all(positiveAxes, dropInt("largest", 1), func(c *step) { c.remove("sorted") })}, "TopK")
}

// positiveAxes counts axes from the start, as all operators did before opset 11.
func positiveAxes(c *step) {
	for _, name := range []string{"axis", "axes"} {
		a := c.attr(name)
		if a == nil || c.err != nil {
			continue
		}
		v := append(slices.Clone(a.Ints), a.GetI())
		if a.I == nil {
			v = v[:len(v)-1]
		}
		if !slices.ContainsFunc(v, func(x int64) bool { return x < 0 }) {
			continue
		}
		r := c.rank(c.input(0))
		if c.n.p.GetOpType() == "Unsqueeze" {
			r += len(v)
		}
		if c.n.p.GetOpType() == "OneHot" {
			r++
		}
		if c.err != nil {
			return
		}
		for i := range v {
			if v[i] < 0 {
				v[i] += int64(r)
			}
		}
		if a.I != nil {
			c.set(name, v[0])
		} else {
			c.set(name, v)
		}
	}
}

// listUp makes an attribute of integers an input; where the attribute is absent, so is the input.
func listUp(name string, at int) func(*step) {
	return func(c *step) {
		a := c.attr(name)
		if a == nil || c.err != nil {
			return
		}
		v := a.Ints
		c.remove(name)
		if len(v) > 0 || c.n.p.GetOpType() == "Unsqueeze" {
			c.setInput(at, c.intConstant(name, v))
		}
	}
}

// listDown makes an input of integers an attribute.
func listDown(name string, at int) func(*step) {
	return func(c *step) {
		v, ok := c.ints(at, name)
		if !ok || c.err != nil {
			return
		}
		c.set(name, v)
		c.swallow(at)
	}
}

// reduceDown: a reduction over no axes was over all of them, unless noop_with_empty_axes says that it does nothing.
func reduceDown(c *step) {
	axes, _ := c.ints(1, "axes")
	noop := c.intAttr("noop_with_empty_axes", 0) != 0
	if c.err != nil {
		return
	}
	c.remove("noop_with_empty_axes")
	switch op := c.n.p.GetOpType(); {
	case len(axes) > 0:
		c.set("axes", axes)
	case noop && slices.Contains([]string{"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"}, op):
		c.rename("Identity")
		c.n.p.Attribute = nil
	case noop:
		c.refuse("it reduces over no axes, which is new in opset 18", "--opset 18 is the lowest for this file")
	}
	c.swallow(1)
}

func countUp(c *step) {
	if c.input(1) == "" {
		c.set("num_outputs", int64(len(c.n.p.Output)))
	}
}

// countDown: parts of equal size need no number; unequal ones get their sizes.
func countDown(c *step) {
	n := len(c.n.p.Output)
	if a := c.attr("num_outputs"); a == nil || c.err != nil {
		return
	}
	s, ok := c.g.shapeOf(c.input(0))
	axis := int(c.intAttr("axis", 0))
	if axis < 0 {
		axis += len(s)
	}
	if !ok || axis < 0 || axis >= len(s) || s[axis] < 0 {
		c.needShape(c.input(0), "size along its axis")
		return
	}
	c.remove("num_outputs")
	if s[axis]%n == 0 {
		return
	}
	part := (s[axis] + n - 1) / n
	sizes := slices.Repeat([]int64{int64(part)}, n)
	sizes[n-1] = int64(s[axis] - part*(n-1))
	c.setInput(1, c.intConstant("split", sizes))
}

func sliceUp(c *step) {
	for i, name := range []string{"starts", "ends", "axes"} {
		a := c.attr(name)
		if a == nil || c.err != nil {
			continue
		}
		v := a.Ints
		c.remove(name)
		c.setInput(i+1, c.intConstant(name, v))
	}
}

func sliceDown(c *step) {
	if v, ok := c.ints(4, "steps"); ok && slices.ContainsFunc(v, func(x int64) bool { return x != 1 }) {
		c.refuse(fmt.Sprintf("its steps are %v, which is new in opset 10", v), "--opset 10 is the lowest for this file")
	}
	if c.err != nil {
		return
	}
	c.swallow(4)
	for _, i := range []int{3, 2, 1} {
		listDown([]string{"", "starts", "ends", "axes"}[i], i)(c)
	}
}

// slicePositive counts a Slice's axes from the start.
func slicePositive(c *step) {
	if c.input(3) == "" {
		return
	}
	v, _ := c.ints(3, "axes")
	if c.err != nil || !slices.ContainsFunc(v, func(x int64) bool { return x < 0 }) {
		return
	}
	r := c.rank(c.input(0))
	for i := range v {
		if v[i] < 0 {
			v[i] += int64(r)
		}
	}
	c.swallow(3)
	c.setInput(3, c.intConstant("axes", v))
}

func padUp(c *step) {
	value := float32(0)
	if a := c.attr("value"); a != nil {
		value = a.GetF()
	}
	listUp("pads", 1)(c)
	c.remove("value")
	if c.err == nil && value != 0 {
		if d := c.dtype(c.input(0)); c.err == nil {
			c.setInput(2, c.scalar("value", d, value))
		}
	}
}

func padDown(c *step) {
	value, ok := c.floats(2, "value")
	if ok && (len(value) != 1 || float64(float32(value[0])) != value[0] && !math.IsNaN(value[0])) {
		c.refuse(fmt.Sprintf("its value is %v, which is no float32", value), "--opset 11 is the lowest for this file")
	}
	if c.err != nil {
		return
	}
	if ok && value[0] != 0 {
		c.set("value", float32(value[0]))
	}
	c.swallow(2)
	listDown("pads", 1)(c)
}

// padAxes writes pads for all axes where only some are named.
func padAxes(c *step) {
	if c.input(3) == "" {
		return
	}
	axes, _ := c.ints(3, "axes")
	pads, _ := c.ints(1, "pads")
	r := c.rank(c.input(0))
	if c.err != nil {
		return
	}
	if len(pads) != 2*len(axes) {
		c.refuse(fmt.Sprintf("it has %d pads for %d axes", len(pads), len(axes)), "")
		return
	}
	whole := make([]int64, 2*r)
	for i, a := range axes {
		if a < 0 {
			a += int64(r)
		}
		if a < 0 || int(a) >= r {
			c.refuse(fmt.Sprintf("it pads axis %d of %d", axes[i], r), "")
			return
		}
		whole[a], whole[int(a)+r] = pads[i], pads[i+len(axes)]
	}
	c.swallow(3)
	c.swallow(1)
	c.setInput(1, c.intConstant("pads", whole))
}

func topUp(c *step) {
	k := c.intAttr("k", 1)
	c.remove("k")
	c.setInput(1, c.intConstant("k", []int64{k}))
}

func topDown(c *step) {
	v, _ := c.ints(1, "count")
	if c.err == nil && len(v) != 1 {
		c.refuse(fmt.Sprintf("its count is %v", v), "")
	}
	if c.err == nil {
		c.set("k", v[0])
		c.swallow(1)
	}
}

// GroupNormalization's scale and bias went by group before opset 21, and by channel since.

// groupsUp repeats each group's number for its channels.
func groupsUp(c *step) {
	s, ok := c.g.shapeOf(c.input(0))
	groups := int(c.intAttr("num_groups", 0))
	if !ok || len(s) < 2 || s[1] < 1 {
		c.needShape(c.input(0), "number of channels")
		return
	}
	if groups < 1 || s[1]%groups != 0 || s[1] > maxChannels {
		c.refuse(fmt.Sprintf("%d groups of %d channels", groups, s[1]), "")
		return
	}
	c.regroup(groups, func(raw []byte, size int) []byte {
		var out []byte
		for g := range groups {
			out = append(out, slices.Repeat(raw[g*size:(g+1)*size], s[1]/groups)...)
		}
		return out
	})
}

// groupsDown takes one number for each group where its channels have the same, and writes scale and bias out where they do not.
func groupsDown(c *step) {
	if dropInt("stash_type", 1)(c); c.err != nil {
		return
	}
	groups := int(c.intAttr("num_groups", 0))
	if groups < 1 || groups > maxChannels {
		c.refuse(fmt.Sprintf("its num_groups is %d", groups), "")
		return
	}
	if s, ok := c.g.shapeOf(c.input(1)); !ok || len(s) != 1 || s[0] < 0 || s[0]%groups != 0 || !c.alikeInGroups(groups, s[0]) {
		c.perChannel(groups)
		return
	} else if each := s[0] / groups; each > 1 {
		c.regroup(s[0], func(raw []byte, size int) []byte {
			var out []byte
			for g := range groups {
				out = append(out, raw[g*each*size:(g*each+1)*size]...)
			}
			return out
		})
	}
}

// alikeInGroups tells whether scale and bias are constants with one number for each group's channels.
func (c *step) alikeInGroups(groups, channels int) bool {
	each := channels / groups
	if each == 1 {
		return true
	}
	for i := 1; i <= 2; i++ {
		t := c.g.constantTensor(c.input(i))
		if t == nil {
			return false
		}
		raw, err := c.g.file.raw(t)
		size := onnxio.DType(t.GetDataType()).Size()
		if err != nil || size == 0 || len(raw) != channels*size {
			return false
		}
		for k := range channels {
			first := k / each * each
			if !slices.Equal(raw[first*size:(first+1)*size], raw[k*size:(k+1)*size]) {
				return false
			}
		}
	}
	return true
}

// maxChannels keeps a hostile size from asking for all memory.
const maxChannels = 1 << 24

func (c *step) regroup(n int, change func(raw []byte, size int) []byte) {
	for i, name := range []string{"scale", "bias"} {
		t := c.known(i+1, name)
		if t == nil || c.err != nil {
			return
		}
		raw, err := c.g.file.raw(t)
		size := onnxio.DType(t.GetDataType()).Size()
		if err != nil || size == 0 || len(raw) != n*size {
			c.refuse(fmt.Sprintf("its %s has not %d numbers", name, n), "")
			return
		}
		raw = change(raw, size)
		if c.err != nil {
			return
		}
		c.swallow(i + 1)
		c.setInput(i+1, c.constant(name, &pb.TensorProto{DataType: t.DataType, Dims: []int64{int64(len(raw) / size)}, RawData: raw}))
	}
}
