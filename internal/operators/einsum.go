// einsum.go — Einsum, opset 12: sums of products over named axes, with the ellipsis and the implicit output. Operands are walked as they
// lie; a label may stand twice in one of them (its diagonal).

package operators

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var einsumOp = op.Def{Name: "Einsum", Since: 12, Wraps: op.WrapsRounded,
	Attrs: op.Attributes{"equation": op.AnyValue},
	Shape: einsumShape, Eval: einsumEval, Gradient: einsumGradient, Interval: einsumInterval, Linear: einsumLinear, MACs: einsumMACs,
	Couple: coupleEinsum,
	// Of more operands, which runtimes multiply in an order of their own.
	Parts: einsumParts, Fused: true, Whole: func(n *onnxio.Node) bool { return len(n.Inputs) <= 2 }}

// einsumParts multiplies operand by operand: what comes of those so far keeps the labels that later operands or the output have.
func einsumParts(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	equation := strings.ReplaceAll(n.Attrs.String("equation", ""), " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(n.Inputs) || strings.Contains(equation, "...") {
		return refuseParts(e, n, "an ellipsis of several operands, or another number of them than its equation has")
	}
	if !explicit { // labels that stand once, in their order
		var once []string
		for _, l := range strings.Split(strings.ReplaceAll(left, ",", ""), "") {
			if strings.Count(left, l) == 1 {
				once = append(once, l)
			}
		}
		slices.Sort(once)
		right = strings.Join(once, "")
	}
	y, have := n.Input(0), terms[0]
	for k := 1; k < len(terms); k++ {
		kept := right
		if k < len(terms)-1 {
			kept = ""
			for _, l := range have + terms[k] {
				if l := string(l); !strings.Contains(kept, l) && strings.Contains(right+strings.Join(terms[k+1:], ""), l) {
					kept += l
				}
			}
		}
		y = e.Op("Einsum", onnxio.Attrs{"equation": have + "," + terms[k] + "->" + kept}, y, n.Input(k))
		have = kept
	}
	return one(y)
}

// einsum is a parsed equation over given shapes: a loop for every label, first those of the output, then those that are summed.
type einsum struct {
	sizes []int
	out   int     // how many labels the output has
	step  [][]int // by operand and label
	in    [][]int // the operands' shapes
}

// maxEinsum limits the products of one Einsum.
const maxEinsum = 1 << 40

func readEinsum(equation string, shapes [][]int) (*einsum, error) {
	equation = strings.ReplaceAll(equation, " ", "")
	left, right, explicit := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if len(terms) != len(shapes) {
		return nil, fmt.Errorf("equation %q has %d operands, the node %d", equation, len(terms), len(shapes))
	}
	// Ellipsis axes get labels of their own, counted from the right: -1, -2, ...
	labels := make([][]int, len(terms))
	count := map[int]int{}
	dots := 0
	for i, t := range terms {
		before, after, has := strings.Cut(t, "...")
		extra := len(shapes[i]) - len(before) - len(after)
		if extra < 0 || !has && extra != 0 || strings.Contains(after, "...") {
			return nil, fmt.Errorf("equation %q: %q for an operand of shape %v", equation, t, shapes[i])
		}
		for _, r := range before {
			labels[i] = append(labels[i], int(r))
		}
		for k := extra; k > 0; k-- {
			labels[i] = append(labels[i], -k)
		}
		for _, r := range after {
			labels[i] = append(labels[i], int(r))
		}
		dots = max(dots, extra)
	}
	size := map[int]int{}
	for i, list := range labels {
		for d, l := range list {
			if l >= 0 && !(l >= 'a' && l <= 'z' || l >= 'A' && l <= 'Z') {
				return nil, fmt.Errorf("equation %q: label %q", equation, rune(l))
			}
			n := shapes[i][d]
			if old, ok := size[l]; ok && old != n && old != 1 && n != 1 {
				return nil, fmt.Errorf("equation %q: sizes %d and %d for one label", equation, old, n)
			} else if !ok || old == 1 {
				size[l] = n
			}
			count[l]++
		}
	}
	var out []int
	for k := dots; k > 0; k-- {
		out = append(out, -k)
	}
	if explicit {
		before, after, has := strings.Cut(right, "...")
		list := []int{}
		for _, r := range before {
			list = append(list, int(r))
		}
		if has {
			list = append(list, out...)
		}
		for _, r := range after {
			list = append(list, int(r))
		}
		out = list
	} else {
		var once []int
		for l, n := range count {
			if l >= 0 && n == 1 {
				once = append(once, l)
			}
		}
		slices.Sort(once)
		out = append(out, once...)
	}
	order := slices.Clone(out)
	for i, l := range out {
		if _, ok := size[l]; !ok || slices.Contains(out[:i], l) {
			return nil, fmt.Errorf("equation %q: an output label that is twice there or in no operand", equation)
		}
	}
	var summed []int
	for l := range size {
		if !slices.Contains(out, l) {
			summed = append(summed, l)
		}
	}
	slices.Sort(summed)
	order = append(order, summed...)
	e := &einsum{out: len(out), in: shapes}
	total := 1.0
	for _, l := range order {
		e.sizes = append(e.sizes, size[l])
		total *= float64(size[l])
	}
	if total > maxEinsum {
		return nil, fmt.Errorf("equation %q asks for %.0f products", equation, total)
	}
	for i, list := range labels {
		step := make([]int, len(order))
		src := strides(shapes[i])
		for d, l := range list {
			if shapes[i][d] > 1 {
				step[slices.Index(order, l)] += src[d]
			}
		}
		e.step = append(e.step, step)
	}
	return e, nil
}

