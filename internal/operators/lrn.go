// lrn.go — LRN, opset 1, 13: every element over a power of its neighbours' squares in other channels.
// Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.

package operators

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/onnxio"
)

var lrnOp = op.Def{Name: "LRN", Since: 1,
	Attrs: op.Attributes{"alpha": op.AnyValue, "beta": op.AnyValue, "bias": op.AnyValue, "size": op.AnyValue},
	Shape: lrnShape, Eval: lrnEval, Gradient: lrnGradient, Interval: lrnInterval, Linear: lrnLinear, Couple: coupleLRN}

func lrnShape(n *onnxio.Node) ([]op.Type, error) {
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	if len(x) < 2 || n.Attrs.Int("size", 0) < 1 {
		return nil, fmt.Errorf("a size of %d for an input of shape %v", n.Attrs.Int("size", 0), x)
	}
	return sameShape(n)
}

func lrnEval(c *op.Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return lrn(c, c.Out[0].F32(), x)
	case []float64:
		return lrn(c, c.Out[0].F64(), x)
	}
	return unsupportedType(c, "input of type %v where a float is needed", c.In[0].DType)
}

func lrn[T float32 | float64](c *op.Call, y, x []T) error {
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
func lrnBounds(n *onnxio.Node, x relax.Box) (relax.Box, error) {
	s, err := shapeOf(n, 0)
	if err != nil {
		return relax.Box{}, err
	}
	a := n.Attrs
	size := a.Int("size", 1)
	alpha, beta, bias := float64(a.Float("alpha", 1e-4)), float64(a.Float("beta", 0.75)), float64(a.Float("bias", 1))
	channels, area := s[1], product(s[2:])
	out := relax.NewBox(product(s))
	share := alpha / float64(size)
	for i := range out.Lower {
		out.Lower[i], out.Upper[i] = math.Inf(-1), math.Inf(1)
		ch, first := i/area%channels, i-i/area%channels*area
		lo, up := 0.0, 0.0
		for k := max(0, ch-(size-1)/2); k <= min(channels-1, ch+size/2); k++ {
			p, q := squareBounds(x.Lower[first+k*area], x.Upper[first+k*area])
			lo, up = sound.AddDown(lo, p), sound.AddUp(up, q)
		}
		lo, up = relax.MulBounds(lo, up, sound.Down(share), sound.Up(share))
		lo, up = sound.AddDown(lo, bias), sound.AddUp(up, bias)
		if !(lo > 0) || math.IsNaN(up) || math.Abs(beta) > powLimit {
			continue
		}
		al, ah := powBounds(-beta, lo)
		bl, bh := powBounds(-beta, up)
		out.Lower[i], out.Upper[i] = max(0, min(al, bl)), max(ah, bh)
	}
	return out, nil
}

func lrnInterval(n *onnxio.Node, in []relax.Box) ([]relax.Box, error) {
	f, err := lrnBounds(n, in[0])
	if err != nil {
		return nil, err
	}
	for i := range f.Lower {
		f.Lower[i], f.Upper[i] = relax.MulBounds(in[0].Lower[i], in[0].Upper[i], f.Lower[i], f.Upper[i])
	}
	return []relax.Box{f}, nil
}

// lrnLinear bounds every element by lines in itself, over the box of its factor.
//
// Float32 executions may slide their window over the channels, adding the square that enters and subtracting the one that leaves: the sum is
// then off by a share of the squares of all channels at the place, and not of the window's alone. With S that sum of all, the base is off by
// gamma_{2C+8}*(bias + alpha/size*S), of itself at most a share rel as its least value is bias; the power takes that beta times. 64u are for the
// power itself (see powUlps) and what is left. Nothing is told of other signs, of a bias near 0, and of numbers that might overflow.
func lrnLinear(n *onnxio.Node) (*op.Linear, error) {
	a := n.Attrs
	alpha, beta, bias := float64(a.Float("alpha", 1e-4)), float64(a.Float("beta", 0.75)), float64(a.Float("bias", 1))
	x, err := shapeOf(n, 0)
	if err != nil {
		return nil, err
	}
	channels, area, share := x[1], product(x[2:]), alpha/float64(a.Int("size", 1))
	tame := alpha >= 0 && alpha <= 0x1p60 && bias >= 0x1p-60 && bias <= 0x1p60 && math.Abs(beta) <= powLimit
	return &op.Linear{
		Relax: func(_ relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			x := in[0]
			f, err := lrnBounds(n, x)
			if err != nil {
				return nil, err
			}
			lower, upper := relax.NewForms(len(f.Lower), 1), relax.NewForms(len(f.Lower), 1)
			for i := range f.Lower {
				yl, yu := relax.MulBounds(x.Lower[i], x.Upper[i], f.Lower[i], f.Upper[i])
				if !sound.Finite(f.Upper[i]) || !sound.Finite(x.Lower[i]) || !sound.Finite(x.Upper[i]) {
					lower.Close(yl)
					upper.Close(yu)
					continue
				}
				lk, lc, uk, uc := scaledLines(f.Lower[i], f.Upper[i], x.Lower[i], x.Upper[i], yl, yu)
				lower.Add(0, i, lk)
				lower.Close(lc)
				upper.Add(0, i, uk)
				upper.Close(uc)
			}
			lower.Input, upper.Input = nil, nil
			return &relax.Relaxation{Lower: *lower, Upper: *upper}, nil
		},
		Execution: op.Within(0, 0, "error analysis of a sum of positive terms; "+powSource).Depending(func(in []relax.Box, out []float64) {
			y, err := lrnInterval(n, in)
			for i := range out {
				if !tame || err != nil {
					out[i] = math.Inf(1)
					continue
				}
				first, sum := i-i/area%channels*area, 0.0
				for ch := range channels {
					m := in[0].Magnitude(first + ch*area)
					sum += m * m
				}
				base := bias + share*sum
				off := sound.Gamma32(2*channels+8) * base / bias // of the base's least value
				if !(off < 0.1) || sum > sound.Squares32 {
					out[i] = math.Inf(1)
					continue
				}
				rel := 2*math.Abs(beta)*off/(1-off) + 64*sound.Unit32
				if rel >= 0.5 {
					rel = math.Inf(1)
				}
				m := y[0].Magnitude(i)
				out[i] += sound.Within32(max(m, base, math.Pow(base, math.Abs(beta))), rel*m)
			}
		}),
	}, nil
}
