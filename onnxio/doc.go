// Package onnxio reads ONNX files: a Model is the file, a Graph its network as typed nodes and values.
//
// Start with graph.go (the vocabulary that every room speaks) and model.go (from bytes to a Model). The graph's topology comes through
// onnx-go's Backend (backend.go); what that interface drops is read from the wire (build.go, decode.go). The package knows no
// operator's meaning: engines, shapes, and the forms of other opsets have rooms of their own below this folder.
package onnxio
