// logsoftmax.go — LogSoftmax, opset 1, 11, 13: y = x - log sum exp(x), with Softmax's axes.

package op

import (
	"fmt"
	"math"
)

func init() {
	Register(Def{Name: "LogSoftmax", Since: 1, Shape: softmaxShape, Eval: logSoftmaxEval})
}

func logSoftmaxEval(c *Call) error {
	g, err := softmaxRows(c.Node, c.In[0].Shape)
	if err != nil {
		return err
	}
	switch x := c.In[0].Data.(type) {
	case []float32:
		return logSoftmax(g, c.Out[0].F32(), x)
	case []float64:
		return logSoftmax(g, c.Out[0].F64(), x)
	}
	return fmt.Errorf("input of type %v where a float is needed", c.In[0].DType)
}

func logSoftmax[T float32 | float64](g gather, y, x []T) error {
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
				sum += math.Exp(float64(x[at+j*g.inner]) - top)
			}
			shift := top + math.Log(sum)
			for j := range g.size {
				y[at+j*g.inner] = T(float64(x[at+j*g.inner]) - shift)
			}
		}
	}
	return nil
}
