package operators

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// einsumGradient: the gradient of an operand is another Einsum, of dy and the other operand, to the operand's labels; labels that the
// operand alone has were summed, and are repeated again. Operands with a label twice are refused.
func einsumGradient(e *op.Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
	equation := strings.ReplaceAll(n.Attrs.String("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if !explicit {
		right = implicitOutput(left)
	}
	dx := make([]*onnxio.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if !e.Wants(n, i) {
			continue
		}
		want := terms[i]
		letters := strings.ReplaceAll(want, "...", "")
		for _, l := range letters {
			if strings.Count(letters, string(l)) > 1 {
				return e.Refuse(n, fmt.Sprintf("label %q stands twice in one operand", l))
			}
		}
		from, in := right, []*onnxio.Value{dy[0]}
		if len(terms) == 2 {
			from, in = right+","+terms[1-i], append(in, n.Inputs[1-i])
		}
		have, shape := "", []int{}
		at := 0
		for rest := want; rest != ""; {
			label := rest[:1]
			size := 1
			if strings.HasPrefix(rest, "...") {
				label, size = "...", len(v.Shape)-len(letters)
			}
			rest = rest[len(label):]
			known := strings.Contains(from, label)
			if known {
				have += label
			}
			for range size {
				if known {
					shape = append(shape, v.Shape[at])
				} else {
					shape = append(shape, 1)
				}
				at++
			}
		}
		g := e.Op("Einsum", onnxio.Attrs{"equation": from + "->" + have}, in...)
		if e.Err != nil {
			return nil
		}
		if product(g.Shape) != product(shape) { // sizes of 1 that were repeated
			if len(g.Shape) != len(shape) {
				return e.Refuse(n, "operands that are repeated along labels of size 1")
			}
			g = e.Unbroadcast(g, shape)
		}
		dx[i] = e.Expand(e.Reshape(g, shape...), v.Shape...)
	}
	return dx
}

// implicitOutput is the standard's output where the equation names none: the ellipsis, then the labels that stand once, in order.
func implicitOutput(left string) string {
	out := ""
	if strings.Contains(left, "...") {
		out = "..."
	}
	var once []string
	for _, l := range strings.ReplaceAll(strings.ReplaceAll(left, "...", ""), ",", "") {
		if strings.Count(left, string(l)) == 1 {
			once = append(once, string(l))
		}
	}
	slices.Sort(once)
	return out + strings.Join(once, "")
}
