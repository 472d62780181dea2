package weave

import (
	"context"
	"math/bits"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Cut gives parts of a property in normal form that cover it, about so many together, for whoever decides them in different places. Boxes in
// which few inputs vary are halved where that moves their worst case's row most, all as often; of others each case is a part. What bounds
// alone disprove is not cut any further. The parts depend on the network and the property alone.
func Cut(ctx context.Context, net *plain.Network, p certificate.Property, about int) (parts []certificate.Part, err error) {
	w := &weaver{ctx: ctx, net: net, p: p, hinges: net.HingesOf()}
	depth := 0
	if each := about / max(1, len(p.Boxes)); each > 1 {
		depth = bits.Len(uint(each - 1))
	}
	for i, b := range p.Boxes {
		whole := certificate.Part{Box: i, Path: []certificate.Turn{}}
		var cases []*open
		for k, c := range p.Cases {
			if c.Box == i {
				whole.Cases, cases = append(whole.Cases, k), append(cases, &open{number: k})
			}
		}
		s, varying, err := start(net, b)
		if err != nil {
			return nil, err
		}
		if varying == 0 || varying > fewInputs {
			for _, k := range whole.Cases {
				parts = append(parts, certificate.Part{Box: i, Cases: []int{k}, Path: whole.Path})
			}
			continue
		}
		w.begin(s)
		if parts, err = w.halves(parts, s, whole, cases, depth); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// halves adds the parts of a part that is to be halved so often.
func (w *weaver) halves(parts []certificate.Part, s *plain.State, q certificate.Part, cases []*open, times int) ([]certificate.Part, error) {
	if times == 0 {
		return append(parts, q), nil
	}
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	s, err := s.Bound(true)
	if err != nil {
		return nil, err
	}
	var left []*open
	for _, c := range inherit(cases) {
		done, err := w.plainly(s, c)
		if err != nil {
			return nil, err
		}
		if !done {
			left = append(left, c)
		}
	}
	if s.Empty() || len(left) == 0 {
		return append(parts, q), nil
	}
	i, at, ok := w.widest(s, left)
	if !ok {
		return append(parts, q), nil
	}
	v, k := w.net.Input(i)
	below, above := s.Halves(v, k, at)
	for n, half := range []*plain.State{below, above} {
		kid := q
		kid.Path = append(q.Path[:len(q.Path):len(q.Path)], certificate.Turn{Input: i, At: at, Above: n == 1})
		if parts, err = w.halves(parts, half, kid, left, times-1); err != nil {
			return nil, err
		}
	}
	return parts, nil
}
