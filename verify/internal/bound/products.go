package bound

import "slices"

// element is one of a value, in stored order.
type element struct {
	id int
	at int32
}

// products are those of a network's values that are products of two others, element by element. Each factor is straight in elements of its base: the
// inputs, and what the first nonlinear values below give.
type products struct {
	first   []int // by value: the number of its first product, -1 for a value that is none
	count   int
	factors [][2]int  // by product: its factors' numbers
	of      []element // by factor
	base    []element // what nonlinear values give
	baseAt  []int     // by value: the number of its first element in base, -1 for none
}

// Products of more inputs, or so many elements, are left to planes of their own: what bounds them together grows with the square of the inputs, and
// with inputs times elements.
const squareInputs, squareElements = 16, 64

// findProducts lists the products of a network; nil where there are none, or too many.
func (net *Network) findProducts() *products {
	if net.nIn > squareInputs {
		return nil
	}
	p := &products{first: make([]int, len(net.values)), baseAt: make([]int, len(net.values))}
	known := map[element]int{}
	reached := make([]bool, len(net.values))
	for id, v := range net.values {
		p.first[id], p.baseAt[id] = -1, -1
		f := factorsOf(v)
		if f == nil {
			continue
		}
		p.first[id] = p.count
		p.count += v.n
		if p.count > squareElements {
			return nil
		}
		var inverse [2][]int32
		for side := range inverse {
			inverse[side] = net.values[v.args[side]].order.Inverse()
			net.reach(v.args[side], reached)
		}
		for k := range v.n {
			var pair [2]int
			for side := range pair {
				at := f[side][v.order.At(k)]
				if inverse[side] != nil {
					at = inverse[side][at]
				}
				e := element{v.args[side], at}
				n, ok := known[e]
				if !ok {
					n = len(p.of)
					known[e] = n
					p.of = append(p.of, e)
				}
				pair[side] = n
			}
			p.factors = append(p.factors, pair)
		}
	}
	if p.count == 0 {
		return nil
	}
	p.sort()
	for id, v := range net.values {
		if !reached[id] || !v.nonlinear() {
			continue
		}
		p.baseAt[id] = len(p.base)
		for k := range v.n {
			p.base = append(p.base, element{id, int32(k)})
		}
		if len(p.base) > squareElements {
			return nil
		}
	}
	return p
}

// sort has factors of one value stand together.
func (p *products) sort() {
	by := make([]int, len(p.of))
	for i := range by {
		by[i] = i
	}
	slices.SortStableFunc(by, func(a, b int) int { return p.of[a].id - p.of[b].id })
	now, of := make([]int, len(by)), make([]element, len(by))
	for to, from := range by {
		now[from], of[to] = to, p.of[from]
	}
	p.of = of
	for k, f := range p.factors {
		p.factors[k] = [2]int{now[f[0]], now[f[1]]}
	}
}

// factorsOf are the elements that a product's are made of; nil where a value is none.
func factorsOf(v *value) *[2][]int32 {
	if v.kind != kindRelax || v.lin.Factors == nil || v.out != 0 || len(v.args) != 2 || v.args[0] < 0 || v.args[1] < 0 {
		return nil
	}
	return v.lin.Factors
}

// reach marks what rows over a value end in: inputs and nonlinear values.
func (net *Network) reach(id int, marked []bool) {
	if marked[id] {
		return
	}
	v := net.values[id]
	marked[id] = true
	if v.kind != kindAffine {
		return
	}
	for _, in := range v.in {
		net.reach(in, marked)
	}
}
