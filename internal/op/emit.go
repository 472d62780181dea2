package op

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio"
)

// Emitter makes nodes of standard operators, for gradients and losses. Its methods infer the shapes of what they make, fold what is
// constant, and write each operator in the form of the graph's opset.
//
// The first error sticks: later calls do nothing and return their first argument, so that formulas can be written without checks. Err
// tells it.
type Emitter struct {
	Opset int
	Nodes []*onnxio.Node
	Err   error
	// Portable avoids what GPU providers lack, at some cost elsewhere.
	Portable bool
	// Straight lets derivatives pass roundings (Round, Floor, Ceil, Sign) as if they were not there.
	Straight bool
	// Stuck are the nodes at which Backward found that no derivative goes on.
	Stuck []*onnxio.Node

	table  *Table
	taken  map[string]bool
	prefix string
	count  int
	varies map[*onnxio.Value]bool // what depends on the inputs of the gradient at hand
	work   Workspace
	ctx    context.Context // of the call that the emitter serves
	room   *budget.Budget
}

// NewEmitter makes an emitter of a table's operators for a graph: names begin with prefix and are none of the graph's. It makes nothing more once the
// context has ended, and nothing that the context's budget of memory has no room for.
func NewEmitter(ctx context.Context, t *Table, g *onnxio.Graph, prefix string) *Emitter {
	e := &Emitter{table: t, ctx: ctx, room: budget.Of(ctx), Opset: MaxOpset, taken: map[string]bool{}, prefix: prefix}
	take := func(vs []*onnxio.Value) {
		for _, v := range vs {
			if v != nil {
				e.taken[v.Name] = true
			}
		}
	}
	take(g.Inputs)
	take(g.Outputs)
	for _, n := range g.Nodes {
		take(n.Inputs)
		take(n.Outputs)
		e.taken[n.Name] = true
		if n.Domain == "" {
			e.Opset = n.Opset
		}
	}
	return e
}

// Name makes an unused name.
func (e *Emitter) Name(what string) string {
	for {
		e.count++
		s := fmt.Sprintf("%s%s_%d", e.prefix, what, e.count)
		if !e.taken[s] {
			e.taken[s] = true
			return s
		}
	}
}

// Fail keeps the first error.
func (e *Emitter) Fail(err error) {
	if e.Err == nil {
		e.Err = err
	}
}

// Fits asks for a number of elements, each of at most eight bytes, before they are made.
func (e *Emitter) Fits(what string, elements float64) bool {
	if e.Err == nil {
		e.Fail(e.ctx.Err())
	}
	if e.Err == nil {
		e.Fail(e.room.Ask(what, int64(min(8*elements, 1<<62))))
	}
	return e.Err == nil
}

// elementsOf is the number of a shape's elements, without overflow.
func elementsOf(shape []int) float64 {
	n := 1.0
	for _, d := range shape {
		n *= float64(d)
	}
	return n
}

// Need refuses what an operator of a later opset would be needed for.
func (e *Emitter) Need(opset int, what string) {
	if e.Opset < opset {
		e.Fail(fmt.Errorf("%s needs opset %d and the model has %d; raise it with shoal convert --opset %d", what, opset, e.Opset, max(opset, 13)))
	}
}

// Op makes a node with one output, or the constant that it computes.
func (e *Emitter) Op(op string, attrs onnxio.Attrs, in ...*onnxio.Value) *onnxio.Value {
	return e.Outputs(op, 1, attrs, in...)[0]
}