// einsumMACs counts the products, as they are written: one operand is multiplied by nothing, and three take two products each.
func einsumMACs(n *onnxio.Node) int {
	shapes := make([][]int, len(n.Inputs))
	for i, v := range n.Inputs {
		shapes[i] = v.Shape
	}
	e, err := readEinsum(n.Attrs.String("equation", ""), shapes)
	if err != nil {
		return 0
	}
	all := len(n.Inputs) - 1
	for _, s := range e.sizes {
		all *= s
	}
	return all
}

func einsumShape(n *onnxio.Node) ([]op.Type, error) {
	var shapes [][]int
	for i := range n.Inputs {
		s, err := shapeOf(n, i)
		if err != nil {
			return nil, err
		}
		if n.Inputs[i].DType != n.Inputs[0].DType {
			return nil, fmt.Errorf("operands of types %v and %v", n.Inputs[0].DType, n.Inputs[i].DType)
		}
		shapes = append(shapes, s)
	}
	if len(shapes) == 0 || len(shapes) > 2 {
		return nil, op.Unsupported(n, "", fmt.Sprintf("%d operands; one or two can be treated", len(shapes)))
	}
	e, err := readEinsum(n.Attrs.String("equation", ""), shapes)
	if err != nil {
		return nil, err
	}
	out := append([]int{}, e.sizes[:e.out]...)
	return []op.Type{{DType: n.Inputs[0].DType, Shape: out}}, checkSizes(out)
}

func einsumEval(c *op.Call) error {
	e, _ := c.State.(*einsum)
	same := e != nil
	for i := 0; same && i < len(c.In); i++ {
		same = slices.Equal(e.in[i], c.In[i].Shape)
	}
	if !same {
		var shapes [][]int
		for _, t := range c.In {
			shapes = append(shapes, slices.Clone(t.Shape))
		}
		var err error
		if e, err = readEinsum(c.Node.Attrs.String("equation", ""), shapes); err != nil {
			return err
		}
		c.State = e
	}
	switch a := c.In[0].Data.(type) {
	case []float32:
		return einsumRun(c, e, a)
	case []float64:
		return einsumRun(c, e, a)
	case []int64:
		return einsumRun(c, e, a)
	}
	return unsupportedType(c, "operands of type %v", c.In[0].DType)
}

func einsumRun[T float32 | float64 | int64](c *op.Call, e *einsum, a []T) error {
	y, ok := c.Out[0].Data.([]T)
	var b []T
	if len(c.In) > 1 {
		var okB bool
		b, okB = c.In[1].Data.([]T)
		ok = ok && okB
	}
	if !ok {
		return fmt.Errorf("operands and output differ in type")
	}
	i := 0
	einsumWalk(e, 0, 0, 0, a, b, y, &i)
	return nil
}

// einsumWalk loops over the output's labels.
func einsumWalk[T float32 | float64 | int64](e *einsum, d, p, q int, a, b, y []T, i *int) {
	if d == e.out {
		y[*i] = einsumSum(e, d, p, q, a, b)
		*i++
		return
	}
	for range e.sizes[d] {
		einsumWalk(e, d+1, p, q, a, b, y, i)
		p += e.step[0][d]
		if b != nil {
			q += e.step[1][d]
		}
	}
}

// einsumSum adds the products over the labels that are summed.
func einsumSum[T float32 | float64 | int64](e *einsum, d, p, q int, a, b []T) T {
	if d == len(e.sizes) {
		if b == nil {
			return a[p]
		}
		return a[p] * b[q]
	}
	var sum T
	for range e.sizes[d] {
		sum += einsumSum(e, d+1, p, q, a, b)
		p += e.step[0][d]
		if b != nil {
			q += e.step[1][d]
		}
	}
	return sum
}
