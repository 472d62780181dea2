package verify

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// mutate changes something at random: of the property, often to what is not true, or of a step, or of both.
func (c *certified) mutate(rng *rand.Rand) (certificate.Head, []certificate.Step, string) {
	h, steps := c.head, slices.Clone(c.steps)
	what := ""
	if rng.IntN(4) > 0 {
		h.Property, what = c.mutateProperty(rng)
		if n, err := h.Property.Normal(); err == nil {
			h.Property = n
		}
		h.Hash = h.Property.Hash()
	}
	if what == "" || rng.IntN(2) == 0 {
		i := rng.IntN(len(steps))
		s := steps[i]
		s.Proofs = slices.Clone(s.Proofs)
		switch rng.IntN(8) {
		case 0:
			steps = slices.Delete(steps, i, i+1)
			return h, steps, what + " a step deleted"
		case 1:
			steps = slices.Insert(steps, i, steps[rng.IntN(len(steps))])
			return h, steps, what + " a step inserted"
		case 2:
			s.Kind = certificate.Kind("BINEAH"[rng.IntN(6)])
			if s.Kind == certificate.Half && len(s.Proofs) != 1 {
				s.Proofs = []certificate.Disproof{{Case: rng.IntN(len(h.Property.Cases))}}
			}
			if s.Kind == certificate.Neuron {
				s.Value, s.Index = rng.IntN(3), rng.IntN(3)
			}
		default:
			if len(s.Proofs) == 0 {
				s.At, s.Index = s.At+rng.NormFloat64(), s.Index+rng.IntN(3)*rng.IntN(2)
				break
			}
			p := &s.Proofs[rng.IntN(len(s.Proofs))]
			c.mutateProof(rng, p)
		}
		steps[i] = s
		what += fmt.Sprintf(" step %d became %+v", i, s)
	}
	return h, steps, what
}

// anyTree draws a tree with any splits, slopes and multipliers: of a part where some cases are open, below so many splits, on the way to which
// so many sides were given.
func (c *certified) anyTree(rng *rand.Rand, net *plain.Network, cases []int, depth, sides int) (steps []certificate.Step) {
	if rng.IntN(3) == 0 {
		steps = append(steps, certificate.Step{Kind: certificate.Bound})
	}
	if len(cases) > 1 && rng.IntN(3) > 0 {
		steps = append(steps, certificate.Step{Kind: certificate.Apart})
		for _, k := range cases {
			steps = append(steps, c.anyTree(rng, net, []int{k}, depth, sides)...)
		}
		return steps
	}
	for rng.IntN(3) == 0 && (len(cases) == 1 || rng.IntN(3) == 0) { // of several it is refused
		s := certificate.Step{Kind: certificate.Half, Proofs: []certificate.Disproof{c.anyProof(rng, net, cases[rng.IntN(len(cases))], sides)}}
		if steps = append(steps, s); rng.IntN(2) == 0 {
			steps = append(steps, certificate.Step{Kind: certificate.Bound})
		}
	}
	if depth < 4 && rng.IntN(4) > 0 {
		s := certificate.Step{Kind: certificate.Input, Index: rng.IntN(net.In), At: rng.NormFloat64()}
		values, _ := net.Splits()
		if len(values) > 0 && rng.IntN(4) > 0 {
			s.Kind, s.Value, s.At = certificate.Neuron, rng.IntN(len(values)), s.At*float64(rng.IntN(2))
			s.Index = rng.IntN(net.Elements(values[s.Value]))
			sides++
		}
		steps = append(steps, s)
		return append(append(steps, c.anyTree(rng, net, cases, depth+1, sides)...), c.anyTree(rng, net, cases, depth+1, sides)...)
	}
	s := certificate.Step{Kind: certificate.Closed}
	if rng.IntN(2) == 0 {
		s.Kind = certificate.Exact
	}
	for _, i := range cases {
		k := c.claim.Cases[i]
		p := c.anyProof(rng, net, i, sides)
		if s.Kind == certificate.Exact {
			if p.Slopes, p.Row = nil, 0; len(k.Constraints) > 1 {
				for range k.Constraints {
					p.Weights = append(p.Weights, rng.Float64()*float64(rng.IntN(2)))
				}
			}
			c.anyExact(rng, net, &p)
		}
		if len(k.Constraints) == 1 && rng.IntN(4) > 0 {
			p.Row, p.Weights = 0, []float64{evening(rng, k.Constraints[0])}
		}
		s.Proofs = append(s.Proofs, p)
	}
	return append(steps, s)
}

// anyProof draws parameters of a case's row.
func (c *certified) anyProof(rng *rand.Rand, net *plain.Network, number, sides int) certificate.Disproof {
	p := certificate.Disproof{Case: number, Row: rng.IntN(len(c.claim.Cases[number].Constraints))}
	if rng.IntN(4) > 0 {
		p.Slopes = make([]byte, net.Hinges())
		steep := byte(rng.IntN(2)) * plain.Steep
		for j := range p.Slopes {
			p.Slopes[j] = byte(rng.IntN(plain.Steep)) + steep
		}
	}
	for range sides * min(1, rng.IntN(4)) {
		p.Beta = append(p.Beta, math.Abs(rng.NormFloat64())*float64(rng.IntN(2)))
	}
	return p
}

