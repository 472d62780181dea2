package vnnlib

import (
	"strconv"
	"strings"
)

// input is how a file calls input i.
func (q *Query) input(i int) string {
	return nameOf(q.tensors(true), "X", i)
}

// tensors are all inputs that vary, or all else, in the order of their numbers.
func (q *Query) tensors(inputs bool) []Variable {
	var out []Variable
	for _, n := range q.Networks {
		if inputs {
			for _, v := range n.Inputs {
				if !v.Initialized {
					out = append(out, v)
				}
			}
		} else {
			out = append(append(out, n.Hidden...), n.Outputs...)
		}
	}
	return out
}

func nameOf(list []Variable, letter string, i int) string {
	for _, v := range list {
		if n := v.Elements(); i >= n {
			i -= n
			continue
		}
		return v.element(i)
	}
	return letter + "_" + strconv.Itoa(i)
}

// element is the name of an element by its place in row-major order.
func (v Variable) element(flat int) string {
	if len(v.Shape) == 0 {
		return v.Name
	}
	index := make([]string, len(v.Shape))
	for k := len(v.Shape) - 1; k >= 0; k-- {
		index[k] = strconv.Itoa(flat % v.Shape[k])
		flat /= v.Shape[k]
	}
	return v.Name + "[" + strings.Join(index, ",") + "]"
}

// Same is the first input that has the value of input i in every case; i itself where none before has.
func (q *Query) Same(i int) int {
	if i >= len(q.Shared) || i < 0 {
		return i
	}
	return q.Shared[i]
}

// Free are the inputs that are equal to none before them, ascending.
func (q *Query) Free() []int {
	var out []int
	for i := range q.Inputs {
		if q.Same(i) == i {
			out = append(out, i)
		}
	}
	return out
}

// Type is the element type of all variables of a query of VNN-LIB 2.x; "" where they have several, and Real of 1.0.
func (q *Query) Type() Type {
	kind := Type("")
	for _, n := range q.Networks {
		for _, list := range [][]Variable{n.Inputs, n.Hidden, n.Outputs} {
			for _, v := range list {
				if kind != "" && v.Type != kind {
					return ""
				}
				kind = v.Type
			}
		}
	}
	if len(q.Networks) == 0 {
		return Real
	}
	return kind
}
