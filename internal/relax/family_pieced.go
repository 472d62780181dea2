package relax

import (
	"math"

	"github.com/shallow-waters/shoal/internal/sound"
)

// A function in parts is a family by slopes: the intercept is proven for every slope, see overAll.

var _ Family = (*Pieced)(nil)

// pieceSteps is how many chords tell between what slopes the lines of an interval's hull lie, nearly.
const pieceSteps = 8

func (p *Pieced) Ends(l, u float64) Ends {
	lo := slopes(p.under, l, u)
	return Ends{Lo: Choice{-lo.To, -lo.From, -lo.Usual}, Up: slopes(p.over, l, u)}
}

// hugeSlope is beyond what is asked for: the usual line stands for it.
const hugeSlope = 1e100

// slopes are those of lines over the parts: from the steepest chord that begins at l to the least steep one that ends at u, for so the hull's begins
// and ends. One number, where the chord of the whole interval is the hull.
func slopes(parts []part, l, u float64) Choice {
	m := l + (u-l)/2
	usual := hullSlope(parts, partAt(parts, m), l, u, m)
	fl, fu := partAt(parts, l).middle(l), partAt(parts, u).middle(u)
	from, to := usual, usual
	for i := 1; i < pieceSteps; i++ {
		x := l + (u-l)*float64(i)/pieceSteps
		y := partAt(parts, x).middle(x)
		from, to = min(from, (fu-y)/(u-x)), max(to, (y-fl)/(x-l))
	}
	chord := (fu - fl) / (u - l)
	from, to = min(from, chord), max(to, chord)
	if !sound.Finite(usual) || !sound.Finite(from) || !sound.Finite(to) || !(to-from > 1e-6*(math.Abs(from)+math.Abs(to))) {
		return Choice{}
	}
	if usual == chord { // the hull is the chord, and every other line lies over it
		return Choice{chord, chord, chord}
	}
	return Choice{from, to, usual}
}

func (p *Pieced) Lower(l, u, k float64) (slope, icept float64) {
	slope, icept = p.line(p.under, l, u, -k)
	return -slope, -icept
}

func (p *Pieced) Upper(l, u, k float64) (slope, icept float64) { return p.line(p.over, l, u, k) }

func (p *Pieced) line(parts []part, l, u, k float64) (slope, icept float64) {
	if !(math.Abs(k) < hugeSlope) {
		return lineOver(parts, l, u)
	}
	return k, overAll(parts, k, l, u)
}

// Pull is by how far z lies beyond the point that holds the line up.
func (p *Pieced) Pull(upper bool, l, u, z, k float64) float64 {
	if upper {
		return highest(p.over, k, l, u).x - z
	}
	return z - highest(p.under, -k, l, u).x
}

func (p *Pieced) Value(x float64) float64 { return partAt(p.over, x).middle(x) }

func (p *Pieced) Steepest(l, u float64) float64 {
	e := p.Ends(l, u)
	return max(math.Abs(e.Lo.From), math.Abs(e.Lo.To), math.Abs(e.Up.From), math.Abs(e.Up.To))
}
