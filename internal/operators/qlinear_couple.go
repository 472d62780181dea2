package operators

import (
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Couple faces of operators on quantised numbers: those of the same on real numbers, with the zero points at which slots are not missed, and with
// the scales and zero points of filters.

// coupleLines takes input v of a node and what follows it, scale and zero point, which are one for all or one for each slot of an axis. lines
// is nil where they are one for all.
func coupleLines(n *onnxio.Node, c op.Coupler, v *onnxio.Value, scale int, lines *op.Axis) {
	coupleReading(c, v, n.Input(scale), n.Input(scale+1), lines)
}

// coupleReading is coupleLines of a scale, nil for 1, and a zero point, nil for 0.
func coupleReading(c op.Coupler, v, scale, zero *onnxio.Value, lines *op.Axis) {
	axis := 0
	if lines != nil {
		axis = lines.Axis
	}
	c.Quantised(v, scale, zero, axis)
	for _, p := range []*onnxio.Value{scale, zero} {
		if p != nil && lines != nil && len(p.Shape) == 1 && p.Shape[0] > 1 {
			tieAll(c, op.Axis{Value: p, Axis: 0}, *lines)
			continue
		}
		pinEach(c, p, "it is one scale for all", nil)
	}
}

// coupleQLinearConv is a convolution with a scale and a zero point for each filter.
func coupleQLinearConv(n *onnxio.Node, c op.Coupler) {
	x, w, y := n.Inputs[0], n.Inputs[3], n.Outputs[0]
	filters := op.Axis{Value: w, Axis: 0}
	coupleChannels(c, x, w, y, filters, op.Axis{Value: w, Axis: 1}, n.Attrs.Int("group", 1))
	c.Filters(filters)
	if b := n.Input(8); b != nil {
		tieAll(c, op.Axis{Value: b, Axis: 0}, op.Axis{Value: y, Axis: 1})
	}
	coupleLines(n, c, x, 1, nil)
	coupleLines(n, c, w, 4, &filters)
	coupleLines(n, c, y, 6, nil)
}

// coupleQLinearMatMul is a product of matrices with a scale and a zero point for each row of the first, and for each column of the second.
func coupleQLinearMatMul(n *onnxio.Node, c op.Coupler) {
	a, b, y := n.Inputs[0], n.Inputs[3], n.Outputs[0]
	rows, columns := coupleProduct(n, c, a, b)
	coupleLines(n, c, a, 1, rows)
	coupleLines(n, c, b, 4, columns)
	coupleLines(n, c, y, 6, nil)
}

// coupleProduct is a product of matrices a and b: the axes of their rows and columns, nil where they have none, come with it.
func coupleProduct(n *onnxio.Node, c op.Coupler, a, b *onnxio.Value) (rows, columns *op.Axis) {
	coupleMatMul(&onnxio.Node{Name: n.Name, Op: "MatMul", Inputs: []*onnxio.Value{a, b}, Outputs: n.Outputs}, c)
	if k := len(a.Shape); k > 1 {
		rows = &op.Axis{Value: a, Axis: k - 2}
	}
	if k := len(b.Shape); k > 1 {
		columns = &op.Axis{Value: b, Axis: k - 1}
	}
	return rows, columns
}

// coupleQGemm is a Gemm whose second factor has a scale and a zero point for each column, and whose result may stay real.
func coupleQGemm(n *onnxio.Node, c op.Coupler) {
	a, b := n.Inputs[0], n.Inputs[3]
	coupleGemm(&onnxio.Node{Name: n.Name, Op: "Gemm", Attrs: n.Attrs, Inputs: []*onnxio.Value{a, b, n.Input(6)}, Outputs: n.Outputs}, c)
	columns := op.Axis{Value: b, Axis: 1}
	if n.Attrs.Int("transB", 0) != 0 {
		columns.Axis = 0
	}
	coupleLines(n, c, a, 1, nil)
	coupleLines(n, c, b, 4, &columns)
	if n.Input(7) != nil {
		coupleLines(n, c, n.Outputs[0], 7, nil)
	}
}

// coupleQuantisedPair is an elementwise operator of two inputs, each with its scale and zero point.
func coupleQuantisedPair(n *onnxio.Node, c op.Coupler) {
	coupleElementwise(&onnxio.Node{Name: n.Name, Op: n.Op, Inputs: []*onnxio.Value{n.Inputs[0], n.Inputs[3]}, Outputs: n.Outputs}, c)
	coupleLines(n, c, n.Inputs[0], 1, nil)
	coupleLines(n, c, n.Inputs[3], 4, nil)
	coupleLines(n, c, n.Outputs[0], 6, nil)
}

// coupleQuantisedOne is an operator of one input, of which real is the face.
func coupleQuantisedOne(real op.CoupleFunc) op.CoupleFunc {
	return func(n *onnxio.Node, c op.Coupler) {
		real(&onnxio.Node{Name: n.Name, Op: n.Op, Attrs: n.Attrs, Inputs: n.Inputs[:1], Outputs: n.Outputs}, c)
		coupleLines(n, c, n.Inputs[0], 1, nil)
		coupleLines(n, c, n.Outputs[0], 3, nil)
	}
}

// coupleQLinearSoftmax is Softmax by its own attribute of the opset: before 13 over all axes from one on.
func coupleQLinearSoftmax(n *onnxio.Node, c op.Coupler) {
	coupleQuantisedOne(func(n *onnxio.Node, c op.Coupler) {
		n.Opset, n.Attrs = n.Attrs.Int("opset", 0), onnxio.Attrs{"axis": int64(n.Attrs.Int("axis", -1))}
		coupleOverAxis(n, c)
	})(n, c)
}

// coupleQLinearConcat joins inputs that have each their scale and zero point; those of the output come first.
func coupleQLinearConcat(n *onnxio.Node, c op.Coupler) {
	concat := &onnxio.Node{Name: n.Name, Op: "Concat", Attrs: onnxio.Attrs{"axis": int64(n.Attrs.Int("axis", 0))}, Outputs: n.Outputs}
	coupleLines(n, c, n.Outputs[0], 0, nil)
	for i := 2; i+2 < len(n.Inputs); i += 3 {
		concat.Inputs = append(concat.Inputs, n.Inputs[i])
		coupleLines(n, c, n.Inputs[i], i+1, nil)
	}
	coupleConcat(concat, c)
}
