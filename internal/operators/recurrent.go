package operators

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/kernel"
	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// cell is a recurrent operator's geometry. X is [steps, batch, in], W [directions, gates*hidden, in], R [directions, gates*hidden, hidden],
// B [directions, 2*gates*hidden].
type cell struct {
	steps, batch, in, hidden, gates int
	reverse                         []bool     // by direction
	reset                           bool       // GRU: linear_before_reset
	activations                     [][]string // by direction, in the operator's order
	lens                            []int      // of the sequences, where they are constant; nil where all are whole
}

// readCell checks a node's form; gates is the operator's own number.
func readCell(n *onnxio.Node, gates int, activations ...string) (*cell, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	w, err := shapeOf(n, 1)
	if err != nil {
		return nil, err
	}
	r, err := shapeOf(n, 2)
	if err != nil {
		return nil, err
	}
	c := &cell{gates: gates, hidden: n.Attrs.Int("hidden_size", 0), reset: n.Attrs.Int("linear_before_reset", 0) != 0}
	switch d := n.Attrs.String("direction", "forward"); d {
	case "forward":
		c.reverse = []bool{false}
	case "reverse":
		c.reverse = []bool{true}
	case "bidirectional":
		c.reverse = []bool{false, true}
	default:
		return nil, fmt.Errorf("direction %q", d)
	}
	for _, name := range []string{"clip", "input_forget", "layout"} {
		if n.Attrs.Has(name) && (n.Attrs.Int(name, 0) != 0 || n.Attrs.Float(name, 0) != 0) {
			return nil, op.Unsupported(n, "", "attribute "+name)
		}
	}
	if c.activations, err = readActivations(n, len(c.reverse), activations); err != nil {
		return nil, err
	}
	if len(x) != 3 || len(w) != 3 || len(r) != 3 {
		return nil, fmt.Errorf("inputs of shapes %v, %v and %v; want three axes", x, w, r)
	}
	c.steps, c.batch, c.in = x[0], x[1], x[2]
	if c.hidden == 0 {
		c.hidden = r[2]
	}
	dirs := len(c.reverse)
	want := func(i int, shape ...int) {
		if v := n.Input(i); v != nil && !slices.Equal(v.Shape, shape) && err == nil {
			err = &onnxio.ShapeError{What: fmt.Sprintf("input %d", i), Want: shape, Got: v.Shape}
		}
	}
	if c.hidden < 1 || c.hidden > maxElements/8 {
		return nil, fmt.Errorf("a hidden size of %d", c.hidden)
	}
	want(1, dirs, gates*c.hidden, c.in)
	want(2, dirs, gates*c.hidden, c.hidden)
	want(3, dirs, 2*gates*c.hidden)
	want(5, dirs, c.batch, c.hidden)
	if n.Op == "LSTM" {
		want(6, dirs, c.batch, c.hidden)
		want(7, dirs, 3*c.hidden)
	}
	for i, v := range n.Inputs {
		if v != nil && i != 4 && v.DType != n.Inputs[0].DType && err == nil {
			err = fmt.Errorf("input %d of type %v beside one of type %v", i, v.DType, n.Inputs[0].DType)
		}
	}
	want(4, c.batch)
	if t := n.ConstInput(4); t != nil && err == nil {
		c.lens, err = c.lengths(t)
	}
	return c, err
}

// lengths are those of the sequences of a batch; nil where all are whole.
func (c *cell) lengths(t *onnxio.Tensor) ([]int, error) {
	lens, err := intsOf(t)
	if err != nil {
		return nil, err
	}
	if len(lens) != c.batch {
		return nil, fmt.Errorf("%d lengths of %d sequences", len(lens), c.batch)
	}
	whole := true
	for _, l := range lens {
		if l < 1 || l > c.steps { // onnxruntime takes neither
			return nil, fmt.Errorf("a sequence of length %d among %d steps", l, c.steps)
		}
		whole = whole && l == c.steps
	}
	if whole {
		return nil, nil
	}
	return lens, nil
}

// cellFunctions are the activations of recurrent operators that take no numbers.
var cellFunctions = map[string]func(x float64) float64{
	"Sigmoid": sigmoidOf, "Tanh": math.Tanh, "Relu": func(x float64) float64 { return max(x, 0) },
	"Softsign": func(x float64) float64 { return x / (1 + math.Abs(x)) },
}

// readActivations are a node's activations by direction: usual where it says nothing.
func readActivations(n *onnxio.Node, directions int, usual []string) ([][]string, error) {
	out := slices.Repeat([][]string{usual}, directions)
	given, ok := n.Attrs["activations"].([]string)
	if !ok {
		return out, nil
	}
	if len(given) != len(usual)*directions {
		return nil, fmt.Errorf("%d activations for %d directions of %d", len(given), directions, len(usual))
	}
	for d := range out {
		out[d] = nil
		for _, a := range given[d*len(usual) : (d+1)*len(usual)] {
			name := ""
			for known := range cellFunctions {
				if strings.EqualFold(a, known) {
					name = known
				}
			}
			if name == "" {
				return nil, op.Unsupported(n, "", "activation "+a)
			}
			out[d] = append(out[d], name)
		}
	}
	return out, nil
}

