package recheck

import (
	"errors"
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

const (
	// maxDepth limits how many parts are kept at once.
	maxDepth = 2000
	// patience is how many steps B may wait: what one finds shortens those below it.
	patience = 2
)

// walk reads the tree of a part, on which the open cases are to be disproved.
//
// A split has two children, and a part of the whole lies in one of them since a number is at most t or at least t: nothing can be left out,
// whatever the certificate says.
func (c *checker) walk(p *part, open []int) error {
	for len(open) > 0 {
		step, err := c.in.Next()
		if err = errors.Join(c.ctx.Err(), err); err != nil {
			return err
		}
		switch step.Kind {
		case certificate.Bound:
			if p = (&part{around: p, late: p.late + 1}); p.late > maxDepth {
				err = c.refuse("more than %d steps B one after the other", maxDepth)
			}
		case certificate.Row, certificate.Half:
			p, err = c.row(p, open, step)
		case certificate.Apart:
			if len(open) < 2 {
				err = c.refuse("one case is taken apart")
			}
			for ; err == nil && len(open) > 1; open = open[1:] { // the last one goes on here
				err = c.walk(p, open[:1])
			}
		case certificate.Empty:
			err = p.ask(func(s *plain.State) error {
				if !s.Empty() {
					return c.refuse("the part is said to be empty, and bounds do not show it")
				}
				return nil
			})
			open = nil
		case certificate.Closed, certificate.Exact:
			for i := 0; i < len(step.Proofs) && err == nil; i++ {
				err = p.ask(func(s *plain.State) error { return c.disprove(s, open, step.Proofs[i]) })
				open = slices.DeleteFunc(slices.Clone(open), func(k int) bool { return k == step.Proofs[i].Case })
			}
		case certificate.Input, certificate.Neuron:
			return c.split(p, open, step)
		}
		if err != nil {
			return err
		}
	}
	c.leaves++
	return nil
}

// row is the part with what a row of its own adds to all that is known there: an end of an element, or where the open case can be met.
func (c *checker) row(p *part, open []int, step certificate.Step) (*part, error) {
	s, err := p.state(all)
	if err != nil {
		return nil, err
	}
	if q := step.Proofs[0]; step.Kind == certificate.Half {
		if len(open) > 1 || q.Case != open[0] {
			return nil, c.refuse("a half-space of case %d, which is not the one that is open", q.Case)
		}
		s, err = s.Within(c.h.Property.Cases[q.Case].Constraints, q)
	} else if value, index, missing := c.element(step); missing != nil {
		return nil, missing
	} else {
		s, _, err = s.Row(value, index, q, nil)
	}
	if err != nil {
		return nil, c.refuse("%v", err)
	}
	return whole(s), nil
}

// element is what a step speaks of.
func (c *checker) element(step certificate.Step) (value, index int, err error) {
	if step.Kind == certificate.Input && step.Index < c.net.In {
		value, index = c.net.Input(step.Index)
		return value, index, nil
	}
	if step.Kind != certificate.Input && step.Value < len(c.values) && step.Index < c.net.Elements(c.values[step.Value]) {
		return c.values[step.Value], step.Index, nil
	}
	return 0, 0, c.refuse("there is no element %d of value %d", step.Index, step.Value)
}

func (c *checker) split(p *part, open []int, step certificate.Step) error {
	if len(c.path) >= maxDepth {
		return c.refuse("more than %d splits one in the other", maxDepth)
	}
	value, index, err := c.element(step)
	if err != nil {
		return err
	}
	if p.late > patience {
		if _, err := p.state(some); err != nil {
			return err
		}
		p.late = 0
	}
	for _, above := range []bool{false, true} {
		c.path = append(c.path, turn{step, above})
		half := &part{around: p, side: &plain.Side{Value: value, Index: index, At: step.At, Above: above}, late: p.late}
		if err := c.walk(half, open); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}
