package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// convStage is a convolution with a bias: weights [filters,kh,kw,C].
var convStage = faces{
	kind:   KindConv,
	asked:  func(l Layer) bool { return l.Conv != 0 },
	slides: true,
	plan: func(p *planner, l Layer) {
		g, window, next := p.slide(l, l.Kernel, Sizes{1})
		if next == nil {
			return
		}
		if l.Conv < 1 || l.Conv > 1<<16 {
			p.fault("conv: %d filters", l.Conv)
			return
		}
		in := p.shape[2]
		fan := window[0] * window[1] * in
		p.push(Stage{Kind: KindConv, Geometry: g, Window: window, Out: []int{next[0], next[1], l.Conv}, Params: []Param{
			{Name: "weight", Shape: []int{l.Conv, window[0], window[1], in}, FanIn: fan, Trained: true},
			{Name: "bias", Shape: []int{l.Conv}, FanIn: fan, Trained: true}}})
	},
	apply: func(n *Network, s Stage, x *tape.Node) *tape.Node {
		return n.B.ConvBias(x, n.weight(s), n.bias(s), s.Geometry, false)
	},
	withRelu: func(n *Network, s Stage, x *tape.Node) *tape.Node {
		return n.B.ConvBias(x, n.weight(s), n.bias(s), s.Geometry, true)
	},
	linear: func(n *Network, s Stage, x *tape.Node) *tape.Node { return n.B.Conv(x, n.weight(s), s.Geometry) },
	interval: func(n *Network, s Stage, x ball) ball {
		b := n.B
		mid := b.ConvBias(x.mid, n.weight(s), n.bias(s), s.Geometry, false)
		return ball{mid: mid, rad: b.Conv(x.rad, b.Abs(n.weight(s)), s.Geometry)}
	},
	below: func(n *Network, s Stage, f form) form {
		b := n.B
		bias := b.Rows(n.bias(s), 1, s.Out[0], s.Out[1], s.Out[2])
		return form{rows: b.ConvInput(f.rows, n.weight(s), s.In[0], s.In[1], s.Geometry), constant: b.Add(f.constant, b.RowDot(f.rows, bias))}
	},
	export:  func(s Stage) (string, onnxio.Attrs) { return "Conv", s.windowAttrs() },
	imports: map[string]func(*importer, *onnxio.Node) error{"Conv": importConv},
}

func importConv(r *importer, n *onnxio.Node) error {
	w, err := constant(n, 1, 0)
	if err != nil {
		return err
	}
	s := n.Input(1).Shape
	if len(s) != 4 || n.Attrs.Int("group", 1) != 1 {
		return fmt.Errorf("students have two-dimensional convolutions of one group")
	}
	b, err := constant(n, 2, s[0])
	if err != nil {
		return err
	}
	l := Layer{Conv: s[0], Kernel: s[2:4]}
	if err := slideOf(n, &l); err != nil {
		return err
	}
	r.add(KindConv, l, map[string][]float32{"weight": w, "bias": b})
	return nil
}
