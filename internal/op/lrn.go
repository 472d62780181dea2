// lrn.go — LRN, opset 1, 13: every element over a power of its neighbours' squares in other channels.
// Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3.

package op

import (
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/onnxio"
)

func init() {
	Register(Def{Name: "LRN", Since: 1, Shape: lrnShape, Eval: lrnEval, Gradient: lrnGradient})
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
