package weave

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// refined bounds the ends of hinges whose sign is not known better, those of one value after the other from the inputs on, and goes on where that is
// done. Rows come first, and then covers.
func (w *weaver) refined(s *plain.State, h, steps int, then func(*plain.State) error) error {
	if h == len(w.bends) {
		return then(s)
	}
	s, err := w.refine(s, h, steps)
	if err != nil {
		return err
	}
	return w.covered(s, w.coversOf(h), func(s *plain.State) error { return w.refined(s, h+1, steps, then) })
}

// refine bounds the ends of a value's hinges by rows whose slopes are moved, or were by a search, and writes down those that gain.
func (w *weaver) refine(s *plain.State, h, steps int) (*plain.State, error) {
	hinge := w.bends[h]
	number := slices.Index(w.values, hinge.In)
	if h == 0 || number < 0 {
		return s, nil // nothing below has a slope
	}
	var alpha [2][]float64
	for k := range w.net.Elements(hinge.In) {
		for end := range 2 {
			if lower, upper := s.Range(hinge.In, k); lower >= upper || !w.curved[hinge.In] && (lower >= 0 || upper <= 0) {
				continue
			}
			if err := w.ctx.Err(); err != nil {
				return s, err
			}
			var best certificate.Disproof
			was, upper := s.Range(hinge.In, k)
			if end == 1 {
				was = -upper
			}
			a, low, next := w.ascend(s, alpha[end], nil, nil), was, s
			given := w.ends[End{hinge.At + k, end == 1}]
			if len(given) != w.net.Hinges() {
				given = nil
			}
			if given == nil && w.curved[hinge.In] { // the boxes have rows of it
				continue
			}
			for {
				p, _ := a.parameters(0)
				if p.Row = end; given != nil {
					p.Slopes = given
				}
				var t plain.Trace
				to, x, err := s.Row(hinge.In, k, p, &t)
				if err != nil {
					return s, err
				}
				if x > low {
					low, next, best, alpha[end] = x, to, p, append([]float64(nil), a.alpha...)
				}
				if low >= 0 && !w.curved[hinge.In] || a.step >= steps || given != nil {
					break
				}
				a.up(s, &t, p.Slopes, 0)
			}
			if !w.gains(s, hinge.In, k, was, low, given != nil) || best.Slopes == nil {
				continue
			}
			s = next
			if err := w.out.Write(certificate.Step{Kind: certificate.Row, Value: number, Index: k, Proofs: []certificate.Disproof{best}}); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// gains tells whether a row that bounds an end is worth its step: it tells a hinge's sign, or takes off some share, of a hinge's end or of a
// curve's range. One that a search told was of use to it: where its parts are bounded over half-spaces, little that is lost becomes much.
func (w *weaver) gains(s *plain.State, value, k int, was, low float64, told bool) bool {
	share := refineGain
	if told {
		share = toldGain
	}
	if lower, upper := s.Range(value, k); w.curved[value] {
		return low-was > share*(upper-lower)
	}
	return low >= 0 || low >= was*(1-share)
}
