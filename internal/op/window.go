package op

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// sliding is a window that moves along one axis: output o reads in[o*stride - before + k*dilation] for 0 <= k < kernel,
// where that lies inside. before and after are the pads.
type sliding struct {
	in, out, kernel, stride, dilation, before, after int
}

// extent is what the window covers, gaps included.
func (s *sliding) extent() int { return (s.kernel-1)*s.dilation + 1 }

// taps is the range [lo, hi) of k that lies inside the input at output o, and where k = 0 would be.
func (s *sliding) taps(o int) (lo, hi, first int) {
	first = o*s.stride - s.before
	if first < 0 {
		lo = (-first + s.dilation - 1) / s.dilation
	}
	hi = s.kernel
	if first+(s.kernel-1)*s.dilation >= s.in {
		hi = max(0, (s.in-first+s.dilation-1)/s.dilation)
	}
	return min(lo, hi), hi, first
}

// images is a window sliding over n*c images of h rows: rows and cols hold its two axes. One-dimensional inputs are
// images of one row.
type images struct {
	n, c       int
	rows, cols sliding
}

// in and out are the numbers of elements of one image before and after.
func (g *images) in() int  { return g.rows.in * g.cols.in }
func (g *images) out() int { return g.rows.out * g.cols.out }

// maxWindow bounds kernel sizes, strides, dilations and pads, so that their sums and products stay in an int.
const maxWindow = 1 << 24

// windowAttrs reads strides, dilations and explicit pads for the given number of axes, filled with the standard's defaults.
func windowAttrs(n *onnxio.Node, axes int) (strides, dilations, pads []int, err error) {
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
	return read("strides", axes, 1, 1), read("dilations", axes, 1, 1), read("pads", 2*axes, 0, 0), err
}

// slide works out the windows over all spatial axes of x [N, C, ...].
//
// With auto_pad SAME_UPPER or SAME_LOWER the output has ceil(in/stride) elements and the pads follow, the odd one at the
// end or at the start. With ceil (the pools' ceil_mode) a last window may reach past the padded input, but must start
// inside the input or the padding before it.
func slide(n *onnxio.Node, x, kernel []int, ceil bool) (*images, error) {
	if len(x) < 3 {
		return nil, fmt.Errorf("input of shape %v where [N, C, ...] is needed", x)
	}
	axes := len(x) - 2
	if len(kernel) != axes {
		return nil, fmt.Errorf("kernel %v on an input of shape %v", kernel, x)
	}
	strides, dilations, pads, err := windowAttrs(n, axes)
	if err != nil {
		return nil, err
	}
	if axes > 2 {
		return nil, unsupported(n, "", fmt.Sprintf("%d spatial axes; 1 and 2 can be treated", axes))
	}
	auto := n.Attrs.String("auto_pad", "NOTSET")
	s := make([]sliding, axes)
	for i := range s {
		w := sliding{in: x[2+i], kernel: kernel[i], stride: strides[i], dilation: dilations[i]}
		if w.kernel < 1 || w.kernel > maxWindow || w.kernel*w.dilation > maxWindow || w.in > maxElements {
			return nil, fmt.Errorf("kernel size %d with dilation %d", w.kernel, w.dilation)
		}
		switch auto {
		case "NOTSET", "":
			w.before, w.after = pads[i], pads[axes+i]
			room := w.in + w.before + w.after - w.extent()
			if room < 0 {
				return nil, fmt.Errorf("a window of %d does not fit into %d elements with pads of %d and %d", w.extent(), w.in, w.before, w.after)
			}
			w.out = room/w.stride + 1
			if ceil && room%w.stride != 0 && w.out*w.stride < w.in+w.before {
				w.out++
			}
		case "VALID":
			if w.in < w.extent() {
				return nil, fmt.Errorf("a window of %d does not fit into %d elements", w.extent(), w.in)
			}
			w.out = (w.in-w.extent())/w.stride + 1
		case "SAME_UPPER", "SAME_LOWER":
			w.out = (w.in + w.stride - 1) / w.stride
			total := max(0, (w.out-1)*w.stride+w.extent()-w.in)
			w.before, w.after = total/2, total-total/2
			if auto == "SAME_LOWER" {
				w.before, w.after = w.after, w.before
			}
		default:
			return nil, fmt.Errorf("auto_pad %q", auto)
		}
		s[i] = w
	}
	g := &images{n: x[0], c: x[1]}
	g.lift(s)
	return g, nil
}

// lift stores one axis as columns of images of one row, or two axes.
func (g *images) lift(s []sliding) {
	g.rows = sliding{in: 1, out: 1, kernel: 1, stride: 1, dilation: 1}
	g.cols = s[len(s)-1]
	if len(s) == 2 {
		g.rows = s[0]
	}
}

// shape is the output's shape with the given channels, for an input of the given rank.
func (g *images) shape(channels, rank int) ([]int, error) {
	s := []int{g.n, channels, g.rows.out, g.cols.out}
	if rank == 3 {
		s = []int{g.n, channels, g.cols.out}
	}
	return s, checkSizes(s)
}

// barren tells whether some window lies in the padding altogether.
func (s *sliding) barren() bool {
	for o := range s.out {
		if lo, hi, _ := s.taps(o); lo >= hi {
			return true
		}
	}
	return false
}

// kept remembers the windows of one input shape between runs.
type kept struct {
	shape []int
	g     *images
}

// windows returns what fresh gives, and keeps it until the input's shape changes.
func (k *kept) windows(c *Call, fresh func(n *onnxio.Node, x []int) (*images, error)) (*images, error) {
	if k.g != nil && slices.Equal(k.shape, c.In[0].Shape) {
		return k.g, nil
	}
	g, err := fresh(c.Node, c.In[0].Shape)
	if err != nil {
		return nil, err
	}
	k.shape, k.g = slices.Clone(c.In[0].Shape), g
	return g, nil
}
