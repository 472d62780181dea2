package verify

import (
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// unlike says why two graphs have not the same structure; "" where they have. It walks both from their outputs backward: operators, and which of
// their inputs are constants of which shape.
func unlike(a, b *onnxio.Graph) string {
	if len(a.Outputs) != len(b.Outputs) || len(openInputs(a)) != len(openInputs(b)) {
		return fmt.Sprintf("%d and %d inputs, %d and %d outputs", len(openInputs(a)), len(openInputs(b)), len(a.Outputs), len(b.Outputs))
	}
	pairs := map[*onnxio.Value]*onnxio.Value{}
	back := map[*onnxio.Value]*onnxio.Value{}
	type both struct{ a, b *onnxio.Value }
	var todo []both
	for i, v := range openInputs(a) {
		pairs[v], back[openInputs(b)[i]] = openInputs(b)[i], v
	}
	for i, v := range a.Outputs {
		todo = append(todo, both{v, b.Outputs[i]})
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at.a == nil || at.b == nil {
			if at.a != at.b {
				return "an input that one node has and the other lacks"
			}
			continue
		}
		if w, ok := pairs[at.a]; ok || back[at.b] != nil {
			if w != at.b || back[at.b] != at.a {
				return fmt.Sprintf("%q and %q are read in other places", at.a.Name, at.b.Name)
			}
			continue
		}
		pairs[at.a], back[at.b] = at.b, at.a
		x, y := at.a.Producer, at.b.Producer
		switch {
		case (at.a.Const != nil) != (at.b.Const != nil):
			return fmt.Sprintf("one of %q and %q is a constant", at.a.Name, at.b.Name)
		case at.a.Const != nil:
			if !slices.Equal(at.a.Const.Shape, at.b.Const.Shape) {
				return fmt.Sprintf("the constants %q and %q have the shapes %v and %v", at.a.Name, at.b.Name, at.a.Const.Shape, at.b.Const.Shape)
			}
			continue
		case x == nil || y == nil:
			return fmt.Sprintf("one of %q and %q is an input", at.a.Name, at.b.Name)
		case x.Op != y.Op || x.Domain != y.Domain || len(x.Inputs) != len(y.Inputs) || len(x.Outputs) != len(y.Outputs):
			return fmt.Sprintf("%s with %d inputs and %s with %d are in the same place", x.Op, len(x.Inputs), y.Op, len(y.Inputs))
		case slices.Index(x.Outputs, at.a) != slices.Index(y.Outputs, at.b):
			return fmt.Sprintf("%q and %q are other outputs of their nodes", at.a.Name, at.b.Name)
		}
		for i := range x.Inputs {
			todo = append(todo, both{x.Inputs[i], y.Inputs[i]})
		}
	}
	return ""
}
