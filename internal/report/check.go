package report

import (
	"fmt"
	"math"
)

// Outcome is how a check came out.
type Outcome string

// The outcomes. Inconclusive is a check of what was not measured.
const (
	Pass         Outcome = "pass"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive"
)

// Check is a requirement that a result was held to.
type Check struct {
	Name    string   `json:"name"`          // of what is required: certified_accuracy, for example
	Eps     *float64 `json:"eps,omitempty"` // the radius that it is required at
	Value   Number   `json:"value"`
	Limit   float64  `json:"limit"`
	Sense   string   `json:"sense"` // at_least or at_most
	Outcome Outcome  `json:"outcome"`
	Reason  string   `json:"reason"` // in a line
}

// AtLeast requires that a value is no less than the limit.
func AtLeast(name string, value Number, limit float64, format string, args ...any) Check {
	return check(name, value, limit, "at_least", float64(value) >= limit, fmt.Sprintf(format, args...))
}

// AtMost requires that a value is no more than the limit. What is infinite is.
func AtMost(name string, value Number, limit float64, format string, args ...any) Check {
	return check(name, value, limit, "at_most", float64(value) <= limit, fmt.Sprintf(format, args...))
}

func check(name string, value Number, limit float64, sense string, holds bool, reason string) Check {
	c := Check{Name: name, Value: value, Limit: limit, Sense: sense, Outcome: Fail, Reason: reason}
	switch {
	case math.IsNaN(float64(value)):
		c.Outcome, c.Reason = Inconclusive, name+" was not measured"
	case holds:
		c.Outcome = Pass
	}
	return c
}

// Failed is the first check that is not passed; nil where all are.
func (r *Result) Failed() *Check {
	for i := range r.Checks {
		if r.Checks[i].Outcome != Pass {
			return &r.Checks[i]
		}
	}
	return nil
}
