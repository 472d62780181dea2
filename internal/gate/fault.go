package gate

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// place is where something stands in a policy: line and column from 1; 0 where it stands nowhere.
type place struct{ line, column int }

// Fault is something wrong in a policy.
type Fault struct {
	Path         string // of the policy
	Line, Column int    // from 1
	Text         string // of that line
	Why          string
	Hint         string // what to do; may be empty
	Err          error  // what came of what the policy names; nil where the policy itself is wrong
}

// Unwrap is Err.
func (f *Fault) Unwrap() error { return f.Err }

// Error is the fault in a line, with the line it stands in and a caret below.
func (f *Fault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.Path, f.Line, f.Column, f.Why)
}

// Quote is the line of the fault, and a caret below the place. Tabs count as one column, as YAML has them.
func (f *Fault) Quote() (line, caret string) {
	line = strings.ReplaceAll(f.Text, "\t", " ")
	before := min(f.Column-1, utf8.RuneCountInString(line))
	return line, strings.Repeat(" ", max(0, before)) + "^"
}

// Faults are all that is wrong in a policy, or with what it names, in the order of its lines.
type Faults []*Fault

// Unwrap has all of them.
func (f Faults) Unwrap() []error {
	out := make([]error, len(f))
	for i, one := range f {
		out[i] = one
	}
	return out
}

func (f Faults) Error() string {
	words := make([]string, len(f))
	for i, one := range f {
		words[i] = one.Error()
	}
	return strings.Join(words, "; ")
}
