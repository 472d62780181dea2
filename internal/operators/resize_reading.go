package operators

import (
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

// resizeDeparts compares the weights of all places along every axis. What differs by less than sameWeight is rounding.
func resizeDeparts(n *onnxio.Node) string {
	x := n.Inputs[0].Shape
	a, err := readResize(n, x)
	if err != nil {
		return ""
	}
	p, err := planResize(n.Under(onnxio.Standard), x, a)
	q, err2 := planResize(n.Under(onnxio.ONNXRuntime), x, a)
	if err != nil || err2 != nil {
		return ""
	}
	for d := range x {
		if p.axes[d].same(&q.axes[d], x[d]) {
			continue
		}
		switch {
		case q.axes[d].at == nil:
			return "copies an image that keeps its size, whatever the scale"
		case n.Attrs.String("coordinate_transformation_mode", "") == "align_corners":
			return "takes the size that comes out for align_corners, not the one that the scale asks for"
		case n.Op == "Upsample" || n.Opset < 11:
			return "takes the next pixel where it shrinks an image by nearest pixels"
		}
		return "computes places in float32, and takes those within 1e-6 of a half for halves"
	}
	return ""
}

const sameWeight = 1e-4

// same compares two stretches of an axis of the given size.
func (s *stretch) same(o *stretch, in int) bool {
	places := max(len(s.start), len(o.start)) - 1
	for i := range places {
		w := map[int32]float64{}
		for k, t := range []*stretch{s, o} {
			sign := 1 - 2*float64(k)
			if t.at == nil {
				w[int32(i)] += sign
				continue
			}
			for j := t.start[i]; j < t.start[i+1]; j++ {
				w[t.at[j]] += sign * t.coef[j]
			}
		}
		for _, v := range w {
			if math.Abs(v) > sameWeight {
				return false
			}
		}
	}
	return true
}

// sourceRuntime is sourceOf in onnxruntime's float32 arithmetic. The size that align_corners divides by is the output's, rounded.
func sourceRuntime(mode string, i, in, out int, scale float32) float32 {
	half := float32(float32(i)+0.5) / scale
	switch mode {
	case "asymmetric":
		return float32(i) / scale
	case "tf_half_pixel_for_nn":
		return half
	case "align_corners":
		if out == 1 {
			return 0
		}
		return float32(float32(i)*float32(in-1)) / float32(out-1)
	case "half_pixel_symmetric":
		adjust := float32(out) / float32(scale*float32(in))
		offset := float32(in) / 2 * float32(1-adjust)
		return float32(float64(offset) + (float64(i)+0.5)/float64(scale) - 0.5)
	case "pytorch_half_pixel":
		if out == 1 {
			return 0
		}
	}
	return float32(half - 0.5)
}

// nearestRuntime is the pixel that onnxruntime takes for a place; old tells of operators before opset 11. Source: its outputs for some 40,000
// sizes and scales (version 1.32).
func nearestRuntime(mode string, x, scale float32, old bool) int {
	low := math.Floor(float64(x))
	half := math.Abs(float64(x)-low-0.5) <= 1e-6
	switch {
	case old && scale < 1, mode == "ceil":
		return int(math.Ceil(float64(x)))
	case old, mode == "floor":
		return int(low)
	case half && mode == "round_prefer_floor":
		return int(low)
	case half:
		return int(low) + 1
	}
	return int(math.Floor(float64(x) + 0.5))
}
