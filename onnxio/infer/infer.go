// Package infer makes a loaded graph ready to run or to verify: sizes bound, shapes inferred, constants folded, exporters' noise
// removed.
//
// The way of a graph: bind.go gives the inputs their sizes, infer.go walks the nodes in order and folds what is constant, and the
// passes of passes.go take out what does nothing. once.go keeps what is ready for all who ask the same question.
package infer

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// Options says how symbolic sizes are bound and what is simplified.
type Options struct {
	// Batch is bound to the symbolic (or unknown) first dimension of every graph input; 0 means 1.
	Batch int
	// Dims binds other symbolic sizes by name.
	Dims map[string]int
	// Float64 turns every float32 value and constant of the graph into float64, so that an engine computes in float64.
	Float64 bool
	// Reading is whose word counts where the standard's and onnxruntime's differ.
	Reading onnxio.Reading

	// Steps writes out what is otherwise run whole (op.Def.Steps), for who needs bounds or derivatives.
	Steps bool

	apart bool      // nodes of operators with parts give way to these
	table *op.Table // nil for all operators that there are
}

// lookup finds a node's operator.
func (o Options) lookup(n *onnxio.Node) (*op.Def, error) { return o.operators().Lookup(n) }

func (o Options) operators() *op.Table {
	if o.table != nil {
		return o.table
	}
	return operators.Table()
}

// Limits of one value, so that a hostile shape cannot ask for all memory: elements of any value, and of a folded constant.
const (
	maxElements = math.MaxInt32
	maxFolded   = 1 << 26
)

// Prepare returns a copy of g in which every value has a static shape, everything constant is folded, and Identity, Dropout and dead
// nodes are gone. The error names the node. The context's end is looked at between nodes and, for long ones, within; its budget of memory is
// asked for every value, and holds what is folded for as long as the graph is there. In a context of Once nothing of that is done twice.
func Prepare(ctx context.Context, g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	o.Steps = o.Steps && slices.ContainsFunc(g.Nodes, o.steps) // which others are made ready for all alike
	if c := onceOf(ctx); c != nil && o.table == nil {
		return c.of(g).prepare(ctx, g, o)
	}
	watched(ctx, Work{g, cmp.Or(o.Batch, 1), true})
	g = g.Clone()
	dropUnread(g)
	if err := finish(ctx, g, o); err != nil {
		return nil, err
	}
	return g, nil
}

// steps tells whether a node is run whole, and bounded by its parts.
func (o Options) steps(n *onnxio.Node) bool {
	def, err := o.lookup(n)
	return err == nil && def.Steps
}

// finish binds, infers and simplifies a graph that is nobody else's.
func finish(ctx context.Context, g *onnxio.Graph, o Options) error {
	o.apart = true
	if err := annotate(ctx, g, o, nil, nil); err != nil {
		return err
	}
	for _, p := range passes {
		p.run(g)
	}
	return nil
}

// annotate infers a graph that is nobody else's, node by node. Where whole is not nil nodes with graphs stay, and it takes what these hold.
func annotate(ctx context.Context, g *onnxio.Graph, o Options, whole map[*onnxio.Node]*Inside, before func(*onnxio.Node) error) error {
	return budget.Do(ctx, func() error {
		r := room{ctx: ctx, budget: budget.Of(ctx), graph: g}
		if err := castsOf(g); err != nil {
			return err
		}
		if err := bind(g, o); err != nil {
			return err
		}
		if o.Float64 {
			if err := r.widen(g); err != nil {
				return err
			}
		}
		for _, v := range g.Outputs {
			if v.Kind != "" {
				return &onnxio.UnsupportedError{Why: fmt.Sprintf("output %q is no tensor but a %s, which shoal does not compute", v.Name, v.Kind)}
			}
		}
		w := walk{cond: ownCondition, whole: whole, begin: before, parts: func(n *onnxio.Node) ([]*onnxio.Node, error) { return r.parts(n, o) }}
		if o.Float64 {
			w.made = func(nodes []*onnxio.Node) error { return r.widen(&onnxio.Graph{Nodes: nodes}) }
		}
		w.visit = func(n *onnxio.Node) error {
			if before != nil && w.of[n] == nil {
				if err := before(n); err != nil {
					return err
				}
			}
			return r.node(n, o)
		}
		return w.run(ctx, g)
	})
}

