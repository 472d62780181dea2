package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
)

// namesOf reads --labels; nil where it is not given.
func namesOf(c *cli.Context) ([]string, error) {
	if c.String("labels") == "" {
		return nil, nil
	}
	return trial.ReadLabels(c.Context, c.String("labels"))
}

// checkLabels is an error where labels are no classes of the subject, or, where its outputs are numbers, not as many numbers as these. One label
// beside several outputs is a class, which says nothing of them: that is said, and labels are passed over.
func checkLabels(c *cli.Context, s *samples, sub *trial.Subject) error {
	if !sub.Numbers() {
		if err := sub.CheckNames(); err != nil {
			return fmt.Errorf("%s: %w", c.String("labels"), err)
		}
		return checkClasses(s, sub.Classes())
	}
	err := trial.CheckTargets(&s.Source, sub.Scores())
	if passedOver(c, err) {
		s.Target = nil
		return nil
	}
	return err
}

// passedOver says on stderr that one label for several outputs says nothing of them, where that is the error.
func passedOver(c *cli.Context, err error) bool {
	var other *trial.TargetError
	if !errors.As(err, &other) || other.Labels != 1 {
		return false
	}
	foreign.Fprintf(c.App.ErrWriter, "%s: one label for %d outputs says nothing of them: labels are passed over\n", other.Data, other.Outputs)
	return true
}

// checkClasses is trial.CheckLabels with a hint.
func checkClasses(s *samples, classes int) error {
	err := trial.CheckLabels(&s.Source, classes)
	var label *trial.LabelError
	if errors.As(err, &label) {
		return &codeError{code: exitError, err: err, hint: fmt.Sprintf("labels are numbers of outputs, here 0 to %d", classes-1)}
	}
	return err
}
