package prune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// Bounds gives sound bounds of every output of a graph with the batch at 1, over all inputs that are valid: for each output flat arrays in
// the file's order of elements. Package verify can; who joins the two gives it to Run.
type Bounds func(ctx context.Context, g *onnxio.Graph) (lower, upper [][]float64, err error)

// Proof shows that a unit is dead: wherever the network sums over its slots, they are zero for every valid input, so that removing them
// changes no output.
type Proof struct {
	// Filters are the unit's filters, each with bounds of what it gives before anything else (a convolution's output, say).
	Filters []FilterBound `json:"filters"`
	// Ends are the values that other nodes sum, with their bounds over the unit's slots: zero, or made without a rounding of slots that
	// are.
	Ends []EndBound `json:"ends"`
}

// FilterBound is the range of a filter's own output; of quantised numbers, less their zero point.
type FilterBound struct {
	Layer  string  `json:"layer"`
	Filter int     `json:"filter"`
	Lower  float64 `json:"lower"`
	Upper  float64 `json:"upper"`
}

// EndBound is the range of a unit's slots where they are summed; of quantised numbers, less their zero point.
type EndBound struct {
	Value string  `json:"value"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// zeroOf tells when a node's outputs are zero in a slot. Bounds of affine steps carry a rounding term, so that zero would not show as zero behind
// an average.
func zeroOf(n *onnxio.Node) op.Zero {
	if n == nil {
		return op.ZeroUnknown
	}
	def, err := operators.Lookup(n)
	if err != nil {
		return op.ZeroUnknown
	}
	return def.Zero
}

// span is the range of each slot of an axis.
type span struct{ low, high []float64 }

// prover decides which units are dead.
type prover struct {
	c     *Coupling
	spans map[op.Axis]span
	end   map[op.Axis]bool
	made  map[op.Axis]op.Axis // of a layer's weights: the output that its filters make
}

// prove bounds features and gives, for each class, a proof for every unit, and whether it holds: whether all its ends are zero.
func (c *Coupling) prove(ctx context.Context, bounds Bounds) (map[*Class][]Proof, map[*Class][]bool, error) {
	if bounds == nil {
		return nil, nil, fmt.Errorf("score %s needs bounds, which only a caller with a verifier can give", ProvenDead)
	}
	p := &prover{c: c, spans: map[op.Axis]span{}, end: map[op.Axis]bool{}, made: map[op.Axis]op.Axis{}}
	var wanted []op.Axis
	seen := map[op.Axis]bool{}
	var want func(a op.Axis)
	want = func(a op.Axis) {
		if seen[a] || a.Value.Const != nil {
			return
		}
		seen[a] = true
		wanted = append(wanted, a)
		if n := a.Value.Producer; zeroOf(n) != op.ZeroUnknown {
			for _, b := range c.axesOf(n.Inputs) {
				want(b)
			}
		}
	}
	for _, a := range c.endsOf() {
		p.end[a] = true
		want(a)
	}
	for _, cl := range c.Classes {
		for _, l := range cl.Layers {
			if a, ok := c.madeBy(l); ok {
				p.made[l.axis] = a
				want(a)
			}
		}
	}
	if err := p.bound(ctx, bounds, wanted); err != nil {
		return nil, nil, err
	}
	proofs, holds := map[*Class][]Proof{}, map[*Class][]bool{}
	for _, cl := range c.Classes {
		for _, u := range cl.units {
			proof, ok := p.unit(cl, u)
			proofs[cl], holds[cl] = append(proofs[cl], proof), append(holds[cl], ok)
		}
	}
	return proofs, holds, nil
}

// axesOf lists the axes with slots of the computed values in a list.
func (c *Coupling) axesOf(vs []*onnxio.Value) []op.Axis {
	var out []op.Axis
	for _, v := range vs {
		if v == nil || v.Const != nil {
			continue
		}
		for i := range v.Shape {
			a := op.Axis{Value: v, Axis: i}
			if _, known := c.start[a]; known && !c.pinned(a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// bound fills in spans.
func (p *prover) bound(ctx context.Context, bounds Bounds, axes []op.Axis) error {
	g, list := p.c.probe(p.c.file, axes)
	lower, upper, err := bounds(ctx, p.c.Sized(g))
	if err != nil {
		return err
	}
	if len(lower) != len(list) || len(upper) != len(list) {
		return fmt.Errorf("bounds of %d and %d values for %d", len(lower), len(upper), len(list))
	}
	for k, f := range list {
		for _, a := range f.axes {
			shape := p.c.oneSample(a.Value, len(lower[k]))
			if shape == nil || len(upper[k]) != len(lower[k]) {
				return fmt.Errorf("bounds of %d numbers for value %q of shape %v", len(lower[k]), a.Value.Name, a.Value.Shape)
			}
			p.spans[a] = p.c.fromRest(a.Value, span{along(shape, a.Axis, lower[k], math.Inf(1), math.Min),
				along(shape, a.Axis, upper[k], math.Inf(-1), math.Max)})
		}
	}
	return nil
}

// unit collects the bounds of a unit, and tells whether it is dead.
func (p *prover) unit(cl *Class, u unit) (Proof, bool) {
	out, ok := Proof{Ends: []EndBound{}, Filters: []FilterBound{}}, true
	slots := map[op.Axis][]int32{}
	var order []op.Axis
	for _, s := range u.slots {
		a := p.c.axes[s.axis]
		if slots[a] == nil {
			order = append(order, a)
		}
		slots[a] = append(slots[a], s.index)
	}
	zero := map[op.Axis]int{} // 1 while it is being asked, 2 no, 3 yes
	for _, a := range order {
		if p.end[a] {
			e := EndBound{a.Value.Name, math.Inf(1), math.Inf(-1)}
			for _, i := range slots[a] {
				e.Lower, e.Upper = min(e.Lower, p.spans[a].low[i]), max(e.Upper, p.spans[a].high[i])
			}
			if p.zero(a, slots, zero) {
				e.Lower, e.Upper = 0, 0
			} else {
				ok = false
			}
			out.Ends = append(out.Ends, e)
		}
		for _, l := range cl.Layers {
			made, has := p.made[l.axis]
			if !has || l.axis != a {
				continue
			}
			for _, i := range slots[a] {
				if b := p.spans[made]; int(i) < len(b.low) {
					out.Filters = append(out.Filters, FilterBound{l.Name, int(i), b.low[i], b.high[i]})
				}
			}
		}
	}
	return out, ok
}

// zero tells whether a unit's slots of an axis are zero for all valid inputs: by their bounds, or because what makes them keeps zeros.
func (p *prover) zero(a op.Axis, slots map[op.Axis][]int32, known map[op.Axis]int) bool {
	if k := known[a]; k != 0 {
		return k == 3
	}
	known[a] = 1
	yes := false
	if s, ok := p.spans[a]; ok {
		yes = !slices.ContainsFunc(slots[a], func(i int32) bool { return s.low[i] != 0 || s.high[i] != 0 })
	}
	if n, kind := a.Value.Producer, zeroOf(a.Value.Producer); !yes && kind != op.ZeroUnknown && single(n, slots) && p.c.keepsRest(n) {
		zeros, others := 0, 0
		for _, b := range p.c.axesOf(n.Inputs) {
			switch {
			case slots[b] == nil:
			case p.zero(b, slots, known):
				zeros++
			default:
				others++
			}
		}
		for _, v := range n.Inputs { // a constant addend, or an input without slots of the unit, would bring in something else
			if v == nil {
				continue
			}
			has := false
			for i := range v.Shape {
				has = has || slots[op.Axis{Value: v, Axis: i}] != nil && v.Const == nil
			}
			if !has && kind == op.ZeroSummed {
				others++
			}
		}
		yes = zeros > 0 && (others == 0 || kind == op.ZeroOfOne)
	}
	known[a] = 2
	if yes {
		known[a] = 3
	}
	return yes
}

// single tells whether a unit lies on one axis at most of every value at a node, so that it is clear which slots come from which.
func single(n *onnxio.Node, slots map[op.Axis][]int32) bool {
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		if v == nil {
			continue
		}
		count := 0
		for i := range v.Shape {
			if slots[op.Axis{Value: v, Axis: i}] != nil {
				count++
			}
		}
		if count > 1 {
			return false
		}
	}
	return true
}

// oneSample is a value's shape with one sample, which bounds are of; nil where n elements do not fit it.
func (c *Coupling) oneSample(v *onnxio.Value, n int) []int {
	shape := append([]int{}, v.Shape...)
	if onnxio.NumElements(shape) == n {
		return shape
	}
	for i := range shape { // the axis that carries the batch, at c.first's size
		if b := c.first.o.Batch; b > 1 && shape[i]%b == 0 {
			shape[i] /= b
			if onnxio.NumElements(shape) == n && c.batched(v, i) {
				return shape
			}
			shape[i] *= b
		}
	}
	return nil
}

// madeBy is the axis of a layer's own output that its filters make.
func (c *Coupling) madeBy(l Layer) (op.Axis, bool) {
	y := l.node.Outputs[0]
	if y == nil || y.Const != nil {
		return op.Axis{}, false
	}
	for i, d := range y.Shape {
		a := op.Axis{Value: y, Axis: i}
		if _, known := c.start[a]; known && d == l.axis.Size() && c.root(c.slot(a, 0)) == c.root(c.slot(l.axis, 0)) {
			return a, true
		}
	}
	return op.Axis{}, false
}
