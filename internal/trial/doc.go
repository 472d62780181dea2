// Package trial asks a question of a model over samples. It is the one place for that: commands have flags and words, studies have plans, and both
// call here.
//
// Subject (subject.go) says which of a model's numbers are scores (scores.go), what they decide (decision.go), how attacks see it (twoclass.go),
// how students do (lessons.go, which reads their images too) and how reports tell it (describe.go). Where outputs are numbers and decide no class,
// regress.go says what is asked of them. Inputs (inputs.go) says what becomes of a file's inputs: which one is asked about, where the samples lie in
// each (axes.go), what the others are held at (held.go). It arranges the model (arrange.go) so that all that follows finds samples along the first
// axis, and for questions about one sample takes a batch that the file fixes apart (rebatch.go). What proofs are asked of, with held values beside a
// sample's own, is opened by opened.go. Batches (batches.go) runs samples together where that changes none of them.
//
// Samples (samples.go) joins labelled inputs with how a model takes them: channels, layout, normalisation, and the balls around them, cut as the
// whole data set says (dataset.PixelRange). Tensor (tensor.go) gives them in the type that the model takes; ValidInputs (valid.go) is the box of all
// valid inputs; labels.go reads the names of classes and refuses labels that no class stands for; Shard (shard.go) is a part of them.
//
// The questions are structs whose fields are what is asked: Certify (certify.go), Radius (radius.go), Attack (attack.go), Compare (compare.go). Each
// is opened from a Subject, answers sample by sample (Each) or batch by batch with rows of package report, and sums them up. Pruned (pruned.go) tells
// what pruning made of a model. What is answered goes to records (package record), where there are some, and is taken from there when the same is
// asked again. Recorded (recorded.go) makes the result of a whole run from its records alone.
package trial
