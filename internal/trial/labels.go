package trial

import "fmt"

// LabelError tells that a sample has a label that none of a model's classes stands for.
type LabelError struct {
	Data                  string
	Index, Label, Classes int
}

func (e *LabelError) Error() string {
	return fmt.Sprintf("%s, sample %d: label %d for a model of %d outputs", e.Data, e.Index, e.Label, e.Classes)
}

// CheckLabels is an error where a sample has a label beyond the classes: nothing that is counted over such samples would mean anything, so that nothing is
// begun.
func CheckLabels(s *Source, classes int) error {
	for i, l := range s.Labels {
		if l < 0 || l >= classes {
			return &LabelError{s.Name, s.Index[i], l, classes}
		}
	}
	return nil
}
