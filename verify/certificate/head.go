package certificate

import (
	"math/big"
)

// The kinds of certificates.
const (
	Proof          = "proof"
	Counterexample = "counterexample"
)

// Magic are the first bytes of a certificate's content, before its head; Version is of the format.
const (
	Format  = "shoal certificate"
	Version = 3
)

// Head says what is claimed, and of what.
type Head struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	// Model is the SHA-256 of the file's bytes; Graph that of what bounds see of it once it is prepared.
	Model string `json:"model_sha256"`
	Graph string `json:"graph_sha256"`
	// Semantics is real; Reading is whose word counts where the standard's and onnxruntime's differ: standard or onnxruntime.
	Semantics string `json:"semantics"`
	Reading   string `json:"reading"`
	// Softmax tells that a last Softmax is left out, which keeps the order of outputs, and only that.
	Softmax bool `json:"softmax_left_out,omitempty"`
	// Values are the names of values that splits speak of, by number.
	Values   []string `json:"values"`
	Property Property `json:"property"`
	Hash     string   `json:"property_sha256"`
	Point    *Point   `json:"point,omitempty"` // of a counterexample
}

// Point is an input that meets a case.
type Point struct {
	Case   int        `json:"case"`
	Inputs []*big.Rat `json:"inputs"`
}
