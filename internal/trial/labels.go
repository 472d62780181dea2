package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/input"
)

// ReadLabels reads names of classes, a line for each, in the order of a model's scores. Spaces around a name do not count, and an empty line is an
// error.
func ReadLabels(ctx context.Context, path string) ([]string, error) {
	text, err := input.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	names := strings.Split(strings.TrimRight(strings.TrimPrefix(string(text), "\ufeff"), "\r\n"), "\n")
	for i, n := range names {
		names[i] = strings.TrimSpace(n)
		if names[i] == "" {
			return nil, fmt.Errorf("%s: line %d is empty; want the name of a class on every line", path, i+1)
		}
		if at := slices.Index(names[:i], names[i]); at >= 0 {
			return nil, fmt.Errorf("%s: line %d is the same as line %d: %q", path, i+1, at+1, names[i])
		}
	}
	return names, nil
}

// LabelError tells that a sample has a label that none of a model's classes stands for.
type LabelError struct {
	Data                  string
	Index, Label, Classes int
}

func (e *LabelError) Error() string {
	return fmt.Sprintf("%s, sample %d: label %d for a model of %d outputs", e.Data, e.Index, e.Label, e.Classes)
}

// CheckLabels is an error where a sample has a label beyond the classes: nothing that is counted over such samples would mean anything, so that
// nothing is begun.
func CheckLabels(s *Source, classes int) error {
	for i, l := range s.Labels {
		if l < 0 || l >= classes {
			return &LabelError{s.Name, s.Index[i], l, classes}
		}
	}
	return nil
}
