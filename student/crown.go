package student

import "github.com/shallow-waters/shoal/student/tape"

// form is a linear form below rows of neurons: rows·x + constant, with rows [R, ...] over the output of some stage.
type form struct{ rows, constant *tape.Node }

// lines bound y = max(x, 0) for x in [l, u]: lower·x <= y <= upper·x + intercept.
// before are what bounds x, where somebody asks.
type lines struct {
	lower, upper, intercept *tape.Node
	before                  [2]*tape.Node
}

// tiniest keeps u/(u-l) a number where both are 0.
const tiniest = 1e-30

// chord is the line through (l, 0) and (u, u), or y = x, or y = 0, where the sign is known.
func chord(b *tape.Builder, lower, upper *tape.Node) (slope, intercept *tape.Node) {
	over, under := b.Relu(upper), b.Relu(b.Scale(-1, lower))
	slope = b.Div(over, b.Shift(tiniest, b.Add(over, under)))
	return slope, b.Mul(slope, under)
}

// adaptiveLines have the lower slope 0 or 1, whichever leaves less area below: Zhang et al. 2018 (CROWN), section 3.3.
func adaptiveLines(b *tape.Builder, x ball) lines {
	lower, upper := x.ends(b)
	slope, intercept := chord(b, lower, upper)
	return lines{lower: b.Step(b.Add(lower, upper)), upper: slope, intercept: intercept}
}

// equalLines have the upper line's slope below too: Fast-Lin, and the dual network of Wong and Kolter.
func equalLines(b *tape.Builder, lower, upper *tape.Node) lines {
	slope, intercept := chord(b, lower, upper)
	return lines{lower: slope, upper: slope, intercept: intercept}
}

// down carries a form over what enters stage `to` down to the input, through the lines of every relu.
func (n *Network) down(f form, to int, relu map[int]lines) form {
	b := n.B
	for i := to - 1; i >= 0; i-- {
		s := n.Stages[i]
		if face := s.faces(); !face.bends {
			f = face.below(n, s, f)
			continue
		}
		l := relu[i]
		f = form{rows: b.ReluRows(f.rows, l.lower, l.upper), constant: b.Add(f.constant, b.NegativeDot(f.rows, l.intercept))}
	}
	return f
}

// least is the minimum of a form at the input over the ball: [R].
func (f form) least(b *tape.Builder, x ball) *tape.Node {
	return b.Add(f.constant, b.Sub(b.RowDot(f.rows, x.mid), b.RowDot(b.Abs(f.rows), x.rad)))
}

// crownMargins are lower bounds [N*K] of the margins from one backward pass over interval bounds. Source: Zhang et al. 2020, "Towards Stable
// and Efficient Training of Verifiably Robust Neural Networks" (CROWN-IBP), section 3.2.
func (n *Network) crownMargins(m margin, box bounds) *tape.Node {
	relu := map[int]lines{}
	for i, x := range box.before {
		relu[i] = adaptiveLines(n.B, x)
	}
	f := n.down(form{rows: m.rows, constant: m.bias}, len(n.Stages)-1, relu)
	return f.least(n.B, box.input)
}
