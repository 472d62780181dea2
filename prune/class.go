package prune

import (
	"encoding/binary"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Class is a set of units whose slots lie on the same axes: the channels of one layer, or of several that can only shrink together. Any
// subset of the units can go, as long as one stays.
type Class struct {
	Layers []Layer // those whose filters make the channels, in the order of the graph
	units  []unit
	scales []op.Axis // factors of normalisations in the class
}

// Units is the number of units.
func (c *Class) Units() int { return len(c.units) }

// Layer is an axis of weights whose slots make channels.
type Layer struct {
	Name     string // of the node
	Weights  string // of the value
	Channels int    // slots of the axis
	axis     op.Axis
	node     *onnxio.Node
}

// unit is what is removed together.
type unit struct{ slots []slotRef }

type slotRef struct {
	axis  int32 // index into Coupling.axes
	index int32
}

// classes collects the units that hold a filter and no pin.
func (c *Coupling) classes() {
	number := make(map[op.Axis]int32, len(c.axes))
	for i, a := range c.axes {
		number[a] = int32(i)
	}
	layers := map[int32]Layer{}
	prunable := map[int32]bool{} // roots
	pinned := map[string]int{}   // layers by name, place in Pinned plus one
	for _, m := range c.filters {
		if m.axis.Value.Const == nil {
			continue // the weights depend on the input: what makes them has filters of its own
		}
		k := number[m.axis]
		if _, double := layers[k]; double { // weights that several nodes read
			continue
		}
		layers[k] = Layer{m.node.Name, m.axis.Value.Name, m.axis.Size(), m.axis, m.node}
		for i := range m.axis.Size() {
			r := c.root(c.slot(m.axis, i))
			if why := c.reason[r]; why != 0 {
				at, ok := pinned[m.node.Name]
				if !ok {
					c.Pinned = append(c.Pinned, PinnedLayer{Layer: m.node.Name, Why: c.reasons[why-1]})
					at = len(c.Pinned)
					pinned[m.node.Name] = at
				}
				c.Pinned[at-1].Channels++
				continue
			}
			prunable[r] = true
		}
	}
	units := map[int32]*unit{}
	var order []int32
	for k, a := range c.axes {
		first := c.slot(a, 0)
		for i := range a.Size() {
			r := c.root(first + int32(i))
			if !prunable[r] {
				continue
			}
			u := units[r]
			if u == nil {
				u = &unit{}
				units[r] = u
				order = append(order, r)
			}
			u.slots = append(u.slots, slotRef{int32(k), int32(i)})
		}
	}
	slices.Sort(order)
	byAxes := map[string]*Class{}
	for _, r := range order {
		u := units[r]
		key, last := []byte{}, int32(-1)
		for _, s := range u.slots {
			if s.axis != last {
				key, last = binary.LittleEndian.AppendUint32(key, uint32(s.axis)), s.axis
			}
		}
		cl := byAxes[string(key)]
		if cl == nil {
			cl = &Class{}
			byAxes[string(key)] = cl
			c.Classes = append(c.Classes, cl)
			for len(key) > 0 {
				if l, ok := layers[int32(binary.LittleEndian.Uint32(key))]; ok {
					cl.Layers = append(cl.Layers, l)
				}
				key = key[4:]
			}
		}
		cl.units = append(cl.units, *u)
	}
	place := map[*onnxio.Node]int{}
	for i, n := range c.graph.Nodes {
		place[n] = i
	}
	for _, cl := range c.Classes {
		slices.SortStableFunc(cl.Layers, func(a, b Layer) int { return place[a.node] - place[b.node] })
		for _, s := range cl.units[0].slots {
			for _, m := range c.scales {
				if m.axis == c.axes[s.axis] && m.axis.Value.Const != nil && !slices.Contains(cl.scales, m.axis) {
					cl.scales = append(cl.scales, m.axis)
				}
			}
		}
	}
	slices.SortStableFunc(c.Classes, func(a, b *Class) int { return place[a.Layers[0].node] - place[b.Layers[0].node] })
}

// filters counts the slots that a unit has in a layer.
func (c *Coupling) filtersOf(u unit, l Layer) int {
	n := 0
	for _, s := range u.slots {
		if c.axes[s.axis] == l.axis {
			n++
		}
	}
	return n
}