// ownCondition is an If's condition where it has been folded.
func ownCondition(n *onnxio.Node) *onnxio.Tensor { return n.Inputs[0].Const }

// node infers the types of one node's outputs, and computes them where all inputs are constant.
func (r *room) node(n *onnxio.Node, o Options) (err error) {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	n.Reading = o.Reading
	def, err := o.lookup(n)
	if err != nil {
		return err
	}
	apart := def.Apart(n)
	if def.Shape == nil && !apart {
		return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: "Shape"}
	}
	constant := !def.NoFold && def.Eval != nil
	for i, v := range n.Inputs {
		if v == nil {
			continue
		}
		if v.Const != nil { // a graph made by a program may say so only here
			v.Shape, v.DType = append([]int{}, v.Const.Shape...), v.Const.DType
		}
		if v.Kind != "" {
			return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset,
				Why: fmt.Sprintf("input %d (%q) is no tensor but a %s, which shoal does not compute with", i, v.Name, v.Kind)}
		}
		if v.Shape == nil {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("the shape of input %d (%q) is not known", i, v.Name)}
		}
		constant = constant && (v.Const != nil || slices.Contains(def.OnlyType, i))
	}
	if len(n.Inputs) == 0 && !def.Source {
		return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("it has no inputs")}
	}
	var types []op.Type
	if apart {
		types, err = o.operators().PartTypes(r.ctx, def, n, op.MaxOpset)
		constant = false
	} else {
		types, err = def.Shape(n)
	}
	if err != nil {
		return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
	}
	// The shape of a value is a constant even where the value is not.
	constant = constant || def.OfShape
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		if i >= len(types) || types[i].DType == onnxio.Undefined {
			if apart && !r.reads(v) {
				continue
			}
			return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset,
				Why: fmt.Sprintf("output %q is not computed", v.Name)}
		}
		size, err := elements(types[i].Shape)
		if err != nil {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
		}
		was := v.DType
		v.DType = types[i].DType
		if !v.DType.Held() {
			return &onnxio.UnsupportedError{Node: n.Name, Op: n.Op, Domain: n.Domain, Opset: n.Opset, Face: "Eval",
				Why: fmt.Sprintf("its output is of type %v, which shoal does not hold", v.DType)}
		}
		if o.Float64 && v.DType == onnxio.Float {
			v.DType = onnxio.Double
		}
		v.Shape = append([]int{}, types[i].Shape...)
		constant = constant && size <= maxFolded
		if was != onnxio.Undefined && !sameKind(was, types[i].DType) {
			return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: fmt.Errorf("value %q is of type %v and declared as %v", v.Name, types[i].DType, was)}
		}
		if contradicted(v.Dims, v.Shape) && o.Batch < 2 {
			contradicts(r.ctx, Contradiction{n, v.Name, v.Dims, v.Shape})
		}
	}
	if err := r.ask(n, constant); err != nil || !constant {
		return err
	}
	return fold(n, def, &r.work)
}

func elements(shape []int) (int, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("an output of shape %v", shape)
		}
		if n *= int64(d); n > maxElements {
			return 0, fmt.Errorf("an output of shape %v is too large", shape)
		}
	}
	return int(n), nil
}

func fold(n *onnxio.Node, def *op.Def, work *op.Workspace) error {
	c := &op.Call{Node: n, Work: work}
	for _, v := range n.Inputs {
		if v == nil {
			c.In = append(c.In, nil)
			continue
		}
		t := v.Const
		if t == nil { // Shape and Size look only at the shape
			t = &onnxio.Tensor{DType: v.DType, Shape: v.Shape}
		}
		c.In = append(c.In, t)
	}
	for _, v := range n.Outputs {
		if v == nil {
			c.Out = append(c.Out, nil)
			continue
		}
		c.Out = append(c.Out, onnxio.NewTensor(v.DType, v.Shape...))
	}
	if err := def.Eval(c); err != nil {
		return &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: err}
	}
	for i, v := range n.Outputs {
		if v != nil {
			v.Const = c.Out[i]
		}
	}
	return nil
}
