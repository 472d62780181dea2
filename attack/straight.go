package attack

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/internal/operators"
	"github.com/shallow-waters/shoal/onnxio"
)

// A quantised network is made of steps: its gradient is zero wherever there is one. The straight-through estimator (Bengio, Léonard and Courville
// 2013) takes the values of the network as they are and lets derivatives pass each rounding as if it were not there; where a quantised number leaves
// its range the derivative is zero. It is no derivative of anything, but a direction that attacks can follow.
//
// unrounded writes a prepared graph for it: what is held in integers becomes real numbers of the same values, quantisers become divisions, roundings
// and clips, products of integers products of real numbers. Its values are the network's, up to float32's rounding of sums.
func unrounded(ctx context.Context, g *onnxio.Graph) (*onnxio.Graph, error) {
	u := &unrounder{e: op.NewEmitter(ctx, operators.Table(), g, "straight/"), real: map[*onnxio.Value]*onnxio.Value{}}
	for _, n := range g.Nodes {
		u.node(n)
		if u.e.Err != nil {
			return nil, &onnxio.NodeError{Node: n.Name, Op: n.Op, Err: u.e.Err}
		}
	}
	out := &onnxio.Graph{Name: g.Name, Inputs: g.Inputs, Nodes: u.e.Nodes}
	for _, v := range g.Outputs {
		out.Outputs = append(out.Outputs, u.of(v))
	}
	return out, nil
}

type unrounder struct {
	e    *op.Emitter
	real map[*onnxio.Value]*onnxio.Value // what stands for a value
}

func (u *unrounder) of(v *onnxio.Value) *onnxio.Value {
	if r := u.real[v]; r != nil {
		return r
	}
	return v
}

// number is a value as real numbers: what stands for it, or a constant of integers.
func (u *unrounder) number(v *onnxio.Value) *onnxio.Value {
	if v = u.of(v); v != nil && !v.DType.IsFloat() {
		return u.e.Op("Cast", onnxio.Attrs{"to": int64(onnxio.Float)}, v)
	}
	return v
}

// along lays one number, or one for each index of an axis, beside a value of so many axes.
func (u *unrounder) along(v *onnxio.Value, axis, axes int) *onnxio.Value {
	if v == nil || len(v.Shape) != 1 {
		return v
	}
	shape := slices.Repeat([]int{1}, axes)
	shape[axis] = v.Shape[0]
	return u.e.Reshape(v, shape...)
}

// codes are x/scale + zero, rounded and clipped to a type's range.
func (u *unrounder) codes(x, scale, zero *onnxio.Value, t onnxio.DType) *onnxio.Value {
	least, most, ok := wholeRange(t)
	if !ok {
		u.e.Fail(fmt.Errorf("it quantises to %v, which has no straight-through estimator", t))
		return x
	}
	q := u.e.Op("Round", nil, u.e.Div(x, scale))
	if zero != nil {
		q = u.e.Add(q, zero)
	}
	return u.clip(q, least, most)
}

// wholeRange is the range of a type of whole numbers; false for another type.
func wholeRange(t onnxio.DType) (least, most float64, whole bool) {
	n := math.Exp2(float64(t.Bits()))
	switch t {
	case onnxio.Uint2, onnxio.Uint4, onnxio.Uint8, onnxio.Uint16, onnxio.Uint32:
		return 0, n - 1, true
	case onnxio.Int2, onnxio.Int4, onnxio.Int8, onnxio.Int16, onnxio.Int32, onnxio.Int64:
		return -n / 2, n/2 - 1, true
	}
	return 0, 0, false
}

func (u *unrounder) clip(q *onnxio.Value, least, most float64) *onnxio.Value {
	if u.e.Opset >= 11 {
		return u.e.Op("Clip", nil, q, u.e.Scalar(q, least), u.e.Scalar(q, most))
	}
	return u.e.Op("Clip", onnxio.Attrs{"min": float32(least), "max": float32(most)}, q)
}

// less is a value less its zero point.
func (u *unrounder) less(v, zero *onnxio.Value) *onnxio.Value {
	if zero == nil {
		return v
	}
	return u.e.Sub(v, zero)
}