// Outputs makes a node with several outputs.
func (e *Emitter) Outputs(op string, outputs int, attrs onnxio.Attrs, in ...*onnxio.Value) []*onnxio.Value {
	none := make([]*onnxio.Value, outputs)
	if len(in) > 0 {
		none[0] = in[0]
	}
	if e.Err != nil {
		return none
	}
	n := &onnxio.Node{Name: e.Name(op), Op: op, Inputs: in, Attrs: attrs, Opset: e.Opset}
	if n.Attrs == nil {
		n.Attrs = onnxio.Attrs{}
	}
	def, err := e.table.Lookup(n)
	if err != nil {
		e.Fail(err)
		return none
	}
	if def.Since > e.Opset {
		e.Need(def.Since, "operator "+op)
		return none
	}
	if def.Apart(n) {
		made := def.parts(e, n)
		if e.Err != nil || len(made) < outputs {
			e.Fail(Refuse(n, "it has no %d outputs", outputs))
			return none
		}
		return made
	}
	types, err := def.Shape(n)
	if err != nil {
		e.Fail(&onnxio.NodeError{Node: n.Name, Op: op, Err: err})
		return none
	}
	for i := range outputs {
		if !e.Fits(op, elementsOf(types[i].Shape)) {
			return none
		}
	}
	out := make([]*onnxio.Value, outputs)
	constant := def.Eval != nil
	for _, v := range in {
		constant = constant && (v == nil || v.Const != nil)
	}
	for i := range out {
		out[i] = &onnxio.Value{Name: n.Name + "_out", DType: types[i].DType, Shape: types[i].Shape, Producer: n}
		if i > 0 {
			out[i].Name = e.Name(op + "_out")
		}
	}
	n.Outputs = out
	if constant {
		if err := e.fold(n, def); err != nil {
			e.Fail(&onnxio.NodeError{Node: n.Name, Op: op, Err: err})
			return none
		}
		return out
	}
	e.Nodes = append(e.Nodes, n)
	return out
}

func (e *Emitter) fold(n *onnxio.Node, def *Def) error {
	c := &Call{Node: n, Work: &e.work}
	for _, v := range n.Inputs {
		if v == nil {
			c.In = append(c.In, nil)
			continue
		}
		c.In = append(c.In, v.Const)
	}
	for _, v := range n.Outputs {
		c.Out = append(c.Out, onnxio.NewTensor(v.DType, v.Shape...))
	}
	if err := def.Eval(c); err != nil {
		return err
	}
	for i, v := range n.Outputs {
		v.Const, v.Producer = c.Out[i], nil
	}
	return nil
}

// Const makes a constant of a tensor.
func (e *Emitter) Const(t *onnxio.Tensor) *onnxio.Value {
	return &onnxio.Value{Name: e.Name("const"), DType: t.DType, Shape: slices.Clone(t.Shape), Const: t}
}

// Reals makes a constant of like's type.
func (e *Emitter) Reals(like *onnxio.Value, data []float64, shape ...int) *onnxio.Value {
	if like == nil {
		e.Fail(fmt.Errorf("an input is missing"))
		return nil
	}
	if like.DType == onnxio.Double {
		return e.Const(onnxio.FromFloat64(data, shape...))
	}
	f := make([]float32, len(data))
	for i, x := range data {
		f[i] = float32(x)
	}
	return e.Const(onnxio.FromFloat32(f, shape...))
}

// Scalar makes a constant of like's type and no axes.
func (e *Emitter) Scalar(like *onnxio.Value, c float64) *onnxio.Value {
	return e.Reals(like, []float64{c})
}

// Ints makes a constant list of int64.
func (e *Emitter) Ints(data ...int) *onnxio.Value {
	d := make([]int64, len(data))
	for i, x := range data {
		d[i] = int64(x)
	}
	return e.Const(onnxio.FromInt64(d, len(d)))
}

func Ints64(s []int) []int64 {
	out := make([]int64, len(s))
	for i, x := range s {
		out[i] = int64(x)
	}
	return out
}

// Arithmetic, with broadcasting.

func (e *Emitter) Add(a, b *onnxio.Value) *onnxio.Value { return e.Op("Add", nil, a, b) }
func (e *Emitter) Sub(a, b *onnxio.Value) *onnxio.Value { return e.Op("Sub", nil, a, b) }
func (e *Emitter) Mul(a, b *onnxio.Value) *onnxio.Value { return e.Op("Mul", nil, a, b) }
func (e *Emitter) Div(a, b *onnxio.Value) *onnxio.Value { return e.Op("Div", nil, a, b) }
func (e *Emitter) Neg(a *onnxio.Value) *onnxio.Value    { return e.Op("Neg", nil, a) }

// AddC and MulC take a number on the right.
func (e *Emitter) AddC(a *onnxio.Value, c float64) *onnxio.Value { return e.Add(a, e.Scalar(a, c)) }
func (e *Emitter) MulC(a *onnxio.Value, c float64) *onnxio.Value { return e.Mul(a, e.Scalar(a, c)) }