// cellShape is the Shape face: all states, the last state, and LSTM's last cell.
func cellShape(gates int, activations ...string) func(*onnxio.Node) ([]op.Type, error) {
	return func(n *onnxio.Node) ([]op.Type, error) {
		c, err := readCell(n, gates, activations...)
		if err != nil {
			return nil, err
		}
		d, dirs := n.Inputs[0].DType, len(c.reverse)
		last := []int{dirs, c.batch, c.hidden}
		all := []int{c.steps, dirs, c.batch, c.hidden}
		return []op.Type{{DType: d, Shape: all}, {DType: d, Shape: last}, {DType: d, Shape: last}}, checkSizes(all)
	}
}

// cellMACs counts those of a recurrent operator's products: in every step and direction, of each sample, the input and the state with the weights of
// all gates.
func cellMACs(gates int) func(*onnxio.Node) int {
	return func(n *onnxio.Node) int {
		x, r := n.Inputs[0].Shape, n.Inputs[2].Shape
		return x[0] * x[1] * r[0] * gates * r[2] * (x[2] + r[2])
	}
}

// cellMemory is what a cell needs from run to run.
type cellMemory[T float32 | float64] struct {
	c     *cell
	shape []int
	fromX []T                     // [steps*batch, gates*hidden]: X W' + biases
	fromH []T                     // [batch, gates*hidden]
	h, s  []T                     // state; LSTM's cell, or GRU's reset state
	acts  []func(float64) float64 // of the direction
	work  kernel.Work
	old   []T // h and s before a step, where sequences have lengths
}

// step moves one time step on: gates from the input and from the state (R h, without bias) become the new state.
type stepFunc[T float32 | float64] func(m *cellMemory[T], fromX []T, bias, peephole, r []T)

func cellEval[T float32 | float64](c *op.Call, gates int, x []T, step stepFunc[T], activations []string) error {
	m, _ := c.State.(*cellMemory[T])
	if m == nil || !slices.Equal(m.shape, c.In[0].Shape) {
		g, err := readCell(c.Node, gates, activations...)
		if err != nil {
			return err
		}
		g.steps, g.batch = c.In[0].Shape[0], c.In[0].Shape[1]
		wide := g.gates * g.hidden
		m = &cellMemory[T]{c: g, shape: slices.Clone(c.In[0].Shape), fromX: make([]T, g.steps*g.batch*wide), fromH: make([]T, g.batch*wide),
			h: make([]T, g.batch*g.hidden), s: make([]T, g.batch*g.hidden)}
		c.State = m
	}
	data := func(i int) []T {
		if t := optional(c, i); t != nil {
			d, _ := t.Data.([]T)
			return d
		}
		return nil
	}
	out := func(i int) []T {
		if i < len(c.Out) && c.Out[i] != nil {
			d, _ := c.Out[i].Data.([]T)
			return d
		}
		return nil
	}
	g := m.c
	var lens []int
	if t := optional(c, 4); t != nil {
		var err error
		if lens, err = g.lengths(t); err != nil {
			return err
		}
	}
	wide, state := g.gates*g.hidden, g.batch*g.hidden
	w, r, b, p := data(1), data(2), data(3), data(7)
	for d, reverse := range g.reverse {
		m.acts = m.acts[:0]
		for _, name := range g.activations[d] {
			m.acts = append(m.acts, cellFunctions[name])
		}
		wd, rd := w[d*wide*g.in:(d+1)*wide*g.in], r[d*wide*g.hidden:(d+1)*wide*g.hidden]
		var bias, peephole []T
		if b != nil {
			bias = b[d*2*wide : (d+1)*2*wide]
		}
		if p != nil {
			peephole = p[d*3*g.hidden : (d+1)*3*g.hidden]
		}
		kernel.Gemm(false, true, g.steps*g.batch, wide, g.in, x, g.in, wd, g.in, m.fromX, wide, false, &m.work)
		clear(m.h)
		clear(m.s)
		if h := data(5); h != nil {
			copy(m.h, h[d*state:(d+1)*state])
		}
		if s := data(6); s != nil {
			copy(m.s, s[d*state:(d+1)*state])
		}
		for t := range g.steps {
			at := t
			if reverse {
				at = g.steps - 1 - t
			}
			kernel.Gemm(false, true, g.batch, wide, g.hidden, m.h, g.hidden, rd, g.hidden, m.fromH, wide, false, &m.work)
			if lens != nil {
				m.old = append(append(m.old[:0], m.h...), m.s...)
			}
			step(m, m.fromX[at*g.batch*wide:(at+1)*g.batch*wide], bias, peephole, rd)
			if y := out(0); y != nil {
				copy(y[(at*len(g.reverse)+d)*state:], m.h)
			}
			for b, l := range lens { // behind its end a sequence has outputs of 0, and its states stay
				if at < l {
					continue
				}
				from, to := b*g.hidden, (b+1)*g.hidden
				copy(m.h[from:to], m.old[from:to])
				copy(m.s[from:to], m.old[state+from:state+to])
				if y := out(0); y != nil {
					clear(y[(at*len(g.reverse)+d)*state+from:][:g.hidden])
				}
			}
		}
		if y := out(1); y != nil {
			copy(y[d*state:], m.h)
		}
		if y := out(2); y != nil {
			copy(y[d*state:], m.s)
		}
	}
	return nil
}

func sigmoidOf(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// biasAt adds W's and R's bias of one gate element.
func biasAt[T float32 | float64](bias []T, i int) float64 {
	if bias == nil {
		return 0
	}
	return float64(bias[i]) + float64(bias[len(bias)/2+i])
}
