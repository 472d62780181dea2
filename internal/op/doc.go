// Package op knows the meaning of every ONNX operator that shoal can treat: one file per operator, with all its faces.
//
// Start with def.go (the registry and what each face promises), then relu.go (an elementwise operator) and conv.go (an affine
// one). Adding an operator is one new file with its test; nothing else changes. The support matrix in the docs is
// generated from the registry.
package op
