// Package student trains small networks on what a large one says: distillation of ONNX teachers, robust training beside it, and export to ONNX.
//
// # The way of a student
//
// An Architecture is a list of layers: from YAML (Parse), from a preset (Preset), or from an ONNX file with its weights (FromGraph). Data are
// images, with labels and, after TeacherLogits, with what the teacher says of each. A Config says how to train, in values that a report can
// hold; Options are the handles of one run. Train runs to the end, Open gives the Trainer for those who want to look in between. A Result has
// the best weights, the history, and the student as an ONNX model, which Evaluate measures on the engine that runs everything else. The
// example shows all of it.
//
// # The words
//
//   - A Stage is a layer with its sizes worked out (plan.go). What is known of one kind of stage are its faces, in one file: how a layer asks
//     for it, what it computes, how boxes go up through it and linear forms down, and which ONNX operator it is (stage.go has the list of
//     faces and the table of kinds, stage_dense.go is a good first one to read).
//   - Numbers are outputs that decide no class (Config.Numbers): a teacher's, or the data's Targets. They are learned by the squared difference, and
//     a Deviation (deviation.go) tells how far a student is from them.
//   - A Technique is what a student learns from; a Loss (loss.go) is the scalar to be made small, written from a Network and the step's Targets.
//     Graphs are written with a tape.Builder and run by a machine: see package tape, which knows nothing of students.
//   - Robust training (robust.go for the settings, robust_loss.go for the losses) makes the loss of the worst case in a ball: boxes (ibp.go),
//     lines carried back over boxes (crown.go), the dual network (dual.go), or adversarial images (adversarial.go). These bounds steer
//     training and are without regard to rounding: they prove nothing. Package verify does.
//   - A knob is a number of the loss that changes from step to step, such as a radius on its ramp: Builder.Knob in the loss, Step.Set in
//     Options.Before.
//
// # What holds
//
// Images are channels last inside, [N,H,W,C], and a convolution's weights [out,kh,kw,in]; files and public data have ONNX' order, [N,C,H,W].
// Every random number comes from (seed, purpose, epoch, step), and sums do not depend on the number of cores: a run that was cut off and went
// on from its checkpoint ends in the same bits as one that was not.
//
// # Where to start
//
// Read train.go from Open to step: everything else is called from there. A new technique is a name in config.go and a case in Config.LossOf;
// a loss of one's own needs no change here (the example of Loss). A new layer is a field of Layer, a file with its faces, and a line in the
// table of kinds.
package student
