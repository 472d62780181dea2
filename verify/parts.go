package verify

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/weave"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// Parts cuts a claim into about so many parts that cover it (certificate.Covered), each to be decided by itself: halves of boxes in which few
// inputs vary, else cases. What is cut where depends on the network and the claim alone.
func (v *Verifier) Parts(ctx context.Context, claim certificate.Property, about int) ([]certificate.Part, error) {
	claim, err := v.ofNetwork(claim)
	if err != nil {
		return nil, err
	}
	net, _, err := plain.Prepare(ctx, v.model, v.o.Reading, v.net.SoftmaxDropped())
	if err != nil {
		return nil, err
	}
	return weave.Cut(ctx, net, claim, about)
}

// ofNetwork is a claim in normal form, and an error where its numbers of inputs and outputs are not the network's.
func (v *Verifier) ofNetwork(claim certificate.Property) (certificate.Property, error) {
	claim, err := claim.Normal()
	if err != nil {
		return claim, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if claim.Inputs != v.net.Inputs() || claim.Outputs != v.net.Outputs() {
		return claim, fmt.Errorf("%w: a claim of %d inputs and %d outputs, and the model has %d and %d", ErrInput, claim.Inputs, claim.Outputs, v.net.Inputs(), v.net.Outputs())
	}
	return claim, nil
}

// FromClaim turns a claim into a property, as FromVNNLIB does a query.
func FromClaim(claim certificate.Property) Property {
	claim, err := claim.Normal()
	if err != nil {
		return Property{Cases: []Case{{fault: fmt.Errorf("%w: %w", ErrInput, err)}}}
	}
	q := &vnnlib.Query{Inputs: claim.Inputs, Outputs: claim.Outputs}
	for _, c := range claim.Cases {
		k := vnnlib.Case{Lower: claim.Boxes[c.Box].Lower, Upper: claim.Boxes[c.Box].Upper}
		for _, a := range c.Constraints {
			k.Atoms = append(k.Atoms, vnnlib.Atom{Index: a.Index, Coef: a.Coef, Bound: a.Bound, Strict: a.Strict})
		}
		q.Cases = append(q.Cases, k)
	}
	return FromVNNLIB(q)
}
