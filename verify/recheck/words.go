package recheck

import (
	"fmt"
	"strings"

	"github.com/shallow-waters/shoal/verify/certificate"
)

// What follows says in words where a certificate is refused. No proof rests on it.

// turn is a side of a split on the way to a part.
type turn struct {
	step  certificate.Step
	above bool
}

func (c *checker) turned(t turn) string {
	name := fmt.Sprintf("input %d", t.step.Index)
	if t.step.Kind == certificate.Neuron {
		name = fmt.Sprintf("%s[%d]", c.h.Values[t.step.Value], t.step.Index)
	}
	if t.above {
		return fmt.Sprintf("%s >= %v", name, t.step.At)
	}
	return fmt.Sprintf("%s <= %v", name, t.step.At)
}

// refuse names the place: the box' tree, the part that was reached last and how many were done before.
func (c *checker) refuse(format string, args ...any) error {
	where, from := []string{}, max(0, len(c.path)-5)
	if from > 0 {
		where = append(where, fmt.Sprintf("%d splits", from))
	}
	for _, t := range c.path[from:] {
		where = append(where, c.turned(t))
	}
	if len(where) == 0 {
		where = append(where, "the whole box")
	}
	return refuse("box %d, after %d parts, where %s: %s", c.tree, c.leaves, strings.Join(where, ", "), fmt.Sprintf(format, args...))
}
