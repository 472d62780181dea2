package op

import (
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
)

func coupleGemm(n *onnxio.Node, c Coupler) {
	a, b, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	row, sum := 0, 1
	if n.Attrs.Int("transA", 0) != 0 {
		row, sum = 1, 0
	}
	from, to := 0, 1
	if n.Attrs.Int("transB", 0) != 0 {
		from, to = 1, 0
	}
	tieAll(c, Axis{a, row}, Axis{y, 0})
	tieAll(c, Axis{a, sum}, Axis{b, from})
	c.Ends(Axis{a, sum})
	c.Ends(Axis{b, from})
	tieAll(c, Axis{b, to}, Axis{y, 1})
	tieBroadcast(c, n.Input(2), y)
	c.Filters(Axis{b, to})
}

// coupleMatMul: rows of the first, columns of the second, and the axis that is summed over; axes before these broadcast.
func coupleMatMul(n *onnxio.Node, c Coupler) {
	a, b, y := n.Inputs[0], n.Inputs[1], n.Outputs[0]
	p, q, r := len(a.Shape), len(b.Shape), len(y.Shape)
	from := max(q-2, 0)
	tieAll(c, Axis{a, p - 1}, Axis{b, from})
	c.Ends(Axis{a, p - 1})
	c.Ends(Axis{b, from})
	tail := 0 // the output's axes that are rows or columns
	if q >= 2 {
		tieAll(c, Axis{b, q - 1}, Axis{y, r - 1})
		c.Filters(Axis{b, q - 1})
		tail++
	}
	if p >= 2 {
		tail++
		tieAll(c, Axis{a, p - 2}, Axis{y, r - tail})
		if a.Const != nil {
			c.Filters(Axis{a, p - 2})
		}
	}
	for _, v := range []*onnxio.Value{a, b} {
		lead := len(v.Shape) - 2
		for i := range max(lead, 0) {
			x, z := Axis{v, i}, Axis{y, r - tail - lead + i}
			if x.Size() == z.Size() {
				tieAll(c, x, z)
			} else {
				c.Pin(x, onesAxis)
			}
		}
	}
}

// coupleEinsum ties the axes of one label. An ellipsis, which may broadcast, pins.
func coupleEinsum(n *onnxio.Node, c Coupler) {
	values := append(append([]*onnxio.Value{}, n.Inputs...), n.Outputs[0])
	equation := strings.ReplaceAll(n.Attrs.String("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := append(strings.Split(left, ","), right)
	if !explicit || strings.Contains(equation, "...") || len(terms) != len(values) {
		for _, v := range values {
			pinEach(c, v, "the equation of Einsum has an ellipsis or no output", nil)
		}
		return
	}
	first := map[rune]Axis{}
	for k, term := range terms {
		for i, label := range term {
			x := Axis{values[k], i}
			if old, ok := first[label]; ok {
				tieAll(c, old, x)
			} else {
				first[label] = x
			}
		}
	}
	for k, term := range terms[:len(terms)-1] {
		for i, label := range term {
			if !strings.ContainsRune(right, label) {
				c.Ends(Axis{values[k], i})
			}
		}
	}
	// An operand of constants whose label stays makes channels.
	for k, term := range terms[:len(terms)-1] {
		if values[k].Const == nil {
			continue
		}
		for i, label := range term {
			if strings.ContainsRune(right, label) {
				c.Filters(Axis{values[k], i})
			}
		}
	}
}
