package operators

import (
	"fmt"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Recurrent operators step by step, in products, sums and activations: what they are bounded and differentiated by. Engines run them whole.

// alwaysWhole is the Whole face of operators that engines run as they are.
func alwaysWhole(*onnxio.Node) bool { return true }

// cellStep moves one step on. x is what the input gives to all gates, with its bias: [batch, gates*hidden]. h and s are the states, [batch, hidden],
// nil where they are zero.
type cellStep func(e *op.Emitter, g *cellGates, x, h, s *onnxio.Value) (newH, newS *onnxio.Value)

// cellGates are the weights of the state in one direction.
type cellGates struct {
	e         *op.Emitter
	hidden    int
	product   stateProduct
	bias      *onnxio.Value // [gates*hidden]; nil for none
	peepholes *onnxio.Value // [3*hidden], of LSTM; nil for none
	reset     bool          // GRU: linear_before_reset
	acts      []string
}

// act is the activation of the given number.
func (g *cellGates) act(k int, v *onnxio.Value) *onnxio.Value { return g.e.Op(g.acts[k], nil, v) }

// stateProduct is what a state, [batch, hidden], gives to the gates from the first one to the last, without their bias.
type stateProduct func(h *onnxio.Value, first, last int) *onnxio.Value

// from is what a state and its bias give to the gates from the first one to the last; nil where that is zero.
func (g *cellGates) from(h *onnxio.Value, first, last int) *onnxio.Value {
	var y *onnxio.Value
	if h != nil {
		y = g.product(h, first, last)
	}
	if g.bias == nil || g.e.Err != nil {
		return y
	}
	bias := g.e.Slice(g.bias, 0, first*g.hidden, last*g.hidden)
	if y == nil {
		return bias
	}
	return g.e.Add(y, bias)
}

// gate is a part of [batch, gates*hidden].
func (g *cellGates) gate(v *onnxio.Value, k int) *onnxio.Value {
	return g.e.Slice(v, 1, k*g.hidden, (k+1)*g.hidden)
}

// peep adds a peephole's share of a cell's state.
func (g *cellGates) peep(v, s *onnxio.Value, k int) *onnxio.Value {
	if g.peepholes == nil || s == nil || g.e.Err != nil {
		return v
	}
	return g.e.Add(v, g.e.Mul(s, g.e.Slice(g.peepholes, 0, k*g.hidden, (k+1)*g.hidden)))
}

func lstmParts(e *op.Emitter, g *cellGates, x, h, s *onnxio.Value) (newH, newS *onnxio.Value) {
	all := plus(e, x, g.from(h, 0, 4))
	gated := func(v *onnxio.Value) *onnxio.Value { return g.act(0, v) }
	newS = e.Mul(gated(g.peep(g.gate(all, 0), s, 0)), g.act(1, g.gate(all, 3)))
	if s != nil {
		newS = e.Add(e.Mul(gated(g.peep(g.gate(all, 2), s, 2)), s), newS)
	}
	return e.Mul(gated(g.peep(g.gate(all, 1), newS, 1)), g.act(2, newS)), newS
}

func gruParts(e *op.Emitter, g *cellGates, x, h, _ *onnxio.Value) (newH, newS *onnxio.Value) {
	two := plus(e, e.Slice(x, 1, 0, 2*g.hidden), g.from(h, 0, 2))
	z, r := g.act(0, g.gate(two, 0)), g.act(0, g.gate(two, 1))
	var from *onnxio.Value
	switch {
	case g.reset:
		if from = g.from(h, 2, 3); from != nil {
			from = e.Mul(r, from)
		}
	case h != nil:
		from = g.from(e.Mul(r, h), 2, 3)
	default:
		from = g.from(nil, 2, 3)
	}
	newH = e.Mul(e.Sub(e.Scalar(z, 1), z), g.act(1, plus(e, g.gate(x, 2), from)))
	if h != nil {
		newH = e.Add(newH, e.Mul(z, h))
	}
	return newH, nil
}

func rnnParts(e *op.Emitter, g *cellGates, x, h, _ *onnxio.Value) (newH, newS *onnxio.Value) {
	return g.act(0, plus(e, x, g.from(h, 0, 1))), nil
}

// cellProducts are the products of one direction: of the input, [steps, batch, gates*hidden], and of a state.
type cellProducts struct {
	input *onnxio.Value
	state stateProduct
}

// ofDirection is input i of a node in direction d, in another shape; nil where there is none.
func ofDirection(e *op.Emitter, n *onnxio.Node, i, d int, shape ...int) *onnxio.Value {
	v := n.Input(i)
	if v == nil {
		return nil
	}
	return e.Reshape(e.Slice(v, 0, d, d+1), shape...)
}

// cellParts writes out all steps of all directions.
func cellParts(gates int, step cellStep, activations ...string) func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
	return func(e *op.Emitter, n *onnxio.Node) []*onnxio.Value {
		c, err := readCell(n, gates, activations...)
		if err != nil {
			e.Fail(err)
			return nil
		}
		return c.turns(e, n, step, func(d int) cellProducts {
			wide := gates * c.hidden
			r := ofDirection(e, n, 2, d, wide, c.hidden)
			return cellProducts{
				input: e.Op("MatMul", nil, n.Inputs[0], e.Transpose(ofDirection(e, n, 1, d, wide, c.in), 1, 0)),
				state: func(h *onnxio.Value, first, last int) *onnxio.Value {
					return e.Op("MatMul", nil, h, e.Transpose(e.Slice(r, 0, first*c.hidden, last*c.hidden), 1, 0))
				},
			}
		})
	}
}

