package main

import (
	"errors"
	"fmt"

	"github.com/shallow-waters/shoal/internal/trial"
)

// checkLabels is trial.CheckLabels with a hint.
func checkLabels(s *samples, classes int) error {
	err := trial.CheckLabels(&s.Source, classes)
	var label *trial.LabelError
	if errors.As(err, &label) {
		return &codeError{code: exitError, err: err, hint: fmt.Sprintf("labels are numbers of outputs, here 0 to %d", classes-1)}
	}
	return err
}
