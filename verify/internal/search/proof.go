package search

import "github.com/shallow-waters/shoal/verify/internal/bound"

// Proof is what proved a part of an exact search: a row over the whole box, with the sides that it needs. Hinges are counted as bound.Side has it.
type Proof struct {
	Case    int
	Path    []bound.Side // on which the part lies, in the order in which the search took them
	Needs   []bound.Side // of these, and of no others: it proves every part that has them
	Beta    []float64    // multipliers of Needs
	Slopes  [][]float64  // by slot, of all of its elements: of those whose side is known 0
	Weights []float64    // of the case's constraints
	// Ceilings are bound's, of hinges.
	Ceilings []Ceiling
}

// Ceiling is bound.Ceiling, its hinge counted among all.
type Ceiling struct {
	Hinge int
	Times float64
	Slope []float64
}
