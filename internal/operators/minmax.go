package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

// variadicEval is the Eval face of Min, Max and Sum: y = x_0, then y = f(y, x_k) for all others.
func variadicEval(ar *arithmetic) func(*op.Call) error {
	return func(c *op.Call) error {
		if len(c.In) == 2 {
			return ar.run(pairState(c), c.Out[0], c.In[0], c.In[1])
		}
		st, _ := c.State.(*variadicState)
		if st == nil || !st.fits(c) {
			st = &variadicState{first: broadcastMove(c.In[0].Shape, c.Out[0].Shape)}
			st.shape = append(st.shape, c.In[0].Shape...)
			for _, t := range c.In[1:] {
				st.pairs = append(st.pairs, newPairing(c.Out[0].Shape, t.Shape, c.Out[0].Shape))
			}
			c.State = st
		}
		if err := moveData(c.Out[0].Data, c.In[0].Data, &st.first); err != nil {
			return err
		}
		for k, p := range st.pairs {
			if err := ar.run(p, c.Out[0], c.Out[0], c.In[k+1]); err != nil {
				return err
			}
		}
		return nil
	}
}

type variadicState struct {
	shape []int // of input 0
	first move
	pairs []*pairing
}

func (st *variadicState) fits(c *op.Call) bool {
	if len(st.pairs) != len(c.In)-1 || len(st.shape) != len(c.In[0].Shape) {
		return false
	}
	for i, d := range c.In[0].Shape {
		if st.shape[i] != d {
			return false
		}
	}
	for k, p := range st.pairs {
		if !p.fits(c.Out[0].Shape, c.In[k+1].Shape) {
			return false
		}
	}
	return true
}

// orderRows is y = max(a, b), or min.
func orderRows[T numeric](largest bool) binary[T, T] {
	pick := func(a, b T) T { return min(a, b) }
	if largest {
		pick = func(a, b T) T { return max(a, b) }
	}
	vs := func(y, a []T, b T) {
		for i, v := range a[:len(y)] {
			y[i] = pick(v, b)
		}
	}
	return binary[T, T]{
		vv: func(y, a, b []T) {
			a, b = a[:len(y)], b[:len(y)]
			for i := range y {
				y[i] = pick(a[i], b[i])
			}
		},
		vs: vs,
		sv: func(y []T, a T, b []T) { vs(y, b, a) },
	}
}

func ordering(largest bool) *arithmetic {
	return &arithmetic{
		orderRows[float32](largest), orderRows[float64](largest), orderRows[int64](largest), orderRows[int32](largest),
		orderRows[int16](largest), orderRows[int8](largest), orderRows[uint64](largest), orderRows[uint32](largest),
		orderRows[uint16](largest), orderRows[uint8](largest),
	}
}

// extremeInterval is the Interval face: both ends go through the operator, exactly.
func extremeInterval(largest bool) func(*onnxio.Node, []relax.Box) ([]relax.Box, error) {
	return func(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
		shape, err := broadcastInputs(n)
		if err != nil {
			return nil, err
		}
		out := relax.NewBox(product(shape))
		for k, v := range n.Inputs {
			lo, up := broadcastTo(in[k].Lower, v.Shape, shape), broadcastTo(in[k].Upper, v.Shape, shape)
			for i := range out.Lower {
				switch {
				case k == 0:
					out.Lower[i], out.Upper[i] = lo[i], up[i]
				case largest:
					out.Lower[i], out.Upper[i] = max(out.Lower[i], lo[i]), max(out.Upper[i], up[i])
				default:
					out.Lower[i], out.Upper[i] = min(out.Lower[i], lo[i]), min(out.Upper[i], up[i])
				}
			}
		}
		return []relax.Box{out}, nil
	}
}

