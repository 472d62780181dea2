package infer

import (
	"fmt"

	"github.com/shallow-waters/shoal/onnxio"
)

// UnboundError is a size that neither the file nor Options.Dims gives.
type UnboundError struct {
	Input string
	Axis  int
	Dim   string // its name; "" where the file has none
}

func (e *UnboundError) Error() string {
	name := e.Dim
	if name == "" {
		name = fmt.Sprintf("%s:%d", e.Input, e.Axis)
	}
	return fmt.Sprintf("input %q: dimension %d (%s) has no size; bind it by name", e.Input, e.Axis, name)
}

// bind gives every graph input a static shape.
func bind(g *onnxio.Graph, o Options) error {
	batch := o.Batch
	if batch == 0 {
		batch = 1
	}
	if batch < 1 {
		return fmt.Errorf("batch size %d", batch)
	}
	named := map[string]int{}
	for k, v := range o.Dims {
		named[k] = v
	}
	for _, v := range g.Inputs {
		if v.Const != nil {
			continue
		}
		if v.Kind != "" {
			return &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q is no tensor but a %s, which shoal does not compute with", v.Name, v.Kind)}
		}
		// Half precision is computed in float32: the values are the same, the rounding between nodes is not.
		if v.DType.Half() {
			v.DType = onnxio.Float
		}
		if !v.DType.Held() {
			return &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q of type %v, which shoal does not hold", v.Name, v.DType)}
		}
		if !v.HasShape && len(v.Dims) == 0 {
			return fmt.Errorf("input %q declares no shape; export the model with one", v.Name)
		}
		v.Shape = make([]int, len(v.Dims))
		for i, d := range v.Dims {
			size, ok := named[d.Name]
			switch {
			case d.Known():
				size = d.Size
			case d.Name != "" && ok:
			case i == 0:
				size = batch
				if d.Name != "" {
					named[d.Name] = batch
				}
			default:
				return &UnboundError{Input: v.Name, Axis: i, Dim: d.Name}
			}
			if size < 0 || size > maxElements {
				return fmt.Errorf("input %q: dimension %d of size %d", v.Name, i, size)
			}
			v.Shape[i] = size
		}
		if _, err := elements(v.Shape); err != nil {
			return fmt.Errorf("input %q: %w", v.Name, err)
		}
	}
	return nil
}

// FixedBatch is the size that the file fixes for the first dimension of its inputs; 0 where it is free, or where the graph is none.
func FixedBatch(g *onnxio.Graph) int {
	if g.Check() != nil {
		return 0
	}
	for _, v := range g.Inputs {
		if v.Const == nil && len(v.Dims) > 0 {
			if !v.Dims[0].Known() {
				return 0
			}
			return v.Dims[0].Size
		}
	}
	return 1
}
