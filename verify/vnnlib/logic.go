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
	owner := map[bool][]int{}
	var nets [2][]int // the network of each input and of each other value, and its node
	node := 0
	for k, n := range q.Networks {
		for _, v := range n.Inputs {
			if v.Initialized {
				continue
			}
			node++
			for range v.Elements() {
				owner[true], nets[0] = append(owner[true], node), append(nets[0], k)
			}
		}
		for _, v := range append(slices.Clone(n.Hidden), n.Outputs...) {
			node++
			for range v.Elements() {
				owner[false], nets[1] = append(owner[false], node), append(nets[1], k)
			}
		}
	}
	linear := q.Shared != nil
	outputs := false
	for _, c := range q.Cases {
		for _, a := range c.Atoms {
			seen := map[int]int{} // the node of each network
			for k, i := range a.Index {
				in := i >= q.Outputs
				if in {
					i = q.Copies[i-q.Outputs]
					linear = linear || len(a.Index) > 1
				}
				side := map[bool]int{true: 0, false: 1}[in]
				if i < len(owner[in]) {
					net, at := nets[side][i], owner[in][i]
					if before, ok := seen[net]; ok && before != at {
						between = "MNC"
					}
					seen[net] = at
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
