package trial

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

// Teaches is an error where a student cannot learn a model's scores: there must be one for each class, of which the largest decides.
func Teaches(s *Subject) error {
	if s.Decision.Kind == Argmax {
		return nil
	}
	return &onnxio.UnsupportedError{Why: fmt.Sprintf("decision %s: students learn from a score for each class, of which the largest decides", s.Decision)}
}
