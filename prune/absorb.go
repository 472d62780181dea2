package prune

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// A channel whose filter is zero still sends on what its bias makes: through normalisations and activations a constant, which the layers
// that sum over the channel see as a constant of their own. Absorbing gives them that constant as bias. Where padding or a partial window
// makes it differ from place to place, it cannot be absorbed, and the channel stays.

// draws is how many random inputs are tried. What a sample sends on everywhere may be its own, which shows with another: where the file fixes its
// batch to 1 there is none beside it.
const draws = 3

// constants are what the removed slots of each summed axis carry once their filters are zero.
type constants map[op.Axis][]float64 // one for each slot of removal, in its order

// unfiltered is the file's graph with the filters that go at zero.
func (c *Coupling) unfiltered(gone removal) (*onnxio.Graph, error) {
	out := c.file.Clone()
	filter := map[op.Axis]bool{}
	for _, cl := range c.Classes {
		for _, l := range cl.Layers {
			filter[l.axis] = true
		}
	}
	err := c.editSources(out, func(v *onnxio.Value) (*onnxio.Tensor, error) {
		t := v.Const
		for i := range v.Shape {
			a := op.Axis{Value: v, Axis: i}
			if !filter[a] || len(gone[a]) == 0 {
				continue
			}
			var err error
			_, zero := c.scalesOf(v)
			if t, err = zeroAt(t, i, gone[a], zero); err != nil {
				return nil, err
			}
		}
		return t, nil
	})
	return out, err
}

// zeroAt is a copy with some indices of an axis at zero: zero(i) is what stands for it in element i.
func zeroAt(t *onnxio.Tensor, axis int, at []int, zero func(i int) float64) (*onnxio.Tensor, error) {
	out := &onnxio.Tensor{DType: t.DType, Shape: t.Shape}
	inner, size := onnxio.NumElements(t.Shape[axis+1:]), t.Shape[axis]
	clearAt := func(set func(i int)) {
		for i := range t.Len() {
			if _, ok := slices.BinarySearch(at, i/inner%size); ok {
				set(i)
			}
		}
	}
	switch d := t.Data.(type) {
	case []float32:
		e := slices.Clone(d)
		clearAt(func(i int) { e[i] = 0 })
		out.Data = e
	case []float64:
		e := slices.Clone(d)
		clearAt(func(i int) { e[i] = 0 })
		out.Data = e
	case []int8:
		e := slices.Clone(d)
		clearAt(func(i int) { e[i] = int8(zero(i)) })
		out.Data = e
	case []uint8:
		e := slices.Clone(d)
		clearAt(func(i int) { e[i] = uint8(zero(i)) })
		out.Data = e
	default:
		return nil, fmt.Errorf("weights of type %v cannot be set to zero", t.DType)
	}
	return out, nil
}

