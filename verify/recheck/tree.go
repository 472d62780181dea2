package recheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// maxDepth limits how many parts are kept at once.
const maxDepth = 1200

// walk reads the tree of a part, on which the open cases are to be disproved.
//
// A split has two children, and a part of the whole lies in one of them since a number is at most t or at least t: nothing can be left out,
// whatever the certificate says.
func (c *checker) walk(s *plain.State, open []int) error {
	for len(open) > 0 {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		step, err := c.in.Next()
		if err != nil {
			return err
		}
		switch step.Kind {
		case certificate.Bound:
			if s, err = s.Bound(true); err != nil {
				return err
			}
		case certificate.Row:
			if step.Value >= len(c.values) || step.Index >= c.net.Elements(c.values[step.Value]) {
				return c.refuse("a row of an element that is not there")
			}
			if s, _, err = s.Row(c.values[step.Value], step.Index, step.Proofs[0], nil); err != nil {
				return c.refuse("%v", err)
			}
		case certificate.Apart:
			if len(open) < 2 {
				return c.refuse("one case is taken apart")
			}
			for _, k := range open {
				if err := c.walk(s, []int{k}); err != nil {
					return err
				}
			}
			return nil
		case certificate.Empty:
			if !s.Empty() {
				return c.refuse("the part is said to be empty, and bounds do not show it")
			}
			c.leaves++
			return nil
		case certificate.Closed, certificate.Exact:
			for _, p := range step.Proofs {
				i := slices.Index(open, p.Case)
				if i < 0 {
					return c.refuse("case %d is disproved, which is not open here", p.Case)
				}
				if err := c.disprove(s, p); err != nil {
					return err
				}
				open = slices.Delete(slices.Clone(open), i, i+1)
			}
			if len(step.Proofs) == 0 {
				return c.refuse("a step that disproves nothing")
			}
		case certificate.Input, certificate.Neuron:
			return c.split(s, open, step)
		}
	}
	c.leaves++
	return nil
}

func (c *checker) split(s *plain.State, open []int, step certificate.Step) error {
	if len(c.path) >= maxDepth {
		return c.refuse("more than %d splits one in the other", maxDepth)
	}
	value, index, name := 0, step.Index, ""
	switch {
	case step.Kind == certificate.Input && step.Index < c.net.In:
		value, index = c.net.Input(step.Index)
		name = fmt.Sprintf("input %d", step.Index)
	case step.Kind == certificate.Neuron && step.Value < len(c.values) && step.Index < c.net.Elements(c.values[step.Value]):
		value = c.values[step.Value]
		name = fmt.Sprintf("%s[%d]", c.h.Values[step.Value], step.Index)
	default:
		return c.refuse("a split of an element that is not there")
	}
	below, above := s.Halves(value, index, step.At)
	for i, half := range []*plain.State{below, above} {
		c.path = append(c.path, fmt.Sprintf("%s %s %v", name, []string{"<=", ">="}[i], step.At))
		if err := c.walk(half, open); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

// refuse names the place: the box' tree, the part that was reached last and how many were done before.
func (c *checker) refuse(format string, args ...any) error {
	path := c.path
	if more := len(path) - 5; more > 0 {
		path = append([]string{fmt.Sprintf("%d splits", more)}, path[more:]...)
	}
	where := strings.Join(path, ", ")
	if where == "" {
		where = "the whole box"
	}
	return refuse("box %d, after %d parts, where %s: %s", c.tree, c.leaves, where, fmt.Sprintf(format, args...))
}
