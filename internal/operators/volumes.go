// volumes.go — LpPool, opset 2, 11, 18, 22: the lp norm under a sliding window.

package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Windows over three spatial axes, written in those over two. A maximum, and a mean, over a box is one over its planes and then one over these; a
// convolution is a sum over the planes of its kernel. LpPool is a sum under a window between a power and a root.

// flatWindow tells whether a node's window slides over one or two axes.
func flatWindow(n *onnxio.Node) bool {
	return n.Input(0) == nil || len(n.Inputs[0].Shape) != 5
}

// axisOf are the entries of a list attribute for some of three axes; nil where the attribute is not there.
func axisOf(n *onnxio.Node, name string, axes ...int) []int64 {
	v := n.Attrs.Ints(name)
	if v == nil {
		return nil
	}
	var out []int64
	for _, a := range axes {
		if a < len(v) {
			out = append(out, int64(v[a]))
		}
	}
	return out
}

// split gives the attributes of a window along the last two axes, and of one along the first.
func splitWindow(n *onnxio.Node) (plane, line onnxio.Attrs) {
	plane, line = onnxio.Attrs{}, onnxio.Attrs{}
	for _, name := range []string{"kernel_shape", "strides", "dilations"} {
		if v := axisOf(n, name, 1, 2); v != nil {
			plane[name] = v
			line[name] = []int64{axisOf(n, name, 0)[0], 1}
		}
	}
	if v := n.Attrs.Ints("pads"); len(v) == 6 {
		plane["pads"] = []int64{int64(v[1]), int64(v[2]), int64(v[4]), int64(v[5])}
		line["pads"] = []int64{int64(v[0]), 0, int64(v[3]), 0}
	}
	for _, name := range []string{"auto_pad", "ceil_mode", "count_include_pad"} {
		if v, ok := n.Attrs[name]; ok {
			plane[name], line[name] = v, v
		}
	}
	return plane, line
}

// poolParts pools boxes: planes first, then along the depth.
func poolParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	if len(n.Attrs.Ints("kernel_shape")) != 3 {
		return refuseParts(e, n, "its kernel has not three axes")
	}
	if wants(n, 1) {
		return refuseParts(e, n, "places of maxima over three axes")
	}
	plane, line := splitWindow(n)
	s := x.Shape
	y := e.Op(n.Op, plane, e.Reshape(x, s[0], s[1]*s[2], s[3], s[4]))
	if e.Err != nil {
		return nil
	}
	h, w := y.Shape[2], y.Shape[3]
	y = e.Op(n.Op, line, e.Reshape(y, s[0], s[1], s[2], h*w))
	if e.Err != nil {
		return nil
	}
	return []*onnxio.Value{e.Reshape(y, s[0], s[1], y.Shape[2], h, w)}
}

// depth is how a window slides along the first of three axes.
type depth struct{ kernel, stride, dilation, before, out int }

func depthOf(n *onnxio.Node, in, kernel int) (depth, error) {
	one := func(name string) int {
		if v := n.Attrs.Ints(name); len(v) == 3 {
			return v[0]
		}
		return 1
	}
	d := depth{kernel: kernel, stride: one("strides"), dilation: one("dilations")}
	after := 0
	if p := n.Attrs.Ints("pads"); len(p) == 6 {
		d.before, after = p[0], p[3]
	}
	if d.stride < 1 || d.dilation < 1 || d.before < 0 || after < 0 || d.stride > maxWindow || d.dilation > maxWindow || d.before > maxWindow ||
		after > maxWindow {
		return d, fmt.Errorf("strides, dilations or pads that are none")
	}
	extent := (kernel-1)*d.dilation + 1
	switch auto := n.Attrs.String("auto_pad", "NOTSET"); auto {
	case "SAME_UPPER", "SAME_LOWER":
		d.out = (in + d.stride - 1) / d.stride
		total := max(0, (d.out-1)*d.stride+extent-in)
		if d.before = total / 2; auto == "SAME_LOWER" {
			d.before = total - total/2
		}
		return d, nil
	case "VALID":
		d.before, after = 0, 0
	}
	if in+d.before+after < extent {
		return d, fmt.Errorf("a window of %d does not fit into %d elements with pads of %d and %d", extent, in, d.before, after)
	}
	d.out = (in+d.before+after-extent)/d.stride + 1
	return d, nil
}

