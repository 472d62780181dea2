// Package student trains small networks on what a large one says: distillation of ONNX teachers, with gorgonia, and export to ONNX.
//
// An Architecture is a list of layers, from YAML, from a preset or from an ONNX file. Open makes a Trainer of it: a gorgonia graph of the
// student, its loss and its gradients, which a Machine runs step by step. The words:
//
//   - Builder (builder.go) writes gorgonia graphs of our own operators, one a file. All of them run on internal/kernel, split their work in
//     parts that do not depend on the number of cores, and give their gradients as nodes of the same graph. Convolution, products and the
//     linear elementwise operators are closed: their gradients are made of themselves, so that a loss may hold backward passes.
//   - Images are channels last inside, [N,H,W,C], and a convolution's weights [out,kh,kw,in]; files and public data have ONNX' order, [N,C,H,W].
//   - A Loss (loss.go) gives the scalar to be made small, from a Network and the step's data.
//   - Every random number comes from (seed, purpose, epoch, step), so that a run that was cut off goes on as if it had not been.
package student