// extremeLinear gives lines where one variable of the output's size meets constants, and planes otherwise.
func extremeLinear(largest bool) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		shape, err := broadcastInputs(n)
		if err != nil {
			return nil, err
		}
		variables, last := 0, 0
		for k, v := range n.Inputs {
			if v.Const == nil {
				variables++
				last = k
			}
		}
		if variables == 1 && product(n.Inputs[last].Shape) == product(shape) {
			limit := make([]float64, product(shape))
			for i := range limit {
				limit[i] = math.Inf(1)
				if largest {
					limit[i] = math.Inf(-1)
				}
			}
			for _, v := range n.Inputs {
				if v.Const == nil {
					continue
				}
				c, err := v.Const.Float64s()
				if err != nil {
					return nil, err
				}
				for i, x := range broadcastTo(c, v.Const.Shape, shape) {
					if largest {
						limit[i] = max(limit[i], x)
					} else {
						limit[i] = min(limit[i], x)
					}
				}
			}
			lines := func(s relax.Slope, l, u []float64, out *relax.Lines) {
				for i := range l {
					if largest {
						relax.ClipLine(s, i, l[i], u[i], limit[i], math.Inf(1), out)
					} else {
						relax.ClipLine(s, i, l[i], u[i], math.Inf(-1), limit[i], out)
					}
				}
			}
			if !uniform(limit) {
				return &op.Linear{Execution: op.Exact("exact"), Relax: relax.LinesAsForms(last, lines)}, nil
			}
			return &op.Linear{Input: last, Execution: op.Exact("exact"), Lines: lines}, nil
		}
		index := make([][]int32, len(n.Inputs))
		for k, v := range n.Inputs {
			index[k] = broadcastIndex(v.Shape, shape)
		}
		return &op.Linear{Execution: op.Exact("exact"), Relax: func(s relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			return relaxExtreme(s, product(shape), index, in, largest)
		}}, nil
	}
}

// overTop is a line k*x + c over the largest of x and of others, for x in [l, u] and others of at most second <= u: over max(x, second), which
// is convex and so under its chord, and x itself where x is the largest always.
//
// Where u is the largest upper end of all and second that of the others, the chord has (u + second)/2 in the middle of the box, and no
// linear form over the maximum has less there: that is the mean of the maxima at two opposite corners, one with u and one with second.
func overTop(l, u, second float64) (k, c float64) {
	if second <= l {
		return 1, 0
	}
	if math.IsNaN(second) { // nothing is known of the others
		return 0, math.Inf(1)
	}
	k = (u - second) / (u - l)
	if c = max(relax.Above(k, l, second), relax.Above(k, u, u)); !(k >= 0) || !sound.Finite(c) { // an end is infinite
		return 0, u
	}
	return k, c
}

// relaxExtreme bounds y = max_k x_k (and min as the negative of the max of negatives).
//
// Below: the input with the largest lower end (of equals, the one with the largest upper end); it is at most y. Above: that input
// if nothing else can be larger; with one rival, the plane k*a + (1-k)*b + c of Relu(a-b) over a-b in [l, u], k = u/(u-l), its
// constant proven at the four corners (max minus a plane is convex); with more rivals the line that overTop tells.
func relaxExtreme(s relax.Slope, n int, index [][]int32, in []relax.Box, largest bool) (*relax.Relaxation, error) {
	below, above := relax.NewForms(n, 1), relax.NewForms(n, 2)
	sign := 1.0
	if !largest {
		sign = -1
	}
	ends := func(k, i int) (l, u float64) {
		j := at(index[k], i)
		if largest {
			return in[k].Lower[j], in[k].Upper[j]
		}
		return -in[k].Upper[j], -in[k].Lower[j]
	}
	for i := range n {
		best := 0
		bl, bu := ends(0, i)
		for k := 1; k < len(in); k++ {
			if l, u := ends(k, i); l > bl || l == bl && u > bu {
				best, bl, bu = k, l, u
			}
		}
		if math.IsNaN(bl) || math.IsNaN(bu) {
			return nil, fmt.Errorf("element %d has a bound that is not a number", i)
		}
		below.Add(best, at(index[best], i), 1)
		below.Close(0)
		rivals, rival := 0, 0
		top, tl, tu, second := best, bl, bu, math.Inf(-1)
		for k := range in {
			l, u := ends(k, i)
			if k == best {
				continue
			}
			if u > bl {
				rivals++
				rival = k
			}
			if u > tu {
				top, tl, tu, second = k, l, u, tu
			} else {
				second = max(second, u)
			}
		}
		rl, ru := ends(rival, i)
		if rivals == 1 && sound.Finite(bu-rl) && sound.Finite(ru-bl) {
			k := (bu - rl) / ((bu - rl) + (ru - bl))
			kr := 1 - k
			c := math.Inf(-1)
			for _, x := range [2]float64{bl, bu} {
				for _, y := range [2]float64{rl, ru} {
					c = max(c, sound.AddUp(sound.AddUp(max(x, y), -sound.MulDown(k, x)), -sound.MulDown(kr, y)))
				}
			}
			above.Add(best, at(index[best], i), k)
			above.Add(rival, at(index[rival], i), kr)
			above.Close(sign * c)
			continue
		}
		k, c := overTop(tl, tu, second)
		if k != 0 {
			above.Add(top, at(index[top], i), k)
		}
		above.Close(sign * c)
	}
	if !largest {
		below, above = above, below
	}
	return &relax.Relaxation{Lower: *below, Upper: *above}, nil
}
