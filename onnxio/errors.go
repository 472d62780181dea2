package onnxio

import (
	"errors"
	"fmt"
)

// FormatError says that a file is not what the standard allows. Offset is the byte where it shows; -1 where no byte can
// be named.
type FormatError struct {
	Offset int64
	Why    string
}

func (e *FormatError) Error() string {
	if e.Offset >= 0 {
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Why)
	}
	return e.Why
}

// ShapeError says that a shape does not fit.
type ShapeError struct {
	What      string
	Want, Got []int
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("%s: shape %v where %v is needed", e.What, e.Got, e.Want)
}

// UnsupportedError says that the file is valid and shoal cannot do it. Face is what is missing: "Shape", "Eval",
// "Interval", "Linear"; empty if the operator is unknown altogether. Without Op it is about the file, and Why says all.
type UnsupportedError struct {
	Node, Op, Domain string
	Opset            int
	Face             string
	Why              string
}

func (e *UnsupportedError) Error() string {
	if e.Op == "" {
		return e.Why
	}
	op := e.Op
	if e.Domain != "" {
		op = e.Domain + "." + op
	}
	s := fmt.Sprintf("node %q: operator %s (opset %d) is not supported", e.Node, op, e.Opset)
	if e.Face != "" {
		s = fmt.Sprintf("node %q: operator %s (opset %d) has no %s", e.Node, op, e.Opset, e.Face)
	}
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

// Lacks is the error of a node for which something is missing. One that another was written in is told as that one, which stands in the file.
func (n *Node) Lacks(face, why string) *UnsupportedError {
	told := n
	if n.From != nil {
		told = n.From
		if why != "" {
			why = ": " + why
		}
		why = "as it is written in others, of its " + n.Op + why
	}
	return &UnsupportedError{Node: told.Name, Op: told.Op, Domain: told.Domain, Opset: told.Opset, Face: face, Why: why}
}

// NodeError places an error at a node.
type NodeError struct {
	Node, Op string
	Err      error
}

func (e *NodeError) Error() string {
	var u *UnsupportedError
	if errors.As(e.Err, &u) && u.Node == e.Node { // it names the node itself
		return e.Err.Error()
	}
	return fmt.Sprintf("node %q (%s): %v", e.Node, e.Op, e.Err)
}

func (e *NodeError) Unwrap() error { return e.Err }