// conv3Parts has the planes that the kernel's meet as channels, so that an output is one sum: runtimes add its terms in any order.
func conv3Parts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, w := n.Input(0), n.Input(1)
	if w == nil || len(w.Shape) != 5 {
		return refuseParts(e, n, "its weights have not five axes")
	}
	s := x.Shape
	d, err := depthOf(n, s[2], w.Shape[2])
	if err != nil {
		e.Fail(err)
		return nil
	}
	plane, _ := splitWindow(n)
	plane["kernel_shape"] = []int64{int64(w.Shape[3]), int64(w.Shape[4])}
	if g := n.Attrs.Int("group", 1); g != 1 {
		plane["group"] = int64(g)
	}
	last := (d.out-1)*d.stride + (d.kernel-1)*d.dilation - d.before
	planes := e.Pad(x, []int{0, 0, d.before, 0, 0}, []int{0, 0, max(0, last-s[2]+1), 0, 0})
	var at []int
	for o := range d.out {
		for k := range d.kernel {
			at = append(at, o*d.stride+k*d.dilation)
		}
	}
	planes = e.Reshape(e.Op("Gather", onnxio.Attrs{"axis": int64(2)}, planes, e.Ints(at...)), s[0], s[1], d.out, d.kernel, s[3], s[4])
	planes = e.Reshape(e.Transpose(planes, 0, 2, 1, 3, 4, 5), s[0]*d.out, s[1]*d.kernel, s[3], s[4])
	in := []*onnxio.Value{planes, e.Reshape(w, w.Shape[0], w.Shape[1]*w.Shape[2], w.Shape[3], w.Shape[4])}
	if b := n.Input(2); b != nil {
		in = append(in, b)
	}
	y := e.Op("Conv", plane, in...)
	if e.Err != nil {
		return nil
	}
	y = e.Reshape(y, s[0], d.out, y.Shape[1], y.Shape[2], y.Shape[3])
	return one(e.Transpose(y, 0, 2, 1, 3, 4))
}