// constantsOf runs the network without the filters that go and reads, where slots are summed, what they carry. Units that do not carry one
// number everywhere, or whose number a node cannot take up, are taken out of the removal, with the reason by layer.
func (c *Coupling) constantsOf(ctx context.Context, gone removal) (constants, removal, map[string]string, error) {
	held := map[string]string{}
	gone = c.unpacked(gone, held)
	base, err := c.unfiltered(gone)
	if err != nil {
		return nil, nil, nil, err
	}
	ends := c.endsOf()
	ends = slices.DeleteFunc(ends, func(a op.Axis) bool { return len(gone[a]) == 0 })
	if len(ends) == 0 {
		return constants{}, gone, held, nil
	}
	g, list := c.probe(base, ends)
	at := constants{}
	why := map[op.Axis]map[int]string{} // slots that cannot be absorbed
	value := map[op.Axis]map[int]float64{}
	rounded := slices.ContainsFunc(ends, func(a op.Axis) bool { return len(c.read[a.Value]) > 0 })
	for draw := range uint64(draws) {
		out, err := c.tried(ctx, g, draw, true)
		if err != nil {
			return nil, nil, nil, err
		}
		var narrow []*onnxio.Tensor // whole numbers are rounded ones: in float32 they may come out otherwise
		if rounded {
			if narrow, err = c.tried(ctx, g, draw, false); err != nil {
				return nil, nil, nil, err
			}
		}
		for k, f := range list {
			d, err := out[k].Float64s()
			if err != nil {
				return nil, nil, nil, err
			}
			again := d
			if len(c.read[f.value]) > 0 {
				if again, err = narrow[k].Float64s(); err != nil {
					return nil, nil, nil, err
				}
			}
			for _, a := range f.axes {
				if value[a] == nil {
					value[a], why[a] = map[int]float64{}, map[int]string{}
				}
				size, inner := a.Size(), onnxio.NumElements(a.Value.Shape[a.Axis+1:])
				rest := c.rest(a.Value)
				for i, x := range d {
					slot := i / inner % size
					if _, ok := slices.BinarySearch(gone[a], slot); !ok {
						continue
					}
					if was, seen := value[a][slot]; seen && was != x-rest {
						why[a][slot] = fmt.Sprintf("what it sends on to %q differs from place to place", a.Value.Name)
					}
					if again[i] != x {
						why[a][slot] = fmt.Sprintf("what it sends on to %q depends on rounding", a.Value.Name)
					}
					value[a][slot] = x - rest
				}
			}
		}
	}
	for a, sent := range value {
		for _, slot := range gone[a] {
			at[a] = append(at[a], sent[slot])
			if sent[slot] != 0 && why[a][slot] == "" {
				if r := c.refuses(a); r != "" {
					why[a][slot] = r
				}
			}
		}
	}
	// Take the units that cannot be absorbed back, whole.
	keep := map[int32]bool{} // roots
	for a, slots := range why {
		for slot, r := range slots {
			root := c.root(c.slot(a, slot))
			keep[root] = true
			c.hold(root, r, held)
		}
	}
	left, values := removal{}, constants{}
	for a, slots := range gone {
		for k, slot := range slots {
			if !keep[c.root(c.slot(a, slot))] {
				left[a] = append(left[a], slot)
				if v := at[a]; v != nil {
					values[a] = append(values[a], v[k])
				}
			}
		}
	}
	return values, left, held, nil
}

// hold notes by layer why a unit stays.
func (c *Coupling) hold(root int32, why string, held map[string]string) {
	for _, cl := range c.Classes {
		for _, l := range cl.Layers {
			for i := range l.axis.Size() {
				if c.root(c.slot(l.axis, i)) == root {
					held[l.Name] = why
				}
			}
		}
	}
}

// unpacked leaves units with packed filters out of a removal: those cannot be set to zero.
func (c *Coupling) unpacked(gone removal, held map[string]string) removal {
	keep := map[int32]bool{}
	for a := range c.packed {
		for _, slot := range gone[a] {
			root := c.root(c.slot(a, slot))
			keep[root] = true
			c.hold(root, "its filters are packed, and cannot be set to zero", held)
		}
	}
	if len(keep) == 0 {
		return gone
	}
	left := removal{}
	for a, slots := range gone {
		for _, slot := range slots {
			if !keep[c.root(c.slot(a, slot))] {
				left[a] = append(left[a], slot)
			}
		}
	}
	return left
}

// tried are the outputs of a graph on the random inputs of one draw.
func (c *Coupling) tried(ctx context.Context, g *onnxio.Graph, draw uint64, wide bool) ([]*onnxio.Tensor, error) {
	s, err := engine.OpenGraph(ctx, c.Sized(g), engine.Options{Float64: wide})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Run(ctx, c.randomInputs(draw, wide))
}

// randomInputs are samples at the sizes of the analysis, in float64 where they are wide. Integers are 0 and 1, which every vocabulary has.
func (c *Coupling) randomInputs(draw uint64, wide bool) []*onnxio.Tensor {
	rng := rand.New(rand.NewPCG(3, 4+draw))
	var in []*onnxio.Tensor
	for _, v := range c.graph.Inputs {
		if v.Const != nil {
			continue
		}
		t := onnxio.NewTensor(v.DType, v.Shape...)
		switch e := t.Data.(type) {
		case []int64:
			for i := range e {
				e[i] = int64(rng.IntN(2))
			}
		case []int32:
			for i := range e {
				e[i] = int32(rng.IntN(2))
			}
		case []uint8:
			for i := range e {
				e[i] = uint8(rng.IntN(256))
			}
		case []bool:
			for i := range e {
				e[i] = rng.IntN(2) == 1
			}
		}
		if v.DType == onnxio.Float || v.DType == onnxio.Double {
			d := make([]float64, t.Len())
			for i := range d {
				d[i] = rng.NormFloat64()
			}
			if t = onnxio.FromFloat64(d, v.Shape...); !wide {
				t = floats(v.DType, d)
				t.Shape = slices.Clone(v.Shape)
			}
		}
		in = append(in, t)
	}
	return in
}

