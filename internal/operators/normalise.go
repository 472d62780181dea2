package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// standardise writes (x-mean)/sqrt(variance+epsilon) of runs of size consecutive elements, and each run's mean and 1/deviation where there
// is a place for them. Sums are float64's whatever T is.
func standardise[T float32 | float64](y, x []T, size int, epsilon float64, means, inverses []T) {
	if size == 0 {
		return
	}
	for r := range len(x) / size {
		row, out := x[r*size:(r+1)*size], y[r*size:(r+1)*size]
		sum := 0.0
		for _, v := range row {
			sum += float64(v)
		}
		mean := sum / float64(size)
		sum = 0
		for _, v := range row {
			d := float64(v) - mean
			sum += d * d
		}
		inverse := 1 / math.Sqrt(sum/float64(size)+epsilon)
		for i, v := range row {
			out[i] = T((float64(v) - mean) * inverse)
		}
		if means != nil {
			means[r] = T(mean)
		}
		if inverses != nil {
			inverses[r] = T(inverse)
		}
	}
}

// scaleGroups multiplies and shifts y, seen as [outer, len(scale), inner], with numbers of the middle axis.
func scaleGroups[T float32 | float64](y, scale, bias []T, inner int) error {
	if bias != nil && len(bias) != len(scale) || len(scale) == 0 || len(y)%(len(scale)*inner) != 0 {
		return fmt.Errorf("scales of %d and shifts of %d elements for %d", len(scale), len(bias), len(y))
	}
	for i := 0; i < len(y); i += inner {
		k := i / inner % len(scale)
		var b T
		if bias != nil {
			b = bias[k]
		}
		for j := range y[i : i+inner] {
			y[i+j] = y[i+j]*scale[k] + b
		}
	}
	return nil
}

// scaleAndShift are the data of inputs 1 and 2 in the type of the first; nil where absent.
func scaleAndShift[T float32 | float64](c *op.Call) (scale, bias []T, err error) {
	get := func(i int) []T {
		if i >= len(c.In) || c.In[i] == nil {
			return nil
		}
		d, ok := c.In[i].Data.([]T)
		if !ok && err == nil {
			err = fmt.Errorf("input %d of type %v beside one of type %v", i, c.In[i].DType, c.In[0].DType)
		}
		return d
	}
	return get(1), get(2), err
}

func epsilonOf(n *onnxio.Node) float64 { return float64(n.Attrs.Float("epsilon", 1e-5)) }
