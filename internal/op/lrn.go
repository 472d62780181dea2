// lrn.go — LRN, opset 1, 13: every element over a power of its neighbours' squares in other channels.
// Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.

package op

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "LRN", Since: 1, Shape: lrnShape, Eval: lrnEval, Gradient: lrnGradient, Interval: lrnInterval, Linear: lrnLinear, Couple: coupleLRN})
}

func lrnShape(n *onnxio.Node) ([]Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) < 2 || n.Attrs.Int("size", 0) < 1 {
		return nil, fmt.Errorf("a size of %d for an input of shape %v", n.Attrs.Int("size", 0), x)
	}
	return sameShape(n)
}

func lrnEval(c *Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return lrn(c, c.Out[0].F32(), x)
	case []float64:
		return lrn(c, c.Out[0].F64(), x)
	}
	return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
}

func lrn[T float32 | float64](c *Call, y, x []T) error {
	if len(y) != len(x) {
		return fmt.Errorf("input and output differ in type")
	}
	a, s := c.Node.Attrs, c.In[0].Shape
	size := a.Int("size", 1)
	alpha, beta, bias := float64(a.Float("alpha", 1e-4)), float64(a.Float("beta", 0.75)), float64(a.Float("bias", 1))
	channels, area := s[1], product(s[2:])
	for n := range s[0] {
		for ch := range channels {
			lo, hi := max(0, ch-(size-1)/2), min(channels-1, ch+size/2)
			for p := range area {
				sum := 0.0
				for k := lo; k <= hi; k++ {
					v := float64(x[(n*channels+k)*area+p])
					sum += v * v
				}
				i := (n*channels+ch)*area + p
				y[i] = T(float64(x[i]) / math.Pow(bias+alpha/float64(size)*sum, beta))
			}
		}
	}
	return nil
}

// lrnBounds are bounds of the factor (bias + alpha/size*sum)^-beta of every element; nothing is known where the base may be 0 or less.
func lrnBounds(n *onnxio.Node, x Box) (Box, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return Box{}, err
	}
	a := n.Attrs
	size := a.Int("size", 1)
	alpha, beta, bias := float64(a.Float("alpha", 1e-4)), float64(a.Float("beta", 0.75)), float64(a.Float("bias", 1))
	channels, area := s[1], product(s[2:])
	out := newBox(product(s))
	share := alpha / float64(size)
	for i := range out.Lower {
		out.Lower[i], out.Upper[i] = math.Inf(-1), math.Inf(1)
		ch, first := i/area%channels, i-i/area%channels*area
		lo, up := 0.0, 0.0
		for k := max(0, ch-(size-1)/2); k <= min(channels-1, ch+size/2); k++ {
			p, q := squareBounds(x.Lower[first+k*area], x.Upper[first+k*area])
			lo, up = addDown(lo, p), addUp(up, q)
		}
		lo, up = mulBounds(lo, up, Down(share), Up(share))
		lo, up = addDown(lo, bias), addUp(up, bias)
		if !(lo > 0) || math.IsNaN(up) || math.Abs(beta) > powLimit {
			continue
		}
		al, ah := powBounds(-beta, lo)
		bl, bh := powBounds(-beta, up)
		out.Lower[i], out.Upper[i] = max(0, min(al, bl)), max(ah, bh)
	}
	return out, nil
}

func lrnInterval(n *onnxio.Node, in []Box) ([]Box, error) {
	f, err := lrnBounds(n, in[0])
	if err != nil {
		return nil, err
	}
	for i := range f.Lower {
		f.Lower[i], f.Upper[i] = mulBounds(in[0].Lower[i], in[0].Upper[i], f.Lower[i], f.Upper[i])
	}
	return []Box{f}, nil
}

// lrnLinear bounds every element by lines in itself, over the box of its factor.
//
// Float32 executions: of positive terms the base is off by a relative (size+8)*u, which the power takes beta times; 64u are for the power
// itself (see powUlps) and what is left. Nothing is told of other signs, of a bias near 0, and of numbers that might overflow.
func lrnLinear(n *onnxio.Node) (*Linear, error) {
	a := n.Attrs
	alpha, beta, bias := float64(a.Float("alpha", 1e-4)), float64(a.Float("beta", 0.75)), float64(a.Float("bias", 1))
	rel := (4*math.Abs(beta)*float64(a.Int("size", 1)+8) + 64) * unit32
	tame := alpha >= 0 && alpha <= 0x1p60 && bias >= 0x1p-60 && bias <= 0x1p60 && rel < 0.1 && math.Abs(beta) <= powLimit
	return &Linear{
		Source: "error analysis of a sum of positive terms; " + powSource,
		Relax: func(_ Slope, in []Box) (*Relaxation, error) {
			x := in[0]
			f, err := lrnBounds(n, x)
			if err != nil {
				return nil, err
			}
			lower, upper := newForms(len(f.Lower), 1), newForms(len(f.Lower), 1)
			for i := range f.Lower {
				yl, yu := mulBounds(x.Lower[i], x.Upper[i], f.Lower[i], f.Upper[i])
				if !finite(f.Upper[i]) || !finite(x.Lower[i]) || !finite(x.Upper[i]) {
					lower.close(yl)
					upper.close(yu)
					continue
				}
				lk, lc, uk, uc := scaledLines(f.Lower[i], f.Upper[i], x.Lower[i], x.Upper[i], yl, yu)
				lower.add(0, i, lk)
				lower.close(lc)
				upper.add(0, i, uk)
				upper.close(uc)
			}
			lower.Input, upper.Input = nil, nil
			return &Relaxation{*lower, *upper}, nil
		},
		Execution: func(in []Box) []float64 {
			out := make([]float64, len(in[0].Lower))
			y, err := lrnInterval(n, in)
			most := 0.0
			for i := range out {
				most = max(most, magnitude(in[0], i))
			}
			base := bias + alpha*most*most
			for i := range out {
				if out[i] = math.Inf(1); tame && err == nil {
					m := magnitude(y[0], i)
					out[i] = within32(max(m, base, math.Pow(base, math.Abs(beta))), rel*m)
				}
			}
			return out
		},
	}, nil
}
