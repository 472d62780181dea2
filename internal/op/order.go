package op

import "github.com/shallow-waters/shoal/internal/kernel"

// Order is how a value's elements lie in memory. The zero Order is row-major, as the shape says. With C, H and W set, every sample's
// C*H*W elements, an image of the standard [C, H, W] or its flattening, are stored [H, W, C]: channels-last.
type Order struct{ C, H, W int }

// Last is the channels-last order of an image; where both orders are the same it is the zero Order.
func Last(c, h, w int) Order {
	if c <= 1 || h*w <= 1 {
		return Order{}
	}
	return Order{c, h, w}
}

// ImageOrder is the channels-last order of a value of shape [N, C, W] or [N, C, H, W]; ok is false for others.
func ImageOrder(shape []int) (o Order, ok bool) {
	switch len(shape) {
	case 3:
		return Last(shape[1], 1, shape[2]), true
	case 4:
		return Last(shape[1], shape[2], shape[3]), true
	}
	return Order{}, false
}

// Plain tells whether elements lie as the shape says.
func (o Order) Plain() bool { return o == Order{} }

// Index is where element i of a sample (counted as the shape says) is stored.
func (o Order) Index(i int) int {
	if o.Plain() {
		return i
	}
	area := o.H * o.W
	return i%area*o.C + i/area
}

// Reorder copies samples from one order to another; one of the two is plain, or they are equal.
func Reorder(dst, src any, from, to Order) bool {
	switch s := src.(type) {
	case []float32:
		return reorder(dst, s, from, to)
	case []float64:
		return reorder(dst, s, from, to)
	}
	return false
}

func reorder[T float32 | float64](dst any, src []T, from, to Order) bool {
	d, ok := dst.([]T)
	if !ok || len(d) != len(src) {
		return false
	}
	rows, cols := from.H*from.W, from.C // of the source, as a matrix
	if from.Plain() {
		rows, cols = to.C, to.H*to.W
	}
	if from == to {
		rows, cols = 1, len(src)
	}
	for size := rows * cols; size > 0 && len(src) > 0; src, d = src[size:], d[size:] {
		kernel.Transpose(rows, cols, src[:size], d[:size])
	}
	return true
}
