package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// denseStage is x W^T + v: weights [units,in].
var denseStage = faces{
	kind:  KindDense,
	asked: func(l Layer) bool { return l.Dense != 0 },
	plan: func(p *planner, l Layer) {
		if l.Dense < 1 || l.Dense > 1<<20 {
			p.fault("dense: %d units", l.Dense)
			return
		}
		p.flatten()
		in := p.shape[0]
		p.push(Stage{Kind: KindDense, Out: []int{l.Dense}, Params: []Param{
			{Name: "weight", Shape: []int{l.Dense, in}, FanIn: in, Trained: true, image: p.image},
			{Name: "bias", Shape: []int{l.Dense}, FanIn: in, Trained: true}}})
		p.image = nil
	},
	apply: func(n *Network, s Stage, x *tape.Node) *tape.Node { return n.B.Dense(x, n.weight(s), n.bias(s), false) },
	withRelu: func(n *Network, s Stage, x *tape.Node) *tape.Node {
		return n.B.Dense(x, n.weight(s), n.bias(s), true)
	},
	linear: func(n *Network, s Stage, x *tape.Node) *tape.Node { return n.B.MatMul(false, true, x, n.weight(s)) },
	interval: func(n *Network, s Stage, x ball) ball {
		b := n.B
		return ball{mid: b.Dense(x.mid, n.weight(s), n.bias(s), false), rad: b.MatMul(false, true, x.rad, b.Abs(n.weight(s)))}
	},
	below: func(n *Network, s Stage, f form) form {
		b := n.B
		return form{rows: b.MatMul(false, false, f.rows, n.weight(s)), constant: b.Add(f.constant, b.RowDot(f.rows, b.Reshape(n.bias(s), 1, s.Out[0])))}
	},
	export: func(Stage) (string, onnxio.Attrs) { return "Gemm", onnxio.Attrs{"transB": int64(1)} },
	imports: map[string]func(*importer, *onnxio.Node) error{
		"Gemm": func(r *importer, n *onnxio.Node) error {
			if n.Attrs.Float("alpha", 1) != 1 || n.Attrs.Float("beta", 1) != 1 || n.Attrs.Int("transA", 0) != 0 {
				return fmt.Errorf("alpha, beta and transA must be 1, 1 and 0")
			}
			return importDense(r, n, n.Attrs.Int("transB", 0) != 0)
		},
		"MatMul": func(r *importer, n *onnxio.Node) error { return importDense(r, n, false) },
		"Add": func(r *importer, n *onnxio.Node) error {
			units := n.Outputs[0].Shape[len(n.Outputs[0].Shape)-1]
			b, err := constant(n, 1, units)
			if r.last != "MatMul" || err != nil {
				return fmt.Errorf("students add only biases of dense layers")
			}
			r.arch.start[fmt.Sprintf("%s%d.bias", KindDense, r.counts[KindDense])] = b
			return nil
		},
	},
}

// importDense reads a product with weights [units,in], or [in,units] where they are not turned.
func importDense(r *importer, n *onnxio.Node, turned bool) error {
	w, err := constant(n, 1, 0)
	if err != nil {
		return err
	}
	s := n.Input(1).Shape
	if len(s) != 2 || len(n.Input(0).Shape) != 2 {
		return fmt.Errorf("students multiply matrices of two dimensions")
	}
	units := s[1]
	if turned {
		units = s[0]
	} else {
		t := make([]float32, len(w))
		for i := range s[0] {
			for j := range s[1] {
				t[j*s[0]+i] = w[i*s[1]+j]
			}
		}
		w = t
	}
	b, err := constant(n, 2, 0)
	if err != nil {
		return err
	}
	if len(b) != units {
		if len(b) > 1 {
			return fmt.Errorf("a bias of %d numbers for %d units", len(b), units)
		}
		one := append(b, 0)[0] // absent, or one for all
		b = make([]float32, units)
		for i := range b {
			b[i] = one
		}
	}
	r.add(KindDense, Layer{Dense: units}, map[string][]float32{"weight": w, "bias": b})
	return nil
}
