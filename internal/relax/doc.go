// Package relax holds what functions are bounded by, and the curves between the bounds: boxes (Box), two lines for every element (Lines),
// sparse linear forms of several elements (Forms, Relaxation), and the rule by which the lower line of a piecewise linear neuron is chosen
// (Slope). Results hold for the real function: each file has the argument, and rounding is directed outward (package sound).
//
// Start with box.go and lines.go, then curve.go (a function that bends one way), scurve.go (one that bends twice, around 0) and parts.go
// (any row of such pieces). dip.go, waves.go, stairs.go and pieces.go are families of functions, sheets.go the planes around a product.
//
// It knows no operators: those choose their curves in internal/operators.
package relax
