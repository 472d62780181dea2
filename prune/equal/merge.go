package equal

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/join"
	"github.com/shallow-waters/shoal/onnxio"
)

// ports are the inputs that a caller gives.
func ports(g *onnxio.Graph) []*onnxio.Value {
	var out []*onnxio.Value
	for _, v := range g.Inputs {
		if v.Const == nil {
			out = append(out, v)
		}
	}
	return out
}

func names(vs []*onnxio.Value) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Name)
	}
	return out
}

// matched puts B's ports into A's order and checks that each fits its counterpart.
func matched(what string, a, b []*onnxio.Value, by string) ([]*onnxio.Value, string, error) {
	m, err := Match(what, names(a), names(b), by)
	if err != nil {
		return nil, "", err
	}
	var out []*onnxio.Value
	for i, k := range m.Of {
		if x, y := a[i], b[k]; !slices.Equal(x.Shape, y.Shape) || x.DType != y.DType {
			return nil, "", fmt.Errorf("%ss matched by %s differ: %q is %v of shape %v, %q is %v of shape %v", what, m.By, x.Name,
				x.DType, x.Shape, y.Name, y.DType, y.Shape)
		}
		out = append(out, b[k])
	}
	return out, m.By, nil
}

// merge puts two prepared graphs into one, in which they read the same inputs and share every value that both compute in the same way. Inputs
// and outputs are matched as Match says; c gets how. Outputs are those of A and of B, in A's order.
func merge(a, b *onnxio.Graph, by string, c *Certificate) (*onnxio.Graph, [2][]*onnxio.Value, error) {
	j := join.New("difference")
	var outs [2][]*onnxio.Value
	given := ports(a)
	of, how, err := matched("input", given, ports(b), by)
	if err != nil {
		return nil, outs, err
	}
	c.InputsBy = how
	asked := *b
	if asked.Outputs, c.OutputsBy, err = matched("output", a.Outputs, b.Outputs, by); err != nil {
		return nil, outs, err
	}
	at := [2]map[*onnxio.Value]*onnxio.Value{{}, {}}
	for i, v := range given {
		w := j.Input(v)
		at[0][v], at[1][of[i]] = w, w
	}
	for k, g := range []*onnxio.Graph{a, &asked} {
		if outs[k], err = j.Add("", g, at[k]); err != nil {
			return nil, outs, err
		}
	}
	return j.Graph, outs, nil
}
