// losses.go — NegativeLogLikelihoodLoss, opset 12, 13, and SoftmaxCrossEntropyLoss, opset 12, 13: minus the log-probability of the class that is
// told.

package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

var lossAttrs = op.Attributes{"ignore_index": op.AnyValue, "reduction": op.OneOf("none", "sum", "mean")}

var negativeLogLikelihoodLossOp = op.Def{Name: "NegativeLogLikelihoodLoss", Since: 12, Attrs: lossAttrs,
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value { return one(likelihoodLoss(e, n, n.Input(0))) }}

var softmaxCrossEntropyLossOp = op.Def{Name: "SoftmaxCrossEntropyLoss", Since: 12, Attrs: lossAttrs,
	Parts: func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		e.Need(13, "a LogSoftmax over classes")
		if e.Err != nil {
			return nil
		}
		p := e.Op("LogSoftmax", onnxio.Attrs{"axis": int64(1)}, n.Input(0))
		return []*onnxio.Value{likelihoodLoss(e, n, p), p}
	}}

// likelihoodLoss is the loss of log-probabilities [N, C, ...] at classes [N, ...], some of which may not count.
func likelihoodLoss(e *op.Emitter, n *onnxio.Node, p *onnxio.Value) *onnxio.Value {
	target, weight := n.Input(1), n.Input(2)
	if e.Err != nil || p == nil || target == nil || len(p.Shape) != len(target.Shape)+1 || len(p.Shape) < 2 {
		e.Fail(fmt.Errorf("classes do not fit log-probabilities"))
		return p
	}
	var ignored *onnxio.Value
	if n.Attrs.Has("ignore_index") {
		ignored = e.Op("Equal", nil, target, intsLike(e, target, []int{n.Attrs.Int("ignore_index", 0)}))
		target = e.Op("Where", nil, ignored, intsLike(e, target, []int{0}), target)
	}
	wide := append(append([]int{}, target.Shape[:1]...), 1)
	wide = append(wide, target.Shape[1:]...)
	loss := e.Neg(e.Reshape(e.Op("GatherElements", onnxio.Attrs{"axis": int64(1)}, p, e.Reshape(target, wide...)), target.Shape...))
	var w *onnxio.Value
	if weight != nil {
		w = e.Op("Gather", nil, weight, target)
	} else if ignored != nil {
		w = e.Filled(p, 1, target.Shape...)
	}
	if ignored != nil {
		w = e.Where(ignored, e.Scalar(p, 0), w)
	}
	if w != nil {
		loss = e.Mul(loss, w)
	}
	total := func(v *onnxio.Value) *onnxio.Value {
		return e.Reshape(e.ReduceSum(v, lastAxes(0, len(v.Shape))...), []int{}...)
	}
	switch n.Attrs.String("reduction", "mean") {
	case "none":
		return loss
	case "sum":
		return total(loss)
	}
	if w != nil {
		return e.Div(total(loss), total(w))
	}
	return e.Div(total(loss), e.Scalar(p, float64(max(1, product(target.Shape)))))
}
