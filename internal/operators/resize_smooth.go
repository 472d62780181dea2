package operators

import (
	"fmt"
	"math/big"

	"github.com/shallow-waters/shoal/onnxio"
)

// Antialiased Resize, opset 18: where an image shrinks, the pixels that a place is made of are those of a window as much wider as the image is
// larger, so that none is left out. Weights sum to one. Source: the standard's text and reference; as Pillow's reducing filters do.

// widening is how much wider the window of a node's pixels is, as a scale below 1; nil where it is as wide as ever.
func widening(n *onnxio.Node, scale *big.Rat) *big.Rat {
	if n.Attrs.Int("antialias", 0) == 0 || scale.Cmp(big.NewRat(1, 1)) >= 0 {
		return nil
	}
	return scale
}

// smoothed adds the pixels around lo+frac within the window of mode, widened by 1/scale. Pixels beyond an edge are the edge's, or left out with
// outside.
func smoothed(mode string, lo, in int, frac, scale, cubic *big.Rat, outside bool, add func(at int, c *big.Rat)) error {
	reach := big.NewRat(1, 1)
	if mode == "cubic" {
		reach.SetInt64(2)
	}
	far := floorOf(new(big.Rat).Quo(reach, scale)) + 1
	if far > maxWindow {
		return fmt.Errorf("an antialiased scale of %v", scale)
	}
	sum := new(big.Rat)
	var at []int
	var weights []*big.Rat
	for k := -far; k <= far+1; k++ {
		d := new(big.Rat).Sub(big.NewRat(int64(k), 1), frac)
		d.Abs(d).Mul(d, scale)
		w := new(big.Rat)
		switch {
		case d.Cmp(reach) >= 0 || outside && (lo+k < 0 || lo+k >= in):
			continue
		case mode == "linear":
			w.Sub(reach, d)
		case d.Cmp(big.NewRat(1, 1)) <= 0:
			w = cubicWeights(d, cubic)[1]
		default:
			w = cubicWeights(d.Sub(d, big.NewRat(1, 1)), cubic)[0]
		}
		sum.Add(sum, w)
		at, weights = append(at, lo+k), append(weights, w)
	}
	if sum.Sign() == 0 {
		return fmt.Errorf("weights that sum to nothing")
	}
	for i, w := range weights {
		if w.Sign() != 0 {
			add(at[i], w.Quo(w, sum))
		}
	}
	return nil
}
