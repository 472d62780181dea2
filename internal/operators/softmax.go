// softmax.go — Softmax, opset 1, 11 (all axes from `axis` on together), 13 (one axis): y = exp(x) / sum exp(x).

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var softmaxOp = op.Def{
	Name: "Softmax", Since: 1,
	Attrs: op.Attributes{"axis": op.AnyValue},

	Shape:    softmaxShape,
	Eval:     softmaxEval,
	Gradient: softmaxGradient(false),
	Interval: softmaxInterval,
	Linear:   softmaxLinear,
	Couple:   coupleOverAxis,
}

func softmaxShape(n *onnxio.Node) ([]op.Type, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if _, err := softmaxRows(n, s); err != nil {
		return nil, err
	}
	return []op.Type{{DType: n.Inputs[0].DType, Shape: s}}, nil
}

// softmaxRows sees x as [outer, size, inner] with the sum over the middle.
func softmaxRows(n *onnxio.Node, s []int) (gather, error) {
	def := -1
	if n.Opset < 13 {
		def = 1
	}
	axis := n.Attrs.Int("axis", def)
	if n.Opset < 13 && axis == len(s) {
		return gather{product(s), 1, 1}, nil
	}
	axis, err := normalAxis(axis, len(s))
	if err != nil {
		return gather{}, err
	}
	if n.Opset < 13 {
		return gather{product(s[:axis]), product(s[axis:]), 1}, nil
	}
	return gather{product(s[:axis]), s[axis], product(s[axis+1:])}, nil
}

func softmaxEval(c *op.Call) error {
	g, err := softmaxRows(c.Node, c.In[0].Shape)
	if err != nil {
		return err
	}
	log := c.Node.Op == "LogSoftmax"
	switch x := c.In[0].Data.(type) {
	case []float32:
		return softmax(g, c.Out[0].F32(), x, log)
	case []float64:
		return softmax(g, c.Out[0].F64(), x, log)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

// softmax shifts every row by its maximum, so that nothing overflows; log gives the logarithm, x - log sum exp(x).
func softmax[T float32 | float64](g gather, y, x []T, log bool) error {
	if len(y) != len(x) {
		return fmt.Errorf("input and output differ in type")
	}
	for o := range g.outer {
		for k := range g.inner {
			at := o*g.size*g.inner + k
			top := math.Inf(-1)
			for j := range g.size {
				top = max(top, float64(x[at+j*g.inner]))
			}
			sum := 0.0
			for j := range g.size {
				e := math.Exp(float64(x[at+j*g.inner]) - top)
				y[at+j*g.inner] = T(e)
				sum += e
			}
			shift := top + math.Log(sum)
			for j := range g.size {
				i := at + j*g.inner
				if log {
					y[i] = T(float64(x[i]) - shift)
				} else {
					y[i] = T(float64(y[i]) / sum)
				}
			}
		}
	}
	return nil
}

// softmaxInterval bounds y_i = 1 / (1 + sum_{j != i} exp(x_j - x_i)), which rises in x_i and falls in all others.
//
// Cost: size^2 exponentials per row. Every exponential is taken expMargin wider than computed, and the sum of at most
// size rounded additions is widened by its whole relative error.
func softmaxInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := softmaxRows(n, s)
	if err != nil {
		return nil, err
	}
	out := relax.NewBox(product(s))
	for o := range g.outer {
		for k := range g.inner {
			softmaxBox(in[0], out, o*g.size*g.inner+k, g.size, g.inner)
		}
	}
	return []relax.Box{out}, nil
}

// softmaxBox bounds one row of size elements, the first of which is at and the others step apart.
func softmaxBox(in, out relax.Box, at, size, step int) {
	grow := 1 + float64(size+4)*0x1p-52 + expMargin
	for i := range size {
		ii := at + i*step
		var hi, lo float64 // sums of the others' largest and smallest exp(x_j - x_i)
		for j := range size {
			if jj := at + j*step; j != i {
				hi += math.Exp(sound.Up(in.Upper[jj] - in.Lower[ii]))
				lo += math.Exp(sound.Down(in.Lower[jj] - in.Upper[ii]))
			}
		}
		l, u := sound.Down(1/sound.Up(1+sound.Up(hi*grow))), sound.Up(1/sound.Down(1+sound.Down(lo/grow)))
		if math.IsNaN(l) {
			l = 0
		}
		if math.IsNaN(u) {
			u = 1
		}
		out.Lower[ii], out.Upper[ii] = max(l, 0), min(u, 1)
	}
}

// softmaxLinear lays planes over and under y, see softmaxForms; of rows too long for these it knows only the box. The error in float32, for
// executions that shift by the maximum: the rounded shift d = x - max costs exp(d) a relative |d|*u and exp itself some ulps; |d|*exp(d) is at
// most 1/e, so this is an absolute u/e in y and, over the sum (which is at least 1), a relative size*u/e; adding up costs another size*u.
func softmaxLinear(n *onnxio.Node) (*op.Linear, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	g, err := softmaxRows(n, s)
	if err != nil {
		return nil, err
	}
	e := op.Within(2*float64(g.size)+8, 0x1p-24, "error analysis of the shifted form, exp within 2 ulp")
	return &op.Linear{
		Terms: formTerms(product(s), g.size),
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			y, err := softmaxInterval(n, in)
			if err != nil {
				return nil, err
			}
			if product(s) > maxDotTerms/max(1, g.size) {
				return relax.ConstantForms(y[0]), nil
			}
			z, err := logSoftmaxInterval(n, in)
			if err != nil {
				return nil, err
			}
			return softmaxForms(g, in[0], y[0], z[0]), nil
		},
		Execution: e.Depending(func(in []relax.Box, err []float64) {
			for i := range err { // the difference to the maximum
				err[i] += sound.Fits32(4*in[0].Magnitude(i), 0)
			}
		}),
	}, nil
}