// evening is a weight that brings a constraint's coefficients to somewhere near 1, as far as a float64 does, or a little off.
func evening(rng *rand.Rand, q certificate.Constraint) float64 {
	most := -1000
	for _, x := range q.Coef {
		most = max(most, x.Num().BitLen()-x.Denom().BitLen())
	}
	return math.Ldexp(1+float64(rng.IntN(2))*rng.Float64(), min(1000, -most))
}

// anyExact draws slopes, and ceilings that follow no weights.
func (c *certified) anyExact(rng *rand.Rand, net *plain.Network, p *certificate.Disproof) {
	most := []float64{1, 1, 1, 2}[rng.IntN(4)]
	for range net.Hinges() * min(1, rng.IntN(4)) {
		p.Fine = append(p.Fine, []float64{0, most, most * rng.Float64()}[rng.IntN(3)])
	}
	for range rng.IntN(4) * min(1, net.Hinges()) {
		q := certificate.Ceiling{Hinge: rng.IntN(net.Hinges()), Times: math.Abs(logUniform(rng, -20, 10))}
		for range net.In {
			q.Slope = append(q.Slope, rng.NormFloat64()*float64(rng.IntN(3)))
		}
		p.Ceilings = append(p.Ceilings, q)
	}
}

// numbers are those of all cases.
func (c *certified) numbers() (out []int) {
	for k := range c.claim.Cases {
		out = append(out, k)
	}
	return out
}

func (c *certified) mutateProof(rng *rand.Rand, p *certificate.Disproof) {
	p.Slopes, p.Beta, p.Weights = slices.Clone(p.Slopes), slices.Clone(p.Beta), slices.Clone(p.Weights)
	p.Fine, p.Ceilings = slices.Clone(p.Fine), slices.Clone(p.Ceilings)
	for i := range p.Fine {
		if rng.IntN(4) == 0 {
			p.Fine[i] = rng.Float64() * 1.1
		}
	}
	for i := range p.Ceilings {
		q := &p.Ceilings[i]
		q.Slope = slices.Clone(q.Slope)
		switch rng.IntN(4) {
		case 0:
			q.Times *= logUniform(rng, -5, 10)
		case 1:
			q.Hinge += rng.IntN(3) - 1
		case 2:
			for k := range q.Slope {
				q.Slope[k] += rng.NormFloat64()
			}
		}
		q.Hinge = max(0, q.Hinge)
	}
	switch rng.IntN(6) {
	case 0:
		p.Case = rng.IntN(3)
	case 1:
		p.Row = rng.IntN(3)
	case 2:
		p.Weights = nil
		for range c.claim.Cases[0].Constraints {
			p.Weights = append(p.Weights, rng.NormFloat64())
		}
	case 3:
		for i := range p.Slopes {
			p.Slopes[i] = byte(rng.IntN(256))
		}
	case 4:
		for i := range p.Beta {
			p.Beta[i] = math.Abs(p.Beta[i]*2 + rng.NormFloat64())
		}
	default:
		p.Beta = append(p.Beta, math.Abs(rng.NormFloat64())*logUniform(rng, -5, 40))
	}
}

// mutateProperty moves a bound to the border of what is true or beyond, a coefficient, an end of the box, or how a constraint compares.
func (c *certified) mutateProperty(rng *rand.Rand) (certificate.Property, string) {
	p := c.claim
	p.Cases, p.Boxes = slices.Clone(p.Cases), slices.Clone(p.Boxes)
	k := &p.Cases[rng.IntN(len(p.Cases))]
	k.Constraints = slices.Clone(k.Constraints)
	q := &k.Constraints[rng.IntN(len(k.Constraints))]
	q.Coef = slices.Clone(q.Coef)
	switch rng.IntN(6) {
	case 0, 1, 2: // the least value of the left side, or beside it
		var least *big.Rat
		for _, r := range c.all {
			for _, s := range r {
				sum := new(big.Rat)
				for j, i := range q.Index {
					sum.Add(sum, new(big.Rat).Mul(q.Coef[j], s.cur[i]))
				}
				if least == nil || sum.Cmp(least) < 0 {
					least = sum
				}
			}
		}
		q.Bound = beside(rng, least)
		k.Constraints = []certificate.Constraint{*q} // alone, so that it decides
		return p, "a bound at the border"
	case 3:
		q.Strict = !q.Strict
		return p, "strictness"
	case 4:
		if len(q.Coef) > 0 {
			i := rng.IntN(len(q.Coef))
			q.Coef[i] = beside(rng, q.Coef[i])
		}
		return p, "a coefficient"
	}
	b := certificate.Box{Lower: slices.Clone(p.Boxes[k.Box].Lower), Upper: slices.Clone(p.Boxes[k.Box].Upper)}
	i := rng.IntN(len(b.Lower))
	b.Lower[i] = new(big.Rat).Add(b.Lower[i], b.Upper[i]) // inside, so that the regions still hold it
	b.Lower[i].Quo(b.Lower[i], big.NewRat(2, 1))
	p.Boxes[k.Box] = b
	return p, "a box"
}
