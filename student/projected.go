package student

import "github.com/shallow-waters/shoal/student/tape"

// projectedBounds estimates the dual network's bounds before each relu: what a neuron's coefficients add to its bounds are l1 norms, and those are
// estimated by sending k rows of Cauchy numbers up through the network instead of a row for each neuron down. They are no bounds: about half of them
// are too tight. The first relu's are exact. Source: Wong, Schmidt, Metzen and Kolter 2018, "Scaling provable adversarial defenses", section 3.2 and
// algorithm 1, with the median as estimator; as there, the margins behind them are the dual network's, exact for the slopes that come of it.
type projectedBounds struct {
	n *Network
	k int
	// center is where the lines' middles send the ball's; spread are rows of Cauchy numbers, k for each sample, by the place where they began.
	center *tape.Node
	spread []*tape.Node
	at     int // the stage that they have come to
}

// noiseOfProjections keeps their numbers apart from what stages draw.
const noiseOfProjections = 1 << 16

// before bounds what enters stage i; the stages are asked for in order.
func (p *projectedBounds) before(i, samples int, x ball, relu map[int]lines) (lower, upper *tape.Node) {
	n, b := p.n, p.n.B
	if p.center == nil {
		lower, upper = n.unitBounds(i, samples, x, relu)
		p.center, p.spread = x.mid, []*tape.Node{b.Cauchy(x.rad, p.k, noiseOfProjections, n.noise)}
		p.rise(i)
		return lower, upper
	}
	l := relu[p.at]
	half := b.Scale(0.5, l.intercept)
	p.center = b.Add(half, b.Mul(l.lower, p.center))
	for k, rows := range p.spread {
		p.spread[k] = b.RowScale(rows, l.lower)
	}
	p.spread = append(p.spread, b.Cauchy(half, p.k, noiseOfProjections+1+p.at, n.noise))
	p.at++
	p.rise(i)
	reach := b.MedianSize(p.spread[0], p.k)
	for _, rows := range p.spread[1:] {
		reach = b.Add(reach, b.MedianSize(rows, p.k))
	}
	return b.Sub(p.center, reach), b.Add(p.center, reach)
}

// rise goes up to stage i through affine ones.
func (p *projectedBounds) rise(i int) {
	for ; p.at < i; p.at++ {
		s := p.n.Stages[p.at]
		p.center = s.faces().apply(p.n, s, p.center)
		for k, rows := range p.spread {
			p.spread[k] = s.faces().linear(p.n, s, rows)
		}
	}
}
