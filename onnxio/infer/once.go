package infer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/onnxio"
)

// Once gives a context in which a graph is made ready once for all who ask about it: what no size decides is folded once, and each way of binding its
// sizes is inferred once. Prepare then hands out copies that share the constants.
//
// It is for one question about a few graphs, which it holds as long as the context is there. A graph that was changed is made ready anew; its
// constants and attributes must not be changed in place, as ever. A context that has this already is given back as it is.
func Once(ctx context.Context) context.Context {
	if onceOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, onceKey{}, &once{graphs: map[*onnxio.Graph]*kept{}})
}

// Work is what Prepare had to do for a graph.
type Work struct {
	Graph  *onnxio.Graph // that was given
	Batch  int           // that it was bound to
	Folded bool          // its constants were folded, and not only its sizes bound and inferred
}

// Watch gives a context in which see is told of every graph that has to be made ready, and of none that is ready. It may be called by several
// goroutines at once.
func Watch(ctx context.Context, see func(Work)) context.Context {
	return context.WithValue(ctx, watchKey{}, see)
}

type onceKey struct{}

type watchKey struct{}

func onceOf(ctx context.Context) *once {
	o, _ := ctx.Value(onceKey{}).(*once)
	return o
}

func watched(ctx context.Context, w Work) {
	if see, _ := ctx.Value(watchKey{}).(func(Work)); see != nil {
		see(w)
	}
}

type once struct {
	mu     sync.Mutex
	graphs map[*onnxio.Graph]*kept
}

// kept is what is ready of one graph.
type kept struct {
	mu     sync.Mutex
	before *onnxio.Graph // as it was then
	folded map[terms]*onnxio.Graph
	bound  map[string]*onnxio.Graph
}

// terms are the options that decide what constants are.
type terms struct {
	float64 bool
	reading onnxio.Reading
}

func (c *once) of(g *onnxio.Graph) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.graphs[g]
	if k == nil {
		k = &kept{}
		c.graphs[g] = k
	}
	return k
}

// prepare is Prepare of a graph that may be ready.
func (k *kept) prepare(ctx context.Context, g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.before == nil || !same(k.before, g) {
		k.before, k.folded, k.bound = g.Clone(), map[terms]*onnxio.Graph{}, map[string]*onnxio.Graph{}
	}
	t := terms{o.Float64, o.Reading}
	batch := cmp.Or(o.Batch, 1)
	way := fmt.Sprintf("%v %v %v %v", t, batch, o.Dims, o.Steps)
	if done := k.bound[way]; done != nil {
		return copied(done), nil
	}
	folded := k.folded[t]
	watched(ctx, Work{g, batch, folded == nil})
	if folded == nil {
		var err error
		if folded, err = foldConstants(ctx, g, o); err != nil {
			return nil, err
		}
		k.folded[t] = folded
	}
	done := copied(folded)
	if err := finish(ctx, done, o); err != nil {
		return nil, err
	}
	k.bound[way] = done
	return copied(done), nil
}

// foldConstants gives a copy of a graph in which nodes that have only constants to read, whatever the sizes are bound to, have given way to
// theirs. What cannot be folded stays: the error is told where it is inferred.
func foldConstants(ctx context.Context, g *onnxio.Graph, o Options) (*onnxio.Graph, error) {
	g = Live(g)
	if slices.ContainsFunc(g.Nodes, branches) { // which read values by name
		return g, nil
	}
	if err := castsOf(g); err != nil { // before constants in half precision are held as float32
		return nil, err
	}
	err := budget.Do(ctx, func() error {
		r := room{ctx: ctx, budget: budget.Of(ctx), graph: g}
		if o.Float64 {
			if err := r.widen(g); err != nil {
				return err
			}
		}
		for _, n := range g.Nodes {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && v.Const == nil }) {
				_ = r.node(n, o)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *onnxio.Node) bool {
		return slices.ContainsFunc(n.Outputs, func(v *onnxio.Value) bool { return v != nil }) &&
			!slices.ContainsFunc(n.Outputs, func(v *onnxio.Value) bool { return v != nil && v.Const == nil })
	})
	return g, nil
}

// branches tells whether a node has graphs of its own.
func branches(n *onnxio.Node) bool {
	for _, a := range n.Attrs {
		switch a.(type) {
		case *onnxio.Graph, []*onnxio.Graph:
			return true
		}
	}
	return false
}

// copied is a copy of a graph whose folded values still say which node gave them.
func copied(g *onnxio.Graph) *onnxio.Graph {
	c := g.Clone()
	eachPair(g, c, func(from, to *onnxio.Value) bool {
		if to.Producer == nil {
			to.Producer = from.Producer
		}
		return true
	})
	return c
}

// eachPair visits the values of two graphs of the same form in their order, until visit says no; false where it did, or where the forms differ.
func eachPair(a, b *onnxio.Graph, visit func(x, y *onnxio.Value) bool) bool {
	all := func(x, y []*onnxio.Value) bool {
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if (x[i] == nil) != (y[i] == nil) || x[i] != nil && !visit(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	if len(a.Nodes) != len(b.Nodes) || !all(a.Inputs, b.Inputs) || !all(a.Outputs, b.Outputs) {
		return false
	}
	for i, n := range a.Nodes {
		if !all(n.Inputs, b.Nodes[i].Inputs) || !all(n.Outputs, b.Nodes[i].Outputs) {
			return false
		}
	}
	return true
}

// same tells whether a graph is as it was when it was copied: the same nodes on the same values, with the same constants, attributes and
// declarations.
func same(before, g *onnxio.Graph) bool {
	if before.Name != g.Name || len(before.Nodes) != len(g.Nodes) {
		return false
	}
	for i, n := range g.Nodes {
		was := before.Nodes[i]
		if was.Name != n.Name || was.Op != n.Op || was.Domain != n.Domain || was.Opset != n.Opset || !sameAttrs(was.Attrs, n.Attrs) {
			return false
		}
	}
	is, was := map[*onnxio.Value]*onnxio.Value{}, map[*onnxio.Value]*onnxio.Value{}
	return eachPair(before, g, func(x, y *onnxio.Value) bool {
		if is[x] != nil || was[y] != nil {
			return is[x] == y && was[y] == x
		}
		is[x], was[y] = y, x
		return x.Name == y.Name && x.DType == y.DType && x.HasShape == y.HasShape && x.Const == y.Const && slices.Equal(x.Dims, y.Dims)
	})
}

// sameAttrs tells whether attributes are the same ones: copies of a node share them.
func sameAttrs(a, b onnxio.Attrs) bool {
	return len(a) == len(b) && (reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() ||
		maps.EqualFunc(a, b, func(x, y any) bool { return reflect.DeepEqual(x, y) }))
}
