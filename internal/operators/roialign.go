// roialign.go — RoiAlign, opset 10, 16 (coordinate_transformation_mode), 22: regions of images brought to one size, each cell the mean or the
// maximum of points read between pixels.
// Source: He, Gkioxari, Dollár and Girshick 2017, "Mask R-CNN", section 3.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var roiAlignOp = op.Def{Name: "RoiAlign", Since: 10,
	Attrs: op.Attributes{
		"mode": op.OneOf("avg", "max"), "coordinate_transformation_mode": op.OneOf("half_pixel", "output_half_pixel"), "output_height": op.AnyValue,
		"output_width": op.AnyValue, "sampling_ratio": op.AnyValue, "spatial_scale": op.AnyValue,
	},
	Shape: roiAlignShape, Eval: roiAlignEval}

func roiAlignShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	rois, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	batch, err := shapeOf(n, 2)
	if err != nil {
		return nil, err
	}
	if len(x) != 4 || len(rois) != 2 || rois[1] != 4 || len(batch) != 1 || batch[0] != rois[0] {
		return nil, fmt.Errorf("regions of shapes %v and %v of an input of shape %v", rois, batch, x)
	}
	switch m := n.Attrs.String("mode", "avg"); m {
	case "avg", "max":
	default:
		return nil, fmt.Errorf("mode %q", m)
	}
	switch m := n.Attrs.String("coordinate_transformation_mode", "half_pixel"); m {
	case "half_pixel", "output_half_pixel":
	default:
		return nil, fmt.Errorf("coordinate_transformation_mode %q", m)
	}
	oh, ow := n.Attrs.Int("output_height", 1), n.Attrs.Int("output_width", 1)
	if oh < 1 || ow < 1 || n.Attrs.Int("sampling_ratio", 0) < 0 {
		return nil, fmt.Errorf("an output of %d by %d, sampled %d times", oh, ow, n.Attrs.Int("sampling_ratio", 0))
	}
	out := []int{rois[0], x[1], oh, ow}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func roiAlignEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return roiAlign(c, c.Out[0].F32(), x)
	case []float64:
		return roiAlign(c, c.Out[0].F64(), x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

// maxRoiSamples limits the points of one cell along an axis: a region may have any size.
const maxRoiSamples = 1 << 12

func roiAlign[T float32 | float64](c *op.Call, y, x []T) error {
	a, s, out := c.Node.Attrs, c.In[0].Shape, c.Out[0].Shape
	if len(y) != product(out) {
		return fmt.Errorf("input and output differ in type")
	}
	half := c.Node.Opset >= 16 && a.String("coordinate_transformation_mode", "half_pixel") == "half_pixel"
	scale, most, ratio := float64(a.Float("spatial_scale", 1)), a.String("mode", "avg") == "max", a.Int("sampling_ratio", 0)
	for r := range out[0] {
		b := int(numberAt(c.In[2], r))
		if b < 0 || b >= s[0] {
			return fmt.Errorf("region %d of image %d of %d", r, b, s[0])
		}
		var box [4]float64 // left, top, right, bottom
		for k := range box {
			box[k] = numberAt(c.In[1], 4*r+k) * scale
			if half {
				box[k] -= 0.5
			}
		}
		w, h := box[2]-box[0], box[3]-box[1]
		if !half {
			w, h = max(w, 1), max(h, 1)
		}
		w, h = w/float64(out[3]), h/float64(out[2]) // of a cell
		nx, ny := ratio, ratio
		if ratio == 0 {
			nx, ny = int(math.Ceil(min(w, 2*maxRoiSamples))), int(math.Ceil(min(h, 2*maxRoiSamples)))
		}
		if nx > maxRoiSamples || ny > maxRoiSamples {
			return fmt.Errorf("region %d asks for %d by %d points of a cell", r, nx, ny)
		}
		for i := range out[1] * out[2] * out[3] {
			plane := x[(b*s[1]+i/(out[2]*out[3]))*s[2]*s[3]:][:s[2]*s[3]]
			top, left := box[1]+float64(i/out[3]%out[2])*h, box[0]+float64(i%out[3])*w
			sum, best := 0.0, math.Inf(-1)
			for p := range ny {
				for q := range nx {
					v, m := between(plane, s[2], s[3], top+(float64(p)+0.5)*h/float64(ny), left+(float64(q)+0.5)*w/float64(nx))
					sum, best = sum+v, max(best, m)
				}
			}
			at := r*out[1]*out[2]*out[3] + i
			switch {
			case most && nx*ny > 0:
				y[at] = T(best)
			case most:
				y[at] = 0
			default:
				y[at] = T(sum / float64(max(nx*ny, 1)))
			}
		}
	}
	return nil
}

// between reads a point between four pixels: their mean by nearness, and, as the standard takes its maximum, the largest of their shares.
// Points more than a pixel outside are 0.
func between[T float32 | float64](plane []T, h, w int, y, x float64) (value, share float64) {
	if !(y >= -1 && y <= float64(h) && x >= -1 && x <= float64(w)) {
		return 0, 0
	}
	y, x = min(max(y, 0), float64(h-1)), min(max(x, 0), float64(w-1))
	y0, x0 := int(y), int(x)
	y1, x1 := min(y0+1, h-1), min(x0+1, w-1)
	dy, dx := y-float64(y0), x-float64(x0)
	a, b := (1-dy)*(1-dx)*float64(plane[y0*w+x0]), (1-dy)*dx*float64(plane[y0*w+x1])
	c, d := dy*(1-dx)*float64(plane[y1*w+x0]), dy*dx*float64(plane[y1*w+x1])
	return a + b + c + d, max(a, b, c, d)
}
