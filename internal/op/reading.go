package op

import (
	"fmt"
	"math"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

// Departure is a node that onnxruntime computes otherwise than the standard says, or of which the standard says nothing.
type Departure struct {
	Node, Op string
	Why      string // goes on after "onnxruntime"
}

// Departures lists the nodes of a prepared graph whose two readings differ for the shapes and operands that they have there.
func Departures(g *onnxio.Graph) []Departure {
	out := []Departure{}
	for _, n := range g.Nodes {
		def, err := Lookup(n)
		if err != nil || def.Departs == nil {
			continue
		}
		if why := def.Departs(n); why != "" {
			out = append(out, Departure{n.Name, n.Op, why})
		}
	}
	return out
}

// slideRuntime is slide along one axis for MaxPool and AveragePool as onnxruntime has it: the pads of SAME follow from the kernel without its
// dilations and may be negative, and ceil_mode counts with every auto_pad. What would need negative pads is refused.
func slideRuntime(n *onnxio.Node, in, k, s, d int, before, after, out *int) error {
	auto := n.Attrs.String("auto_pad", "NOTSET")
	switch auto {
	case "VALID":
		*before, *after = 0, 0
	case "SAME_UPPER", "SAME_LOWER":
		total := ((in+s-1)/s-1)*s + k - in
		*before = total / 2
		if auto == "SAME_LOWER" {
			*before = (total + 1) / 2
		}
		*after = total - *before
	}
	extent := (k-1)*d + 1
	room := in + *before + *after - extent
	if room < 0 && !strings.HasPrefix(auto, "SAME") {
		return fmt.Errorf("a window of %d does not fit into %d elements with pads of %d and %d", extent, in, *before, *after)
	}
	if room < 0 || *before < 0 {
		return refuse(n, "onnxruntime pads %d elements by %d and %d for a window of %d", in, *before, *after, extent)
	}
	*out = room/s + 1
	if n.Attrs.Int("ceil_mode", 0) != 0 && room%s != 0 && *out*s < in+*before {
		*out++
	}
	if *after < 0 {
		if last := (*out-1)*s - *before + extent; n.Op == "AveragePool" && last > in+*after {
			return refuse(n, "onnxruntime pads %d elements by %d and %d for a window of %d", in, *before, *after, extent)
		}
		*after = 0
	}
	return nil
}

// poolDeparts compares where the windows lie, and what their means are divided by.
func poolDeparts(n *onnxio.Node) string {
	a, err := poolOf(n.Under(onnxio.Standard))
	b, err2 := poolOf(n.Under(onnxio.ONNXRuntime))
	same := err == nil && err2 == nil && a.oh == b.oh && a.ow == b.ow && a.top == b.top && a.left == b.left
	if same && n.Op == "AveragePool" {
		same = fmt.Sprint(a.counts(includesPads(n))) == fmt.Sprint(b.counts(includesPads(n)))
	}
	switch {
	case same || err != nil && err2 != nil:
		return ""
	case n.Attrs.String("auto_pad", "") == "VALID":
		return "takes ceil_mode beside auto_pad VALID"
	case a != nil && (a.dh > 1 || a.dw > 1):
		return "takes the pads of auto_pad SAME from the kernel without its dilations"
	}
	return "has negative pads for auto_pad SAME where the stride is larger than the kernel, and mostly refuses them"
}

func convTransposeDeparts(n *onnxio.Node) string {
	x, w, err := convInputs(n)
	if err != nil {
		return ""
	}
	a, err := transposeWindow(n.Under(onnxio.Standard), x, w)
	b, err2 := transposeWindow(n.Under(onnxio.ONNXRuntime), x, w)
	if err != nil || err2 != nil || *a.window == *b.window {
		return ""
	}
	return "does not reach the size that auto_pad SAME asks for where the stride is larger than the kernel"
}

// padDeparts: the standard is silent on what wraps around an axis that is cut at its other end.
func padDeparts(n *onnxio.Node) string {
	pads, err := padOf(n)
	if err != nil || n.Attrs.String("mode", "constant") != "wrap" {
		return ""
	}
	rank := len(pads) / 2
	for a := range rank {
		if lo, hi := pads[a], pads[rank+a]; lo < 0 && hi > 0 || lo > 0 && hi < 0 {
			return "cuts before it wraps"
		}
	}
	return ""
}

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
