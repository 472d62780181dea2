package dataset

import (
	"fmt"
	"math"
)

// labels reads an array as the classes of n samples. Classes are [n] or [n,1] whole numbers, of any type, as NumPy, pandas and Keras write
// them; or one-hot [n,k], with one 1 in every row and else 0.
func (a *Array) labels(n int) ([]int, error) {
	if len(a.Shape) == 0 || a.Shape[0] != n {
		return nil, fmt.Errorf("labels of shape %v for %d samples; want [%d], or one-hot [%d,K]", a.Shape, n, n, n)
	}
	columns := 1
	for _, d := range a.Shape[1:] {
		columns *= d
	}
	if len(a.Shape) > 2 || columns == 0 {
		return nil, fmt.Errorf("labels of shape %v; want [%d], or one-hot [%d,K]", a.Shape, n, n)
	}
	whole := func(i int) (int, error) {
		if a.Ints != nil {
			if v := a.Ints[i]; v >= math.MinInt32 && v <= math.MaxInt32 {
				return int(v), nil
			}
			return 0, fmt.Errorf("label %d of sample %d is no class", a.Ints[i], i/columns)
		}
		v := a.Floats[i]
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 { // NaN is not itself
			return 0, fmt.Errorf("label %v of sample %d is no whole number", v, i/columns)
		}
		return int(v), nil
	}
	out := make([]int, n)
	for i := range out {
		if columns == 1 {
			var err error
			if out[i], err = whole(i); err != nil {
				return nil, err
			}
			continue
		}
		ones := 0
		for k := range columns {
			v, err := whole(i*columns + k)
			switch {
			case err == nil && v == 1:
				out[i] = k
				ones++
			case err != nil || v != 0:
				ones = -columns
			}
		}
		if ones != 1 {
			return nil, fmt.Errorf("labels of shape %v are not one-hot: the row of sample %d is not one 1 and else 0; give classes as [%d]", a.Shape, i, n)
		}
	}
	return out, nil
}
