package equal

import (
	"fmt"
	"slices"
	"strings"
)

// Matching says which ports of two models are the same: Of[i] is the place in B of A's port i.
type Matching struct {
	Of []int
	By string // "name" or "position"
}

// How ports are matched.
const (
	ByName     = "name"
	ByPosition = "position"
)

// AmbiguousError tells that some names of two models' ports agree and others do not: by name and by position are two readings then, and either may
// be meant.
type AmbiguousError struct {
	What string // "input" or "output"
	A, B []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("some %s names agree and others do not: %s in A, %s in B", e.What, strings.Join(e.A, ", "), strings.Join(e.B, ", "))
}

// Match pairs the ports of two models, inputs or outputs (what): by name where both have the same names, in whatever order; by position where they
// have none in common, as exporters name them. Where some agree and others do not, it is an *AmbiguousError, unless by says ByPosition; ByName asks
// for equal names.
func Match(what string, a, b []string, by string) (Matching, error) {
	common := 0
	m := Matching{By: ByName}
	for _, name := range a {
		k := slices.Index(b, name)
		if k >= 0 {
			common++
		}
		m.Of = append(m.Of, k)
	}
	switch {
	case by == ByPosition, by == "" && common == 0:
		if len(a) != len(b) {
			return m, fmt.Errorf("the models have %d and %d %ss", len(a), len(b), what)
		}
		m.By = ByPosition
		for i := range m.Of {
			m.Of[i] = i
		}
		return m, nil
	case common == len(a) && common == len(b):
		return m, nil
	}
	if by == ByName {
		return m, fmt.Errorf("%s names differ: %s in A, %s in B", what, strings.Join(a, ", "), strings.Join(b, ", "))
	}
	return m, &AmbiguousError{what, a, b}
}
