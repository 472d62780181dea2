package verify

import (
	"context"
	"fmt"
	"slices"

	graphs "github.com/shallow-waters/shoal/internal/join"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// NetworkOf is the network that a query's property is about (FromVNNLIB): the model itself where that is enough, and else one graph of all networks.
// Its inputs are those that vary freely, once where several are equal; its outputs are each network's hidden nodes and outputs, and copies of the
// inputs that comparisons speak of. models has one for each of q.Networks; that of an equal-to may be nil. For a query of VNN-LIB 1.0 it is the one
// model.
//
// Sizes that a model leaves open become those of the declarations. An error names what does not fit: shapes, element types (Real fits all), networks
// that are not isomorphic, hidden nodes that are not there.
//
// Over the real numbers, nodes that compute alike from the same values are one. Of float32 executions that is said only of one node of one model: two
// files, and two nodes, may be summed in two orders.
func NetworkOf(ctx context.Context, q *vnnlib.Query, models []*onnxio.Model, o Options) (*onnxio.Model, error) {
	switch {
	case q == nil:
		return nil, fmt.Errorf("%w: there is no query", ErrInput)
	case len(models) != max(1, len(q.Networks)):
		return nil, fmt.Errorf("%w: %d models for a query of %d networks", ErrInput, len(models), max(1, len(q.Networks)))
	case len(q.Networks) == 0:
		return models[0], nil
	}
	var parts []*part
	for k, n := range q.Networks {
		p := &part{net: n, model: models[k], scope: k}
		for i, other := range q.Networks[:k] {
			switch other.Name {
			case n.EqualTo:
				p.scope = parts[i].scope
				if p.model != nil && p.model.SHA256 != parts[i].model.SHA256 {
					return nil, fmt.Errorf("%w: network %s is equal to %s, and its model is another", ErrInput, n.Name, other.Name)
				}
				p.model = parts[i].model
			case n.IsomorphicTo:
				if p.model == nil {
					break
				}
				if why := unlike(parts[i].model.Graph, p.model.Graph); why != "" {
					return nil, fmt.Errorf("%w: network %s is not isomorphic to %s: %s", ErrInput, n.Name, other.Name, why)
				}
			}
		}
		if p.model == nil || p.model.Graph == nil {
			return nil, fmt.Errorf("%w: there is no model for network %s", ErrInput, n.Name)
		}
		if err := p.fit(); err != nil {
			return nil, fmt.Errorf("%w: network %s: %w", ErrInput, n.Name, err)
		}
		var err error
		if p.ready, err = infer.Prepare(ctx, p.graph, infer.Options{Batch: 1, Reading: o.Reading, Steps: true}); err != nil {
			return nil, fmt.Errorf("network %s: %w", n.Name, err)
		}
		if err := p.shapes(); err != nil {
			return nil, fmt.Errorf("%w: network %s: %w", ErrInput, n.Name, err)
		}
		parts = append(parts, p)
	}
	if len(parts) == 1 && q.Shared == nil && len(q.Copies) == 0 && len(parts[0].net.Hidden) == 0 {
		m := *parts[0].model
		m.Graph = parts[0].graph
		return &m, nil
	}
	j := &joining{Joined: graphs.New("query"), q: q, parts: parts, opset: opsetOf(parts[0].ready)}
	if err := j.inputs(); err != nil {
		return nil, err
	}
	for _, p := range parts {
		scope := ""
		if o.Semantics == Float32 {
			scope = fmt.Sprint("model", p.scope)
		}
		outs, err := j.Add(scope, p.ready, p.given)
		if err != nil {
			return nil, fmt.Errorf("network %s: %w", p.net.Name, err)
		}
		n := len(p.net.Outputs) // behind them stand the hidden nodes, and the query has these first
		j.Graph.Outputs = append(append(j.Graph.Outputs, outs[n:]...), outs[:n]...)
	}
	if len(q.Copies) > 0 {
		if err := j.copies(); err != nil {
			return nil, err
		}
	}
	return &onnxio.Model{Path: parts[0].model.Path, Graph: j.Graph}, nil
}

// part is one of a query's networks.
type part struct {
	net   vnnlib.Network
	model *onnxio.Model
	scope int // of the network whose model it is
	graph *onnxio.Graph
	ready *onnxio.Graph
	given map[*onnxio.Value]*onnxio.Value
}

// varying are the declared inputs that the query gives values.
func (p *part) varying() []vnnlib.Variable {
	var out []vnnlib.Variable
	for _, v := range p.net.Inputs {
		if !v.Initialized {
			out = append(out, v)
		}
	}
	return out
}

func openInputs(g *onnxio.Graph) []*onnxio.Value {
	var out []*onnxio.Value
	for _, v := range g.Inputs {
		if v.Const == nil {
			out = append(out, v)
		}
	}
	return out
}

// fit binds the model's sizes to the declarations' and makes hidden nodes outputs, in a copy of its graph.
func (p *part) fit() error {
	g := p.model.Graph.Clone()
	p.graph = g
	declared, values := p.net.Inputs, g.Inputs
	open := openInputs(g)
	if len(p.varying()) == len(declared) {
		values = open
	}
	if len(values) != len(declared) {
		return fmt.Errorf("%d inputs are declared, and the model has %d", len(declared), len(values))
	}
	if len(p.net.Outputs) != len(g.Outputs) {
		return fmt.Errorf("%d outputs are declared, and the model has %d", len(p.net.Outputs), len(g.Outputs))
	}
	named := map[string]int{}
	for i, d := range declared {
		v := values[i]
		if d.Initialized != (v.Const != nil) {
			return fmt.Errorf("input %s: the model's %q has a value of its own: %v; initialized says so: %v", d.Name, v.Name, v.Const != nil, d.Initialized)
		}
		if err := fits(d, v); err != nil {
			return err
		}
		if !v.HasShape && v.Const == nil {
			v.Dims, v.HasShape = make([]onnxio.Dim, len(d.Shape)), true
			for k := range v.Dims {
				v.Dims[k].Size = -1
			}
		}
		if v.Const != nil {
			if !slices.Equal(v.Const.Shape, d.Shape) {
				return fmt.Errorf("input %s is declared with shape %v, and the model's %q has %v", d.Name, d.Dims(), v.Name, v.Const.Shape)
			}
			continue
		}
		if len(v.Dims) != len(d.Shape) {
			return fmt.Errorf("input %s is declared with shape %v, and the model's %q has %d dimensions", d.Name, d.Dims(), v.Name, len(v.Dims))
		}
		for k, have := range v.Dims {
			want := d.Shape[k]
			bound, seen := named[have.Name]
			switch {
			case have.Known() && have.Size != want:
				return fmt.Errorf("input %s is declared with shape %v, and dimension %d of the model's %q is %d", d.Name, d.Dims(), k, v.Name, have.Size)
			case have.Name != "" && seen && bound != want:
				return fmt.Errorf("input %s is declared with shape %v, and dimension %d (%s) was %d before", d.Name, d.Dims(), k, have.Name, bound)
			case have.Name != "":
				named[have.Name] = want
			}
			v.Dims[k] = onnxio.Dim{Size: want}
		}
	}
	for i, d := range p.net.Outputs {
		y := g.Outputs[i]
		for k, have := range y.Dims {
			if n, ok := named[have.Name]; ok && have.Name != "" {
				y.Dims[k] = onnxio.Dim{Size: n}
			}
		}
		if err := fits(d, y); err != nil {
			return err
		}
	}
	for _, d := range p.net.Hidden {
		v := hidden(g, d.Node)
		if v == nil {
			return fmt.Errorf("hidden node %s: nothing in the model has the name %q", d.Name, d.Node)
		}
		g.Outputs = append(g.Outputs, v)
	}
	return nil
}

// fits compares element types. Real fits any of numbers.
func fits(d vnnlib.Variable, v *onnxio.Value) error {
	if d.Type != vnnlib.Real && v.DType != onnxio.Undefined && string(d.Type) != v.DType.String() {
		return fmt.Errorf("%s is declared as %s, and the model's %q is of type %v", d.Name, d.Type, v.Name, v.DType)
	}
	return nil
}

// hidden finds a node's output by its name, or by that of a node with one output.
func hidden(g *onnxio.Graph, name string) *onnxio.Value {
	for _, n := range g.Nodes {
		for _, v := range n.Outputs {
			if v != nil && v.Name == name {
				return v
			}
		}
	}
	for _, n := range g.Nodes {
		if n.Name == name && name != "" && len(n.Outputs) == 1 {
			return n.Outputs[0]
		}
	}
	return nil
}

// shapes compares what the prepared model gives with the declarations.
func (p *part) shapes() error {
	for i, d := range append(slices.Clone(p.net.Outputs), p.net.Hidden...) {
		v := p.ready.Outputs[i]
		shape := v.Shape
		if v.Const != nil {
			shape = v.Const.Shape
		}
		if !slices.Equal(shape, d.Shape) {
			return fmt.Errorf("%s is declared with shape %v, and the model's %q has %v", d.Name, d.Dims(), v.Name, shape)
		}
		if d.Node != "" {
			if err := fits(d, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func opsetOf(g *onnxio.Graph) int {
	const least = 13 // for graphs without a node of the standard's
	for _, n := range g.Nodes {
		if n.Domain == "" {
			return n.Opset
		}
	}
	return least
}

// joining puts the parts into one graph.
type joining struct {
	*graphs.Joined
	q     *vnnlib.Query
	parts []*part
	opset int
	all   *onnxio.Value // all inputs that vary freely, [1, n], where something reads single elements
}

// tensor is a declared input with the number of its first element in the query.
type tensor struct {
	value *onnxio.Value
	first int
	part  *part
}

// inputs makes the graph's inputs and what each network is given. Where tensors are equal as wholes, or not at all, the networks' own inputs stay;
// else one vector has all that varies, and each tensor is gathered from it.
func (j *joining) inputs() error {
	var tensors []tensor
	first := 0
	for _, p := range j.parts {
		p.given = map[*onnxio.Value]*onnxio.Value{}
		for _, v := range openInputs(p.ready) {
			if !v.DType.IsFloat() {
				return &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q of type %v in a query of several networks, hidden nodes or relations", v.Name, v.DType)}
			}
			if v.DType != openInputs(j.parts[0].ready)[0].DType {
				return &onnxio.UnsupportedError{Why: fmt.Sprintf("input %q of type %v beside others of %v", v.Name, v.DType,
					openInputs(j.parts[0].ready)[0].DType)}
			}
			tensors = append(tensors, tensor{v, first, p})
			first += onnxio.NumElements(v.Shape)
		}
	}
	if j.whole(tensors) {
		made := map[int]*onnxio.Value{}
		for _, t := range tensors {
			at := j.q.Same(t.first)
			if made[at] == nil {
				made[at] = j.Input(t.value)
			}
			t.part.given[t.value] = made[at]
		}
		return nil
	}
	free := j.q.Free()
	place := map[int]int{}
	for k, i := range free {
		place[i] = k
	}
	shape := []int{1, len(free)}
	z := &onnxio.Value{Name: "inputs", DType: tensors[0].value.DType, Shape: shape, HasShape: true, Dims: []onnxio.Dim{{Size: 1}, {Size: len(free)}}}
	j.all = j.Input(z)
	for _, t := range tensors {
		var at []int
		for i := range onnxio.NumElements(t.value.Shape) {
			at = append(at, place[j.q.Same(t.first+i)])
		}
		v, err := j.pick(at, t.value.Shape)
		if err != nil {
			return err
		}
		t.part.given[t.value] = v
	}
	return nil
}

// whole tells whether each tensor is free, or equal to another one of the same shape, element by element.
func (j *joining) whole(tensors []tensor) bool {
	shapes := map[int][]int{}
	for _, t := range tensors {
		shapes[t.first] = t.value.Shape
	}
	for _, t := range tensors {
		of := j.q.Same(t.first)
		if shape, ok := shapes[of]; !ok || !slices.Equal(shape, t.value.Shape) {
			return false
		}
		for i := range onnxio.NumElements(t.value.Shape) {
			if j.q.Same(t.first+i) != of+i {
				return false
			}
		}
	}
	return true
}

func ints(values ...int) *onnxio.Value {
	data := make([]int64, len(values))
	for i, v := range values {
		data[i] = int64(v)
	}
	return &onnxio.Value{Name: "constant", DType: onnxio.Int64, Shape: []int{len(values)}, HasShape: true, Dims: []onnxio.Dim{{Size: len(values)}},
		Const: onnxio.FromInt64(data, len(values))}
}

// pick gathers elements of the vector of all inputs.
func (j *joining) pick(at, shape []int) (*onnxio.Value, error) {
	v, err := j.Step("Gather", j.opset, onnxio.Attrs{"axis": int64(1)}, j.all.DType, []int{1, len(at)}, j.all, ints(at...))
	if err != nil {
		return nil, err
	}
	return j.Step("Reshape", j.opset, nil, v.DType, shape, v, ints(shape...))
}

// copies puts the inputs that comparisons speak of behind the outputs.
func (j *joining) copies() error {
	if j.all == nil {
		var flat []*onnxio.Value
		total := 0
		for _, v := range j.Graph.Inputs {
			n := onnxio.NumElements(v.Shape)
			f, err := j.Step("Reshape", j.opset, nil, v.DType, []int{1, n}, v, ints(1, n))
			if err != nil {
				return err
			}
			flat, total = append(flat, f), total+n
		}
		j.all = flat[0]
		if len(flat) > 1 {
			var err error
			if j.all, err = j.Step("Concat", j.opset, onnxio.Attrs{"axis": int64(1)}, flat[0].DType, []int{1, total}, flat...); err != nil {
				return err
			}
		}
	}
	place := map[int]int{}
	for k, i := range j.q.Free() {
		place[i] = k
	}
	var at []int
	for _, i := range j.q.Copies {
		at = append(at, place[i])
	}
	v, err := j.pick(at, []int{1, len(at)})
	if err != nil {
		return err
	}
	j.Graph.Outputs = append(j.Graph.Outputs, v)
	return nil
}