// terms are the numbers of the inputs of a node that sums over its first: what it weighs with, the zero point of that, and its bias; -1 for none.
type terms struct{ weights, zero, bias int }

// takers are the operators that a constant can be given to. Those of whole numbers have a bias of whole numbers, in the unit of their sums.
var takers = map[string]terms{"Conv": {1, -1, 2}, "Gemm": {1, -1, 2}, "MatMul": {1, -1, -1},
	"QLinearConv": {3, 5, 8}, "com.microsoft.QGemm": {3, 5, 6}}

// refuses says why some node that sums over an axis cannot take up constants; "" where all can.
func (c *Coupling) refuses(a op.Axis) string {
	for _, m := range c.ends {
		if m.axis != a {
			continue
		}
		n := m.node
		no := func(why string) string {
			return fmt.Sprintf("node %q (%s) cannot take up a constant: %s", n.Name, n.Op, why)
		}
		in, ok := takers[op.Key(n.Domain, n.Op)]
		switch {
		case n.Op == "DynamicQuantizeLinear" || n.Op == "DynamicQuantizeMatMul":
			return no("what it is given sets the scale of all its numbers")
		case !ok:
			return no("it has no bias")
		}
		weights, b := n.Input(in.weights), n.Input(in.bias)
		if weights == nil || weights.Const == nil || n.Inputs[0] != a.Value || weights == a.Value {
			return no("its weights are not constant")
		}
		if b != nil && (b.Const == nil || b.Producer != nil) {
			return no("its bias is computed")
		}
		switch n.Op {
		case "Conv", "QLinearConv":
			pads := n.Attrs.Ints("pads")
			if auto := n.Attrs.String("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "VALID" ||
				slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
				return no("it pads with zeros")
			}
		case "Gemm", "QGemm":
			if b != nil && b.Const.Len() != n.Outputs[0].Shape[1] {
				return no("its bias is not one number for each output")
			}
			if b != nil && n.Attrs.Float("beta", 1) == 0 {
				return no("it ignores its bias")
			}
		case "MatMul":
			if len(weights.Shape) != 2 {
				return no("its weights are not a matrix")
			}
		}
		if z := n.Input(in.zero); z != nil && z.Const == nil {
			return no("which integer stands for 0 in its weights is computed")
		}
	}
	return ""
}

// absorb gives every node that sums over removed slots what they carried as bias.
func (c *Coupling) absorb(out *onnxio.Graph, gone removal, values constants) error {
	place := map[*onnxio.Node]int{}
	for i, n := range c.graph.Nodes {
		place[n] = i
	}
	fresh := namesOf(out).fresh
	after := map[*onnxio.Node]*onnxio.Node{}
	for _, m := range c.ends {
		v := values[m.axis]
		if m.axis.Value.Const != nil || !slices.ContainsFunc(v, func(x float64) bool { return x != 0 }) {
			continue
		}
		was, now := m.node, out.Nodes[place[m.node]]
		sum, made, err := c.sent(was, gone[m.axis], v)
		if err != nil {
			return fmt.Errorf("node %q: %w", was.Name, err)
		}
		if cut := gone[made]; len(cut) > 0 {
			t, err := without(onnxio.FromFloat64(sum, len(sum)), 0, cut)
			if err != nil {
				return err
			}
			sum = t.F64()
		}
		if was.Op == "MatMul" {
			y := now.Outputs[0]
			raw := &onnxio.Value{Name: fresh(y.Name + "_without_bias"), DType: y.DType, Dims: slices.Clone(y.Dims), HasShape: y.HasShape, Producer: now}
			add := &onnxio.Node{Name: fresh(now.Name + "_absorbed"), Op: "Add", Opset: now.Opset, Outputs: []*onnxio.Value{y}}
			add.Inputs = []*onnxio.Value{raw, constant(fresh(now.Name+"_bias"), floats(y.DType, sum))}
			now.Outputs, y.Producer = []*onnxio.Value{raw}, add
			after[now] = add
			continue
		}
		takes := takers[op.Key(was.Domain, was.Op)]
		old := now.Input(takes.bias)
		shape := []int{len(sum)}
		if old != nil {
			b, err := old.Const.Float64s()
			if err != nil || len(b) != len(sum) {
				return fmt.Errorf("node %q: a bias of %d numbers for %d", was.Name, len(b), len(sum))
			}
			beta := 1.0
			if was.Op == "Gemm" {
				beta = float64(was.Attrs.Float("beta", 1))
			}
			for i := range sum {
				sum[i] = b[i] + sum[i]/beta
			}
			shape = old.Const.Shape
		}
		t := floats(was.Outputs[0].DType, sum)
		if takes.zero >= 0 {
			if t, err = whole(sum); err != nil {
				return fmt.Errorf("node %q (%s): %w", was.Name, was.Op, err)
			}
		}
		t.Shape = slices.Clone(shape)
		now.Inputs = slices.Clone(now.Inputs)
		for len(now.Inputs) <= takes.bias {
			now.Inputs = append(now.Inputs, nil)
		}
		now.Inputs[takes.bias] = constant(fresh(now.Name+"_bias"), t)
		if old == nil && was.Op == "Gemm" && was.Attrs.Float("beta", 1) != 1 {
			change{input: -1, name: "beta", attr: float32(1)}.apply(now, nil)
		}
	}
	var nodes []*onnxio.Node
	for _, n := range out.Nodes {
		nodes = append(nodes, n)
		if a := after[n]; a != nil {
			nodes = append(nodes, a)
		}
	}
	out.Nodes = nodes
	return nil
}

