package search

import (
	"slices"

	"github.com/shallow-waters/shoal/verify/internal/bound"
	"github.com/shallow-waters/shoal/verify/internal/record"
)

// Proof is what proved a part: of an exact search a row over the whole box, with the sides that it needs; of rows the part's own. Hinges are counted
// as bound.Side has it.
type Proof struct {
	Case    int
	Level   int          // of the search: of a case what the last one that had it left counts
	Path    []bound.Side // on which the part lies, in the order in which the search took them
	Needs   []bound.Side // of these, and of no others: it proves every part that has them
	Beta    []float64    // multipliers of Needs
	Slopes  [][]float64  // by slot of hinges, of all of its elements: of those whose side is known 0, of rows less than 0
	Weights []float64    // of the case's constraints
	// Half says that a row proved nothing, and that parts of its part are bounded over the half-space where it lets the case be met.
	Half bool
	// Ceilings are bound's, of hinges.
	Ceilings []Ceiling
}

// Ceiling is bound.Ceiling, its hinge counted among all.
type Ceiling struct {
	Hinge int
	Times float64
	Slope []float64
}

// Found is the proof as a tape has it, its case by the number that others give it.
func (p *Proof) Found(number int) record.Found {
	f := record.Found{Case: number, Level: p.Level, Path: Turns(p.Path), Needs: Turns(p.Needs), Beta: p.Beta, Weights: p.Weights}
	for _, s := range p.Slopes {
		f.Slopes = append(f.Slopes, s...)
	}
	for _, c := range p.Ceilings {
		f.Ceilings = append(f.Ceilings, record.Ceiling(c))
	}
	return f
}

// Turns are sides as a tape has them.
func Turns(list []bound.Side) []record.Turn {
	out := make([]record.Turn, len(list))
	for i, s := range list {
		out[i] = record.Turn(s)
	}
	return out
}

// tell says what proved a leaf, or where its case can be met at all, to who asked for it.
func (r *sides) tell(p *laidLeaves, i int) {
	if r.s.Leaf == nil {
		return
	}
	l := p.ls[i]
	what := Proof{Case: l.c, Level: r.at, Half: !p.proven[i], Path: r.s0.Sides(l.splits), Beta: slices.Clone(p.beta[i]), Weights: p.weight[i]}
	what.Needs = what.Path
	what.Slopes = told(r.s0, p.slopes(r, i))
	r.s.Leaf(what)
}

// told are slopes of hinges as Proof has them: curves, whose lines are the usual ones, have none.
func told(s *bound.Snapshot, alpha [][]float64) (out [][]float64) {
	for k, a := range alpha {
		if s.Each(k) == 1 {
			out = append(out, s.Spread(k, a, -1))
		}
	}
	return out
}

// End says with which slopes a row bounded an end of a hinge over the whole box.
type End struct {
	Hinge  int
	Upper  bool
	Slopes [][]float64 // by slot below, as Proof has them
}

// tell says what a row has found, unless more was known.
func (r *refiner) tell(problem int, elem int32, sign, low float64, alpha [][]float64) {
	if r.told == nil {
		return
	}
	lower, upper := r.s.Range(r.slot, problem, elem)
	if sign > 0 && low < lower || sign < 0 && -low > upper {
		return
	}
	e := End{Hinge: r.s.Sides([]bound.Split{{Slot: int32(r.slot), Elem: elem}})[0].Hinge, Upper: sign < 0}
	e.Slopes = told(r.s, alpha)
	r.told(e)
}

// Covered says by which parts, that cover the whole box, an end of a hinge was bounded: each by a row with the same slopes, or one that such a row
// proves with fewer of its sides.
type Covered struct {
	Hinge  int
	Upper  bool
	Low    float64     // what the end, or, of an upper one, its negative is at least
	Slopes [][]float64 // by slot below, as Proof has them
	Parts  [][]bound.Side
}

// coverGain is the share of a hinge's range that a cover must take off for it to be told.
const coverGain = 0.01

// tell says what a cover has found, unless that is little: then it is not to be taken over either.
func (d *deepen) tell(t *covered) bool {
	if t.c.Parts() < 2 {
		return false
	}
	low, _ := t.c.Lower()
	elem, sign := t.c.Elem()
	lower, upper := d.s.Range(d.slot, t.c.Node(0).Problem, elem)
	gain := low - lower
	if sign < 0 {
		gain = upper + low
	}
	if !(gain > coverGain*(upper-lower)) {
		return false
	}
	c := Covered{Hinge: d.s.Sides([]bound.Split{{Slot: int32(d.slot), Elem: elem}})[0].Hinge, Upper: sign < 0, Low: low}
	c.Slopes = told(d.s, t.alpha)
	for i := range t.c.Parts() {
		c.Parts = append(c.Parts, d.s.Sides(t.c.Node(i).Splits))
	}
	d.told(c)
	return true
}