// Greater is a > b as bool; GreaterC compares with a number.
func (e *Emitter) Greater(a, b *onnxio.Value) *onnxio.Value { return e.Op("Greater", nil, a, b) }
func (e *Emitter) GreaterC(a *onnxio.Value, c float64) *onnxio.Value {
	return e.Greater(a, e.Scalar(a, c))
}

// Where chooses a where the condition holds, else b. Before opset 9 it is written as a sum, so that a and b must be finite there.
func (e *Emitter) Where(cond, a, b *onnxio.Value) *onnxio.Value {
	if e.Opset >= 9 {
		return e.Op("Where", nil, cond, a, b)
	}
	m := e.Mask(cond, a)
	return e.Add(e.Mul(m, a), e.Mul(e.Sub(e.Scalar(a, 1), m), b))
}

// Mask is 1 where the condition holds, else 0, in like's type.
func (e *Emitter) Mask(cond, like *onnxio.Value) *onnxio.Value {
	return e.Op("Cast", onnxio.Attrs{"to": int64(like.DType)}, cond)
}

// Reshape gives a value another shape of as many elements.
func (e *Emitter) Reshape(v *onnxio.Value, shape ...int) *onnxio.Value {
	if e.Err != nil || slices.Equal(v.Shape, shape) {
		return v
	}
	return e.Op("Reshape", nil, v, e.Ints(shape...))
}

// Transpose puts the axes into the order perm.
func (e *Emitter) Transpose(v *onnxio.Value, perm ...int) *onnxio.Value {
	if e.Err != nil {
		return v
	}
	still := true
	for i, p := range perm {
		still = still && i == p
	}
	if still {
		return v
	}
	return e.Op("Transpose", onnxio.Attrs{"perm": Ints64(perm)}, v)
}

// ReduceSum sums over axes and keeps them with size 1.
func (e *Emitter) ReduceSum(v *onnxio.Value, axes ...int) *onnxio.Value {
	if e.Err != nil || len(axes) == 0 {
		return v
	}
	if e.Opset < 13 {
		return e.Op("ReduceSum", onnxio.Attrs{"axes": Ints64(axes), "keepdims": int64(1)}, v)
	}
	return e.Op("ReduceSum", onnxio.Attrs{"keepdims": int64(1)}, v, e.Ints(axes...))
}

// ReduceMax is the maximum over axes, which stay with size 1.
func (e *Emitter) ReduceMax(v *onnxio.Value, axes ...int) *onnxio.Value {
	if e.Opset < 18 {
		return e.Op("ReduceMax", onnxio.Attrs{"axes": Ints64(axes), "keepdims": int64(1)}, v)
	}
	return e.Op("ReduceMax", onnxio.Attrs{"keepdims": int64(1)}, v, e.Ints(axes...))
}

// Pad adds zeros before and after each axis.
func (e *Emitter) Pad(v *onnxio.Value, before, after []int) *onnxio.Value {
	if e.Err != nil {
		return v
	}
	pads := append(slices.Clone(before), after...)
	if !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		return v
	}
	if e.Opset < 11 {
		return e.Op("Pad", onnxio.Attrs{"pads": Ints64(pads)}, v)
	}
	return e.Op("Pad", nil, v, e.Ints(pads...))
}

// Slice cuts [start, end) out of one axis.
func (e *Emitter) Slice(v *onnxio.Value, axis, start, end int) *onnxio.Value {
	if e.Err != nil || start == 0 && end == v.Shape[axis] {
		return v
	}
	if e.Opset < 10 {
		return e.Op("Slice", onnxio.Attrs{"axes": []int64{int64(axis)}, "starts": []int64{int64(start)}, "ends": []int64{int64(end)}}, v)
	}
	return e.Op("Slice", nil, v, e.Ints(start), e.Ints(end), e.Ints(axis))
}

// Concat joins values along an axis.
func (e *Emitter) Concat(axis int, vs ...*onnxio.Value) *onnxio.Value {
	if len(vs) == 1 {
		return vs[0]
	}
	return e.Op("Concat", onnxio.Attrs{"axis": int64(axis)}, vs...)
}

