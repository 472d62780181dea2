package equal

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/verify"
)

// Bounds gives prune.Run its bounds: those of a domain over a box that ranges makes for the network's inputs.
func Bounds(ranges Ranges, o verify.Options) prune.Bounds {
	o.DropSoftmax = false // bounds are of what the network gives
	return func(ctx context.Context, g *onnxio.Graph) (lower, upper [][]float64, err error) {
		one, err := infer.Prepare(ctx, g, infer.Options{Batch: 1, Reading: o.Reading, Steps: true})
		if err != nil {
			return nil, nil, err
		}
		box, err := ranges.Box(one)
		if err != nil {
			return nil, nil, err
		}
		v, err := verify.Open(ctx, &onnxio.Model{Graph: g}, o)
		if err != nil {
			return nil, nil, err
		}
		defer v.Close()
		out, err := v.Outputs(ctx, box)
		if err != nil {
			return nil, nil, err
		}
		at := 0
		for _, y := range one.Outputs {
			n := onnxio.NumElements(y.Shape)
			if at+n > len(out.Lower) {
				return nil, nil, fmt.Errorf("bounds of %d numbers for outputs of more", len(out.Lower))
			}
			lower, upper = append(lower, out.Lower[at:at+n]), append(upper, out.Upper[at:at+n])
			at += n
		}
		return lower, upper, nil
	}
}
