// Package lp solves small linear programs that change by their bounds alone: a bounded dual simplex over a dense dictionary, in float64.
//
// A Program has columns, variables with bounds, and rows, variables that are linear forms of the columns, with bounds too; one row is the
// cost, of which the least value is sought. Every column has two finite bounds, so that each basis has a vertex at which it is dual
// feasible: whatever bounds change, a Solver goes on from where it ended. That is what branch and bound asks for, where a child differs
// from its parent by a bound.
//
// Nothing that comes out is proven: all is rounded, and a basis may be badly conditioned. Who needs a proof takes the multipliers
// (Solver.Multipliers) to a pass that bounds with directed rounding, where any multipliers give a sound bound and good ones a tight one.
package lp
