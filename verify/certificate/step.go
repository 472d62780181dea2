package certificate

import "fmt"

// Kind is what a step of a tree does.
type Kind byte

const (
	// Bound derives the boxes of all values anew, by rows of their own. What follows is of the same part.
	Bound Kind = 'B'
	// Row bounds one end of element Index of value Value anew, by a row of its own, with the slopes and multipliers of Proofs[0], which
	// says with Row 1 that the end is the upper one, and 0 the lower. What follows is of the same part.
	Row Kind = 'R'
	// Half leaves of the part, of which one case is open, where the row of Proofs[0] lets inputs meet it: from here on rows may take multiples of
	// the form that it ends in. What follows is of the same part.
	Half Kind = 'H'
	// Input splits at an input: first comes the tree of the part where element Index is at most At, then that of the part where it is at least At.
	Input Kind = 'I'
	// Neuron splits at element Index of value Value, in the same way.
	Neuron Kind = 'N'
	// Closed disproves cases of the part. Where none is left open the part is done; else what follows is of the same part.
	Closed Kind = 'K'
	// Exact disproves cases as Closed does, with the multipliers of a linear program: slopes are numbers, and rows may use ceilings.
	Exact Kind = 'L'
	// Apart gives every open case a tree of its own, of this part, in the order of their numbers.
	Apart Kind = 'A'
	// Empty says that bounds cross, so that no input lies in the part. The part is done.
	Empty Kind = 'E'
	// end stands behind the last tree.
	end Kind = 'Z'
)

// Step is one step of a tree, in the order in which a checker walks it.
type Step struct {
	Kind   Kind
	Value  int // of Head.Values
	Index  int
	At     float64
	Proofs []Disproof
}

// Disproof says how a case is disproved: by the row of one constraint, or of all, added up with weights of at least 0.
type Disproof struct {
	Case    int
	Row     int       // where there are no weights
	Weights []float64 // one a constraint
	Slopes  []byte    // lower slopes of hinges, see docs/certificate.md; nil for the operators' own
	Beta    []float64 // multipliers of the neurons' sides on the way here, in their order; nil for 0
	// Of Exact alone, in the place of Slopes: slopes from 0 to 1, and ceilings.
	Fine     []float64
	Ceilings []Ceiling
}

// Ceiling is a form over the flat inputs, with the least constant that lifts it above what comes out of a hinge on the whole part, which is for the
// checker to find. A row may take Times what comes out, less the form and its constant, which is at most 0.
type Ceiling struct {
	Hinge int // by its place among the slopes
	Times float64
	Slope []float64
}

// FormatError is a certificate that cannot be read.
type FormatError struct{ Why string }

func (e *FormatError) Error() string { return "not a certificate that can be read: " + e.Why }

func bad(format string, args ...any) error { return &FormatError{fmt.Sprintf(format, args...)} }
