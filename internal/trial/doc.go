// Package trial asks a question of a model over samples: what commands and studies share of it.
//
// Subject (subject.go) says which of a model's numbers are scores (scores.go), what they decide (decision.go), how attacks see it (twoclass.go) and
// how reports tell it (describe.go).
// Batches (batches.go) runs samples together where that changes none of them.
//
// Samples (samples.go) joins labelled inputs with how a model takes them: channels, layout, normalisation, and the balls around them, cut as the whole
// data set says (dataset.PixelRange). Tensor (tensor.go) gives them in the type that the model takes; ValidInputs (valid.go) is the box of all
// valid inputs; EnoughClasses (classes.go) refuses questions about other classes where there are none.
package trial