// Zeros is a value of like's type filled with 0; it costs nothing in the file.
func (e *Emitter) Zeros(like *onnxio.Value, shape ...int) *onnxio.Value {
	return e.Filled(like, 0, shape...)
}

// Filled is a value of like's type filled with one number.
func (e *Emitter) Filled(like *onnxio.Value, c float64, shape ...int) *onnxio.Value {
	if like == nil || !e.Fits("a constant of the gradient", elementsOf(shape)) {
		return like
	}
	if onnxio.NumElements(shape) <= 4096 || e.Opset < 9 {
		return e.Reals(like, slices.Repeat([]float64{c}, onnxio.NumElements(shape)), shape...)
	}
	if e.Err != nil {
		return like
	}
	fill := onnxio.FromFloat32([]float32{float32(c)}, 1)
	if like.DType == onnxio.Double {
		fill = onnxio.FromFloat64([]float64{c}, 1)
	}
	n := &onnxio.Node{Name: e.Name("fill"), Op: "ConstantOfShape", Inputs: []*onnxio.Value{e.Ints(shape...)}, Attrs: onnxio.Attrs{"value": fill},
		Opset: e.Opset}
	v := &onnxio.Value{Name: n.Name + "_out", DType: like.DType, Shape: slices.Clone(shape), Producer: n}
	n.Outputs = []*onnxio.Value{v}
	e.Nodes = append(e.Nodes, n)
	return v
}

// Expand repeats a value to a shape that it broadcasts to.
func (e *Emitter) Expand(v *onnxio.Value, shape ...int) *onnxio.Value {
	if e.Err != nil || slices.Equal(v.Shape, shape) {
		return v
	}
	if e.Opset < 8 {
		return e.Mul(v, e.Filled(v, 1, shape...))
	}
	return e.Op("Expand", nil, v, e.Ints(shape...))
}

// Unbroadcast sums a gradient over the axes along which a value of the given shape was repeated.
func (e *Emitter) Unbroadcast(g *onnxio.Value, shape []int) *onnxio.Value {
	if e.Err != nil || slices.Equal(g.Shape, shape) {
		return g
	}
	var axes []int
	off := len(g.Shape) - len(shape)
	for i, d := range g.Shape {
		if i < off || shape[i-off] == 1 && d != 1 {
			axes = append(axes, i)
		}
	}
	return e.Reshape(e.ReduceSum(g, axes...), shape...)
}

// MinusSquare is 1 - v*v.
func (e *Emitter) MinusSquare(v *onnxio.Value) *onnxio.Value {
	return e.Sub(e.Scalar(v, 1), e.Mul(v, v))
}

// InverseRoot is 1/sqrt(v).
func (e *Emitter) InverseRoot(v *onnxio.Value) *onnxio.Value {
	return e.Op("Reciprocal", nil, e.Op("Sqrt", nil, v))
}

// Output is output i of a node that is there already, made where nobody reads it yet.
func (e *Emitter) Output(n *onnxio.Node, i int, d onnxio.DType, shape []int) *onnxio.Value {
	for len(n.Outputs) <= i {
		n.Outputs = append(n.Outputs, nil)
	}
	if n.Outputs[i] == nil {
		n.Outputs[i] = &onnxio.Value{Name: e.Name(n.Op + "_out"), DType: d, Shape: slices.Clone(shape), Producer: n}
	}
	return n.Outputs[i]
}

// Sign is -1, 0 or 1.
func (e *Emitter) Sign(v *onnxio.Value) *onnxio.Value {
	if e.Opset >= 9 {
		return e.Op("Sign", nil, v)
	}
	return e.Sub(e.Mask(e.GreaterC(v, 0), v), e.Mask(e.Greater(e.Scalar(v, 0), v), v))
}

// TopK gives the k largest of a matrix's rows in descending order.
func (e *Emitter) TopK(v *onnxio.Value, k int) *onnxio.Value {
	attrs := onnxio.Attrs{"axis": int64(1)}
	if e.Opset < 10 {
		attrs["k"] = int64(k)
		return e.Outputs("TopK", 2, attrs, v)[0]
	}
	return e.Outputs("TopK", 2, attrs, v, e.Ints(k))[0]
}
