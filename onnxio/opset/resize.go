package opset

import (
	"fmt"
	"math"
	"slices"
)

func (t table) resize() {
	t.at(9, adapter{up: upsampleUp, down: upsampleDown}, "Upsample")
	t.at(10, adapter{up: func(c *step) {
		c.g.file.enlarges[c.n.p] = true
		c.rename("Resize")
	}}, "Upsample")
	t.at(10, adapter{down: func(c *step) {
		if c.enlarging(1); c.err == nil {
			c.rename("Upsample")
		}
	}}, "Resize")
	t.at(11, adapter{up: resizeUp11, down: resizeDown11}, "Resize")
	t.at(13, adapter{up: resizeUp13, down: resizeDown13}, "Resize")
	t.at(18, adapter{up: keep, down: all(dropInt("antialias", 0), dropString("keep_aspect_ratio_policy", "stretch"), resizeAxes)}, "Resize")
	t.at(19, adapter{up: keep, down: func(c *step) {
		if c.stringAttr("coordinate_transformation_mode", "half_pixel") == "half_pixel_symmetric" {
			c.refuse("its coordinate_transformation_mode half_pixel_symmetric is new in opset 19", "--opset 19 is the lowest for this file")
		}
	}}, "Resize")
}

func upsampleUp(c *step) {
	a := c.attr("scales")
	if a == nil || c.err != nil {
		c.refuse("it has no scales", "")
		return
	}
	v := a.Floats
	c.remove("scales")
	c.setInput(1, c.floatConstant("scales", v))
}

