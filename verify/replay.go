package verify

import "context"

// Replay rounds a point into the property's exact boxes in float32, runs the network, and tells whether it meets a case: the same check
// that every counterexample passes. nil means that it does not.
func (v *Verifier) Replay(ctx context.Context, p Property, x []float64) (*Counterexample, error) {
	gs, err := v.groups(p, v.o.Semantics)
	if err != nil {
		return nil, err
	}
	for _, g := range gs {
		if len(x) != len(g.inner.Lower) {
			continue
		}
		r, ok, err := v.tryPoint(ctx, g, x, "replayed")
		if err != nil {
			return nil, err
		}
		if ok {
			return r.Counterexample, nil
		}
		if g.float32 != nil {
			return g.float32.Counterexample, nil
		}
	}
	return nil, nil
}