// sent is what constants in the slots `gone` of a node's first input add to each of its outputs, and the axis of the outputs.
func (c *Coupling) sent(n *onnxio.Node, gone []int, values []float64) ([]float64, op.Axis, error) {
	in, ok := takers[op.Key(n.Domain, n.Op)]
	if !ok {
		return nil, op.Axis{}, fmt.Errorf("operator %s has no bias", n.Op)
	}
	w, err := n.Inputs[in.weights].Const.Float64s()
	if err != nil {
		return nil, op.Axis{}, err
	}
	zeros := []float64{0} // of all weights, or of those of each output
	if z := n.Input(in.zero); z != nil {
		if zeros, err = z.Const.Float64s(); err != nil || len(zeros) == 0 {
			return nil, op.Axis{}, fmt.Errorf("operator %s without zero points: %w", n.Op, err)
		}
	}
	s, y := n.Inputs[in.weights].Shape, n.Outputs[0]
	made, inner, alpha := op.Axis{Value: y, Axis: len(y.Shape) - 1}, 1, 1.0
	at := func(j, slot int) int { return slot*s[1] + j }
	if turned := n.Attrs.Int("transB", 0) != 0; turned || len(s) > 2 { // filters come first
		at = func(j, slot int) int { return j*s[1] + slot }
	}
	switch n.Op {
	case "Conv", "QLinearConv":
		made.Axis, inner = 1, onnxio.NumElements(s[2:])
	case "Gemm":
		alpha = float64(n.Attrs.Float("alpha", 1))
	}
	out := make([]float64, made.Size())
	for j := range out {
		for i, slot := range gone {
			k := at(j, slot) * inner
			for _, x := range w[k : k+inner] {
				out[j] += alpha * values[i] * (x - zeros[j%len(zeros)])
			}
		}
	}
	return out, made, nil
}

// whole makes a vector of whole numbers of 32 bits.
func whole(x []float64) (*onnxio.Tensor, error) {
	d := make([]int32, len(x))
	for i, v := range x {
		if v != math.Round(v) || v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("a constant of %v cannot be added to its bias, which is of 32 bits", v)
		}
		d[i] = int32(v)
	}
	return &onnxio.Tensor{DType: onnxio.Int32, Shape: []int{len(d)}, Data: d}, nil
}

// floats makes a vector of float32 or float64.
func floats(d onnxio.DType, x []float64) *onnxio.Tensor {
	if d == onnxio.Double {
		return onnxio.FromFloat64(slices.Clone(x), len(x))
	}
	f := make([]float32, len(x))
	for i, v := range x {
		f[i] = float32(v)
	}
	return onnxio.FromFloat32(f, len(f))
}
