package vnnlib

import (
	"slices"
	"strings"
)

// Logic names the subset of VNN-LIB 2.x that a query belongs to, by the standard's theories of hidden nodes, networks, inputs and outputs,
// comparisons and arithmetic, with the element types behind them: H-SNET-SIO-MNC-LIN-FLOAT32. It is told from the normal form: of comparisons
// that cancel out nothing is left to tell.
func (q *Query) Logic() string {
	hidden, nets, ports := "NH", "SNET", "SIO"
	kinds := []string{}
	equal, isomorphic := 0, 0
	for _, n := range q.Networks {
		if len(n.Hidden) > 0 {
			hidden = "H"
		}
		if len(n.Inputs) > 1 || len(n.Outputs) > 1 {
			ports = "MIO"
		}
		if n.EqualTo != "" {
			equal++
		}
		if n.IsomorphicTo != "" {
			isomorphic++
		}
		for _, list := range [][]Variable{n.Inputs, n.Hidden, n.Outputs} {
			for _, v := range list {
				if k := strings.ToUpper(string(v.Type)); !slices.Contains(kinds, k) {
					kinds = append(kinds, k)
				}
			}
		}
	}
	if others := len(q.Networks) - 1; others > 0 {
		switch {
		case equal == others:
			nets = "MENET"
		case equal+isomorphic == others:
			nets = "MINET"
		default:
			nets = "MNET"
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"REAL"}
	}
	between, arithmetic := q.complexity()
	return strings.Join(append([]string{hidden, nets, ports, between, arithmetic}, kinds...), "-")
}

// complexity names the theories of comparisons and arithmetic.
func (q *Query) complexity() (between, arithmetic string) {
	between, arithmetic = "SNC", "BND"
	inputs, others := q.owners()
	linear := q.Shared != nil
	outputs := false
	for _, c := range q.Cases {
		for _, a := range c.Atoms {
			seen := map[int]int{} // the node of each network
			for k, i := range a.Index {
				of := others
				if i >= q.Outputs {
					of, i = inputs, q.Copies[i-q.Outputs]
					linear = linear || len(a.Index) > 1
				}
				if o := of.at(i); o.node > 0 {
					if before, ok := seen[o.network]; ok && before != o.node {
						between = "MNC"
					}
					seen[o.network] = o.node
				}
				linear = linear || len(a.Index) > 2 || len(a.Index) == 2 && a.Coef[k].Num().BitLen()+a.Coef[k].Denom().BitLen() > 2
			}
			linear = linear || len(a.Index) == 2 && (a.Coef[0].Sign() == a.Coef[1].Sign() || a.Bound.Sign() != 0)
			outputs = outputs || len(a.Index) > 1
		}
	}
	switch {
	case linear:
		arithmetic = "LIN"
	case outputs:
		arithmetic = "COUT"
	}
	return between, arithmetic
}

// owner is the node that has the elements from first on, and its network.
type owner struct{ first, network, node int }

type owners []owner

// at is the owner of an element; none in VNN-LIB 1.0.
func (o owners) at(i int) owner {
	k, found := slices.BinarySearchFunc(o, i, func(o owner, i int) int { return o.first - i })
	if !found {
		k--
	}
	if k < 0 {
		return owner{}
	}
	return o[k]
}

// owners are the nodes of all inputs that vary, and of all else, in the order of their elements.
func (q *Query) owners() (inputs, others owners) {
	node, in, out := 0, 0, 0
	for k, n := range q.Networks {
		for _, v := range n.Inputs {
			if !v.Initialized {
				node++
				inputs = append(inputs, owner{in, k, node})
				in += v.Elements()
			}
		}
		for _, v := range append(slices.Clone(n.Hidden), n.Outputs...) {
			node++
			others = append(others, owner{out, k, node})
			out += v.Elements()
		}
	}
	return inputs, others
}