// convTranspose3Parts spreads each plane of the input by each plane of the kernel, and adds them where they lie.
func convTranspose3Parts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x, w := n.Input(0), n.Input(1)
	if w == nil || len(w.Shape) != 5 {
		return refuseParts(e, n, "its weights have not five axes")
	}
	if auto := n.Attrs.String("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "VALID" || n.Attrs.Has("output_shape") {
		return refuseParts(e, n, "pads that follow from the output's size, over three axes")
	}
	s := x.Shape
	list := func(name string, def int) []int {
		if v := n.Attrs.Ints(name); len(v) == 3 {
			return v
		}
		return []int{def, def, def}
	}
	stride, dilation, extra := list("strides", 1), list("dilations", 1), list("output_padding", 0)
	pads := n.Attrs.Ints("pads")
	if len(pads) != 6 {
		pads = make([]int, 6)
	}
	if slices.Min(stride) < 1 || slices.Min(dilation) < 1 || slices.Max(stride) > maxWindow || slices.Max(dilation) > maxWindow || s[2] < 1 {
		e.Fail(fmt.Errorf("strides %v, dilations %v", stride, dilation))
		return nil
	}
	plane := onnxio.Attrs{"kernel_shape": []int64{int64(w.Shape[3]), int64(w.Shape[4])}, "strides": op.Ints64(stride[1:]),
		"dilations":      op.Ints64(dilation[1:]),
		"output_padding": op.Ints64(extra[1:]), "pads": op.Ints64([]int{pads[1], pads[2], pads[4], pads[5]}), "group": int64(n.Attrs.Int("group", 1))}
	planes := e.Reshape(e.Transpose(x, 0, 2, 1, 3, 4), s[0]*s[2], s[1], s[3], s[4])
	full := (s[2]-1)*stride[0] + (w.Shape[2]-1)*dilation[0] + 1 + extra[0]
	var sum *onnxio.Value
	for k := range w.Shape[2] {
		y := e.Op("ConvTranspose", plane, planes, e.Reshape(e.Slice(w, 2, k, k+1), w.Shape[0], w.Shape[1], w.Shape[3], w.Shape[4]))
		if e.Err != nil {
			return nil
		}
		m, h, v := y.Shape[1], y.Shape[2], y.Shape[3]
		// A gap of stride-1 planes behind each; that behind the last is cut off.
		y = e.Pad(e.Reshape(y, s[0], s[2], 1, m, h, v), make([]int, 6), []int{0, 0, stride[0] - 1, 0, 0, 0})
		y = e.Slice(e.Reshape(y, s[0], s[2]*stride[0], m, h, v), 1, 0, (s[2]-1)*stride[0]+1)
		y = e.Pad(y, []int{0, k * dilation[0], 0, 0, 0}, []int{0, full - (s[2]-1)*stride[0] - 1 - k*dilation[0], 0, 0, 0})
		if sum == nil {
			sum = y
		} else {
			sum = e.Add(sum, y)
		}
	}
	if e.Err != nil {
		return nil
	}
	if full-pads[0]-pads[3] < 1 {
		e.Fail(fmt.Errorf("pads %v leave nothing", pads))
		return nil
	}
	sum = e.Transpose(e.Slice(sum, 1, pads[0], full-pads[3]), 0, 2, 1, 3, 4)
	if b := n.Input(2); b != nil {
		sum = e.Add(sum, e.Reshape(b, 1, product(b.Shape), 1, 1, 1))
	}
	return one(sum)
}

var lpPoolOp = op.Def{Name: "LpPool", Since: 2, Attrs: windowed.With(op.Attributes{"ceil_mode": op.Boolean, "p": op.AnyValue}),
	Parts: lpPoolParts, Couple: coupleImage}

// lpPoolParts is the p-th root of the sum of p-th powers: their mean, pads included as zeros, times how many it divides by.
func lpPoolParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	x := n.Input(0)
	p := n.Attrs.Int("p", 2)
	if p < 1 || x == nil || len(x.Shape) < 3 {
		return refuseParts(e, n, "p is no positive number, or there are no images")
	}
	if len(x.Shape) > 4 {
		return refuseParts(e, n, "more than two spatial axes")
	}
	g, err := readWindow(n, x.Shape, nil)
	if err == nil {
		err = g.slide(n)
	}
	if err != nil {
		e.Fail(err)
		return nil
	}
	// As a depthwise convolution of ones, over an image with the pads that ceil_mode adds.
	bottom := max(g.bottom, (g.oh-1)*g.sh+(g.kh-1)*g.dh+1-g.h-g.top)
	right := max(g.right, (g.ow-1)*g.sw+(g.kw-1)*g.dw+1-g.w-g.left)
	attrs := onnxio.Attrs{"group": int64(g.c), "kernel_shape": op.Ints64([]int{g.kh, g.kw}), "strides": op.Ints64([]int{g.sh, g.sw}),
		"dilations": op.Ints64([]int{g.dh, g.dw}),
		"pads":      op.Ints64([]int{g.top, g.left, bottom, right})}
	image := e.Reshape(powerOf(e, x, p), g.n, g.c, g.h, g.w)
	ones := e.Reals(x, slices.Repeat([]float64{1}, g.c*g.kh*g.kw), g.c, 1, g.kh, g.kw)
	y := e.Op("Conv", attrs, image, ones)
	if e.Err != nil {
		return nil
	}
	y = e.Slice(e.Slice(y, 2, 0, g.oh), 3, 0, g.ow)
	return one(rootOf(e, e.Reshape(y, g.shape(g.c)...), p))
}