func (u *unrounder) node(n *onnxio.Node) {
	e := u.e
	if n.Domain == "" {
		e.Opset = n.Opset
	}
	for _, v := range n.Inputs[:min(1, len(n.Inputs))] {
		if v == nil {
			e.Nodes = append(e.Nodes, n)
			return
		}
	}
	in := func(i int) *onnxio.Value { return u.number(n.Input(i)) }
	switch op.Key(n.Domain, n.Op) {
	case "QuantizeLinear":
		u.real[n.Outputs[0]] = u.codes(in(0), u.scaled(n, 1), u.scaled(n, 2), n.Outputs[0].DType)
	case "DequantizeLinear":
		u.real[n.Outputs[0]] = e.Mul(u.less(in(0), u.scaled(n, 2)), u.scaled(n, 1))
	case "DynamicQuantizeLinear":
		u.dynamic(n)
	case "ConvInteger":
		w := in(1)
		u.real[n.Outputs[0]] = e.Op("Conv", n.Attrs, u.less(in(0), in(2)), u.less(w, u.along(in(3), 0, len(w.Shape))))
	case "MatMulInteger":
		a, b := in(0), in(1)
		u.real[n.Outputs[0]] = e.Op("MatMul", nil, u.less(a, u.along(in(2), max(0, len(a.Shape)-2), len(a.Shape))), u.less(b, in(3)))
	case "QLinearConv":
		w := in(3)
		x := e.Mul(u.less(in(0), in(2)), in(1))
		ws := u.along(in(4), 0, len(w.Shape))
		args := []*onnxio.Value{x, e.Mul(u.less(w, u.along(in(5), 0, len(w.Shape))), ws)}
		if b := in(8); b != nil {
			args = append(args, e.Reshape(e.Mul(b, e.Mul(in(1), in(4))), w.Shape[0]))
		}
		u.real[n.Outputs[0]] = u.codes(e.Op("Conv", n.Attrs, args...), in(6), in(7), n.Outputs[0].DType)
	case "QLinearMatMul":
		a, b := in(0), in(3)
		rows := func(v *onnxio.Value) *onnxio.Value { return u.along(v, max(0, len(a.Shape)-2), len(a.Shape)) }
		y := e.Op("MatMul", nil, e.Mul(u.less(a, rows(in(2))), rows(in(1))), e.Mul(u.less(b, in(5)), in(4)))
		u.real[n.Outputs[0]] = u.codes(y, in(6), in(7), n.Outputs[0].DType)
	default:
		u.other(n)
	}
}

// rounders are the steps among operators on real numbers; Backward passes them where the emitter is Straight.
var rounders = []string{"Round", "Floor", "Ceil", "Sign"}

// Steps tells whether an operator of the standard's rounds, so that a straight-through estimator is another way to a gradient.
func Steps(op string) bool {
	return slices.Contains(rounders, op) || strings.Contains(op, "Quantize") || strings.HasPrefix(op, "QLinear") || strings.HasSuffix(op, "Integer")
}

// scaled is input i of a quantiser, one number for all or one for each index of its axis.
func (u *unrounder) scaled(n *onnxio.Node, i int) *onnxio.Value {
	v := u.number(n.Input(i))
	if v == nil || onnxio.NumElements(v.Shape) == 1 {
		return v
	}
	if n.Attrs.Int("block_size", 0) != 0 || len(v.Shape) != 1 {
		u.e.Fail(op.Unsupported(n, "Gradient", "a scale for each block has no straight-through estimator"))
		return v
	}
	axes := len(n.Inputs[0].Shape)
	axis := n.Attrs.Int("axis", 1)
	if axis < 0 {
		axis += axes
	}
	if axis < 0 || axis >= axes {
		u.e.Fail(fmt.Errorf("axis %d of %d", axis, axes))
		return v
	}
	return u.along(v, axis, axes)
}

// dynamic writes DynamicQuantizeLinear: the range of the values, with 0 in it, has 255 steps.
func (u *unrounder) dynamic(n *onnxio.Node) {
	e, x := u.e, u.number(n.Inputs[0])
	end := func(reduce string) *onnxio.Value {
		return e.Op(reduce, onnxio.Attrs{"keepdims": int64(0)}, x)
	}
	zero := e.Scalar(x, 0)
	low, high := e.Op("Min", nil, end("ReduceMin"), zero), e.Op("Max", nil, end("ReduceMax"), zero)
	const least = 1e-30 // a range of nothing has no steps
	scale := e.MulC(e.Sub(high, low), 1./255)
	scale = e.Op("Max", nil, scale, e.Scalar(x, least))
	point := u.clip(e.Op("Round", nil, e.Neg(e.Div(low, scale))), 0, 255)
	all := []*onnxio.Value{u.codes(x, scale, point, onnxio.Uint8), scale, point}
	for i, v := range n.Outputs {
		if v != nil {
			u.real[v] = all[i]
		}
	}
}

// other keeps a node on what stands for its inputs. Casts between integers, or of what stands for integers, do nothing.
func (u *unrounder) other(n *onnxio.Node) {
	moved := onnxio.Undefined
	for _, v := range n.Inputs {
		if r := u.real[v]; v != nil && r != nil && !v.DType.IsFloat() {
			moved = v.DType
		}
	}
	replaced := slices.ContainsFunc(n.Inputs, func(v *onnxio.Value) bool { return v != nil && u.real[v] != nil })
	if !replaced {
		u.e.Nodes = append(u.e.Nodes, n)
		return
	}
	if moved != onnxio.Undefined && n.Op == "Cast" && n.Domain == "" {
		to := onnxio.DType(n.Attrs.Int("to", 0))
		if _, _, whole := wholeRange(to); to == onnxio.Float || whole {
			u.real[n.Outputs[0]] = u.of(n.Inputs[0])
			return
		}
	}
	inputs := make([]*onnxio.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		inputs[i] = u.of(v)
		if v != nil && moved != onnxio.Undefined && v.DType == moved {
			inputs[i] = u.number(v)
		}
	}
	if n.Domain != "" {
		u.e.Fail(op.Unsupported(n, "Gradient", "of integers it has no straight-through estimator"))
		return
	}
	made := u.e.Outputs(n.Op, len(n.Outputs), n.Attrs, inputs...)
	if u.e.Err != nil {
		return
	}
	for i, v := range n.Outputs {
		if v != nil {
			u.real[v] = made[i]
		}
	}
}
