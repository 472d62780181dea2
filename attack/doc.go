// Package attack searches inputs near a given one that a model classifies otherwise.
//
// # Gradients
//
// No runtime for ONNX gives gradients, so they are emitted: [Gradient] makes of a graph a new one of standard operators, with the logits, a
// loss and its derivative in the input as outputs. It runs on every engine. [Open] does that for a model and hides batches and engines.
//
// # Attacks
//
// An attack is a struct: its fields are its settings, and what is zero takes the published default. [Run] tries one on a set of samples.
// Points live as perturbations in pixel units around the original; a point counts only once it has been rounded to float32 inside ball and
// pixel range and a fresh run of the original model has confirmed it.
//
// Where outputs are numbers and decide no class ([RunOptions].Tolerance) what is asked is whether one can be driven farther than that from its value
// at the sample (numbers.go).
//
// Everything random comes from the seed, the sample's index and the attack's name, so that results depend neither on how samples are
// batched nor on which other samples are attacked.
package attack