// turns writes out all steps of all directions, with the products that each has. A state that is constant at first must be zero: what it gives to the
// gates would be folded, which rounds.
func (c *cell) turns(e *op.Emitter, n *onnxio.Node, step cellStep, products func(d int) cellProducts) []*onnxio.Value {
	if n.Inputs[0].Const != nil {
		return refuseParts(e, n, "an input that is constant, beside a state that is not")
	}
	wide := c.gates * c.hidden
	var all, last, cells []*onnxio.Value // of each direction
	for d, reverse := range c.reverse {
		state := func(i int) *onnxio.Value {
			v := n.Input(i)
			if v == nil || v.Const == nil {
				return ofDirection(e, n, i, d, c.batch, c.hidden)
			}
			if mostOf(v.Const) != 0 {
				e.Fail(op.Refuse(n, "input %d, a state that is constant and not zero", i))
			}
			return nil
		}
		p := products(d)
		x := p.input
		g := &cellGates{e: e, hidden: c.hidden, product: p.state, peepholes: ofDirection(e, n, 7, d, 3*c.hidden), reset: c.reset, acts: c.activations[d]}
		if b := ofDirection(e, n, 3, d, 2*wide); b != nil {
			x, g.bias = e.Add(x, e.Slice(b, 0, 0, wide)), e.Slice(b, 0, wide, 2*wide)
		}
		h, s := state(5), state(6)
		turns := make([]*onnxio.Value, c.steps)
		for t := range turns {
			if e.Err != nil {
				return nil
			}
			at := t
			if reverse {
				at = c.steps - 1 - t
			}
			newH, newS := step(e, g, e.Reshape(e.Slice(x, 0, at, at+1), c.batch, wide), h, s)
			goesOn := c.goesOn(e, n, at)
			shown := only(e, goesOn, newH, nil)
			h = only(e, goesOn, newH, h)
			if newS != nil {
				s = only(e, goesOn, newS, s)
			}
			turns[at] = e.Reshape(shown, 1, 1, c.batch, c.hidden)
		}
		if len(turns) == 0 {
			return refuseParts(e, n, fmt.Sprintf("%d steps", c.steps))
		}
		all, last = append(all, e.Concat(0, turns...)), append(last, e.Reshape(h, 1, c.batch, c.hidden))
		if s != nil {
			cells = append(cells, e.Reshape(s, 1, c.batch, c.hidden))
		}
	}
	out := []*onnxio.Value{e.Concat(1, all...), e.Concat(0, last...)}
	if len(cells) > 0 {
		out = append(out, e.Concat(0, cells...))
	}
	return out
}

// goesOn tells which sequences of a batch have a step, [batch, 1]; nil where all have.
func (c *cell) goesOn(e *op.Emitter, n *onnxio.Node, at int) *onnxio.Value {
	lens := n.Input(4)
	if lens == nil || lens.Const != nil && c.lens == nil || e.Err != nil {
		return nil
	}
	if e.Opset < 9 {
		e.Fail(op.Refuse(n, "sequences of differing lengths before opset 9, which brought what chooses between states"))
		return nil
	}
	if lens.Const != nil {
		mask := onnxio.NewTensor(onnxio.Bool, c.batch, 1)
		for b, l := range c.lens {
			mask.Data.([]bool)[b] = at < l
		}
		return e.Const(mask)
	}
	step := e.Const(&onnxio.Tensor{DType: onnxio.Int32, Shape: []int{}, Data: []int32{int32(at)}})
	return e.Reshape(e.Op("Less", nil, step, lens), c.batch, 1)
}

// only is what a step made of the sequences that have it, and what the others had; nil stands for zeros.
func only(e *op.Emitter, goesOn, made, had *onnxio.Value) *onnxio.Value {
	if goesOn == nil || e.Err != nil {
		return made
	}
	if had == nil {
		had = e.Reals(made, make([]float64, onnxio.NumElements(made.Shape)), made.Shape...)
	}
	return e.Op("Where", nil, goesOn, made, had)
}
