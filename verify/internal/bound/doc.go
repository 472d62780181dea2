// Package bound is one sound pass over a network: boxes of every value, and lower bounds of linear forms of the outputs.
//
// The words. A Network is a graph made ready for bounds (Compile): values in topological order, each affine in others, elementwise between two
// lines, between sparse linear forms, or known by its box alone. A Problem is an input box with what is known beside it. A Domain is a way to
// bound: Interval, Symbolic, FastLin, DeepPoly. Its Bound takes several problems through the network together, since they share the weights, and
// gives Bounds, of which Lower asks for rows: lower bounds of linear forms over the outputs, each over the problem that owns it.
//
// A pass walks the values in order (pass.go). An affine value gets its box in midpoint and radius form (interval.go). Before a nonlinear one, the
// domains with rows tighten what the interval leaves open (tighten.go): a row for each end of each such neuron goes down to the inputs, through
// affine maps by their transpose and through activations by the line that its sign chooses (rows.go, rows_forms.go). Then lines are laid over
// the box (lines.go) or forms (forms.go). Upper bounds are lower bounds of the negated row.
//
// Products of two values have planes of their own (forms.go), and Bounds.Together takes those of a row together, as one quadratic form in few inputs
// (products.go, squares.go, quadratic.go).
//
// Rounding is bounded, never ignored (rounding.go): beside each row's constant stands what all its sums may be off, and under Options.Float32 what
// executions of the network may be (execution.go).
//
// Parameters of lines may be chosen (lay.go), and every choice is sound; which ones are good is looked for in float32 (seek.go, scout.go), of which
// nothing comes but the choice.
//
// Start reading at domain.go, then pass.go and rows.go.
package bound
