package recheck

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// disprove proves that no input of the part meets the case, which of an empty part is so.
func (c *checker) disprove(s *plain.State, open []int, p certificate.Disproof) error {
	if !slices.Contains(open, p.Case) {
		return c.refuse("case %d is disproved, which is not open here", p.Case)
	}
	if s.Empty() {
		return nil
	}
	low, limit, ok, err := s.Disprove(c.h.Property.Cases[p.Case].Constraints, p, nil)
	if err != nil {
		return c.refuse("case %d: %v", p.Case, err)
	}
	if !ok {
		return c.refuse("case %d: the row is at least %v there, which does not rule out %s", p.Case, low, limit.RatString())
	}
	return nil
}

// point proves that an input meets a case: it lies in the case's box, in rational arithmetic, and every constraint holds of bounds around it.
func (c *checker) point() error {
	p := c.h.Point
	if p.Case < 0 || p.Case >= len(c.h.Property.Cases) || len(p.Inputs) != c.net.In {
		return refuse("the point is of %d numbers and case %d", len(p.Inputs), p.Case)
	}
	k := c.h.Property.Cases[p.Case]
	box := c.h.Property.Boxes[k.Box]
	for i, x := range p.Inputs {
		if x == nil || x.Cmp(box.Lower[i]) < 0 || x.Cmp(box.Upper[i]) > 0 {
			return refuse("input %d of the point lies outside the box of case %d", i, p.Case)
		}
	}
	s, err := c.start(p.Inputs, p.Inputs)
	if err != nil {
		return err
	}
	if s, err = (&part{around: whole(s)}).state(all); err != nil {
		return err
	}
	for i, q := range k.Constraints {
		if !s.Holds(q) {
			return refuse("constraint %d of case %d is not proven to hold at the point", i, p.Case)
		}
	}
	return c.in.End()
}
