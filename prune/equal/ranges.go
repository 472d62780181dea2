package equal

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
)

// Ranges are the valid inputs: one range for all elements, or one for each channel of an image.
type Ranges [][2]float64

// ParseRanges reads LOW:HIGH, or several with commas, one for each channel.
func ParseRanges(s string) (Ranges, error) {
	var out Ranges
	for _, part := range strings.Split(s, ",") {
		a, b, ok := strings.Cut(part, ":")
		low, err1 := numeral.Down(a) // the box holds all that was written
		high, err2 := numeral.Up(b)
		if !ok || err1 != nil || err2 != nil || low > high {
			return nil, fmt.Errorf("range %q is not LOW:HIGH", part)
		}
		out = append(out, [2]float64{low, high})
	}
	return out, nil
}

// Box lays the ranges over the inputs of a prepared graph: several go to the channels of images, which are the second axis or the last.
func (r Ranges) Box(g *onnxio.Graph) (verify.Box, error) {
	var b verify.Box
	if len(r) == 0 {
		return b, fmt.Errorf("no range for the inputs")
	}
	for _, v := range g.Inputs {
		if v.Const != nil {
			continue
		}
		axis := -1
		if len(r) > 1 {
			switch rank := len(v.Shape); {
			case rank >= 2 && v.Shape[1] == len(r):
				axis = 1
			case rank >= 1 && v.Shape[rank-1] == len(r):
				axis = rank - 1
			default:
				return b, fmt.Errorf("%d ranges for input %q of shape %v: give one, or one for each channel", len(r), v.Name, v.Shape)
			}
		}
		inner := 1
		if axis >= 0 {
			inner = onnxio.NumElements(v.Shape[axis+1:])
		}
		for i := range onnxio.NumElements(v.Shape) {
			k := 0
			if axis >= 0 {
				k = i / inner % len(r)
			}
			b.Lower, b.Upper = append(b.Lower, r[k][0]), append(b.Upper, r[k][1])
		}
	}
	return b, nil
}
