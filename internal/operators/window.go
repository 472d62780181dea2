package operators

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// window is a window of kh by kw that slides over n*c images of h by w and gives images of oh by ow: output (oy, ox) sees, at tap
// (ky, kx), the input at row oy*sh - top + ky*dh and column ox*sw - left + kx*dw, where that lies inside. One-dimensional
// inputs are images of one row.
type window struct {
	oneD                     bool
	n, c, h, w               int
	oh, ow                   int
	kh, kw, sh, sw, dh, dw   int
	top, left, bottom, right int
}

// maxWindow bounds sizes, strides, dilations and pads, so that their sums and products stay in an int.
const maxWindow = 1 << 24

// readWindow reads strides, dilations and explicit pads of a window with the given kernel (nil: the attribute kernel_shape)
// over x [N, C, ...]. The output's size is not known yet: see slide.
func readWindow(n *onnxio.Node, x, kernel []int) (*window, error) {
	if len(x) < 3 {
		return nil, fmt.Errorf("input of shape %v where [N, C, ...] is needed", x)
	}
	axes := len(x) - 2
	if kernel == nil {
		if kernel = n.Attrs.Ints("kernel_shape"); kernel == nil {
			return nil, fmt.Errorf("attribute kernel_shape is missing")
		}
	}
	var err error
	read := func(name string, count, def, least int) []int {
		v := n.Attrs.Ints(name)
		if v == nil {
			v = slices.Repeat([]int{def}, count)
		}
		if len(v) != count && err == nil {
			err = fmt.Errorf("attribute %s has %d entries where %d are needed", name, len(v), count)
		}
		for _, d := range v {
			if (d < least || d > maxWindow) && err == nil {
				err = fmt.Errorf("attribute %s has an entry of %d", name, d)
			}
		}
		return v
	}
	s, d, p := read("strides", axes, 1, 1), read("dilations", axes, 1, 1), read("pads", 2*axes, 0, 0)
	if err != nil {
		return nil, err
	}
	if len(kernel) != axes {
		return nil, fmt.Errorf("kernel %v on an input of shape %v", kernel, x)
	}
	for i, k := range kernel {
		if k < 1 || k > maxWindow || k*d[i] > maxWindow || x[2+i] > maxWindow {
			return nil, fmt.Errorf("kernel %v on an input of shape %v", kernel, x)
		}
	}
	g := &window{n: x[0], c: x[1], h: 1, kh: 1, sh: 1, dh: 1, oneD: axes == 1}
	switch axes {
	case 1:
		g.w, g.kw, g.sw, g.dw, g.left, g.right = x[2], kernel[0], s[0], d[0], p[0], p[1]
	case 2:
		g.h, g.kh, g.sh, g.dh, g.top, g.bottom = x[2], kernel[0], s[0], d[0], p[0], p[2]
		g.w, g.kw, g.sw, g.dw, g.left, g.right = x[3], kernel[1], s[1], d[1], p[1], p[3]
	default:
		return nil, op.Unsupported(n, "", fmt.Sprintf("%d spatial axes; 1 and 2 can be treated", axes))
	}
	return g, nil
}

// slide sets the output's size, and the pads where auto_pad asks for them.
//
// With SAME_UPPER or SAME_LOWER an output axis has ceil(in/stride) elements and the pads follow, the odd one at the end or
// at the start. With ceil_mode (of pools) a last window may reach past the padded input, but must start inside the input or
// the padding before it.
func (g *window) slide(n *onnxio.Node) error {
	auto := n.Attrs.String("auto_pad", "NOTSET")
	ceil := n.Attrs.Int("ceil_mode", 0) != 0
	axis := func(in, k, s, d int, before, after, out *int) error {
		if n.Reading == onnxio.ONNXRuntime && (n.Op == "MaxPool" || n.Op == "AveragePool") {
			return slideRuntime(n, in, k, s, d, before, after, out)
		}
		extent := (k-1)*d + 1
		switch auto {
		case "VALID":
			*before, *after = 0, 0
		case "SAME_UPPER", "SAME_LOWER":
			*out = (in + s - 1) / s
			total := max(0, (*out-1)*s+extent-in)
			*before, *after = total/2, total-total/2
			if auto == "SAME_LOWER" {
				*before, *after = *after, *before
			}
			return nil
		case "NOTSET", "":
		default:
			return fmt.Errorf("auto_pad %q", auto)
		}
		room := in + *before + *after - extent
		if room < 0 {
			return fmt.Errorf("a window of %d does not fit into %d elements with pads of %d and %d", extent, in, *before, *after)
		}
		*out = room/s + 1
		if ceil && auto != "VALID" && room%s != 0 && *out*s < in+*before {
			*out++
		}
		return nil
	}
	g.oh = 1
	if !g.oneD {
		if err := axis(g.h, g.kh, g.sh, g.dh, &g.top, &g.bottom, &g.oh); err != nil {
			return err
		}
	}
	return axis(g.w, g.kw, g.sw, g.dw, &g.left, &g.right, &g.ow)
}

// shape is the output's shape with m channels.
func (g *window) shape(m int) []int {
	if g.oneD {
		return []int{g.n, m, g.ow}
	}
	return []int{g.n, m, g.oh, g.ow}
}

// each calls f for the taps of output (oy, ox) that lie inside the image: tap counts them in the kernel, pos in the image.
func (g *window) each(oy, ox int, f func(tap, pos int)) {
	ya, yb, y0 := inside(oy*g.sh-g.top, g.kh, g.dh, g.h)
	xa, xb, x0 := inside(ox*g.sw-g.left, g.kw, g.dw, g.w)
	for ky := ya; ky < yb; ky++ {
		line := (y0+ky*g.dh)*g.w + x0
		for kx := xa; kx < xb; kx++ {
			f(ky*g.kw+kx, line+kx*g.dw)
		}
	}
}

// inside is the range [lo, hi) of taps k with 0 <= first + k*dilation < in. first is handed through.
func inside(first, kernel, dilation, in int) (lo, hi, from int) {
	if first < 0 {
		lo = (-first + dilation - 1) / dilation
	}
	hi = kernel
	if first+(kernel-1)*dilation >= in {
		hi = max(0, (in-first+dilation-1)/dilation)
	}
	return min(lo, hi), hi, first
}

// barren tells whether some window lies in the padding altogether.
func (g *window) barren() bool {
	for oy := range g.oh {
		if lo, hi, _ := inside(oy*g.sh-g.top, g.kh, g.dh, g.h); lo >= hi {
			return true
		}
	}
	for ox := range g.ow {
		if lo, hi, _ := inside(ox*g.sw-g.left, g.kw, g.dw, g.w); lo >= hi {
			return true
		}
	}
	return false
}
