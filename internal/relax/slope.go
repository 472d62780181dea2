package relax

// Slope chooses the lower line of an unstable piecewise linear neuron.
type Slope int

const (
	// SlopeAdaptive takes 1 where u > -l, else 0 (DeepPoly; CROWN).
	SlopeAdaptive Slope = iota
	// SlopeParallel takes u/(u-l) below as above (Fast-Lin; Wong and Kolter).
	SlopeParallel
)
