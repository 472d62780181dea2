package onnxio

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio/internal/rules"
)

// BrokenError says that bytes which were to be written are against the rules of the format in something in which the file that they were made of
// is not. It is a fault of shoal's, never the file's.
type BrokenError struct{ Why []string }

func (e *BrokenError) Error() string {
	s := "it would be no valid ONNX file: " + e.Why[0]
	if k := len(e.Why) - 1; k > 0 {
		s += fmt.Sprintf(", and %d more", k)
	}
	return s
}

// unbroken compares bytes that were made of m with the rules of the format. What was wrong before may stay.
func (m *Model) unbroken(data []byte) error {
	found := rules.Broken(data)
	if len(found) == 0 {
		return nil
	}
	var before []string
	if !m.made {
		was, err := m.Bytes()
		if err != nil {
			return err
		}
		before = rules.Broken(was)
	}
	if found = slices.DeleteFunc(found, func(s string) bool { return slices.Contains(before, s) }); len(found) == 0 {
		return nil
	}
	return &BrokenError{found}
}
