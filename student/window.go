package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// slide works out a sliding window's geometry over what the next stage takes, and the height and width that come out; next is nil after a fault.
func (p *planner) slide(l Layer, size, stride Sizes) (g tape.Geometry, window [2]int, next []int) {
	two := func(name string, s Sizes) (v [2]int, ok bool) {
		switch {
		case len(s) == 1 && s[0] >= 1:
			return [2]int{s[0], s[0]}, true
		case len(s) == 2 && s[0] >= 1 && s[1] >= 1:
			return [2]int{s[0], s[1]}, true
		}
		p.fault("%s %v: want one number, or height and width", name, []int(s))
		return v, false
	}
	window, ok := two("window", size)
	if !ok {
		return g, window, nil
	}
	if l.Stride != nil {
		stride = l.Stride
	}
	if g.Stride, ok = two("stride", stride); !ok {
		return g, window, nil
	}
	switch pad := l.Padding; len(pad) {
	case 0:
	case 1:
		g.Pad = [4]int{pad[0], pad[0], pad[0], pad[0]}
	case 2:
		g.Pad = [4]int{pad[0], pad[1], pad[0], pad[1]}
	case 4:
		g.Pad = [4]int(pad)
	default:
		p.fault("padding %v: want one number, two or four", []int(pad))
		return g, window, nil
	}
	for i, v := range g.Pad {
		if v < 0 || v >= window[i%2] {
			p.fault("padding %v of a window of %v: want at least 0 and less than the window", g.Pad, window)
			return g, window, nil
		}
	}
	in := p.shape
	h, w := in[0]+g.Pad[0]+g.Pad[2]-window[0], in[1]+g.Pad[1]+g.Pad[3]-window[1]
	if h < 0 || w < 0 {
		p.fault("a window of %v does not fit into %dx%d", window, in[0], in[1])
		return g, window, nil
	}
	return g, window, []int{h/g.Stride[0] + 1, w/g.Stride[1] + 1}
}

// planPool is the plan of both poolings.
func (p *planner) planPool(kind Kind, size Sizes, l Layer) {
	if l.Kernel != nil {
		p.fault("the window of pooling is written as {%s: 2}", kind)
	}
	g, window, next := p.slide(l, size, size)
	if next == nil {
		return
	}
	p.push(Stage{Kind: kind, Geometry: g, Window: window, Out: []int{next[0], next[1], p.shape[2]}})
}

// windowAttrs are the attributes of the stage's window in ONNX.
func (s Stage) windowAttrs() onnxio.Attrs {
	ints := func(v ...int) []int64 {
		out := make([]int64, len(v))
		for i, s := range v {
			out[i] = int64(s)
		}
		return out
	}
	return onnxio.Attrs{"kernel_shape": ints(s.Window[:]...), "strides": ints(s.Stride[:]...), "pads": ints(s.Pad[:]...)}
}

// slideOf reads stride and padding of a node.
func slideOf(n *onnxio.Node, l *Layer) error {
	for _, d := range n.Attrs.Ints("dilations") {
		if d != 1 {
			return fmt.Errorf("students have no dilation")
		}
	}
	if a := n.Attrs.String("auto_pad", "NOTSET"); a != "NOTSET" && a != "VALID" {
		return fmt.Errorf("auto_pad %s: write the padding out", a)
	}
	if n.Attrs.Int("ceil_mode", 0) != 0 {
		return fmt.Errorf("students have no ceil_mode")
	}
	l.Stride = Sizes{1, 1}
	if s := n.Attrs.Ints("strides"); s != nil {
		l.Stride = s
	}
	for _, p := range n.Attrs.Ints("pads") {
		if p != 0 {
			l.Padding = n.Attrs.Ints("pads")
		}
	}
	return nil
}
