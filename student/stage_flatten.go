package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// flattenStage makes units of an image. It also stands before a dense layer that has an image to read.
var flattenStage = faces{
	kind:     KindFlatten,
	asked:    func(l Layer) bool { return l.Flatten },
	plan:     func(p *planner, _ Layer) { p.flatten() },
	apply:    flatten,
	linear:   flatten,
	interval: positive(flatten),
	below: func(n *Network, s Stage, f form) form {
		return form{rows: n.B.Reshape(f.rows, append([]int{f.rows.Shape()[0]}, s.In...)...), constant: f.constant}
	},
	export:  func(Stage) (string, onnxio.Attrs) { return "Flatten", onnxio.Attrs{"axis": int64(1)} },
	imports: map[string]func(*importer, *onnxio.Node) error{"Flatten": importFlatten, "Reshape": importFlatten},
}

// flatten pushes the stage where there is an image.
func (p *planner) flatten() {
	if len(p.shape) == 3 {
		p.image = p.shape
		p.push(Stage{Kind: KindFlatten, Out: []int{p.shape[0] * p.shape[1] * p.shape[2]}})
	}
}

func flatten(n *Network, s Stage, x *tape.Node) *tape.Node {
	return n.B.Reshape(x, x.Shape()[0], s.Out[0])
}

func importFlatten(r *importer, n *onnxio.Node) error {
	in, out := n.Input(0).Shape, n.Outputs[0].Shape
	if len(out) != 2 || out[0] != in[0] {
		return fmt.Errorf("from %v to %v: students only flatten images", in, out)
	}
	if len(in) == 4 {
		r.add(KindFlatten, Layer{Flatten: true}, nil)
	}
	return nil
}
