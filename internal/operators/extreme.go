package operators

import (
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/relax"
	"github.com/shallow-waters/shoal/onnxio"
)

// extremeEval is the Eval face of ReduceMax and ReduceMin. Of no elements it is the least (or largest) number of the type.
func extremeEval(largest bool) func(*op.Call) error {
	pick := func(least, most float64) float64 {
		if largest {
			return least
		}
		return most
	}
	return func(c *op.Call) error {
		r, err := reductionState(c, foldAxes)
		if err != nil {
			return err
		}
		out := c.Out[0].Data
		switch x := c.In[0].Data.(type) {
		case []float32:
			return extremes(r, out, x, float32(pick(math.Inf(-1), math.Inf(1))), largest)
		case []float64:
			return extremes(r, out, x, pick(math.Inf(-1), math.Inf(1)), largest)
		case []int64:
			start := int64(math.MaxInt64)
			if largest {
				start = math.MinInt64
			}
			return extremes(r, out, x, start, largest)
		case []int32:
			return extremes(r, out, x, int32(pick(math.MinInt32, math.MaxInt32)), largest)
		case []int8:
			return extremes(r, out, x, int8(pick(math.MinInt8, math.MaxInt8)), largest)
		case []uint64:
			start := uint64(math.MaxUint64)
			if largest {
				start = 0
			}
			return extremes(r, out, x, start, largest)
		case []uint32:
			return extremes(r, out, x, uint32(pick(0, math.MaxUint32)), largest)
		case []uint8:
			return extremes(r, out, x, uint8(pick(0, math.MaxUint8)), largest)
		case []bool:
			y, ok := out.([]bool)
			if !ok {
				return fmt.Errorf("cannot reduce %T to %T", x, out)
			}
			if largest {
				foldInto(r, y, x, false, func(a, b bool) bool { return a || b })
			} else {
				foldInto(r, y, x, true, func(a, b bool) bool { return a && b })
			}
			return nil
		}
		return unsupportedType(c, "no order on type %v", c.In[0].DType)
	}
}

func extremes[T numeric](r *reduction, out any, x []T, start T, largest bool) error {
	y, ok := out.([]T)
	if !ok {
		return fmt.Errorf("cannot reduce %T to %T", x, out)
	}
	if largest {
		foldInto(r, y, x, start, func(a, b T) T { return max(a, b) })
	} else {
		foldInto(r, y, x, start, func(a, b T) T { return min(a, b) })
	}
	return nil
}

// extremeBounds is exact: the extremes of both ends.
func extremeBounds(largest bool) func(l, u []float64) (lo, hi float64) {
	return func(l, u []float64) (float64, float64) {
		switch {
		case len(l) == 0 && largest:
			return math.Inf(-1), math.Inf(-1)
		case len(l) == 0:
			return math.Inf(1), math.Inf(1)
		case largest:
			return slices.Max(l), slices.Max(u)
		}
		return slices.Min(l), slices.Min(u)
	}
}

// extremeRows relaxes the extreme of a row of elements as that of many inputs (see relaxExtreme).
func extremeRows(largest bool) func(*onnxio.Node) (*op.Linear, error) {
	return func(n *onnxio.Node) (*op.Linear, error) {
		r, err := staticReduction(n, foldAxes, "Linear")
		if err != nil {
			return nil, err
		}
		if r.count == 0 || product(n.Inputs[0].Shape) == 0 {
			return nil, op.Unsupported(n, "Linear", "the extreme of no elements")
		}
		start, rows := r.rows()
		outputs := len(start) - 1
		index := make([][]int32, r.count)
		for k := range index {
			index[k] = make([]int32, outputs)
			for i := range index[k] {
				index[k][i] = rows[int(start[i])+k]
			}
		}
		return &op.Linear{Execution: op.Exact("exact"), Relax: func(s relax.Slope, in []relax.Box) (*relax.Relaxation, error) {
			boxes := make([]relax.Box, r.count)
			for k := range boxes {
				boxes[k] = in[0]
			}
			f, err := relaxExtreme(s, outputs, index, boxes, largest)
			if err == nil {
				f.Lower.Input, f.Upper.Input = nil, nil // all of the one input
			}
			return f, err
		}}, nil
	}
}
