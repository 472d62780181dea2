package op

import "github.com/shallow-waters/shoal/onnxio"

// newBox allocates a box of n elements.
func newBox(n int) Box { return Box{make([]float64, n), make([]float64, n)} }

// pairBoxes spreads the boxes of a node's two inputs to the broadcast shape, and allocates the output's.
func pairBoxes(n *onnxio.Node, in []Box) (out, a, b Box, err error) {
	shape, err := broadcastInputs(n)
	if err != nil {
		return
	}
	sa, sb := n.Inputs[0].Shape, n.Inputs[1].Shape
	a = Box{broadcastTo(in[0].Lower, sa, shape), broadcastTo(in[0].Upper, sa, shape)}
	b = Box{broadcastTo(in[1].Lower, sb, shape), broadcastTo(in[1].Upper, sb, shape)}
	return newBox(product(shape)), a, b, nil
}

// boxForms is the Linear face of operators of which only the Interval face is known: lower and upper forms without terms.
func boxForms(interval func(*onnxio.Node, []Box) ([]Box, error), e Execution) func(*onnxio.Node) (*Linear, error) {
	return func(n *onnxio.Node) (*Linear, error) {
		return &Linear{Execution: e, Relax: func(_ Slope, in []Box) (*Relaxation, error) {
			out, err := interval(n, in)
			if err != nil {
				return nil, err
			}
			return constantForms(out[0]), nil
		}}, nil
	}
}

// constantForms are forms without terms: the ends of a box.
func constantForms(b Box) *Relaxation {
	start := make([]int32, len(b.Lower)+1)
	return &Relaxation{Forms{Start: start, Const: b.Lower}, Forms{Start: start, Const: b.Upper}}
}

// linesAsForms gives lines as forms of one term each. A domain keeps elements as it likes and lays Lines over them where they are, but
// hands them to Relax in the standard's order: lines that differ from place to place must come so.
func linesAsForms(input int, f LinesFunc) RelaxFunc {
	return func(s Slope, in []Box) (*Relaxation, error) {
		n := len(in[input].Lower)
		buf := make([]float64, 4*n)
		out := Lines{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n:]}
		f(s, in[input].Lower, in[input].Upper, &out)
		lower, upper := newForms(n, 1), newForms(n, 1)
		for i := range n {
			lower.add(input, i, out.LoSlope[i])
			lower.close(out.LoIcept[i])
			upper.add(input, i, out.UpSlope[i])
			upper.close(out.UpIcept[i])
		}
		return &Relaxation{*lower, *upper}, nil
	}
}

// uniform tells whether all numbers of a list are the same.
func uniform(v []float64) bool {
	for _, x := range v {
		if x != v[0] {
			return false
		}
	}
	return true
}
