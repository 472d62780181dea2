package student

import (
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// reluStage is max(x, 0). No layer asks for it as it asks for others: it may stand alone, and after any of them.
var reluStage = faces{
	kind:     KindRelu,
	plan:     func(p *planner, _ Layer) { p.push(Stage{Kind: KindRelu, Out: p.shape}) },
	apply:    relu,
	interval: monotone(relu),
	bends:    true,
	export:   func(Stage) (string, onnxio.Attrs) { return "Relu", onnxio.Attrs{} },
	imports: map[string]func(*importer, *onnxio.Node) error{"Relu": func(r *importer, _ *onnxio.Node) error {
		r.add(KindRelu, Layer{Relu: true}, nil)
		return nil
	}},
}

func relu(n *Network, _ Stage, x *tape.Node) *tape.Node { return n.B.Relu(x) }
