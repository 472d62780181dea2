package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// View is for whom a model is arranged: what becomes of the inputs that are not asked about.
type View int

const (
	// Fed is for running: inputs with a value for each sample stay inputs, the others are constants.
	Fed View = iota
	// Proven is for bounds: held reals stay inputs, whose range is one number, so that what is computed of them is bounded as everything else is and not
	// folded; held whole numbers are constants.
	Proven
	// Searched is for attacks: all but the input asked about are constants.
	Searched
)

// moved stands behind the name of an input that a branch knows by its own.
const moved = "/samples"

// Model is the model arranged for sample i of the set: the input asked about comes first, samples lie along the first axis of every input, and what a
// view does not leave an input is a constant. It is the file's own where nothing had to be done.
func (in *Inputs) Model(ctx context.Context, v View, i int) (*onnxio.Model, error) {
	a := arrangement{in: in, view: v, sample: i, graph: in.file.Graph.Clone(), taken: map[string]bool{}}
	if err := a.all(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !a.changed {
		return in.file, nil
	}
	if err := infused(a.graph); err != nil {
		return nil, err
	}
	m, err := onnxio.NewModel(a.graph, "shoal")
	if err != nil {
		return nil, fmt.Errorf("%s with its inputs arranged: %w", in.file.Path, err)
	}
	m.Path, m.SHA256 = in.file.Path, in.file.SHA256
	return m, nil
}

// arrangement is a graph that is being arranged.
type arrangement struct {
	in      *Inputs
	view    View
	sample  int
	graph   *onnxio.Graph
	taken   map[string]bool // names of the graph
	changed bool
	whole   bool // an input that stays one has the same value for all samples
	opset   int
	front   []*onnxio.Node
	batch   *onnxio.Value // the batch, as an integer of shape [1]
}

func (a *arrangement) all() error {
	for _, n := range a.graph.Nodes {
		if n.Domain == "" {
			a.opset = n.Opset
		}
		for _, v := range append(slices.Clone(n.Outputs), n.Inputs...) {
			if v != nil {
				a.taken[v.Name] = true
			}
		}
	}
	values := map[string]*onnxio.Value{}
	var constants []*onnxio.Value
	for _, v := range a.graph.Inputs {
		if values[v.Name] = v; v.Const != nil {
			constants = append(constants, v)
		}
	}
	order := []int{a.in.asked}
	for i := range a.in.all {
		if i != a.in.asked {
			order = append(order, i)
		}
	}
	a.changed = a.in.asked > 0
	a.graph.Inputs = nil
	for _, i := range order {
		x := &a.in.all[i]
		v := values[x.name]
		if !slices.Equal(v.Dims, x.dims) { // sizes that the data has
			v.Dims, v.HasShape, a.changed = slices.Clone(x.dims), true, true
		}
		kept, err := a.place(x, v, i == a.in.asked)
		if err != nil {
			return err
		}
		if kept != nil {
			a.graph.Inputs = append(a.graph.Inputs, kept)
		}
	}
	if a.view == Proven && a.whole && len(a.graph.Inputs) > 0 && len(a.graph.Inputs[0].Dims) > 0 {
		a.graph.Inputs[0].Dims[0] = onnxio.Dim{Size: 1} // one value for all samples is one for each of a batch only where that is 1
	}
	a.graph.Inputs = append(a.graph.Inputs, constants...)
	a.graph.Nodes = append(a.front, a.graph.Nodes...)
	return nil
}

// place gives an input its place; the result is what stands among the inputs.
func (a *arrangement) place(x *inlet, v *onnxio.Value, asked bool) (*onnxio.Value, error) {
	known := x.value != "" || x.array != nil
	free := !known // nothing says a value: whoever runs the model does
	switch {
	case asked || free && !x.hold:
		return a.turned(x, v, asked)
	case a.view == Fed && x.each:
		if x.axis == NoAxis {
			return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("input %s has one value for all samples of a batch, and the data one for each (--batch-axis %s=N says along which axis they lie)", x.form(), x.name)}
		}
		return a.turned(x, v, false)
	case a.view == Proven && x.dtype.IsFloat():
		return a.turned(x, v, false)
	}
	return a.fixed(x, v)
}

