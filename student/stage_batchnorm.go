package student

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/student/tape"
)

// batchNormStage normalises channels, or units after a dense layer: with the batch's own moments in training, with the running ones in files.
// It has no bounds in training, since the moments move with the batch.
var batchNormStage = faces{
	kind:  KindBatchNorm,
	asked: func(l Layer) bool { return l.BatchNorm },
	plan: func(p *planner, l Layer) {
		n := p.shape[len(p.shape)-1]
		if p.image != nil {
			p.fault("batchnorm stands before flatten, or after a dense layer")
		}
		p.push(Stage{Kind: KindBatchNorm, Out: p.shape, Params: []Param{
			{Name: "weight", Shape: []int{n}, Trained: true, fill: 1}, {Name: "bias", Shape: []int{n}, Trained: true},
			{Name: "running_mean", Shape: []int{n}}, {Name: "running_var", Shape: []int{n}, fill: 1}}})
	},
	apply: func(n *Network, s Stage, x *tape.Node) *tape.Node {
		return n.B.BatchNorm(x, n.weight(s), n.bias(s), n.momentsOf(s))
	},
	withRelu: func(n *Network, s Stage, x *tape.Node) *tape.Node {
		return n.B.BatchNormRelu(x, n.weight(s), n.bias(s), n.momentsOf(s))
	},
	export: func(Stage) (string, onnxio.Attrs) {
		return "BatchNormalization", onnxio.Attrs{"epsilon": float32(tape.BatchNormEps)}
	},
	imports: map[string]func(*importer, *onnxio.Node) error{"BatchNormalization": importBatchNorm},
}

// momentsOf is where the stage leaves the moments of a batch.
func (n *Network) momentsOf(s Stage) *tape.Moments {
	m := &tape.Moments{}
	n.moments[s.Name] = m
	return m
}

func importBatchNorm(r *importer, n *onnxio.Node) error {
	if eps := n.Attrs.Float("epsilon", 1e-5); eps != tape.BatchNormEps {
		return fmt.Errorf("epsilon %v; students have %v", eps, tape.BatchNormEps)
	}
	w := map[string][]float32{}
	for i, name := range []string{"weight", "bias", "running_mean", "running_var"} {
		v, err := constant(n, i+1, 0)
		if err != nil {
			return err
		}
		w[name] = v
	}
	r.add(KindBatchNorm, Layer{BatchNorm: true}, w)
	return nil
}
