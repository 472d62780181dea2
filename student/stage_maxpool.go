package student

import (
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// maxPoolStage takes the greatest of every window. Intervals go through it; rows do not.
var maxPoolStage = faces{
	kind:     KindMaxPool,
	asked:    func(l Layer) bool { return l.MaxPool != nil },
	slides:   true,
	plan:     func(p *planner, l Layer) { p.planPool(KindMaxPool, l.MaxPool, l) },
	apply:    maxPool,
	interval: monotone(maxPool),
	export:   func(s Stage) (string, onnxio.Attrs) { return "MaxPool", s.windowAttrs() },
	imports: map[string]func(*importer, *onnxio.Node) error{"MaxPool": func(r *importer, n *onnxio.Node) error {
		l := Layer{MaxPool: n.Attrs.Ints("kernel_shape")}
		if err := slideOf(n, &l); err != nil {
			return err
		}
		r.add(KindMaxPool, l, nil)
		return nil
	}},
}

func maxPool(n *Network, s Stage, x *tape.Node) *tape.Node {
	return n.B.MaxPool(x, s.Window, s.Geometry)
}
