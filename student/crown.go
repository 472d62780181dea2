package student

import "gorgonia.org/gorgonia"

// form is a linear form below rows of neurons: rows·x + constant, with rows [R, ...] over the output of some stage.
type form struct{ rows, constant *gorgonia.Node }

// lines bound y = max(x, 0) for x in [l, u]: lower·x <= y <= upper·x + intercept.
type lines struct{ lower, upper, intercept *gorgonia.Node }

// tiniest keeps u/(u-l) a number where both are 0.
const tiniest = 1e-30

// chord is the line through (l, 0) and (u, u), or y = x, or y = 0, where the sign is known.
func (b *Builder) chord(x ball) (slope, intercept, lower, upper *gorgonia.Node) {
	lower, upper = b.ends(x)
	over, under := b.Relu(upper), b.Relu(b.Scale(-1, lower))
	slope = b.Div(over, b.Shift(tiniest, b.Add(over, under)))
	return slope, b.Mul(slope, under), lower, upper
}

// adaptiveLines have the lower slope 0 or 1, whichever leaves less area below: Zhang et al. 2018 (CROWN), section 3.3.
func (b *Builder) adaptiveLines(x ball) lines {
	slope, intercept, lower, upper := b.chord(x)
	return lines{lower: b.Step(b.Add(lower, upper)), upper: slope, intercept: intercept}
}

// equalLines have the upper line's slope below too: Fast-Lin, and the dual network of Wong and Kolter.
func (b *Builder) equalLines(x ball) lines {
	slope, intercept, _, _ := b.chord(x)
	return lines{lower: slope, upper: slope, intercept: intercept}
}

// down carries a form over what enters stage `to` down to the input, through the lines of every relu.
func (n *Network) down(f form, to int, relu map[int]lines) form {
	b := n.B
	for i := to - 1; i >= 0; i-- {
		s := n.Stages[i]
		if s.Kind != KindRelu {
			f = n.below(f, s)
			continue
		}
		l := relu[i]
		f = form{rows: b.ReluRows(f.rows, l.lower, l.upper), constant: b.Add(f.constant, b.NegativeDot(f.rows, l.intercept))}
	}
	return f
}

// below carries a form through one affine stage.
func (n *Network) below(f form, s Stage) form {
	b := n.B
	in := append([]int{f.rows.Shape()[0]}, s.In...)
	switch s.Kind {
	case KindDense:
		return form{rows: b.MatMul(false, false, f.rows, n.Weight(s)), constant: b.Add(f.constant, b.RowDot(f.rows, b.Reshape(n.Bias(s), 1, s.Out[0])))}
	case KindConv:
		bias := b.Rows(n.Bias(s), 1, s.Out[0], s.Out[1], s.Out[2])
		return form{rows: b.ConvInput(f.rows, n.Weight(s), s.In[0], s.In[1], s.Geometry), constant: b.Add(f.constant, b.RowDot(f.rows, bias))}
	case KindFlatten:
		return form{rows: b.Reshape(f.rows, in...), constant: f.constant}
	case KindAvgPool:
		k := newConv(in, []int{s.In[2], s.Window[0], s.Window[1], s.In[2]}, s.Geometry)
		return form{rows: b.avgPoolInput(f.rows, k), constant: f.constant}
	}
	panic("student: no rows through " + string(s.Kind))
}

// least is the minimum of a form at the input over the ball: [R].
func (b *Builder) least(f form, x ball) *gorgonia.Node {
	return b.Add(f.constant, b.Sub(b.RowDot(f.rows, x.mid), b.RowDot(b.Abs(f.rows), x.rad)))
}

// crownMargins are lower bounds [N*K] of the margins from one backward pass over interval bounds. Source: Zhang et al. 2020, "Towards Stable
// and Efficient Training of Verifiably Robust Neural Networks" (CROWN-IBP), section 3.2.
func (n *Network) crownMargins(m margin, box bounds) *gorgonia.Node {
	relu := map[int]lines{}
	for i, x := range box.before {
		relu[i] = n.B.adaptiveLines(x)
	}
	f := n.down(form{rows: m.rows, constant: m.bias}, len(n.Stages)-1, relu)
	return n.B.least(f, box.input)
}
