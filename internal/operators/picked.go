package operators

import (
	"fmt"
	"github.com/shallow-waters/shoal/internal/op"
	"slices"
)

// picked is the index table of an operator that only picks elements of its first input, kept while its arguments stay the same.
type picked struct {
	index []int32
	in    []int
}

// pickEval is the Eval face of y[i] = x[index[i]], for index tables worked out once: with constant arguments in the first run, else in every
// one. Its Linear face is movedBy.
func pickEval(table func(c *op.Call) ([]int32, error)) func(*op.Call) error {
	return func(c *op.Call) error {
		s, _ := c.State.(*picked)
		fixed := true
		for i := 1; i < len(c.In); i++ {
			fixed = fixed && (c.In[i] == nil || c.Const(i))
		}
		if s == nil || !fixed || !slices.Equal(s.in, c.In[0].Shape) {
			index, err := table(c)
			if err != nil {
				return err
			}
			if len(index) != c.Out[0].Len() {
				return fmt.Errorf("%d elements for an output of shape %v", len(index), c.Out[0].Shape)
			}
			s = &picked{index: index, in: slices.Clone(c.In[0].Shape)}
			c.State = s
		}
		return gatherData(gather{1, c.In[0].Len(), 1}, s.index, c.Out[0].Data, c.In[0].Data)
	}
}

// eachPlace calls f with every position of a shape in row-major order; the slice is the same each time.
func eachPlace(shape []int, f func(i int, at []int)) {
	at := make([]int, len(shape))
	for i := range product(shape) {
		f(i, at)
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
}
