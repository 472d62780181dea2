package prune

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Integers stand for real numbers where a node says so (op.Coupler.Quantised): scale·(integer − zero point). A slot that is taken away was
// as one at the zero point of the nodes that sum over it, and not as one at 0.

// reading is what a node takes a value's integers for.
type reading struct {
	node        *onnxio.Node
	scale, zero *onnxio.Value // nil for 1 and for 0
	axis        int           // whose slots have entries of scale and zero, where there are several
}

// singleIn is the one number in a constant: def where there is no value; false where it is computed, or holds several.
func singleIn(v *onnxio.Value, def float64) (float64, bool) {
	if v == nil {
		return def, true
	}
	if v.Const == nil || v.Const.Len() == 0 {
		return 0, false
	}
	d, err := v.Const.Float64s()
	if err != nil || slices.ContainsFunc(d, func(x float64) bool { return x != d[0] }) {
		return 0, false
	}
	return d[0], true
}

// zeroAsReadBy is the number that a node takes for zero in a value: 0 where it says nothing of it.
func (c *Coupling) zeroAsReadBy(n *onnxio.Node, v *onnxio.Value) (zero float64, known bool) {
	said := false
	for _, r := range c.read[v] {
		if r.node != n {
			continue
		}
		z, ok := singleIn(r.zero, 0)
		if !ok || said && z != zero {
			return 0, false
		}
		zero, said = z, true
	}
	return zero, true
}

// summing is the first node that sums over a value; nil for none.
func (c *Coupling) summing(v *onnxio.Value) *onnxio.Node {
	for _, m := range c.ends {
		if m.axis.Value == v {
			return m.node
		}
	}
	return nil
}

// rest is the number at which slots of a value are as good as gone: that of the nodes that sum over it, else of the first that says something;
// 0 where that is not known.
func (c *Coupling) rest(v *onnxio.Value) float64 {
	if len(c.read[v]) == 0 {
		return 0
	}
	by := c.summing(v)
	if by == nil {
		by = c.read[v][0].node
	}
	zero, _ := c.zeroAsReadBy(by, v)
	return zero
}

// ownRest tells that a node takes for zero, in a value, what the value's maker gives as the zero point that it chose itself. The maker sums over
// what it is given (DynamicQuantizeLinear over its range): where that is zero the value is at the zero point, and nobody need ask there.
func (c *Coupling) ownRest(n *onnxio.Node, v *onnxio.Value) bool {
	made, said := v.Producer, c.read[v]
	own := slices.IndexFunc(said, func(r reading) bool { return r.node == made && slices.Contains(made.Outputs, r.zero) })
	if own < 0 || said[own].zero == nil || said[own].zero.Const != nil {
		return false
	}
	mine := slices.DeleteFunc(slices.Clone(said), func(r reading) bool { return r.node != n })
	return len(mine) > 0 && !slices.ContainsFunc(mine, func(r reading) bool { return r.zero != said[own].zero })
}

// pinUnsettled pins what is summed by nodes that take different numbers for zero, or none that is known: no slot is as good as gone to all. Sums
// over what is at its maker's zero point end there, and are left out of the ends.
func (c *Coupling) pinUnsettled() {
	first, own := map[*onnxio.Value]marked{}, map[*onnxio.Value]*onnxio.Node{}
	differ := func(v *onnxio.Value, a, b *onnxio.Node) {
		c.pinValue(v, fmt.Sprintf("nodes %q and %q take different integers for 0 (value %q)", a.Name, b.Name, v.Name))
	}
	var ends []marked
	for _, m := range c.ends {
		v := m.axis.Value
		if v.Const != nil || len(c.read[v]) == 0 {
			ends = append(ends, m)
			continue
		}
		if c.ownRest(m.node, v) {
			own[v] = m.node
			continue
		}
		ends = append(ends, m)
		zero, known := c.zeroAsReadBy(m.node, v)
		if !known {
			c.pinValue(v, fmt.Sprintf("which integer stands for 0 is computed, or differs from slot to slot (value %q, at node %q)", v.Name, m.node.Name))
			continue
		}
		was, seen := first[v]
		if !seen {
			first[v] = m
			continue
		}
		if z, _ := c.zeroAsReadBy(was.node, v); z != zero {
			differ(v, was.node, m.node)
		}
	}
	for _, m := range ends {
		if by := own[m.axis.Value]; by != nil {
			differ(m.axis.Value, by, m.node)
		}
	}
	c.ends = ends
}

