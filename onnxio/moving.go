package onnxio

// onnx-go brings gorgonia's tensors, whose own requirement of this package refuses to start under Go 1.26.
import _ "go4.org/unsafe/assume-no-moving-gc"
