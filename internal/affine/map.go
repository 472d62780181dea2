// Package affine holds the linear maps that networks are made of, and the two ways in which bounds pass them: forward,
// batches of points (and of radii, through the map's absolute value), and backward, rows of linear forms.
//
// Read map.go first (what a map is) and kinds.go (which ones there are), then order.go (how values are stored), rows.go (windows of
// coefficients) and step.go (a map made ready for both ways), then one step a file: sparse_step.go, dense_step.go, blocks_step.go,
// conv_step.go with its halves conv_gather.go and conv_scatter.go, transposed_step.go.
package affine

// Map is a linear map y = A x between flat float64 tensors. Its matrix never changes.
type Map interface {
	// Dims gives the number of inputs (columns of A) and outputs (rows of A).
	Dims() (in, out int)
	// Terms is the largest number of nonzero entries in a row of A (what one output sums) and in a column of A (what one
	// coefficient of a back-substituted row sums). Rounding is accounted with them.
	Terms() (perOutput, perInput int)
}
