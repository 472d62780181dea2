package onnxio

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Unfinite is a constant of a graph that holds numbers that are not finite.
type Unfinite struct {
	Name          string // of the value, or of a node and its attribute
	NaN, Infinite int    // how many numbers are NaN, and how many infinite
	Of            int    // how many numbers there are
	First         int    // the place of the first that is not finite
}

// String is the constant in words, such as `"fc.weight" has 1 NaN among 1,280 numbers`.
func (u Unfinite) String() string {
	var what []string
	if u.NaN > 0 {
		what = append(what, fmt.Sprintf("%d NaN", u.NaN))
	}
	if u.Infinite > 0 {
		what = append(what, fmt.Sprintf("%d infinite", u.Infinite))
	}
	return fmt.Sprintf("%q has %s among %d numbers, the first at %d", u.Name, strings.Join(what, " and "), u.Of, u.First)
}

// NotFinite says which of a graph's constants hold numbers that are not finite: the first of them, and how many more there are; "" where none does.
func (g *Graph) NotFinite() string {
	all := g.Unfinite()
	switch len(all) {
	case 0:
		return ""
	case 1:
		return all[0].String()
	}
	return fmt.Sprintf("%v, and %d more hold such", all[0], len(all)-1)
}

// Unfinite are the constants of a graph that hold numbers that are not finite, each once, in the order in which nodes take them; those of attributes
// and of their graphs are among them.
func (g *Graph) Unfinite() []Unfinite { return g.unfinite(map[*Tensor]bool{}) }

func (g *Graph) unfinite(seen map[*Tensor]bool) (out []Unfinite) {
	look := func(name string, t *Tensor) {
		if t == nil || seen[t] || !t.DType.IsFloat() {
			return
		}
		seen[t] = true
		x, err := t.Float64s()
		if err != nil {
			return
		}
		u := Unfinite{Name: name, Of: len(x)}
		for i, v := range x {
			nan, infinite := math.IsNaN(v), math.IsInf(v, 0)
			if (nan || infinite) && u.NaN+u.Infinite == 0 {
				u.First = i
			}
			if nan {
				u.NaN++
			} else if infinite {
				u.Infinite++
			}
		}
		if u.NaN+u.Infinite > 0 {
			out = append(out, u)
		}
	}
	value := func(v *Value) {
		if v != nil {
			look(v.Name, v.Const)
		}
	}
	for _, v := range slices.Concat(g.Inputs, g.Outputs) {
		value(v)
	}
	for _, n := range g.Nodes {
		for _, v := range slices.Concat(n.Inputs, n.Outputs) {
			value(v)
		}
		for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
			switch x := n.Attrs[name].(type) {
			case *Tensor:
				look(fmt.Sprintf("%s, attribute %s", n.Name, name), x)
			case *Graph:
				out = append(out, x.unfinite(seen)...)
			}
		}
	}
	return out
}
