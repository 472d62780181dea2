package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/internal/weave"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// ErrNoCertificate is wrapped where a verdict cannot be written down: an unknown one, one of executions, or a part that the plain pass of who checks
// certificates does not prove.
var ErrNoCertificate = errors.New("there is no certificate of this verdict")

// Claim is a property as certificates name it, in rational numbers: of a network of so many inputs and outputs. Boxes are those that proofs are of.
func Claim(p Property, inputs, outputs int) (certificate.Property, error) {
	out := certificate.Property{Inputs: inputs, Outputs: outputs}
	numbers := func(list []float64) []*big.Rat {
		var r []*big.Rat
		for _, x := range list {
			r = append(r, new(big.Rat).SetFloat64(x)) // nil of what is not finite, which Normal refuses
		}
		return r
	}
	place := map[*float64]int{}
	for i, c := range p.Cases {
		if c.fault != nil {
			return out, c.fault
		}
		if len(c.Box.Lower) == 0 {
			return out, fmt.Errorf("%w: case %d has no box", ErrInput, i)
		}
		at, known := place[&c.Box.Lower[0]]
		if !known {
			at = len(out.Boxes)
			place[&c.Box.Lower[0]] = at
			out.Boxes = append(out.Boxes, certificate.Box{Lower: numbers(c.Box.Lower), Upper: numbers(c.Box.Upper)})
		}
		k := certificate.Case{Box: at}
		for _, q := range c.Constraints {
			k.Constraints = append(k.Constraints, certificate.Constraint(q))
		}
		out.Cases = append(out.Cases, k)
	}
	return out.Normal()
}

// ClaimVNNLIB is a query as certificates name it: its numbers are the file's own. A certificate is of one file's inputs and outputs, so a
// query of VNN-LIB 2.x about more than these has none (ErrNoCertificate).
func ClaimVNNLIB(q *vnnlib.Query) (certificate.Property, error) {
	if q == nil {
		return certificate.Property{}, fmt.Errorf("%w: there is no query", ErrInput)
	}
	if len(q.Networks) > 1 || q.Shared != nil || len(q.Copies) > 0 || len(q.Networks) == 1 && len(q.Networks[0].Hidden) > 0 {
		return certificate.Property{}, fmt.Errorf("%w: the query is about several networks, hidden nodes, or inputs beside others", ErrNoCertificate)
	}
	out := certificate.Property{Inputs: q.Inputs, Outputs: q.Outputs}
	place := map[**big.Rat]int{}
	for i, c := range q.Cases {
		if len(c.Lower) == 0 {
			return out, fmt.Errorf("%w: case %d has no box", ErrInput, i)
		}
		at, known := place[&c.Lower[0]]
		if !known {
			at = len(out.Boxes)
			place[&c.Lower[0]] = at
			out.Boxes = append(out.Boxes, certificate.Box{Lower: c.Lower, Upper: c.Upper})
		}
		k := certificate.Case{Box: at}
		for _, a := range c.Atoms {
			k.Constraints = append(k.Constraints, certificate.Constraint{Index: a.Index, Coef: a.Coef, Bound: a.Bound, Strict: a.Strict})
		}
		out.Cases = append(out.Cases, k)
	}
	return out.Normal()
}

// Certificate writes a verdict of a claim down, so that verify/recheck proves it again: of a verified one a tree of splits and parameters,
// of a falsified one the point. A tree that the search kept (Options.Record) is written as it is, which takes next to no time: its parts were bounded
// as who checks does, and proven with a margin over what rounding can change. What it found over sides is tried by the pass that checks it, which
// takes a part of the time that the search did. All else is found by that pass, which takes as long as the search, and where inputs are halved
// several times as long. parts is how many parts the proof has. Errors are the context's end, those of w, and ErrNoCertificate.
func (v *Verifier) Certificate(ctx context.Context, claim certificate.Property, r Result, w io.Writer) (parts int, err error) {
	switch {
	case v.o.Semantics != Real:
		return 0, fmt.Errorf("%w: certificates are of the real numbers, and the semantics are %s", ErrNoCertificate, v.o.Semantics)
	case r.Verdict == Falsified && r.FalsifiedIn != Real:
		return 0, fmt.Errorf("%w: an execution meets the case, and nothing is proven of the real numbers there", ErrNoCertificate)
	case r.Verdict == Falsified && r.Counterexample == nil || r.Verdict != Verified && r.Verdict != Falsified:
		return 0, fmt.Errorf("%w: the verdict is unknown", ErrNoCertificate)
	}
	if claim, err = v.ofNetwork(claim); err != nil {
		return 0, err
	}
	if w == nil {
		return 0, fmt.Errorf("%w: there is nothing to write to", ErrInput)
	}
	net, dropped, err := plain.Prepare(ctx, v.model, v.o.Reading, v.net.SoftmaxDropped())
	if err != nil {
		return 0, err
	}
	_, names := net.Splits()
	h := certificate.Head{Kind: certificate.Proof, Model: v.model.SHA256, Graph: net.Hash(), Semantics: string(Real), Reading: v.o.Reading.String(),
		Softmax: dropped, Values: names, Property: claim, Hash: claim.Hash()}
	if r.Verdict == Falsified {
		if h.Point, err = v.point(net, claim, r.Counterexample); err != nil {
			return 0, err
		}
		h.Kind = certificate.Counterexample
	}
	out, err := certificate.NewWriter(w, h)
	if err != nil {
		return 0, err
	}
	if h.Point != nil {
		return 0, out.Close()
	}
	defer r.forget()
	times, err := v.times(claim)
	if err != nil {
		return 0, err
	}
	return weave.Proof(ctx, net, claim, out, weave.Told{Sides: v.o.sides, Times: times, Search: v.proofs(ctx, claim), Kept: v.kept(ctx, claim, r),
		Ready: func(box int) (weave.Findings, bool) { return r.told(claim, box) }})
}

// point is a counterexample as a certificate has it.
func (v *Verifier) point(net *plain.Network, claim certificate.Property, c *Counterexample) (*certificate.Point, error) {
	var x []*big.Rat
	for _, f := range c.Inputs {
		r := new(big.Rat).SetFloat64(float64(f))
		if r == nil {
			return nil, fmt.Errorf("%w: the counterexample has a number that is not finite", ErrNoCertificate)
		}
		x = append(x, r)
	}
	p, err := weave.Point(net, claim, x)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("%w: of the counterexample the plain pass proves no case", ErrNoCertificate)
	}
	return p, nil
}