// turned is an input with the samples along its first axis.
func (a *arrangement) turned(x *inlet, v *onnxio.Value, asked bool) (*onnxio.Value, error) {
	if x.axis == 0 || x.axis == NoAxis && !asked && a.view == Fed {
		if asked {
			a.batchOf(v)
		}
		return v, nil
	}
	a.whole = a.whole || x.axis == NoAxis && !asked
	if x.axis == NoAxis && len(x.open()) > 0 {
		return nil, unclear("--dim gives it a size", "input %s has no axis of samples, and a dimension without a size", x.form())
	}
	a.changed = true
	in := &onnxio.Value{Name: v.Name, DType: v.DType, HasShape: true}
	if x.captured {
		in.Name += moved
	} else {
		v.Name = a.name(v.Name + "/arranged")
	}
	n := &onnxio.Node{Name: a.name("shoal_arrange/" + in.Name), Outputs: []*onnxio.Value{v}, Opset: a.opset}
	if x.axis == NoAxis {
		shape := make([]int64, len(x.dims))
		for k, d := range x.dims {
			shape[k] = int64(d.Size)
		}
		in.Dims = append([]onnxio.Dim{{Size: 1}}, x.dims...)
		n.Op, n.Inputs = "Reshape", []*onnxio.Value{in, a.integers(shape...)}
	} else {
		in.Dims = append([]onnxio.Dim{x.dims[x.axis]}, slices.Delete(slices.Clone(x.dims), x.axis, x.axis+1)...)
		perm := make([]int64, len(x.dims))
		for k := range perm {
			switch {
			case k < x.axis:
				perm[k] = int64(k + 1)
			case k > x.axis:
				perm[k] = int64(k)
			}
		}
		n.Op, n.Inputs, n.Attrs = "Transpose", []*onnxio.Value{in}, onnxio.Attrs{"perm": perm}
	}
	v.Producer, v.HasShape, v.Dims = n, false, nil
	a.front = append(a.front, n)
	if asked {
		a.batchOf(in)
	}
	return in, nil
}

// batchOf notes the input whose first dimension is the batch.
func (a *arrangement) batchOf(v *onnxio.Value) { a.batch = v }

// fixed makes an input a constant. The result is nil, or the input where a branch knows it by its name.
func (a *arrangement) fixed(x *inlet, v *onnxio.Value) (*onnxio.Value, error) {
	a.changed = true
	t, err := a.in.heldAt(x, a.sample)
	if err != nil {
		return nil, err
	}
	if x.axis >= 0 && !x.dims[x.axis].Known() && a.batch != nil && len(a.batch.Dims) > 0 && !a.batch.Dims[0].Known() {
		if a.opset < 8 {
			return nil, &onnxio.UnsupportedError{Why: fmt.Sprintf("opset %d; shoal convert --opset 13 makes a file of it whose inputs can be held", a.opset)}
		}
		one := a.constant(x.name+"/held", t)
		size := a.node("Shape", nil, a.batch)
		size = a.node("Gather", onnxio.Attrs{"axis": int64(0)}, size, a.integers(0))
		var parts []*onnxio.Value
		for k := range x.dims {
			if k == x.axis {
				parts = append(parts, size)
			} else {
				parts = append(parts, a.integers(int64(t.Shape[k])))
			}
		}
		target := a.node("Concat", onnxio.Attrs{"axis": int64(0)}, parts...)
		n := &onnxio.Node{Name: a.name("shoal_hold/" + x.name), Op: "Expand", Inputs: []*onnxio.Value{one, target}, Outputs: []*onnxio.Value{v},
			Opset: a.opset}
		v.Producer, v.HasShape, v.Dims = n, false, nil
		a.front = append(a.front, n)
		return nil, nil
	}
	v.Const, v.Shape, v.DType = t, t.Shape, t.DType
	v.HasShape, v.Dims = true, nil
	for _, d := range t.Shape {
		v.Dims = append(v.Dims, onnxio.Dim{Size: d})
	}
	if x.captured {
		return v, nil
	}
	return nil, nil
}

func (a *arrangement) name(want string) string {
	name := want
	for k := 2; a.taken[name]; k++ {
		name = fmt.Sprintf("%s_%d", want, k)
	}
	a.taken[name] = true
	return name
}

func (a *arrangement) constant(name string, t *onnxio.Tensor) *onnxio.Value {
	return &onnxio.Value{Name: a.name(name), DType: t.DType, Const: t, Shape: t.Shape}
}

func (a *arrangement) integers(v ...int64) *onnxio.Value {
	return a.constant("shoal_size", onnxio.FromInt64(v, len(v)))
}

func (a *arrangement) node(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	n := &onnxio.Node{Name: a.name("shoal_hold"), Op: op, Inputs: in, Attrs: attrs, Opset: a.opset}
	v := &onnxio.Value{Name: n.Name + "/out", DType: onnxio.Int64, Producer: n}
	n.Outputs = []*onnxio.Value{v}
	a.front = append(a.front, n)
	return v
}

// infused is an error where an arranged graph has nodes of no opset, which only a graph without any has.
func infused(g *onnxio.Graph) error {
	for _, n := range g.Nodes {
		if n.Domain == "" && n.Opset == 0 {
			return &onnxio.UnsupportedError{Why: "the graph has no node of the standard's operators, and no opset to arrange its inputs in"}
		}
	}
	return nil
}

// of is the input that a port of an arranged model belongs to.
func (in *Inputs) of(port engine.Port) *inlet {
	if x := in.find(port.Name); x != nil {
		return x
	}
	return in.find(strings.TrimSuffix(port.Name, moved))
}
