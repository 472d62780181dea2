package prune

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/engine"
)

// A channel whose filter is zero still sends on what its bias makes: through normalisations and activations a constant, which the layers
// that sum over the channel see as a constant of their own. Absorbing gives them that constant as bias. Where padding or a partial window
// makes it differ from place to place, it cannot be absorbed, and the channel stays.

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
	s, err := engine.OpenGraph(ctx, c.Sized(g), engine.Options{Float64: true})
	if err != nil {
		return nil, nil, nil, err
	}
	defer s.Close()
	out, err := s.Run(ctx, c.randomInputs())
	if err != nil {
		return nil, nil, nil, err
	}
	at := constants{}
	why := map[op.Axis]map[int]string{} // slots that cannot be absorbed
	for k, f := range list {
		d, err := out[k].Float64s()
		if err != nil {
			return nil, nil, nil, err
		}
		for _, a := range f.axes {
			size, inner := a.Size(), onnxio.NumElements(a.Value.Shape[a.Axis+1:])
			why[a] = map[int]string{}
			value, rest := map[int]float64{}, c.rest(a.Value)
			for i, x := range d {
				slot := i / inner % size
				if _, ok := slices.BinarySearch(gone[a], slot); !ok {
					continue
				}
				if was, seen := value[slot]; seen && was != x-rest {
					why[a][slot] = fmt.Sprintf("what it sends on to %q differs from place to place", a.Value.Name)
				}
				value[slot] = x - rest
			}
			for _, slot := range gone[a] {
				at[a] = append(at[a], value[slot])
				if value[slot] != 0 && why[a][slot] == "" {
					if r := c.refuses(a); r != "" {
						why[a][slot] = r
					}
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

// randomInputs are samples at the sizes of the analysis.
func (c *Coupling) randomInputs() []*onnxio.Tensor {
	rng := rand.New(rand.NewPCG(3, 4))
	var in []*onnxio.Tensor
	for _, v := range c.graph.Inputs {
		if v.Const != nil {
			continue
		}
		t := onnxio.NewTensor(v.DType, v.Shape...)
		if v.DType == onnxio.Float || v.DType == onnxio.Double {
			d := make([]float64, t.Len())
			for i := range d {
				d[i] = rng.NormFloat64()
			}
			t = onnxio.FromFloat64(d, v.Shape...)
		}
		in = append(in, t)
	}
	return in
}

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
		if len(c.read[a.Value]) > 0 {
			return no("it sums whole numbers")
		}
		weights := n.Input(1)
		if weights == nil || weights.Const == nil || n.Inputs[0] != a.Value || n.Inputs[1] == a.Value {
			return no("its weights are not constant")
		}
		switch n.Op {
		case "Conv":
			b := n.Input(2)
			if b != nil && (b.Const == nil || b.Producer != nil) {
				return no("its bias is computed")
			}
			pads := n.Attrs.Ints("pads")
			if auto := n.Attrs.String("auto_pad", "NOTSET"); auto != "NOTSET" && auto != "VALID" ||
				slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
				return no("it pads with zeros")
			}
		case "Gemm":
			b := n.Input(2)
			if b != nil && (b.Const == nil || b.Producer != nil || b.Const.Len() != n.Outputs[0].Shape[1]) {
				return no("its bias is not one number for each output")
			}
			if b != nil && n.Attrs.Float("beta", 1) == 0 {
				return no("it ignores its bias")
			}
		case "MatMul":
			if len(weights.Shape) != 2 {
				return no("its weights are not a matrix")
			}
		default:
			return no("it has no bias")
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
		old, d := now.Input(2), was.Outputs[0].DType
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
		t := floats(d, sum)
		t.Shape = slices.Clone(shape)
		bias := constant(fresh(now.Name+"_bias"), t)
		now.Inputs = slices.Clone(now.Inputs)
		if len(now.Inputs) < 3 {
			now.Inputs = append(now.Inputs, bias)
		} else {
			now.Inputs[2] = bias
		}
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
	w, err := n.Inputs[1].Const.Float64s()
	if err != nil {
		return nil, op.Axis{}, err
	}
	s, y := n.Inputs[1].Shape, n.Outputs[0]
	switch n.Op {
	case "Conv":
		out := make([]float64, s[0])
		k := onnxio.NumElements(s[2:])
		for j := range out {
			for i, slot := range gone {
				for _, x := range w[(j*s[1]+slot)*k : (j*s[1]+slot+1)*k] {
					out[j] += values[i] * x
				}
			}
		}
		return out, op.Axis{Value: y, Axis: 1}, nil
	case "Gemm", "MatMul":
		turned := n.Op == "Gemm" && n.Attrs.Int("transB", 0) != 0
		alpha := 1.0
		if n.Op == "Gemm" {
			alpha = float64(n.Attrs.Float("alpha", 1))
		}
		out := make([]float64, y.Shape[len(y.Shape)-1])
		for j := range out {
			for i, slot := range gone {
				at := slot*s[1] + j
				if turned {
					at = j*s[1] + slot
				}
				out[j] += alpha * values[i] * w[at]
			}
		}
		return out, op.Axis{Value: y, Axis: len(y.Shape) - 1}, nil
	}
	return nil, op.Axis{}, fmt.Errorf("operator %s has no bias", n.Op)
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
