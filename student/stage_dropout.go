package student

import "github.com/shallow-waters/shoal/student/tape"

// dropoutStage zeroes a share of what it takes in training; files have nothing of it, and none is read.
var dropoutStage = faces{
	kind:  KindDropout,
	asked: func(l Layer) bool { return l.Dropout != 0 },
	plan: func(p *planner, l Layer) {
		if !(l.Dropout > 0 && l.Dropout < 1) {
			p.fault("dropout %v: want a share between 0 and 1", l.Dropout)
		}
		p.push(Stage{Kind: KindDropout, Rate: l.Dropout, Out: p.shape})
	},
	apply: func(n *Network, s Stage, x *tape.Node) *tape.Node { return n.B.Dropout(x, s.Rate, s.index, n.noise) },
}
