package verify

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// Assigned is a variable of a query with the values that a counterexample gives it, in row-major order.
type Assigned struct {
	vnnlib.Variable
	Values []float64
}

// Assignments are a counterexample's values of all that a query declares, in that order: c is of the network of NetworkOf, and models are those it
// was given.
func Assignments(q *vnnlib.Query, models []*onnxio.Model, c *Counterexample) ([]Assigned, error) {
	if q == nil || c == nil || len(models) != len(q.Networks) {
		return nil, fmt.Errorf("%w: there is no query with its models and a counterexample", ErrInput)
	}
	free := q.Free()
	if len(free) != len(c.Inputs) || len(c.Outputs) < q.Outputs {
		return nil, fmt.Errorf("%w: %d inputs and %d outputs for a query with %d and %d", ErrInput, len(c.Inputs), len(c.Outputs), len(free), q.Outputs)
	}
	x := map[int]float64{}
	for k, i := range free {
		x[i] = float64(c.Inputs[k])
	}
	var out []Assigned
	in, y := 0, 0
	for k, n := range q.Networks {
		for i, v := range n.Inputs {
			a := Assigned{Variable: v}
			switch {
			case !v.Initialized:
				for range v.Elements() {
					a.Values = append(a.Values, x[q.Same(in)])
					in++
				}
			case models[k] != nil && models[k].Graph != nil && i < len(models[k].Graph.Inputs) && models[k].Graph.Inputs[i].Const != nil:
				var err error
				if a.Values, err = models[k].Graph.Inputs[i].Const.Float64s(); err != nil {
					return nil, err
				}
			}
			out = append(out, a)
		}
		for _, v := range append(slices.Clone(n.Hidden), n.Outputs...) {
			out = append(out, Assigned{v, c.Outputs[y : y+v.Elements()]})
			y += v.Elements()
		}
	}
	return out, nil
}
