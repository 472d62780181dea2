package student

import (
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// avgPoolStage takes the mean of every window.
var avgPoolStage = faces{
	kind:   KindAvgPool,
	asked:  func(l Layer) bool { return l.AvgPool != nil },
	slides: true,
	plan: func(p *planner, l Layer) {
		if l.Padding != nil {
			p.fault("avgpool takes no padding")
		}
		p.planPool(KindAvgPool, l.AvgPool, l)
	},
	apply:    avgPool,
	linear:   avgPool,
	interval: positive(avgPool),
	below: func(n *Network, s Stage, f form) form {
		return form{rows: n.B.AvgPoolInput(f.rows, s.In[0], s.In[1], s.Window, s.Geometry), constant: f.constant}
	},
	export: func(s Stage) (string, onnxio.Attrs) { return "AveragePool", s.windowAttrs() },
	imports: map[string]func(*importer, *onnxio.Node) error{
		"AveragePool": func(r *importer, n *onnxio.Node) error {
			l := Layer{AvgPool: n.Attrs.Ints("kernel_shape")}
			if err := slideOf(n, &l); err != nil {
				return err
			}
			r.add(KindAvgPool, l, nil)
			return nil
		},
		"GlobalAveragePool": func(r *importer, n *onnxio.Node) error {
			r.add(KindAvgPool, Layer{AvgPool: n.Input(0).Shape[2:4]}, nil)
			return nil
		},
	},
}

func avgPool(n *Network, s Stage, x *tape.Node) *tape.Node {
	return n.B.AvgPool(x, s.Window, s.Geometry)
}
