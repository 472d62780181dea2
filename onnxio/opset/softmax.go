package opset

import (
	"github.com/shallow-waters/shoal/onnxio"
)

func (t table) softmax() {
	t.at(13, adapter{up: softmaxUp, down: softmaxDown}, "Softmax", "LogSoftmax", "Hardmax")
}

// Before opset 13 these operators took their input for a matrix: the axes before axis are its rows, those from axis on its columns, all
// of them together. Since then they go along one axis. Both are the same where at most one of the columns' axes is longer than 1.

// softmaxAxis finds the one axis that does the same in both forms; -1 where there is none or the shape does not tell.
func (c *step) softmaxAxis(axis int64) (one int64, rank int) {
	s, ok := c.g.shapeOf(c.input(0))
	if !ok && len(c.n.p.Output) > 0 {
		s, ok = c.g.shapeOf(c.n.p.Output[0])
	}
	if !ok {
		return -1, -1
	}
	if axis < 0 {
		axis += int64(len(s))
	}
	if axis < 0 || axis >= int64(len(s)) {
		return -1, len(s)
	}
	one = axis
	long := 0
	for i := int(axis); i < len(s); i++ {
		if s[i] != 1 {
			one = int64(i)
			long++
		}
	}
	if long > 1 {
		return -1, len(s)
	}
	return one, len(s)
}

func softmaxUp(c *step) {
	axis := c.intAttr("axis", 1)
	if c.err != nil || axis == -1 {
		return
	}
	if one, rank := c.softmaxAxis(axis); one >= 0 {
		if c.attr("axis") == nil && one == int64(rank-1) { // the default was 1 and is the last axis now
			return
		}
		if c.attr("axis") == nil || one != axis {
			c.set("axis", one)
		}
		return
	}
	x, y := c.input(0), c.n.p.Output[0]
	d := c.g.typeOf(x)
	shape, flat, soft := c.value("shape", onnxio.Int64, nil), c.value("flat", d, nil), c.value("rows", d, nil)
	c.before = append(c.before, c.node("Shape", []string{x}, []string{shape}), c.node("Flatten", []string{x}, []string{flat}, attribute("axis", axis)))
	c.after = append(c.after, c.node("Reshape", []string{soft, shape}, []string{y}))
	c.setInput(0, flat)
	c.n.p.Output = []string{soft}
	c.set("axis", int64(-1))
}

func softmaxDown(c *step) {
	axis := c.intAttr("axis", -1)
	if c.err != nil {
		return
	}
	if axis == -1 {
		c.set("axis", axis)
		return
	}
	// In the older form the axis takes all after it along; these have to be of size 1.
	if one, _ := c.softmaxAxis(axis); one >= 0 {
		s, _ := c.g.shapeOf(c.input(0))
		if s == nil {
			s, _ = c.g.shapeOf(c.n.p.Output[0])
		}
		if axis < 0 {
			axis += int64(len(s))
		}
		if one == axis {
			c.set("axis", axis)
			return
		}
	}
	rank := c.rank(c.input(0))
	if c.err != nil {
		return
	}
	if axis < 0 {
		axis += int64(rank)
	}
	if axis < 0 || int(axis) >= rank {
		c.refuse("its axis is out of range", "")
		return
	}
	perm := make([]int64, rank)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[axis], perm[rank-1] = int64(rank-1), axis
	s, _ := c.g.shapeOf(c.input(0))
	turned := make([]int, rank)
	for i := range turned {
		turned[i] = s[perm[i]]
	}
	x, y, d := c.input(0), c.n.p.Output[0], c.g.typeOf(c.input(0))
	in, out := c.value("turned", d, turned), c.value("along", d, turned)
	c.before = append(c.before, c.node("Transpose", []string{x}, []string{in}, attribute("perm", perm)))
	c.after = append(c.after, c.node("Transpose", []string{out}, []string{y}, attribute("perm", perm)))
	c.setInput(0, in)
	c.n.p.Output = []string{out}
	c.set("axis", int64(rank-1))
}
