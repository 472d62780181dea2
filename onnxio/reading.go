package onnxio

// Reading says whose word counts where the standard is silent, or onnxruntime computes something else than the standard says
// (docs/soundness.md has the list). Operators find it in their nodes.
type Reading int

const (
	// Standard is the standard's text and the ONNX project's own tests.
	Standard Reading = iota
	// ONNXRuntime is what onnxruntime's CPU provider computes, as of version 1.32.
	ONNXRuntime
)

// String is the reading's name on the command line.
func (r Reading) String() string {
	if r == ONNXRuntime {
		return "onnxruntime"
	}
	return "standard"
}

// Under is a copy of the node that is read so. It shares inputs, outputs and attributes.
func (n *Node) Under(r Reading) *Node {
	c := *n
	c.Reading = r
	return &c
}
