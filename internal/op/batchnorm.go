// batchnorm.go — BatchNormalization, opset 7, 9, 14, 15, for inference: y = scale*(x - mean)/sqrt(var + epsilon) + B.

package op

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/affine"
	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "BatchNormalization", Since: 7, Shape: batchnormShape, Eval: batchnormEval, Linear: batchnormLinear})
}

func batchnormShape(n *onnxio.Node) ([]Type, error) {
	if n.Attrs.Int("training_mode", 0) != 0 || n.Attrs.Int("spatial", 1) == 0 {
		return nil, fmt.Errorf("only inference over channels is supported (training_mode 0, spatial 1)")
	}
	if len(n.Inputs) != 5 {
		return nil, fmt.Errorf("%d inputs where 5 are needed", len(n.Inputs))
	}
	x := n.Input(0)
	if x == nil || len(x.Shape) < 2 {
		return nil, fmt.Errorf("the input has no channels")
	}
	for i := 1; i < 5; i++ {
		if v := n.Input(i); v == nil || len(v.Shape) != 1 || v.Shape[0] != x.Shape[1] {
			return nil, fmt.Errorf("input %d does not have %d entries", i, x.Shape[1])
		}
	}
	for _, o := range n.Outputs[1:] {
		if o != nil {
			return nil, fmt.Errorf("only the first output is computed in inference")
		}
	}
	return []Type{{x.DType, x.Shape}}, nil
}

func batchnormEval(c *Call) error {
	switch x := c.In[0].Data.(type) {
	case []float32:
		return batchnormRun(c, x)
	case []float64:
		return batchnormRun(c, x)
	}
	return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
}

func batchnormRun[T float32 | float64](c *Call, x []T) error {
	var p [4][]T
	for i := range p {
		var ok bool
		if p[i], ok = c.In[i+1].Data.([]T); !ok {
			return fmt.Errorf("input %d of type %v", i+1, c.In[i+1].DType)
		}
	}
	y := c.Out[0].Data.([]T)
	eps := float64(c.Node.Attrs.Float("epsilon", 1e-5))
	shape := c.In[0].Shape
	channels, area := shape[1], product(shape[2:])
	for i := 0; i < len(x); i += area {
		ch := i / area % channels
		k := T(float64(p[0][ch]) / math.Sqrt(float64(p[3][ch])+eps))
		b := p[1][ch] - p[2][ch]*k
		out := y[i : i+area]
		for j, v := range x[i : i+area] {
			out[j] = v*k + b
		}
	}
	return nil
}

// batchnormLinear gives scale k = s/sqrt(v+e) and bias B - m*k. k has three float64 roundings (the sum, the root, the quotient),
// each at most 2^-53 relative, so 4*2^-53 covers it; the bias has k's error in m*k and two roundings of its own.
func batchnormLinear(n *onnxio.Node) (*Linear, error) {
	var p [4][]float64
	for i := range p {
		t := n.ConstInput(i + 1)
		if t == nil {
			return nil, fmt.Errorf("only constant statistics can be verified")
		}
		var err error
		if p[i], err = t.Float64s(); err != nil {
			return nil, err
		}
	}
	eps := float64(n.Attrs.Float("epsilon", 1e-5))
	shape := n.Input(0).Shape
	size, channels, area := product(shape), shape[1], product(shape[2:])
	d := make([]float64, size)
	l := &Linear{Maps: make([]affine.Map, 5), Bias: make([]float64, size), BiasErr: make([]float64, size), RelErr: 4 * 0x1p-53}
	for i := range d {
		ch := i / area % channels
		v := p[3][ch] + eps
		if !(v > 0) {
			return nil, fmt.Errorf("channel %d has variance %v", ch, p[3][ch])
		}
		k := p[0][ch] / math.Sqrt(v)
		d[i] = k
		l.Bias[i] = p[1][ch] - p[2][ch]*k
		l.BiasErr[i] = 8 * 0x1p-53 * (math.Abs(p[1][ch]) + math.Abs(p[2][ch]*k))
	}
	l.Maps[0] = &affine.Diag{D: d}
	return l, nil
}
