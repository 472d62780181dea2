package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/student/tape"
)

// ball is a box around every image as midpoints and radii.
type ball struct{ mid, rad *tape.Node }

// ballAround is the l-infinity ball of radius eps (a scalar node) around images x, cut by [0,1] unless it is unbounded.
func ballAround(b *tape.Builder, x, eps *tape.Node, unbounded bool) ball {
	r := b.Fill(eps, x.Shape()...)
	if unbounded {
		return ball{mid: x, rad: r}
	}
	lower := b.Relu(b.Sub(x, r))
	upper := b.Shift(1, b.Scale(-1, b.Relu(b.Shift(1, b.Scale(-1, b.Add(x, r))))))
	return between(b, lower, upper)
}

func between(b *tape.Builder, lower, upper *tape.Node) ball {
	return ball{mid: b.Scale(0.5, b.Add(lower, upper)), rad: b.Scale(0.5, b.Sub(upper, lower))}
}

func (x ball) ends(b *tape.Builder) (lower, upper *tape.Node) {
	return b.Sub(x.mid, x.rad), b.Add(x.mid, x.rad)
}

// bounds are the boxes before a network's relus, by the stages' index, and what goes into its last dense layer.
type bounds struct {
	input  ball
	before map[int]ball
	last   ball
}

// BoundsError tells that a way of training has no bounds for a layer.
type BoundsError struct {
	Layer string
	Kind  Kind
	Bound string // interval, crown or dual
}

func (e *BoundsError) Error() string {
	return fmt.Sprintf("layer %s: no %s bounds in training for %s; want an architecture of conv, dense, relu and flatten", e.Layer, e.Bound, e.Kind)
}

// bounded tells whether all stages have bounds of a kind; the last stage is dense.
func bounded(stages []Stage, bound string) error {
	for _, s := range stages {
		f := s.faces()
		if f.interval == nil || bound != "interval" && f.below == nil && !f.bends {
			return &BoundsError{Layer: s.Name, Kind: s.Kind, Bound: bound}
		}
	}
	return nil
}

// intervals bounds every stage but the last, dense one, which is left to rows of margins.
func (n *Network) intervals(x ball) bounds {
	out := bounds{input: x, before: map[int]ball{}}
	for _, s := range n.Stages[:len(n.Stages)-1] {
		f := s.faces()
		if f.bends {
			out.before[s.index] = x
		}
		x = f.interval(n, s, x)
	}
	out.last = x
	return out
}

// Intervals go through stages in midpoint-radius form: an affine map takes the midpoints as they are and the radii through the absolute values
// of its weights; a monotone stage is taken at both ends. Source: Gowal et al. 2018, "On the Effectiveness of Interval Bound Propagation for
// Training Verifiably Robust Models", section 3.

// monotone is the interval face of a stage that keeps order.
func monotone(apply func(*Network, Stage, *tape.Node) *tape.Node) func(*Network, Stage, ball) ball {
	return func(n *Network, s Stage, x ball) ball {
		lower, upper := x.ends(n.B)
		return between(n.B, apply(n, s, lower), apply(n, s, upper))
	}
}

// positive is the interval face of a linear stage without weights below 0.
func positive(apply func(*Network, Stage, *tape.Node) *tape.Node) func(*Network, Stage, ball) ball {
	return func(n *Network, s Stage, x ball) ball { return ball{mid: apply(n, s, x.mid), rad: apply(n, s, x.rad)} }
}

// margin is what the worst case is asked of: the rows e_label - e_k folded into the last dense layer, which is tighter than bounds of the
// logits. rows is [N*K, inputs of the last layer], bias [N*K].
type margin struct {
	n, k       int
	rows, bias *tape.Node
}

func (n *Network) margins(labels *tape.Node) margin {
	b := n.B
	last := n.Stages[len(n.Stages)-1]
	m := b.Margins(labels)
	s := labels.Shape()
	bias := b.MatMul(false, false, m, b.Reshape(n.bias(last), s[1], 1))
	return margin{n: s[0], k: s[1], rows: b.MatMul(false, false, m, n.weight(last)), bias: b.Reshape(bias, s[0]*s[1])}
}

// intervalMargins are lower bounds [N*K] of the margins from the box before the last layer.
func (n *Network) intervalMargins(m margin, x ball) *tape.Node {
	b := n.B
	return b.Add(m.bias, b.Sub(b.RowDot(m.rows, x.mid), b.RowDot(b.Abs(m.rows), x.rad)))
}

// worst are the worst-case logits [N,K]: 0 for the label, and for every other class the most that it can lie above it. Their cross-entropy
// with the label is an upper bound of that of every point in the ball: Wong and Kolter 2018, theorem 2.
func (n *Network) worst(m margin, lower *tape.Node) *tape.Node {
	return n.B.Reshape(n.B.Scale(-1, lower), m.n, m.k)
}
