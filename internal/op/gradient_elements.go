package op

import (
	"slices"

	"github.com/shallow-waters/shoal/onnxio"
)

// sumGradient is the Gradient face of sums: dy for every input, times the signs where they are given.
func sumGradient(signs ...float64) GradientFunc {
	return func(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		dx := make([]*onnxio.Value, len(n.Inputs))
		for i, v := range n.Inputs {
			if !e.wants(n, i) {
				continue
			}
			dx[i] = e.Unbroadcast(dy[0], v.Shape)
			if i < len(signs) && signs[i] < 0 {
				dx[i] = e.Neg(dx[i])
			}
		}
		return dx
	}
}

// extremeGradient is the Gradient face of Max and Min: dy goes to the first input that reaches the extreme.
func extremeGradient(largest bool) GradientFunc {
	return func(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		y := n.Outputs[0]
		dx := make([]*onnxio.Value, len(n.Inputs))
		var taken *onnxio.Value
		for i, x := range n.Inputs {
			var here *onnxio.Value
			if i == len(n.Inputs)-1 && taken != nil { // what is left
				here = e.Op("Not", nil, taken)
			} else {
				away := e.Greater(y, x)
				if !largest {
					away = e.Greater(x, y)
				}
				here = e.Op("Not", nil, away)
				if taken != nil {
					here = e.Op("And", nil, here, e.Op("Not", nil, taken))
				}
			}
			if e.wants(n, i) {
				dx[i] = e.Unbroadcast(e.keepWhere(here, dy[0]), x.Shape)
			}
			if taken == nil {
				taken = here
			} else if i < len(n.Inputs)-1 {
				taken = e.Op("Or", nil, taken, here)
			}
		}
		return dx
	}
}

// softmaxGradient is the Gradient face of Softmax, dx = y*(dy - sum(dy*y)), and of LogSoftmax, dx = dy - exp(y)*sum(dy), with sums over
// the axes that the softmax is over.
func softmaxGradient(log bool) GradientFunc {
	return func(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		y := n.Outputs[0]
		rank, def := len(y.Shape), -1
		if n.Opset < 13 {
			def = 1
		}
		axis := n.Attrs.Int("axis", def)
		if axis < 0 {
			axis += rank
		}
		axes := []int{axis}
		if n.Opset < 13 {
			axes = nil
			for i := axis; i < rank; i++ {
				axes = append(axes, i)
			}
		}
		if log {
			return onlyFirst(e.Sub(dy[0], e.Mul(e.Op("Exp", nil, y), e.ReduceSum(dy[0], axes...))))
		}
		return onlyFirst(e.Mul(y, e.Sub(dy[0], e.ReduceSum(e.Mul(dy[0], y), axes...))))
	}
}

// scatterGradient is the Gradient face of ScatterElements and ScatterND without reduction: dy with zeros where updates went for the data,
// and dy from there for the updates. Indices must be constant.
func scatterGradient(eval func(*Call) error) GradientFunc {
	return func(e *Emitter, n *onnxio.Node, dy []*onnxio.Value) []*onnxio.Value {
		if r := n.Attrs.String("reduction", "none"); r != "none" {
			return e.refuse(n, "reduction "+r)
		}
		if n.ConstInput(1) == nil {
			return e.refuse(n, "the indices are not constant")
		}
		data, updates := n.Inputs[0], n.Inputs[2]
		numbers := onnxio.NewTensor(onnxio.Int32, updates.Shape...)
		for i, d := 0, numbers.Data.([]int32); i < len(d); i++ {
			d[i] = int32(i + 1)
		}
		out, err := evalOn(n, eval, []*onnxio.Tensor{onnxio.NewTensor(onnxio.Int32, data.Shape...), n.ConstInput(1), numbers}, onnxio.Int32)
		if err != nil {
			e.fail(err)
			return nil
		}
		from := out[0].Data.([]int32)
		dx := make([]*onnxio.Value, 3)
		if e.wants(n, 0) {
			keep := make([]float64, len(from))
			for i, k := range from {
				if k == 0 {
					keep[i] = 1
				}
			}
			dx[0] = e.Mul(dy[0], e.Reals(data, keep, data.Shape...))
		}
		if e.wants(n, 2) {
			at := slices.Repeat([]int{len(from)}, product(updates.Shape)) // an update that another one covers reads the zero behind the end
			for i, k := range from {
				if k > 0 {
					at[k-1] = i
				}
			}
			flat := e.Concat(0, e.Reshape(dy[0], len(from)), e.Zeros(data, 1))
			dx[2] = e.Reshape(e.Op("Gather", onnxio.Attrs{"axis": int64(0)}, flat, e.Ints(at...)), updates.Shape...)
		}
		return dx
	}
}
