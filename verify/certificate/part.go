package certificate

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Part is a part of a property that can be decided by itself: some cases of a box, where turns at inputs have led.
type Part struct {
	Box   int    `json:"box"`
	Cases []int  `json:"cases"` // ascending
	Path  []Turn `json:"path"`
}

// Turn is a side of a split: the input is at most At, or, Above, at least.
type Turn struct {
	Input int     `json:"input"`
	At    float64 `json:"at"`
	Above bool    `json:"above"`
}

// Part is what one part says, as a property of its own, in normal form: the cut box, and its cases in their order.
func (p Property) Part(q Part) (Property, error) {
	out := Property{Inputs: p.Inputs, Outputs: p.Outputs}
	if q.Box < 0 || q.Box >= len(p.Boxes) {
		return out, fmt.Errorf("a part of box %d of %d", q.Box, len(p.Boxes))
	}
	if err := p.Boxes[q.Box].check(p.Inputs); err != nil {
		return out, err
	}
	b := Box{slices.Clone(p.Boxes[q.Box].Lower), slices.Clone(p.Boxes[q.Box].Upper)}
	for _, t := range q.Path {
		if t.Input < 0 || t.Input >= p.Inputs || math.IsNaN(t.At) || math.IsInf(t.At, 0) {
			return out, fmt.Errorf("a part is cut at %v of input %d", t.At, t.Input)
		}
		ends, wider := b.Upper, 1
		if t.Above {
			ends, wider = b.Lower, -1
		}
		if at := new(big.Rat).SetFloat64(t.At); at.Cmp(ends[t.Input]) != wider { // a turn never leads out of the box
			ends[t.Input] = at
		}
	}
	out.Boxes = []Box{b}
	for _, k := range q.Cases {
		if k < 0 || k >= len(p.Cases) || p.Cases[k].Box != q.Box {
			return out, fmt.Errorf("a part has case %d, which is not of its box", k)
		}
		out.Cases = append(out.Cases, Case{Constraints: p.Cases[k].Constraints})
	}
	return out.Normal()
}

// branch is a place of the tree that parts are the leaves of.
type branch struct {
	input int
	at    float64
	kids  []branch // below and above; nil of a leaf
	parts []int    // of a leaf: one with all cases, or one for each case
}

var errCover = errors.New("the parts are not the whole: one is missing, there twice, or in another place")

// Covered is an error where parts are not the property: each box cut into a tree, each leaf with all cases of the box, in one part or a part
// for each.
func Covered(p Property, parts []Part) error {
	_, err := cover(p, parts)
	return err
}

// cover is the tree of each box. Parts stand in the tree's order.
func cover(p Property, parts []Part) (trees []branch, err error) {
	from := 0
	for i := range p.Boxes {
		var cases []int
		for k, c := range p.Cases {
			if c.Box == i {
				cases = append(cases, k)
			}
		}
		to := from
		for to < len(parts) && parts[to].Box == i {
			to++
		}
		b, err := grow(parts, from, to, 0, cases)
		if err != nil {
			return nil, err
		}
		trees, from = append(trees, b), to
	}
	if from < len(parts) {
		return nil, errCover
	}
	return trees, nil
}

// grow is the tree of the parts from one on to another, which have so many turns in common.
func grow(parts []Part, from, to, depth int, cases []int) (b branch, err error) {
	if from >= to {
		return b, errCover
	}
	var met []int
	for i := from; i < to; i++ {
		b.parts = append(b.parts, i)
		met = append(met, parts[i].Cases...)
	}
	if len(parts[from].Path) == depth {
		for _, q := range parts[from:to] {
			if len(q.Path) != depth || to-from > 1 && len(q.Cases) != 1 {
				return b, errCover
			}
		}
		if !slices.Equal(met, cases) {
			return b, errCover
		}
		return b, nil
	}
	first, middle := parts[from].Path[depth], from
	for i := from; i < to; i++ {
		if len(parts[i].Path) <= depth {
			return b, errCover
		}
		t := parts[i].Path[depth]
		if t.Input != first.Input || t.At != first.At {
			return b, errCover
		}
		if !t.Above {
			middle = i + 1
		}
	}
	for i := from; i < to; i++ {
		if parts[i].Path[depth].Above != (i >= middle) {
			return b, errCover
		}
	}
	b = branch{input: first.Input, at: first.At}
	for _, ends := range [2][2]int{{from, middle}, {middle, to}} {
		kid, err := grow(parts, ends[0], ends[1], depth+1, cases)
		if err != nil {
			return b, err
		}
		b.kids = append(b.kids, kid)
	}
	return b, nil
}