func upsampleDown(c *step) {
	v, _ := c.floats(1, "scales")
	if c.err != nil {
		return
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	c.set("scales", out)
	c.swallow(1)
}

// enlarging gives the constant scales of input i, and refuses those below 1.
func (c *step) enlarging(i int) []float64 {
	v, ok := c.floats(i, "scales")
	if c.err == nil && (!ok || slices.ContainsFunc(v, func(x float64) bool { return !(x >= 1) })) {
		c.refuse(fmt.Sprintf("its scales are %v, and making images smaller was not told precisely before opset 11", v),
			"--opset 11 is the lowest for this file")
	}
	return v
}

// resizeUp11: what opset 10 meant without saying so is an attribute in opset 11. Where it makes images smaller, opset 10 leaves the
// nearest neighbour open.
func resizeUp11(c *step) {
	mode := c.stringAttr("mode", "nearest")
	if mode == "nearest" && !c.g.file.enlarges[c.n.p] {
		c.enlarging(1)
	}
	if c.err != nil {
		return
	}
	c.set("coordinate_transformation_mode", "asymmetric")
	if mode == "nearest" {
		c.set("nearest_mode", "floor")
	}
	scales := c.input(1)
	c.setInput(1, c.floatConstant("roi", nil))
	c.setInput(2, scales)
}

func resizeDown11(c *step) {
	mode, from := c.stringAttr("mode", "nearest"), c.stringAttr("coordinate_transformation_mode", "half_pixel")
	nearest := c.stringAttr("nearest_mode", "round_prefer_floor")
	if mode == "cubic" {
		c.refuse("its mode cubic is new in opset 11", "--opset 11 is the lowest for this file")
		return
	}
	scales := c.resizeScales()
	if c.err != nil {
		return
	}
	whole := !slices.ContainsFunc(scales, func(x float64) bool { return !(x >= 1) || x != math.Trunc(x) })
	one := !slices.ContainsFunc(scales, func(x float64) bool { return !(x >= 1) })
	switch {
	case mode == "linear" && from == "asymmetric":
	case mode == "nearest" && from == "asymmetric" && nearest == "floor" && one:
	// Every pixel repeated n times: half a pixel aside, the middles of all n are nearest to it.
	case mode == "nearest" && (from == "half_pixel" || from == "pytorch_half_pixel") &&
		(nearest == "round_prefer_floor" || nearest == "round_prefer_ceil") && whole:
	default:
		c.refuse(fmt.Sprintf("its mode %s with %s, %s and scales %v is new in opset 11", mode, from, nearest, scales),
			"--opset 11 is the lowest for this file")
		return
	}
	for _, name := range []string{"coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside", "extrapolation_value"} {
		c.remove(name)
	}
	name := c.input(2)
	if t := c.g.constantTensor(name); t == nil || c.input(3) != "" {
		v := make([]float32, len(scales))
		for i, x := range scales {
			v[i] = float32(x)
		}
		name = c.floatConstant("scales", v)
	}
	c.swallow(3)
	c.setInput(2, "")
	c.swallow(1)
	c.setInput(1, name)
}

// resizeScales gives the constant scales; of sizes, where they are multiples of the input's.
func (c *step) resizeScales() []float64 {
	if c.input(3) == "" {
		v, _ := c.floats(2, "scales")
		return v
	}
	sizes, _ := c.ints(3, "sizes")
	s, ok := c.g.shapeOf(c.input(0))
	if !ok || len(s) != len(sizes) || slices.Contains(s, 0) {
		c.needShape(c.input(0), "shape")
		return nil
	}
	out := make([]float64, len(s))
	for i, n := range sizes {
		if s[i] < 0 || n%int64(s[i]) != 0 {
			c.refuse(fmt.Sprintf("its sizes are %v of shape %v, and only scales can be told before opset 11", sizes, s),
				"--opset 11 is the lowest for this file")
			return nil
		}
		out[i] = float64(n / int64(s[i]))
	}
	return out
}

// resizeUp13 leaves out what is empty, and resizeDown13 writes it, since all inputs had to be there.
func resizeUp13(c *step) {
	if c.stringAttr("coordinate_transformation_mode", "half_pixel") == "tf_half_pixel_for_nn" {
		c.refuse("its coordinate_transformation_mode tf_half_pixel_for_nn is no more in opset 13", "--opset 12 is the highest for this file")
		return
	}
	for _, i := range []int{2, 1} {
		if t := c.g.constantTensor(c.input(i)); t != nil && len(t.Dims) == 1 && t.Dims[0] == 0 {
			c.swallow(i)
		}
	}
}

func resizeDown13(c *step) {
	for i, name := range []string{"", "roi", "scales"} {
		if i > 0 && c.input(i) == "" {
			c.setInput(i, c.floatConstant(name, nil))
		}
	}
}

// resizeAxes tells scales or sizes for all axes where only some are named.
func resizeAxes(c *step) {
	a := c.attr("axes")
	if a == nil || c.err != nil {
		return
	}
	s, ok := c.g.shapeOf(c.input(0))
	if !ok {
		c.needShape(c.input(0), "shape")
		return
	}
	if c.stringAttr("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize" {
		c.refuse("its axes are new in opset 18, for a region of interest too", "--opset 18 is the lowest for this file")
		return
	}
	axes := a.Ints
	place := func(i int) int {
		k := int(axes[i])
		if k < 0 {
			k += len(s)
		}
		if k < 0 || k >= len(s) {
			c.refuse(fmt.Sprintf("its axes are %v of %d", axes, len(s)), "")
			return 0
		}
		return k
	}
	if c.input(3) != "" {
		v, _ := c.ints(3, "sizes")
		whole := make([]int64, len(s))
		for i, d := range s {
			whole[i] = int64(d)
		}
		for i := range min(len(v), len(axes)) {
			whole[place(i)] = v[i]
		}
		if c.err == nil && slices.Contains(whole, -1) {
			c.needShape(c.input(0), "shape")
		}
		if c.err != nil {
			return
		}
		c.swallow(3)
		c.setInput(3, c.intConstant("sizes", whole))
	} else {
		v, _ := c.floats(2, "scales")
		whole := slices.Repeat([]float32{1}, len(s))
		for i := range min(len(v), len(axes)) {
			whole[place(i)] = float32(v[i])
		}
		if c.err != nil {
			return
		}
		c.swallow(2)
		c.setInput(2, c.floatConstant("scales", whole))
	}
	c.remove("axes")
}
