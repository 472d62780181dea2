package operators

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// topKRows is the geometry of a TopK for bounds: rows of size elements, of which k come out.
type topKRows struct {
	gather
	k      int
	least  bool
	sorted bool
}

func topKOf(n *onnxio.Node) (*topKRows, error) {
	types, err := topKShape(n)
	if err != nil {
		return nil, err
	}
	x := n.Inputs[0].Shape
	axis, err := normalAxis(n.Attrs.Int("axis", -1), len(x))
	if err != nil {
		return nil, err
	}
	return &topKRows{gather{product(x[:axis]), x[axis], product(x[axis+1:])}, types[0].Shape[axis],
		n.Opset >= 11 && n.Attrs.Int("largest", 1) == 0, n.Opset < 11 || n.Attrs.Int("sorted", 1) != 0}, nil
}

// each calls f for every row with its boxes (negated where the least are asked for), and with the places of its elements and results.
func (g *topKRows) each(x relax.Box, f func(lo, up []float64, from, to func(j int) int)) {
	lo, up := make([]float64, g.size), make([]float64, g.size)
	for o := range g.outer {
		for i := range g.inner {
			from := func(j int) int { return (o*g.size+j)*g.inner + i }
			for j := range g.size {
				lo[j], up[j] = x.Lower[from(j)], x.Upper[from(j)]
				if g.least {
					lo[j], up[j] = -up[j], -lo[j]
				}
			}
			f(lo, up, from, func(j int) int { return (o*g.k+j)*g.inner + i })
		}
	}
}

// ranks are the first and the last place that element i of a row can take: behind those that are surely above it, and before those that
// are surely below. Equals may stand either way.
func ranks(lo, up []float64, i int) (first, last int) {
	last = len(lo) - 1
	for k := range lo {
		if k != i && lo[k] > up[i] {
			first++
		}
		if k != i && up[k] < lo[i] {
			last--
		}
	}
	return first, last
}

func descending(v []float64) []float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	slices.Reverse(v)
	return v
}

// topKInterval bounds the values: the j-th largest lies between the j-th largest of the lower ends and that of the upper ends. A place is
// any whose element can have the rank. Where sorted is 0, results may come in any order.
func topKInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	g, err := topKOf(n)
	if err != nil {
		return nil, err
	}
	values, places := relax.NewBox(g.outer*g.k*g.inner), relax.NewBox(g.outer*g.k*g.inner)
	g.each(in[0], func(lo, up []float64, _, to func(int) int) {
		l, u := descending(lo), descending(up)
		for j := range g.k {
			a, b := l[j], u[j]
			if !g.sorted {
				a, b = l[g.k-1], u[0]
			}
			if g.least {
				a, b = -b, -a
			}
			values.Lower[to(j)], values.Upper[to(j)] = a, b
			places.Lower[to(j)], places.Upper[to(j)] = float64(g.size-1), 0
		}
		for i := range g.size {
			first, last := ranks(lo, up, i)
			for j := range g.k {
				if first <= j && j <= last || !g.sorted && first < g.k {
					places.Lower[to(j)], places.Upper[to(j)] = min(places.Lower[to(j)], float64(i)), max(places.Upper[to(j)], float64(i))
				}
			}
		}
	})
	return []relax.Box{values, places}, nil
}

// topKLinear is, of the values, a copy of the element where it is decided which one it is, and the box elsewhere.
func topKLinear(n *onnxio.Node) (*op.Linear, error) {
	g, err := topKOf(n)
	if err != nil {
		return nil, err
	}
	return &op.Linear{Execution: op.Exact("exact"), Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
		out, err := topKInterval(n, in)
		if err != nil {
			return nil, err
		}
		total := len(out[0].Lower)
		source := make([]int, total) // 1 + the element that it is; 0 where that is open
		g.each(in[0], func(lo, up []float64, from, to func(int) int) {
			for i := range g.size {
				if first, last := ranks(lo, up, i); first == last && first < g.k && g.sorted {
					source[to(first)] = 1 + from(i)
				}
			}
		})
		lower, upper := relax.NewForms(total, 1), relax.NewForms(total, 1)
		for i, s := range source {
			if s > 0 {
				lower.Add(0, s-1, 1)
				lower.Close(0)
				upper.Add(0, s-1, 1)
				upper.Close(0)
				continue
			}
			lower.Close(out[0].Lower[i])
			upper.Close(out[0].Upper[i])
		}
		lower.Input, upper.Input = nil, nil
		return &relax.Relaxation{Lower: *lower, Upper: *upper}, nil
	}}, nil
}
