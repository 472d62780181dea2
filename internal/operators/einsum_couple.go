package operators

import (
	"strings"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// coupleEinsum ties the axes of one label. An ellipsis, which may broadcast, pins.
func coupleEinsum(n *onnxio.Node, c op.Coupler) {
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
	first := map[rune]op.Axis{}
	for k, term := range terms {
		for i, label := range term {
			x := op.Axis{Value: values[k], Axis: i}
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
				c.Ends(op.Axis{Value: values[k], Axis: i})
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
				c.Filters(op.Axis{Value: values[k], Axis: i})
			}
		}
	}
}
