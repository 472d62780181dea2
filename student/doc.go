// Package student trains small networks on what a large one says: distillation of ONNX teachers, with gorgonia, and export to ONNX.
//
// An Architecture is a list of layers, from YAML, from a preset or from an ONNX file. Open makes a Trainer of it: a graph of the student, its
// loss and its gradients, which a machine runs step by step. The words:
//
//   - A Stage is a layer with its sizes worked out (stage.go).
//   - A Network is a student within a graph; a Loss (loss.go) gives the scalar to be made small, from a Network and the step's data. Graphs are
//     written with a tape.Builder (package tape), which is all that a loss of one's own needs to know.
//   - Images are channels last inside, [N,H,W,C], and a convolution's weights [out,kh,kw,in]; files and public data have ONNX' order, [N,C,H,W].
//   - Every random number comes from (seed, purpose, epoch, step), so that a run that was cut off goes on as if it had not been.
package student
