package prune

import (
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// zeroed is the file's graph with the slots that go set to zero in every value that a node computes (to its zero point, where the value is
// of quantised numbers): what the smaller graph must compute.
// It uses nothing of what makes a graph smaller: a Where after each node.
func (c *Coupling) zeroed(gone removal) *onnxio.Graph {
	out := c.file.Clone()
	fresh := namesOf(out).fresh
	opset := c.opset()
	type number struct {
		of onnxio.DType
		x  float64
	}
	zeros := map[number]*onnxio.Value{}
	var nodes []*onnxio.Node
	for i, n := range out.Nodes {
		nodes = append(nodes, n)
		for k, v := range n.Outputs {
			was := c.graph.Nodes[i].Outputs[k]
			if v == nil || was.Const != nil {
				continue
			}
			rest := 0.0
			switch {
			case was.DType == onnxio.Float || was.DType == onnxio.Double:
			case len(c.read[was]) > 0 && c.summing(was) != nil: // elsewhere integers reach their own slots only
				rest = c.rest(was)
			default:
				continue
			}
			for axis := range was.Shape {
				cut := gone[op.Axis{Value: was, Axis: axis}]
				if len(cut) == 0 {
					continue
				}
				raw := &onnxio.Value{Name: fresh(v.Name + "_whole"), DType: v.DType, Dims: slices.Clone(v.Dims), HasShape: v.HasShape}
				last := nodes[len(nodes)-1]
				last.Outputs = slices.Clone(last.Outputs)
				at := slices.Index(last.Outputs, v)
				if at < 0 { // another output of the node has been masked in between
					last, at = n, k
					last.Outputs = slices.Clone(last.Outputs)
				}
				last.Outputs[at], raw.Producer = raw, last
				w := &onnxio.Node{Name: fresh("zero_" + v.Name), Op: "Where", Opset: opset, Outputs: []*onnxio.Value{v}}
				shape := slices.Repeat([]int{1}, len(was.Shape))
				shape[axis] = was.Shape[axis]
				if mask := constant(fresh(v.Name+"_mask"), maskOf(was.DType, shape, cut, opset)); opset >= 9 {
					key := number{was.DType, rest}
					zero := zeros[key]
					if zero == nil {
						zero = constant(fresh("zero"), numberOf(was.DType, rest))
						zeros[key] = zero
					}
					w.Inputs = []*onnxio.Value{mask, zero, raw}
				} else {
					w.Op, w.Inputs = "Mul", []*onnxio.Value{mask, raw}
				}
				v.Producer = w
				nodes = append(nodes, w)
			}
		}
	}
	out.Nodes = nodes
	return out
}

// maskOf is true at the slots that go; before opset 9, which brought Where, factors that are zero there.
func maskOf(d onnxio.DType, shape, gone []int, opset int) *onnxio.Tensor {
	if opset >= 9 {
		mask := onnxio.NewTensor(onnxio.Bool, shape...)
		for _, s := range gone {
			mask.Data.([]bool)[s] = true
		}
		return mask
	}
	one := slices.Repeat([]float64{1}, onnxio.NumElements(shape))
	for _, s := range gone {
		one[s] = 0
	}
	if d == onnxio.Double {
		return onnxio.FromFloat64(one, shape...)
	}
	f := make([]float32, len(one))
	for i, x := range one {
		f[i] = float32(x)
	}
	return onnxio.FromFloat32(f, shape...)
}

// opset is the version of the standard's operators: the newest where the file has none of them.
func (c *Coupling) opset() int {
	for _, n := range c.file.Nodes {
		if n.Domain == "" {
			return n.Opset
		}
	}
	return op.MaxOpset
}

func constant(name string, t *onnxio.Tensor) *onnxio.Value {
	v := &onnxio.Value{Name: name, DType: t.DType, HasShape: true, Shape: slices.Clone(t.Shape), Const: t, Dims: []onnxio.Dim{}}
	for _, d := range t.Shape {
		v.Dims = append(v.Dims, onnxio.Dim{Size: d})
	}
	if v.Shape == nil {
		v.Shape = []int{}
	}
	return v
}
