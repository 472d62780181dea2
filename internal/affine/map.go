// Package affine holds the linear maps that networks are made of, and the two ways in which bounds pass them: forward,
// batches of points (and of radii, through the map's absolute value), and backward, rows of linear forms.
//
// Read map.go first (what a map is), then rows.go (windows of coefficients), then one map a file: dense.go, conv.go,
// sparse.go, diag.go.
package affine

// Map is a linear map y = A x between flat float64 tensors. Its matrix never changes.
type Map interface {
	// Dims gives the number of inputs (columns of A) and outputs (rows of A).
	Dims() (in, out int)
	// Terms is the largest number of nonzero entries in a row of A (what one output sums) and in a column of A (what one
	// coefficient of a back-substituted row sums). Rounding is accounted with them.
	Terms() (perOutput, perInput int)
}
