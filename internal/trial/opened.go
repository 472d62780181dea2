package trial

import (
	"context"
	"slices"

	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// opened is a subject opened for a sample's proofs, with the values that stand behind the input asked about in the model's flat order.
type opened struct {
	verifier *verify.Verifier
	search   *falsify.Attack
	behind   []float64
	sample   int
}

// open gives what a sample's proofs are asked of. Samples with the same held values share it.
func (p *Proofs) open(ctx context.Context, i int) (*opened, error) {
	in := p.Subject.Inputs
	o := &opened{verifier: p.Verifier, sample: i}
	if p.Reopen != nil {
		if old := p.reopened; old != nil && in.Same(old.sample, i) {
			return old, nil
		}
		p.Close()
		var err error
		if o.verifier, o.search, err = p.Reopen(ctx, i); err != nil {
			return nil, err
		}
		p.reopened = o
	}
	var err error
	if in != nil && o.behind == nil {
		o.behind, err = in.Behind(p.Subject.Model.Graph, i)
	}
	return o, err
}

// Close frees what was opened for single samples.
func (p *Proofs) Close() {
	if o := p.reopened; o != nil {
		o.verifier.Close()
		if o.search != nil {
			o.search.Close()
		}
		p.reopened = nil
	}
}

// whole are a sample's numbers with the held ones behind them.
func (o *opened) whole(x []float32) []float32 {
	if len(o.behind) == 0 {
		return x
	}
	out := slices.Clone(x)
	for _, v := range o.behind {
		out = append(out, float32(v)) // exactly: Behind has looked
	}
	return out
}

// scale is that of a sample's numbers, with 1 for held ones, which do not move.
func (o *opened) scale(s []float64) []float64 {
	out := slices.Clone(s)
	for range o.behind {
		out = append(out, 1)
	}
	return out
}

// box is one of the input asked about as a box of all inputs.
func (o *opened) box(b verify.Box) verify.Box {
	if len(o.behind) == 0 {
		return b
	}
	return verify.Box{Lower: append(slices.Clone(b.Lower), o.behind...), Upper: append(slices.Clone(b.Upper), o.behind...)}
}

// property is one about the input asked about as a property of all inputs: the held ones have one value each.
func (o *opened) property(p verify.Property) verify.Property {
	if len(o.behind) == 0 {
		return p
	}
	wide := map[*float64][]float64{} // cases that share a box go on sharing it
	longer := func(x []float64) []float64 {
		if wide[&x[0]] == nil {
			wide[&x[0]] = append(slices.Clone(x), o.behind...)
		}
		return wide[&x[0]]
	}
	widen := func(b verify.Box) verify.Box { return verify.Box{Lower: longer(b.Lower), Upper: longer(b.Upper)} }
	p.Cases = slices.Clone(p.Cases)
	for k := range p.Cases {
		c := &p.Cases[k]
		if len(c.Box.Lower) == 0 { // a question that has no meaning, which says so when it is asked
			continue
		}
		c.Box = widen(c.Box)
		if c.Inner != nil {
			inner := widen(*c.Inner)
			c.Inner = &inner
		}
	}
	return p
}
