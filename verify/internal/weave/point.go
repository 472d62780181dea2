package weave

import (
	"math/big"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Point is a case that an input is proven to meet, and the input, nil where that is not proven of any. Where the input lies beyond an end of a case's
// box it is brought there: a box without a float32 in it has counterexamples all the same, and what was run lies beside it.
func Point(net *plain.Network, p certificate.Property, x []*big.Rat) (*certificate.Point, error) {
	known := map[int]*plain.State{}
cases:
	for i, c := range p.Cases {
		b := p.Boxes[c.Box]
		in := inside(x, b)
		s := known[c.Box]
		if s == nil {
			var err error
			if s, _, err = start(net, certificate.Box{Lower: in, Upper: in}); err != nil {
				return nil, err
			}
			if s, err = s.Bound(true); err != nil {
				return nil, err
			}
			known[c.Box] = s
		}
		for _, q := range c.Constraints {
			if !s.Holds(q) {
				continue cases
			}
		}
		return &certificate.Point{Case: i, Inputs: in}, nil
	}
	return nil, nil
}

// inside is a point with every coordinate brought between the ends of a box.
func inside(x []*big.Rat, b certificate.Box) []*big.Rat {
	out := make([]*big.Rat, len(x))
	for k, v := range x {
		out[k] = v
		if v.Cmp(b.Lower[k]) < 0 {
			out[k] = b.Lower[k]
		} else if v.Cmp(b.Upper[k]) > 0 {
			out[k] = b.Upper[k]
		}
	}
	return out
}
