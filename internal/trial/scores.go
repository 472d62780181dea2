package trial

import (
	"context"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// candidate is a value of the graph that may hold the scores.
type candidate struct {
	infer.Sampled
	name   string        // of the file's output
	value  *onnxio.Value // the scores: the output, or what an ArgMax takes of which the output is the answer
	argmax bool
	zipped *onnxio.Node // the ZipMap that makes maps of the scores; nil where none does
}

// candidates are the outputs of some that may hold scores: real ones, and integers that are the ArgMax of real ones over the only axis of a sample.
// Other integers are labels, or something else, and no scores; one that stands alone is given as it is (label).
func candidates(ctx context.Context, g *onnxio.Graph, outputs []*onnxio.Value) (all []candidate, label candidate) {
	for _, v := range outputs {
		scores, n := v, decider(v)
		last := n != nil && n.Attrs.Int("select_last_index", 0) != 0
		zipped := infer.Mapped(v)
		if zipped != nil {
			scores, n = zipped.Inputs[0], nil
		} else if n != nil && !last {
			scores = n.Inputs[0]
		}
		c := candidate{infer.Samples(ctx, g, scores), v.Name, scores, n != nil && !last, zipped}
		if !last && c.DType.IsFloat() && (n == nil || c.oneRow(n.Attrs.Int("axis", 0))) {
			all = append(all, c)
		} else if scores == v {
			label = c
		} else if len(outputs) == 1 {
			label = candidate{infer.Samples(ctx, g, v), v.Name, v, false, nil}
		}
	}
	return all, label
}

// oneRow tells whether all scores of a sample lie along one axis: an ArgMax along another is of each pixel, say, and no class of the sample.
func (c candidate) oneRow(axis int) bool {
	if axis < 0 {
		axis += len(c.Shape)
	}
	return len(c.Shape) > 1 && axis > 0 && axis < len(c.Shape) && c.Shape[axis] == onnxio.NumElements(c.Shape)
}

// decider is the ArgMax whose answer a value is, shaped otherwise or cast to a type that holds it; nil where there is none.
func decider(v *onnxio.Value) *onnxio.Node {
	n := behind(v, func(n *onnxio.Node) bool {
		to := onnxio.DType(n.Attrs.Int("to", 0))
		return n.Op == "Cast" && (to == onnxio.Int64 || to == onnxio.Int32 || to == onnxio.Float || to == onnxio.Double)
	})
	if n == nil || n.Op != "ArgMax" || n.Domain != "" || len(n.Inputs) == 0 || n.Inputs[0] == nil {
		return nil
	}
	return n
}

// behind is the node that gives a value's numbers, seen through nodes that only shape them, and through those that more says.
func behind(v *onnxio.Value, more func(*onnxio.Node) bool) *onnxio.Node {
	for n := v.Producer; n != nil; n = n.Inputs[0].Producer {
		if n.Domain != "" || len(n.Inputs) == 0 || n.Inputs[0] == nil {
			return n
		}
		if def, err := operators.Lookup(n); (err != nil || !def.SameNumbers) && !more(n) {
			return n
		}
	}
	return nil
}
