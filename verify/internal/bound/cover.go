package bound

import "math"

// Cover is a neuron's bound by cases: the problem is divided by splits, each part is bounded by itself, and what is known of the neuron is the
// least of the parts' bounds. Parts are only ever replaced by the two sides of one hinge, so that they cover the problem at any time.
type Cover struct {
	slot, problem int
	elem          int32
	sign          float64
	s             *Snapshot
	low           []float64 // by part
	splits        [][]Split
}

// NewCover begins with the problem as the only part, of which nothing is known: sign times what the hinge of a slot reads at elem is to be bounded
// from below.
func NewCover(s *Snapshot, problem, slot int, elem int32, sign float64) *Cover {
	return &Cover{slot: slot, problem: problem, elem: elem, sign: sign, s: s, low: []float64{math.Inf(-1)}, splits: [][]Split{nil}}
}

// Parts is how many there are.
func (c *Cover) Parts() int { return len(c.low) }

// Elem is the neuron and the sign of the bound.
func (c *Cover) Elem() (elem int32, sign float64) { return c.elem, c.sign }

// Node is a part, as Lay takes it.
func (c *Cover) Node(part int) Node { return Node{Of: c.s, Problem: c.problem, Splits: c.splits[part]} }

// Halve replaces a part by the two sides of a hinge: the first takes its place, the other one is the last. Both keep its bound.
func (c *Cover) Halve(part int, q Split) (off, on int) {
	at := c.splits[part]
	side := func(on bool) []Split {
		q.On = on
		return append(append(make([]Split, 0, len(at)+1), at...), q)
	}
	c.splits[part] = side(false)
	c.splits, c.low = append(c.splits, side(true)), append(c.low, c.low[part])
	return part, len(c.low) - 1
}

// Lower is the least of the parts' bounds, and the part that has it.
func (c *Cover) Lower() (low float64, part int) {
	low = math.Inf(1)
	for i, x := range c.low {
		if x < low || i == 0 {
			low, part = x, i
		}
	}
	return low, part
}

// Cover bounds parts of neurons' covers, which the nodes were made of in this order, from below, and notes what is better than what was known.
func (l *Laid) Cover(slot int, cs []*Cover, parts []int, t *Trace) ([]float64, error) {
	elems, sign := make([]int32, len(cs)), make([]float64, len(cs))
	for i, c := range cs {
		elems[i], sign[i] = c.elem, c.sign
	}
	low, err := l.Neurons(slot, elems, sign, t)
	if err != nil {
		return nil, err
	}
	for i, c := range cs {
		n := &l.nodes[i]
		of := c.splits[parts[i]]
		if c.slot != slot || n.Of != c.s || n.Problem != c.problem || len(n.Splits) != len(of) || len(of) > 0 && &n.Splits[0] != &of[0] {
			continue // another part's bound
		}
		c.low[parts[i]] = max(c.low[parts[i]], low[i])
	}
	return low, nil
}

// Tighten takes what a cover knows over into the pass that is under way.
func (c *Cover) Tighten() {
	if !c.s.making {
		return
	}
	low, _ := c.Lower()
	in := c.s.slots[c.slot].in[0]
	x := c.s.at(in, c.problem)
	lo, up := x.lo[c.elem], x.up[c.elem]
	if c.sign > 0 {
		lo = max(lo, low)
	} else {
		up = min(up, -low)
	}
	if lo <= up {
		x.lo[c.elem], x.up[c.elem] = lo, up
	}
}
