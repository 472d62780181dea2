package trial

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/numeral"
	"github.com/shallow-waters/shoal/onnxio"
)

// Kind is how a model's scores become an answer.
type Kind string

// The decisions. Label is that of an integer, which is the class itself and no score. None is that of one score of which nobody has said where its
// classes part.
const (
	Argmax    Kind = "argmax"
	Threshold Kind = "threshold"
	Regress   Kind = "regress"
	Label     Kind = "label"
	None      Kind = ""
)

// Decision says what scores mean.
//
// Argmax: k >= 2 scores, the class is the first largest. Threshold: one score, class 1 where it is above At, else class 0. Regress:
// numbers, which have no classes.
type Decision struct {
	Kind Kind
	At   *big.Rat // of Threshold
	text string   // At as it was written
}

// ParseDecision reads argmax, threshold:T or regress; T is a decimal or a fraction, taken exactly. "" is no decision.
func ParseDecision(text string) (Decision, error) {
	kind, at, some := strings.Cut(text, ":")
	switch Kind(kind) {
	case Argmax, Regress, None:
		if !some {
			return Decision{Kind: Kind(kind)}, nil
		}
	case Threshold:
		t, err := numeral.Parse(at)
		if some && err == nil {
			return Decision{Threshold, t, strings.TrimSpace(at)}, nil
		}
		if some {
			return Decision{}, fmt.Errorf("threshold: %w", err)
		}
	}
	return Decision{}, errors.New("want argmax, threshold:T with a number T, or regress")
}

// String is the decision as ParseDecision reads it.
func (d Decision) String() string {
	if d.Kind == Threshold {
		return string(Threshold) + ":" + d.text
	}
	return string(d.Kind)
}

// Classes is the number of classes that k scores tell apart; 0 where they are none.
func (d Decision) Classes(k int) int {
	switch d.Kind {
	case Argmax:
		return k
	case Threshold:
		return 2
	}
	return 0
}

// Class is what scores decide, exactly; -1 where the decision has no classes, and where it has some and the scores decide none of them (Undecided).
func (d Decision) Class(scores []float64) int {
	switch d.Kind {
	case Argmax:
		return kernel.Largest(scores)
	case Threshold:
		switch r := new(big.Rat).SetFloat64(scores[0]); {
		case r == nil: // it is infinite, or NaN
			return -1
		case r.Cmp(d.At) > 0:
			return 1
		}
		return 0
	case Label:
		return int(scores[0])
	}
	return -1
}

// undecided is why a sample has no class.
const undecided = "its scores decide nothing: one is NaN, or the largest is infinite"

// UndecidedBy is why samples have no class: one of the scores is NaN, or the largest (the only one) is infinite; and which of the models' constants
// are not finite, which they are looked through for when that is asked for first. Such samples count as decided wrongly, and this stands in every
// answer about them. Several models are A and B.
func UndecidedBy(models ...*onnxio.Model) func() string {
	return sync.OnceValue(func() string {
		words := undecided
		for i, m := range models {
			odd := m.Graph.NotFinite()
			if odd == "" {
				continue
			}
			of := ""
			if len(models) > 1 {
				of = fmt.Sprintf("model %c: ", 'A'+i)
			}
			words += "; " + of + odd
		}
		return words
	})
}

// why is what is said where nobody said more.
func why(by func() string) string {
	if by == nil {
		return undecided
	}
	return by()
}
