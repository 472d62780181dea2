package bound

import (
	"time"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/kernel"
)

// Pace is how parameters are moved while they are looked for.
type Pace struct {
	Steps  int
	Until  time.Time                    // no step begins after that; zero means without end
	Hinges func(step int) kernel.Ascent // from 1 on
	// Curves is where a curve's parameter goes from x, up the derivative g, with its moments.
	Curves func(step int, of Choice, x, g float64, m, v *float64) float64
	// Multipliers is where a split's goes from x, likewise; size is the mean of what stands in front of what the node may choose. nil keeps them.
	Multipliers func(step int, size, x, g float64, m, v *float64) float64
	// Enough, by node, is what a bound need not be above: a row that seems to be stays where it is. nil for no such thing.
	Enough []float64

	guesses []Guess // gets what rows come to, by node, and parameters stay; nil for no such thing
}

// SeekLower moves each node's parameters and multipliers to where the bound of its row over the outputs is large, nearly: it looks in float32. What
// it says is where to look, and no bound; that is what Lower finds there. It tells whether it could look: where not, parameters are as before.
func (l *Laid) SeekLower(rows [][]float64, p Pace) (bool, error) {
	var from []*value
	for _, id := range l.p.net.outputs {
		from = append(from, l.p.net.values[id])
	}
	return l.seek(p, from, func(sc *scout) []start { return sc.outputs(from, rows) })
}

// Guess is about what the bound of a row is, found in float32: to choose by. It is no number that a bound could be taken for.
type Guess struct{ about float32 }

// Over is by how much a guess is above a limit.
func (g Guess) Over(limit float64) float32 { return g.about - float32(limit) }

// Guess is about what Lower gives, in float32; ok is false where it cannot be had.
func (l *Laid) Guess(rows [][]float64) (of []Guess, ok bool, err error) {
	of = make([]Guess, len(rows))
	ok, err = l.SeekLower(rows, Pace{guesses: of})
	return of, ok, err
}

// outputs are rows over the outputs where they begin.
func (sc *scout) outputs(from []*value, rows [][]float64) (starts []start) {
	for o, r := range sc.l.p.rowsOver(rows) {
		x := &sc.vals[sc.vals[from[o].id].root]
		s := start{sc.vals[from[o].id].root, make([]float32, len(rows)*len(x.cols))}
		for i := range rows {
			row := r.Row(i)
			for k, j := range x.cols {
				s.rows[i*len(x.cols)+k] = float32(row[j])
			}
		}
		starts = append(starts, s)
	}
	return starts
}

// SeekNeurons is SeekLower for rows of Neurons.
func (l *Laid) SeekNeurons(slot int, elems []int32, sign []float64, p Pace) (bool, error) {
	v := l.p.net.values[l.s.slots[slot].in[0]]
	if v.kind != kindAffine {
		return false, nil
	}
	var from []*value
	for _, id := range v.in {
		from = append(from, l.p.net.values[id])
	}
	return l.seek(p, from, func(sc *scout) []start { return sc.neurons(v, elems, sign) })
}

// neurons are rows over an affine value where they begin: at what it reads.
func (sc *scout) neurons(v *value, elems []int32, sign []float64) (starts []start) {
	for k, s := range v.steps {
		id := sc.vals[v.in[k]].root
		cols := sc.vals[id].cols
		x := start{id, make([]float32, len(elems)*len(cols))}
		sc.pick(s, elems, sign, cols, x.rows)
		starts = append(starts, x)
	}
	return starts
}

func (l *Laid) seek(p Pace, from []*value, starts func(sc *scout) []start) (sought bool, err error) {
	err = budget.Do(l.p.ctx, func() error {
		sc := l.scout(from)
		if sc == nil {
			return nil
		}
		sought = true
		return sc.seek(starts(sc), p)
	})
	if err != nil {
		l.p.lost = true
		return false, err
	}
	return sought, nil
}

// start is where rows begin: their coefficients over a value.
type start struct {
	id   int
	rows []float32
}

// seekFloats is how many numbers rows that move together may take: about what a second cache holds.
const seekFloats = 1 << 18

// seek moves parameters, and leaves the nodes at the best that it saw.
func (sc *scout) seek(starts []start, p Pace) error {
	l := sc.l
	few := min(96, max(8, seekFloats/max(1, 2*sc.width+4*sc.alpha)))
	return l.p.chunks(l.p.net.values[max(0, sc.top-1)], len(l.nodes), func(_ *affine.Work, from, to int) {
		k := seekers.Get().(*seeker)
		defer seekers.Put(k)
		for a := from; a < to && l.p.ctx.Err() == nil; a += few {
			k.run(sc, starts, p, a, min(to, a+few))
		}
	})
}
