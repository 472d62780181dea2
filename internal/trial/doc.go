// Package trial asks a question of a model over samples: what commands and studies share of it.
//
// Samples (samples.go) joins labelled inputs with how a model takes them: layout, normalisation, and the balls around them.
package trial