// keepsRest tells whether a node takes the same numbers for zero as the nodes that sum over its values: else zeros that it keeps are not
// those that are asked about.
func (c *Coupling) keepsRest(n *onnxio.Node) bool {
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		if v == nil || v.Const != nil {
			continue
		}
		if zero, known := c.zeroAsReadBy(n, v); !known || zero != c.rest(v) {
			return false
		}
	}
	return true
}

// fromRest counts a value's ranges from where its slots are zero.
func (c *Coupling) fromRest(v *onnxio.Value, s span) span {
	rest := c.rest(v)
	for i := range s.low { // 0 only where they are equal, whatever rounding does to the rest
		s.low[i], s.high[i] = s.low[i]-rest, s.high[i]-rest
	}
	return s
}

// readingOf is what the nodes that sum over a value, or whose filters it holds, take its integers for, else what the first takes them for.
func (c *Coupling) readingOf(v *onnxio.Value) (reading, bool) {
	all := c.read[v]
	if len(all) == 0 {
		return reading{}, false
	}
	for _, m := range slices.Concat(c.ends, c.filters) {
		if at := slices.IndexFunc(all, func(r reading) bool { return r.node == m.node }); m.axis.Value == v && at >= 0 {
			return all[at], true
		}
	}
	return all[0], true
}

// scalesOf gives the scale and the zero point of element i of a value. What cannot be told counts as 1 and 0.
func (c *Coupling) scalesOf(v *onnxio.Value) (scale, zero func(i int) float64) {
	same := func(x float64) func(int) float64 { return func(int) float64 { return x } }
	r, ok := c.readingOf(v)
	if !ok || r.axis >= len(v.Shape) {
		return same(1), same(0)
	}
	if r.scale == nil {
		r.scale = c.laterScale(r.node, v)
	}
	inner := onnxio.NumElements(v.Shape[r.axis+1:])
	entry := func(of *onnxio.Value, def float64) func(i int) float64 {
		if of == nil || of.Const == nil {
			return same(def)
		}
		d, err := of.Const.Float64s()
		switch {
		case err == nil && len(d) == 1:
			return same(d[0])
		case err == nil && len(of.Shape) == 1 && len(d) == v.Shape[r.axis]:
			return func(i int) float64 { return d[i/inner%len(d)] }
		}
		return same(def)
	}
	return entry(r.scale, 1), entry(r.zero, 0)
}

// laterScale is the scale of the weights of a node that gives sums of integers, where a node behind it has it: sums are cast, and multiplied by
// scales of which one is constant, that of the weights. nil where that is not so.
func (c *Coupling) laterScale(n *onnxio.Node, weights *onnxio.Value) *onnxio.Value {
	if weights.Const == nil || len(n.Inputs) < 2 || n.Inputs[1] != weights || n.Outputs[0].DType != onnxio.Int32 {
		return nil
	}
	if c.readers == nil {
		c.readers = c.graph.Consumers()
	}
	for sum := n.Outputs[0]; len(c.readers[sum]) == 1; sum = c.readers[sum][0].Outputs[0] {
		next := c.readers[sum][0]
		switch next.Op {
		case "Cast":
			continue
		case "Mul":
			scales := next.Inputs[0]
			if scales == sum {
				scales = next.Inputs[1]
			}
			if made := scales.Producer; scales.Const == nil && made != nil && made.Op == "Mul" {
				if scales = made.Inputs[0]; scales.Const == nil {
					scales = made.Inputs[1]
				}
			}
			if scales.Const != nil {
				return scales
			}
		}
		return nil
	}
	return nil
}

// reals gives the real number that element i of a value stands for.
func (c *Coupling) reals(v *onnxio.Value) func(i int, x float64) float64 {
	scale, zero := c.scalesOf(v)
	return func(i int, x float64) float64 { return scale(i) * (x - zero(i)) }
}

// numberOf is a tensor that holds one number.
func numberOf(d onnxio.DType, x float64) *onnxio.Tensor {
	t := onnxio.NewTensor(d)
	switch e := t.Data.(type) {
	case []float32:
		e[0] = float32(x)
	case []float64:
		e[0] = x
	case []int8:
		e[0] = int8(x)
	case []uint8:
		e[0] = uint8(x)
	case []int16:
		e[0] = int16(x)
	case []uint16:
		e[0] = uint16(x)
	case []int32:
		e[0] = int32(x)
	}
	return t
}

var _ op.Coupler = (*nodeCoupler)(nil)
