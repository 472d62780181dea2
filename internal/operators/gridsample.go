// gridsample.go — GridSample, opset 16, 20 (names of modes), 22: an image read at the places that a grid names, nearest, linear or cubic. Images
// of two spatial axes.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var gridSampleOp = op.Def{Name: "GridSample", Since: 16,
	Attrs: op.Attributes{
		"align_corners": op.Boolean, "padding_mode": op.OneOf("zeros", "border", "reflection"),
		"mode": append(op.FromTo(16, 19, "bilinear", "bicubic"), op.OneOf("nearest").From(20, "linear", "cubic")...),
	},
	Shape: gridSampleShape, Eval: gridSampleEval}

// sampler is a node's way to read an image of h by w.
type sampler struct {
	h, w    int
	mode    string // nearest, linear, cubic
	padding string // zeros, border, reflection
	corners bool
}

func newSampler(n *onnxio.Node, h, w int) (*sampler, error) {
	s := &sampler{h: h, w: w, mode: n.Attrs.String("mode", "linear"), padding: n.Attrs.String("padding_mode", "zeros"),
		corners: n.Attrs.Int("align_corners", 0) != 0}
	switch s.mode {
	case "bilinear":
		s.mode = "linear"
	case "bicubic":
		s.mode = "cubic"
	case "nearest", "linear", "cubic":
	default:
		return nil, fmt.Errorf("mode %q", s.mode)
	}
	switch s.padding {
	case "zeros", "border", "reflection":
	default:
		return nil, fmt.Errorf("padding_mode %q", s.padding)
	}
	return s, nil
}

func gridSampleShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	if len(x) == 5 {
		return nil, op.Unsupported(n, "Shape", "three spatial axes; two can be treated")
	}
	if len(x) != 4 || len(g) != 4 || g[0] != x[0] || g[3] != 2 || x[2] < 1 || x[3] < 1 {
		return nil, fmt.Errorf("a grid of shape %v for an input of shape %v", g, x)
	}
	if _, err := newSampler(n, x[2], x[3]); err != nil {
		return nil, err
	}
	out := []int{x[0], x[1], g[1], g[2]}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

// place takes a coordinate of the grid, -1 to 1, to pixels of an axis of n.
func (s *sampler) place(v float64, n int) float64 {
	if s.corners {
		return (v + 1) / 2 * float64(n-1)
	}
	return ((v+1)*float64(n) - 1) / 2
}

// padded brings a coordinate that lies outside into the image, as the padding says: border to the nearest pixel, reflection by mirrors at the
// ends (of the pixels' centres, or with align_corners 0 of their edges).
func (s *sampler) padded(v float64, n int) float64 {
	switch s.padding {
	case "border":
		return min(max(v, 0), float64(n-1))
	case "reflection":
		lo, up := -0.5, float64(n)-0.5
		if s.corners {
			lo, up = 0, float64(n-1)
		}
		return mirrored(v, lo, up)
	}
	return v
}

// mirrored reflects v at lo and up until it lies between them.
func mirrored(v, lo, up float64) float64 {
	width := up - lo
	if width <= 0 {
		return lo
	}
	if v >= lo && v <= up {
		return v
	}
	d := math.Mod(math.Abs(v-lo), 2*width)
	if d > width {
		d = 2*width - d
	}
	return lo + d
}

// tap tells which pixel is read at an integer coordinate; ok is false where a zero is.
func (s *sampler) tap(v float64, n int) (int, bool) {
	if s.padding != "zeros" {
		v = min(max(s.padded(v, n), 0), float64(n-1))
		return int(math.RoundToEven(v)), true
	}
	if !(v >= 0 && v <= float64(n-1)) {
		return 0, false
	}
	return int(v), true
}

// cubicGrid is the parameter a of the cubic kernel (Keys 1981), as the standard has it here.
const cubicGrid = -0.75

// axis lists the taps of a coordinate along an axis and their weights; unused entries weigh 0.
func (s *sampler) axis(v float64, n int) (at [4]int, weight [4]float64) {
	p := s.place(v, n)
	if s.mode != "cubic" && !(s.mode == "nearest" && s.padding == "reflection") { // the nearest pixel is reflected, see tap
		p = s.padded(p, n)
	}
	if !(math.Abs(p) < 1<<40) {
		p = -1 << 40 // far outside, or not a number
	}
	set := func(k int, c, f float64) {
		if i, ok := s.tap(c, n); ok {
			at[k], weight[k] = i, f
		}
	}
	base := math.Floor(p)
	t := p - base
	switch s.mode {
	case "nearest":
		set(0, math.RoundToEven(p), 1)
	case "linear":
		set(0, base, 1-t)
		set(1, base+1, t)
	default:
		far := func(d float64) float64 { return ((cubicGrid*d-5*cubicGrid)*d+8*cubicGrid)*d - 4*cubicGrid }
		near := func(d float64) float64 { return ((cubicGrid+2)*d-(cubicGrid+3))*d*d + 1 }
		set(0, base-1, far(t+1))
		set(1, base, near(t))
		set(2, base+1, near(1-t))
		set(3, base+2, far(2-t))
	}
	return at, weight
}

func gridSampleEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return gridSample(c, c.Out[0].F32(), x)
	case []float64:
		return gridSample(c, c.Out[0].F64(), x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func gridSample[T float32 | float64](c *op.Call, y, x []T) error {
	xs, out := c.In[0].Shape, c.Out[0].Shape
	s, _ := c.State.(*sampler)
	if s == nil || s.h != xs[2] || s.w != xs[3] {
		var err error
		if s, err = newSampler(c.Node, xs[2], xs[3]); err != nil {
			return err
		}
		c.State = s
	}
	if len(y) != product(out) {
		return fmt.Errorf("input and output differ in type")
	}
	area := out[2] * out[3]
	for b := range out[0] {
		for p := range area {
			g := 2 * (b*area + p)
			ax, wx := s.axis(numberAt(c.In[1], g), s.w)
			ay, wy := s.axis(numberAt(c.In[1], g+1), s.h)
			for ch := range out[1] {
				plane := x[(b*out[1]+ch)*s.h*s.w:][:s.h*s.w]
				sum := 0.0
				for i, f := range wy {
					for j, e := range wx {
						if f != 0 && e != 0 {
							sum += f * e * float64(plane[ay[i]*s.w+ax[j]])
						}
					}
				}
				y[(b*out[1]+ch)*area+p] = T(sum)
			}
		}
	}
	return nil
}
