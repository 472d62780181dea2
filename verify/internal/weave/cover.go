package weave

import (
	"math"

	"github.com/shallow-waters/shoal/internal/plain"
	"github.com/shallow-waters/shoal/verify/certificate"
)

// Cover says by which parts of the whole box an end of a hinge was bounded, each by a row with the same slopes.
//
// A certificate says that without a form of its own: it splits at the end, and beyond it every part of the cover is empty, which a row of the
// hinge shows there.
type Cover struct {
	Low    float64 // what the end, or, of an upper one, its negative is at least
	Slopes []byte
	Parts  [][]Turn
}

// Size is about how many numbers it has.
func (c *Cover) Size() int {
	n := len(c.Slopes) / 8
	for _, path := range c.Parts {
		n += 4 + len(path)
	}
	return n
}

const (
	// maxCovers is how many are written one in the other: most of what the depth of a tree may be.
	maxCovers = 1500
	// coverGain is the share of a hinge's range that a cover must take off, and coverBack the share by which it is split before what rows show.
	coverGain, coverBack = 0.01, 1e-9
)

// end is a cover of a hinge's end.
type end struct {
	End
	Cover
}

// coversOf are those of a value's hinges, in the order of their elements.
func (w *weaver) coversOf(h int) (out []end) {
	hinge := w.bends[h]
	for k := range w.net.Elements(hinge.In) {
		for _, upper := range []bool{false, true} {
			e := End{hinge.At + k, upper}
			if c, ok := w.covers[e]; ok && len(c.Slopes) == w.net.Hinges() {
				out = append(out, end{e, c})
			}
		}
	}
	return out
}

// covered writes the covers down that the plain pass follows, and goes on in what they leave.
func (w *weaver) covered(s *plain.State, list []end, then func(*plain.State) error) error {
	if len(list) == 0 || w.around >= maxCovers {
		return then(s)
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	c, rest := list[0], list[1:]
	value, index := w.read(c.Hinge)
	if value < 0 {
		return w.covered(s, rest, then)
	}
	at, steps, ok, err := w.beyond(s, c, value, index)
	if err != nil {
		return err
	}
	if !ok {
		return w.covered(s, rest, then)
	}
	if err := w.out.Write(certificate.Step{Kind: certificate.Neuron, Value: value, Index: index, At: at}); err != nil {
		return err
	}
	w.fresh = false
	below, above := s.Halves(w.values[value], index, at)
	if !c.Upper { // what lies below the end comes first
		if err := w.empties(steps); err != nil {
			return err
		}
		below = above
	}
	w.around++
	if err = w.covered(below, rest, then); err == nil && c.Upper {
		err = w.empties(steps)
	}
	w.around--
	return err
}

// beyond is how far a cover reaches, and the steps that show the part beyond to be empty. ok is false where it gains nothing.
func (w *weaver) beyond(s *plain.State, c end, value, index int) (at float64, steps []certificate.Step, ok bool, err error) {
	lower, upper := s.Range(w.values[value], index)
	if lower >= upper || !w.curved[w.values[value]] && (lower >= 0 || upper <= 0) {
		return 0, nil, false, nil
	}
	tree := &refutation{hinge: -1}
	for _, path := range c.Parts {
		tree.grow(path)
	}
	row := certificate.Step{Kind: certificate.Row, Value: value, Index: index, Proofs: []certificate.Disproof{{Slopes: c.Slopes}}}
	if c.Upper {
		row.Proofs[0].Row = 1
	}
	p, err := w.parted(s, tree, row, c.Low-coverBack*(upper-lower))
	if err != nil {
		return 0, nil, false, err
	}
	low := p.all - coverBack*(upper-lower)
	if at = low; c.Upper {
		at = -low
	}
	gain := low - lower
	if c.Upper {
		gain = upper + low
	}
	if !(gain > coverGain*(upper-lower)) {
		return 0, nil, false, nil
	}
	return at, p.steps(nil, low, row), true, nil
}

// parted is a part of a cover: what a row is at least there, by itself and by the two parts that it has, if it has any.
type parted struct {
	own, all     float64
	value, index int
	at           float64
	side         [2]*parted
}

// parted bounds a row on the parts of a cover. One that has fewer sides may have the better bound, since the row has no multipliers; it is tried
// where the parts that it has do not come to what was told.
func (w *weaver) parted(s *plain.State, tree *refutation, row certificate.Step, told float64) (*parted, error) {
	if tree != nil && tree.hinge >= 0 {
		value, index := w.read(tree.hinge)
		if value < 0 {
			return w.parted(s, nil, row, told)
		}
		switch lower, upper := s.Range(w.values[value], index); {
		case upper <= tree.at: // it has the side already
			return w.parted(s, tree.side[0], row, told)
		case lower >= tree.at:
			return w.parted(s, tree.side[1], row, told)
		}
	}
	p := &parted{own: math.Inf(-1), all: math.Inf(1)}
	if tree == nil || tree.hinge < 0 {
		p.all = p.own
	} else {
		p.value, p.index = w.read(tree.hinge)
		p.at = tree.at
		below, above := s.Halves(w.values[p.value], p.index, p.at)
		for i, half := range []*plain.State{below, above} {
			var err error
			if p.side[i], err = w.parted(half, tree.side[i], row, told); err != nil {
				return nil, err
			}
			p.all = min(p.all, p.side[i].all)
		}
	}
	if p.all >= told {
		return p, nil
	}
	_, low, err := s.Row(w.values[row.Value], row.Index, row.Proofs[0], nil)
	p.own, p.all = low, max(p.all, low)
	return p, err
}

// steps show that the row is above a number on the part, with no more parts than that takes.
func (p *parted) steps(out []certificate.Step, above float64, row certificate.Step) []certificate.Step {
	if p.own > above || p.side[0] == nil {
		return append(out, row, certificate.Step{Kind: certificate.Empty})
	}
	out = append(out, certificate.Step{Kind: certificate.Neuron, Value: p.value, Index: p.index, At: p.at})
	return p.side[1].steps(p.side[0].steps(out, above, row), above, row)
}

// empties writes the steps of a part in which every part of its own is empty.
func (w *weaver) empties(steps []certificate.Step) error {
	for _, q := range steps {
		if q.Kind == certificate.Empty {
			w.parts++
		}
		if err := w.out.Write(q); err != nil {
			return err
		}
	}
	return nil
}
