package student

import "github.com/shallow-waters/shoal/student/tape"

// dualMargins are lower bounds [N*K] of the margins by the dual network: the bounds before each relu come from unit vectors sent down through
// the layers below it, with one slope u/(u-l) above and below, and so do the margins. The ball is exact: no random projections. The rows of a
// layer are as many as its neurons for every sample, which is for small networks and batches.
// Source: Wong and Kolter 2018, "Provable Defenses against Adversarial Examples via the Convex Outer Adversarial Polytope", section 3 and
// algorithm 1; their J is this bound.
func (n *Network) dualMargins(m margin, x ball) *tape.Node {
	relu := map[int]lines{}
	for i, s := range n.Stages {
		if s.faces().bends {
			relu[i] = equalLines(n.B, n.unitBounds(i, m.n, x, relu))
		}
	}
	return n.down(form{rows: m.rows, constant: m.bias}, len(n.Stages)-1, relu).least(n.B, x)
}

// unitBounds bounds what enters stage i. As the slopes are equal above and below, a row's coefficients serve both ends.
func (n *Network) unitBounds(i, samples int, x ball, relu map[int]lines) ball {
	b := n.B
	shape := n.Stages[i].In
	first := i // the stage after the relu below, or 0
	for first > 0 && !n.Stages[first-1].faces().bends {
		first--
	}
	if first == 0 { // no relu below: intervals are exact
		for _, s := range n.Stages[:i] {
			x = s.faces().interval(n, s, x)
		}
		return x
	}
	units := 1
	for _, d := range shape {
		units *= d
	}
	// unit vectors through the affine layers above that relu, once for all samples
	one := b.Constant(func(at int) float64 {
		if at%(units+1) == 0 {
			return 1
		}
		return 0
	}, append([]int{units}, shape...)...)
	f := form{rows: one, constant: b.Constant(func(int) float64 { return 0 }, units)}
	for k := i - 1; k >= first; k-- {
		s := n.Stages[k]
		f = s.faces().below(n, s, f)
	}
	repeat := func(v *tape.Node) *tape.Node {
		size, old := v.Shape().TotalSize(), v.Shape()
		out := append([]int{samples * old[0]}, old[1:]...)
		return b.Reshape(b.Rows(b.Reshape(v, size), samples, size), out...)
	}
	f = form{rows: repeat(f.rows), constant: repeat(f.constant)}
	// down the rest, with the greatest and the least of what the relus add
	high := f.constant
	for k := first - 1; k >= 0; k-- {
		if s := n.Stages[k]; s.faces().bends {
			l := relu[k]
			low := b.NegativeDot(f.rows, l.intercept)
			high = b.Add(high, b.Sub(b.RowDot(f.rows, l.intercept), low))
			f = form{rows: b.ReluRows(f.rows, l.lower, l.upper), constant: b.Add(f.constant, low)}
		} else {
			next := s.faces().below(n, s, f)
			high = b.Add(high, b.Sub(next.constant, f.constant))
			f = next
		}
	}
	mid, rad := b.RowDot(f.rows, x.mid), b.RowDot(b.Abs(f.rows), x.rad)
	out := append([]int{samples}, shape...)
	lower := b.Reshape(b.Add(f.constant, b.Sub(mid, rad)), out...)
	upper := b.Reshape(b.Add(high, b.Add(mid, rad)), out...)
	return between(b, lower, upper)
}
