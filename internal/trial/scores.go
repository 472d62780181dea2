package trial

import (
	"context"
	"slices"

	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// candidate is a value of the graph that may hold the scores.
type candidate struct {
	name   string        // of the file's output
	value  *onnxio.Value // the scores: the output, or what an ArgMax takes of which the output is the answer
	shape  []int         // with a batch of 1; nil where it is not known
	axis   int           // of the samples; NoAxis where a file for one sample has none
	dtype  onnxio.DType
	argmax bool
	zipped *onnxio.Node // the ZipMap that makes maps of the scores; nil where none does
}

// candidates are the outputs that may hold scores: real ones, and integers that are the ArgMax of real ones over the only axis of a sample. Other
// integers are labels, or something else, and no scores.
func candidates(ctx context.Context, g *onnxio.Graph) []candidate {
	var out []candidate
	for _, v := range g.Outputs {
		if c, ok := scoresBehind(ctx, g, v); ok {
			out = append(out, c)
		}
	}
	return out
}

func scoresBehind(ctx context.Context, g *onnxio.Graph, v *onnxio.Value) (candidate, bool) {
	if n := infer.Mapped(v); n != nil {
		c := newCandidate(ctx, g, v.Name, n.Inputs[0])
		c.zipped = n
		return c, c.dtype.IsFloat()
	}
	n := decider(v)
	if n == nil {
		c := newCandidate(ctx, g, v.Name, v)
		return c, c.dtype.IsFloat()
	}
	if n.Attrs.Int("select_last_index", 0) != 0 {
		return candidate{}, false
	}
	c := newCandidate(ctx, g, v.Name, n.Inputs[0])
	shape := c.shape
	axis := n.Attrs.Int("axis", 0)
	if axis < 0 {
		axis += len(shape)
	}
	if len(shape) < 2 || axis < 1 || axis >= len(shape) || shape[axis] != onnxio.NumElements(shape) { // of each pixel, say: no class of the sample
		return candidate{}, false
	}
	c.argmax = true
	return c, c.dtype.IsFloat()
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

// batchDim is the first dimension of a graph's first input.
func batchDim(g *onnxio.Graph) onnxio.Dim {
	for _, in := range g.Inputs {
		if in.Const == nil && len(in.Dims) > 0 {
			return in.Dims[0]
		}
	}
	return onnxio.Dim{Size: 1}
}

// grown is the only axis whose size a second sample doubles, the others being as they were; -1 where there is none.
func grown(one, two []int) int {
	axis := -1
	if len(one) != len(two) {
		return -1
	}
	for k := range one {
		switch {
		case one[k] == two[k]:
		case axis < 0 && two[k] == 2*one[k]:
			axis = k
		default:
			return -1
		}
	}
	return axis
}

// inferred is a graph's output with so many samples, or why it has none.
func inferred(ctx context.Context, g *onnxio.Graph, batch int) (*onnxio.Value, error) {
	one, err := infer.Prepare(ctx, g, infer.Options{Batch: batch})
	if err != nil {
		return nil, err
	}
	return one.Outputs[0], nil
}

// newCandidate reads a value's type and its shape with a batch of 1: as they are declared where that says all, else as inference has them. A first size
// other than 1 may be left over from the batch that a file was exported with, and one of another name may be several rows of each sample: they say nothing.
func newCandidate(ctx context.Context, g *onnxio.Graph, name string, v *onnxio.Value) candidate {
	c := candidate{name: name, value: v, dtype: v.DType}
	batch := batchDim(g)
	c.axis = max(0, axisNamed(v.Dims, func(name string) bool { return name == batch.Name && batch.Name != "" }))
	shape := make([]int, len(v.Dims))
	known := len(shape) > 0 && c.dtype != onnxio.Undefined
	for i, d := range v.Dims {
		if shape[i] = d.Size; i == c.axis && !d.Known() {
			shape[i] = 1
		}
		known = known && (i == c.axis && shape[i] == 1 || i != c.axis && d.Known())
	}
	told := known
	if known && batch.Name != "" && v.Dims[c.axis].Name != batch.Name {
		known = false
	}
	if known {
		c.shape = shape
		return c
	}
	part := g // which is made ready for whoever comes next, too
	if len(g.Outputs) != 1 || g.Outputs[0] != v {
		part = cut(g, v)
	}
	one, err := inferred(ctx, part, 1)
	if err != nil || one.Shape == nil {
		if told {
			c.shape = shape
		}
		return c
	}
	if told && slices.Equal(one.Shape, shape) { // as it was declared
		c.shape = shape
		return c
	}
	if c.axis == 0 && !batch.Known() {
		if two, err := inferred(ctx, part, 2); err == nil {
			c.axis = max(0, grown(one.Shape, two.Shape))
		}
	}
	c.shape = one.Shape
	if b := batch.Size; batch.Known() && c.axis == 0 && len(c.shape) > 0 && c.shape[0] != b {
		if c.axis = slices.Index(c.shape, b); c.axis < 0 && b != 1 {
			c.axis = 0
		}
	}
	if b := infer.FixedBatch(g); b > 1 && c.axis >= 0 && c.axis < len(c.shape) && c.shape[c.axis] == b {
		c.shape = slices.Clone(c.shape)
		c.shape[c.axis] = 1
	}
	if c.dtype == onnxio.Undefined {
		c.dtype = one.DType
	}
	return c
}

// cut is the graph of one value: the nodes and inputs that it needs, and no others.
func cut(g *onnxio.Graph, v *onnxio.Value) *onnxio.Graph {
	named := map[string]*onnxio.Value{}
	for _, v := range g.Inputs {
		named[v.Name] = v
	}
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil {
				named[v.Name] = v
			}
		}
	}
	needed := map[*onnxio.Value]bool{v: true}
	out := &onnxio.Graph{Name: g.Name, Outputs: []*onnxio.Value{v}}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		if !slices.ContainsFunc(n.Outputs, func(v *onnxio.Value) bool { return v != nil && needed[v] }) {
			continue
		}
		out.Nodes = append(out.Nodes, n)
		for _, in := range n.Inputs {
			needed[in] = true
		}
		inBranches(n, func(name string) { needed[named[name]] = true })
	}
	slices.Reverse(out.Nodes)
	for _, in := range g.Inputs {
		if needed[in] {
			out.Inputs = append(out.Inputs, in)
		}
	}
	return out.Clone()
}

// inBranches gives the names that a node's subgraphs read or hand out, of which some are of the graph around.
func inBranches(n *onnxio.Node, see func(name string)) {
	for _, a := range n.Attrs {
		g, ok := a.(*onnxio.Graph)
		if !ok {
			continue
		}
		for _, v := range g.Outputs {
			see(v.Name)
		}
		for _, n := range g.Nodes {
			for _, v := range n.Inputs {
				if v != nil {
					see(v.Name)
				}
			}
			inBranches(n, see)
		}
	}
}
