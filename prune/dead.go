package prune

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
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
	// Ends are the values that other nodes sum, with their bounds over the unit's slots: both zero.
	Ends []EndBound `json:"ends"`
}

// FilterBound is the range of a filter's own output.
type FilterBound struct {
	Layer  string  `json:"layer"`
	Filter int     `json:"filter"`
	Lower  float64 `json:"lower"`
	Upper  float64 `json:"upper"`
}

// EndBound is the range of a unit's slots where they are summed.
type EndBound struct {
	Value string  `json:"value"`
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
}

// prove bounds all ends and gives, for each class, a proof for every unit, and whether it holds: whether all its ends are zero.
func (c *Coupling) prove(ctx context.Context, bounds Bounds) (map[*Class][]Proof, map[*Class][]bool, error) {
	if bounds == nil {
		return nil, nil, fmt.Errorf("score %s needs bounds, which only a caller with a verifier can give", ProvenDead)
	}
	ends := c.endsOf()
	axes := append([]op.Axis{}, ends...)
	filters := map[op.Axis]op.Axis{} // of weights: the output that they make
	for _, cl := range c.Classes {
		for _, l := range cl.Layers {
			if a, ok := c.madeBy(l); ok {
				filters[l.axis] = a
				axes = append(axes, a)
			}
		}
	}
	g, list := c.probe(c.file, axes)
	lower, upper, err := bounds(ctx, g)
	if err != nil {
		return nil, nil, err
	}
	if len(lower) != len(list) || len(upper) != len(list) {
		return nil, nil, fmt.Errorf("bounds of %d and %d values for %d", len(lower), len(upper), len(list))
	}
	type span struct{ low, high []float64 }
	of := map[op.Axis]span{}
	for k, f := range list {
		for _, a := range f.axes {
			shape := c.oneSample(a.Value, len(lower[k]))
			if shape == nil || len(upper[k]) != len(lower[k]) {
				return nil, nil, fmt.Errorf("bounds of %d numbers for value %q of shape %v", len(lower[k]), a.Value.Name, a.Value.Shape)
			}
			of[a] = span{along(shape, a.Axis, lower[k], math.Inf(1), math.Min), along(shape, a.Axis, upper[k], math.Inf(-1), math.Max)}
		}
	}
	proofs, holds := map[*Class][]Proof{}, map[*Class][]bool{}
	for _, cl := range c.Classes {
		for _, u := range cl.units {
			p, ok := Proof{Ends: []EndBound{}, Filters: []FilterBound{}}, true
			seen := map[op.Axis]int{} // place in Ends plus one
			for _, s := range u.slots {
				a := c.axes[s.axis]
				if b, at := of[a]; at && a.Value.Const == nil && c.isEnd(ends, a) {
					low, high := b.low[s.index], b.high[s.index]
					ok = ok && low == 0 && high == 0
					if k := seen[a]; k > 0 {
						e := &p.Ends[k-1]
						e.Lower, e.Upper = min(e.Lower, low), max(e.Upper, high)
					} else {
						p.Ends = append(p.Ends, EndBound{a.Value.Name, low, high})
						seen[a] = len(p.Ends)
					}
				}
				for _, l := range cl.Layers {
					if made, has := filters[a]; has && l.axis == a {
						b := of[made]
						if int(s.index) < len(b.low) {
							p.Filters = append(p.Filters, FilterBound{l.Name, int(s.index), b.low[s.index], b.high[s.index]})
						}
					}
				}
			}
			proofs[cl] = append(proofs[cl], p)
			holds[cl] = append(holds[cl], ok)
		}
	}
	return proofs, holds, nil
}

func (c *Coupling) isEnd(ends []op.Axis, a op.Axis) bool {
	for _, e := range ends {
		if e == a {
			return true
		}
	}
	return false
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

// batched tells whether an axis of a value grows with the batch.
func (c *Coupling) batched(v *onnxio.Value, axis int) bool {
	if c.other == nil {
		return false
	}
	w := c.twin(v)
	return w != nil && w.Shape[axis]*c.first.o.Batch == v.Shape[axis]*c.other.o.Batch
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
