package operators

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// slotKey is a slot of a value.
type slotKey struct {
	axis op.Axis
	i    int
}

// slotSets is a Coupler that follows one node: a plain union-find, written apart from package prune's.
type slotSets struct {
	up     map[slotKey]slotKey
	pinned map[slotKey]bool
	ends   map[op.Axis]bool
	rng    *rand.Rand
	zeros  map[*onnxio.Value]func(element int) float64 // what stands for 0, where it is not 0
}

func (s *slotSets) Quantised(v, _, zero *onnxio.Value, axis int) {
	if zero == nil || zero.Const == nil || s.zeros == nil {
		return
	}
	d, err := zero.Const.Float64s()
	if err != nil {
		return
	}
	s.zeros[v] = func(element int) float64 {
		if len(d) == 1 {
			return d[0]
		}
		return d[element/product(v.Shape[axis+1:])%len(d)]
	}
}

func (s *slotSets) find(k slotKey) slotKey {
	for {
		p, ok := s.up[k]
		if !ok || p == k {
			return k
		}
		k = p
	}
}

func (s *slotSets) Tie(a op.Axis, i int, b op.Axis, j int) {
	p, q := s.find(slotKey{a, i}), s.find(slotKey{b, j})
	if p != q {
		s.up[q] = p
		s.pinned[p] = s.pinned[p] || s.pinned[q]
	}
}

func (s *slotSets) Pin(a op.Axis, why string) {
	for i := range a.Size() {
		s.PinSlot(a, i, why)
	}
}

func (s *slotSets) PinSlot(a op.Axis, i int, _ string) { s.pinned[s.find(slotKey{a, i})] = true }
func (s *slotSets) Ends(a op.Axis)                     { s.ends[a] = true }
func (s *slotSets) Filters(op.Axis)                    {}
func (s *slotSets) Scales(op.Axis)                     {}

func (s *slotSets) PackedFilters(op.Axis, func(int) []float64) {}

// Regroup lets one axis of either side, drawn by chance, carry what goes.
func (s *slotSets) Regroup(a, b []op.Axis) {
	i, j := s.rng.IntN(len(a)), s.rng.IntN(len(b))
	index := func(axes []op.Axis, at, flat int) int {
		for k := len(axes) - 1; k > at; k-- {
			flat /= axes[k].Size()
		}
		return flat % axes[at].Size()
	}
	total := 1
	for _, x := range a {
		total *= x.Size()
	}
	for _, side := range [][]op.Axis{a, b} {
		for k, x := range side {
			if &side[k] != &a[i] && &side[k] != &b[j] {
				s.Pin(x, "")
			}
		}
	}
	for f := range total {
		s.Tie(a[i], index(a, i, f), b[j], index(b, j, f))
	}
}

// keptSlots is an Adapter over a set of slots that go.
type keptSlots struct {
	gone map[slotKey]bool
	now  *onnxio.Node
}

func (k *keptSlots) Kept(a op.Axis) []int {
	var out []int
	for i := range a.Size() {
		if !k.gone[slotKey{a, i}] {
			out = append(out, i)
		}
	}
	return out
}

func (k *keptSlots) Ints(i int) []int {
	if t := k.now.ConstInput(i); t != nil {
		v, _ := intsOf(t)
		return v
	}
	return nil
}
func (k *keptSlots) Free(i int) []bool { return make([]bool, len(k.Ints(i))) }
func (k *keptSlots) SetInts(i int, v []int) {
	for len(k.now.Inputs) <= i {
		k.now.Inputs = append(k.now.Inputs, nil)
	}
	k.now.Inputs[i] = ints(op.Ints64(v)...)
}
func (k *keptSlots) SetAttr(name string, v any) {
	k.now.Attrs = maps.Clone(k.now.Attrs)
	if v == nil {
		delete(k.now.Attrs, name)
		return
	}
	k.now.Attrs[name] = v
}

// coupleCases are those of the gradients, and operators without one.
func coupleCases() []gradCase {
	cs := slices.Clone(gradCases)
	s := []int{2, 3, 4}
	truth := func(shapes ...[]int) func() []*onnxio.Value {
		return func() []*onnxio.Value {
			out := vars(shapes...)()
			for _, v := range out {
				v.DType = onnxio.Bool
			}
			return out
		}
	}
	for _, op := range []string{"And", "Or", "Xor"} {
		cs = append(cs, gradCase{op: op, in: truth(s, []int{3, 1})})
	}
	cs = append(cs, gradCase{op: "Not", in: truth(s)})
	// equal parts, which then are not
	cs = append(cs, gradCase{op: "Split", opsets: []int{11, 13}, attrs: onnxio.Attrs{"axis": int64(2)}, outputs: 2, in: vars(s)},
		gradCase{op: "Split", opsets: []int{18, 21}, attrs: onnxio.Attrs{"axis": int64(2), "num_outputs": int64(2)}, outputs: 2, in: vars(s)})
	for _, op := range []string{"Greater", "Less", "Equal"} {
		cs = append(cs, gradCase{op: op, opsets: []int{11, 13}, in: vars(s, []int{4})})
	}
	for _, op := range []string{"GreaterOrEqual", "LessOrEqual"} {
		cs = append(cs, gradCase{op: op, opsets: []int{12, 16}, in: vars(s, []int{4})})
	}
	cs = append(cs, gradCase{op: "BitShift", opsets: []int{11}, attrs: onnxio.Attrs{"direction": "LEFT"}, in: func() []*onnxio.Value {
		out := vars(s, []int{4})()
		for _, v := range out {
			v.DType = onnxio.Uint8
		}
		return out
	}})
	cs = append(cs, gradCase{op: "IsNaN", opsets: []int{13}, in: vars(s)}, gradCase{op: "IsInf", opsets: []int{10}, in: vars(s)})
	cs = append(cs, gradCase{op: "Shape", in: vars(s)}, gradCase{op: "Size", in: vars(s)})
	for _, op := range []string{"ArgMax", "ArgMin"} {
		for _, keep := range []int64{0, 1} {
			cs = append(cs, gradCase{op: op, attrs: onnxio.Attrs{"axis": int64(1), "keepdims": keep}, in: vars(s)})
		}
	}
	cs = append(cs, gradCase{op: "Mod", opsets: []int{10, 13}, in: func() []*onnxio.Value {
		x := variable(s...)
		x.DType = onnxio.Int64
		return []*onnxio.Value{x, ints(3, 2, 5, 4)}
	}})
	scale := positive(3)
	scale.Const = onnxio.FromFloat32([]float32{0.5, 0.25, 1}, 3)
	scale.DType = onnxio.Float
	zero := fixed(&onnxio.Tensor{DType: onnxio.Uint8, Shape: []int{3}, Data: []uint8{1, 2, 3}})
	cs = append(cs, gradCase{op: "QuantizeLinear", opsets: []int{13}, attrs: onnxio.Attrs{"axis": int64(1)}, in: func() []*onnxio.Value {
		x := variable(s...)
		x.DType = onnxio.Float
		return []*onnxio.Value{x, scale, zero}
	}})
	cs = append(cs, gradCase{op: "DequantizeLinear", opsets: []int{13}, attrs: onnxio.Attrs{"axis": int64(1)}, in: func() []*onnxio.Value {
		x := variable(s...)
		x.DType = onnxio.Uint8
		return []*onnxio.Value{x, scale, zero}
	}})
	return cs
}

// untested are operators with the face that need no case here, each with its reason.
var untested = map[string]string{
	"Constant": "it has no inputs; package prune's networks have many",
}

// TestEveryCoupleIsTested: an operator with the face has a case.
func TestEveryCoupleIsTested(t *testing.T) {
	has := map[string]bool{}
	for _, c := range slices.Concat(coupleCases(), partCases, quantisedCases) {
		has[op.Key(c.domain, c.op)] = true
	}
	for _, d := range All() {
		if d.Couple != nil && !has[op.Key(d.Domain, d.Name)] && untested[d.Name] == "" {
			t.Errorf("%s has a Couple face and no case in coupleCases", d.Name)
		}
		if d.Couple == nil && d.Adapt != nil {
			t.Errorf("%s has an Adapt face and no Couple", d.Name)
		}
	}
}

// TestDeletedSlotsEqualZeroedOnes removes slots that a face lets go from a node's inputs, and compares its outputs with those of the whole
// node on inputs where the slots are zero, without the slots that went.
func TestDeletedSlotsEqualZeroedOnes(t *testing.T) {
	for _, c := range slices.Concat(coupleCases(), partCases, quantisedCases) {
		def := c.def()
		if def.Couple == nil {
			continue
		}
		opsets := c.opsets
		if opsets == nil {
			opsets = []int{13, 21}
			if def.Since > 13 {
				opsets = []int{max(21, def.Since)}
			}
		}
		for _, o := range opsets {
			t.Run(fmt.Sprintf("%s-%d-%v", c.op, o, c.attrs), func(t *testing.T) {
				for seed := range uint64(12) {
					checkCouple(t, c, o, seed)
				}
			})
		}
	}
}

// randomTensor fills a value's shape with numbers of its type.
func randomTensor(rng *rand.Rand, v *onnxio.Value, lo, hi float64) *onnxio.Tensor {
	t := onnxio.NewTensor(v.DType, v.Shape...)
	for i := range t.Len() {
		x := lo + (hi-lo)*rng.Float64()
		switch d := t.Data.(type) {
		case []float64:
			d[i] = x
		case []float32:
			d[i] = float32(x)
		case []int64:
			d[i] = rng.Int64N(9) + 1
		case []int8:
			d[i] = int8(rng.IntN(13) - 6)
		case []uint8:
			d[i] = uint8(rng.IntN(7) + 1)
		case []bool:
			d[i] = rng.IntN(2) == 0
		}
	}
	return t
}

// pick copies a tensor with some slots left out or, with zero, set to zero.
func pick(t *onnxio.Tensor, v *onnxio.Value, gone map[slotKey]bool, zero bool) *onnxio.Tensor {
	return pickAt(t, v, gone, zero, nil)
}

// pickAt is pick where another number stands for 0.
func pickAt(t *onnxio.Tensor, v *onnxio.Value, gone map[slotKey]bool, zero bool, zeroAt func(element int) float64) *onnxio.Tensor {
	f, _ := t.Float64s()
	shape := slices.Clone(t.Shape)
	out := []float64{}
	for i, x := range f {
		at, drop := i, false
		for k := len(t.Shape) - 1; k >= 0; k-- {
			drop = drop || gone[slotKey{op.Axis{Value: v, Axis: k}, at % t.Shape[k]}]
			at /= t.Shape[k]
		}
		switch {
		case !drop:
			out = append(out, x)
		case zero:
			z := 0.0
			if zeroAt != nil {
				z = zeroAt(i)
			}
			out = append(out, z)
		}
	}
	if !zero {
		for k := range shape {
			for i := range t.Shape[k] {
				if gone[slotKey{op.Axis{Value: v, Axis: k}, i}] {
					shape[k]--
				}
			}
		}
	}
	r := onnxio.NewTensor(t.DType, shape...)
	for i, x := range out {
		switch d := r.Data.(type) {
		case []float64:
			d[i] = x
		case []float32:
			d[i] = float32(x)
		case []int64:
			d[i] = int64(x)
		case []int32:
			d[i] = int32(x)
		case []int8:
			d[i] = int8(x)
		case []uint8:
			d[i] = uint8(x)
		case []bool:
			d[i] = x != 0
		}
	}
	return r
}

func checkCouple(t *testing.T, c gradCase, opset int, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 5))
	n, nodes := c.written(t, opset)
	lo, hi := c.lo, c.hi
	if lo == 0 && hi == 0 {
		lo, hi = -1.5, 1.5
	}
	in := map[*onnxio.Value]*onnxio.Tensor{}
	for _, v := range n.Inputs {
		if v != nil && v.Const == nil && in[v] == nil {
			in[v] = randomTensor(rng, v, lo, hi)
		}
	}
	s := &slotSets{map[slotKey]slotKey{}, map[slotKey]bool{}, map[op.Axis]bool{}, rng, map[*onnxio.Value]func(int) float64{}}
	def := c.def()
	def.Couple(n, s)

	// Draw units, and put back those that would leave an axis empty.
	all := map[slotKey][]slotKey{}
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		for _, a := range axesOf(v) {
			for i := range a.Size() {
				k := slotKey{a, i}
				if r := s.find(k); !s.pinned[r] && !slices.Contains(all[r], k) {
					all[r] = append(all[r], k)
				}
			}
		}
	}
	roots := slices.Collect(maps.Keys(all))
	slices.SortFunc(roots, func(p, q slotKey) int { // maps have no order; the drawing must
		return slices.Compare(rank(n, p), rank(n, q))
	})
	gone := map[slotKey]bool{}
	left := map[op.Axis]int{}
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		for _, a := range axesOf(v) {
			left[a] = a.Size()
		}
	}
	for _, r := range roots {
		if rng.IntN(2) == 0 {
			continue
		}
		count := map[op.Axis]int{}
		for _, k := range all[r] {
			count[k.axis]++
		}
		spare := true
		for a, n := range count {
			spare = spare && left[a] > n
		}
		if !spare {
			continue
		}
		for _, k := range all[r] {
			gone[k] = true
			left[k.axis]--
		}
	}
	if len(gone) == 0 {
		return
	}

	zeroed, small := map[*onnxio.Value]*onnxio.Tensor{}, map[*onnxio.Value]*onnxio.Tensor{}
	for v, x := range in {
		zeroed[v] = pickAt(x, v, gone, true, s.zeros[v])
		small[v] = pick(x, v, gone, false)
	}
	evalNodes(t, nodes, zeroed)

	now := *n
	now.Inputs = slices.Clone(n.Inputs)
	at := map[*onnxio.Value]*onnxio.Value{}
	for i, v := range now.Inputs {
		if v == nil {
			continue
		}
		if at[v] == nil {
			w := *v
			if v.Const != nil {
				w.Const = pick(v.Const, v, gone, false)
				w.Shape = w.Const.Shape
			} else {
				w.Shape = small[v].Shape
			}
			at[v] = &w
		}
		now.Inputs[i] = at[v]
	}
	if def.Adapt != nil {
		if err := def.Adapt(n, &keptSlots{gone, &now}); err != nil {
			return // refused by name
		}
	}
	fewer := made(t, &now, len(n.Outputs), opset)
	values := map[*onnxio.Value]*onnxio.Tensor{}
	for v, x := range small {
		values[at[v]] = x
	}
	evalNodes(t, fewer, values)
	for i, v := range n.Outputs {
		if v == nil || c.op == "Shape" || c.op == "Size" {
			continue // sizes are what changes
		}
		want, got := pick(zeroed[v], v, gone, false), values[now.Outputs[i]]
		if !slices.Equal(want.Shape, got.Shape) {
			t.Fatalf("seed %d: output %d of shape %v, want %v", seed, i, got.Shape, want.Shape)
		}
		p, _ := want.Float64s()
		q, _ := got.Float64s()
		for k := range p {
			if !(math.Abs(p[k]-q[k]) <= 1e-9*(1+math.Abs(p[k]))) && !(p[k] == q[k] || p[k] != p[k] && q[k] != q[k]) {
				t.Fatalf("seed %d: element %d of output %d is %v where zeroed slots give %v; attributes %v", seed, k, i, q[k], p[k], now.Attrs)
			}
		}
	}
	checkStays(t, n, nodes, s, in, rng, seed)
}

// rank orders slots by where their value is first seen.
func rank(n *onnxio.Node, k slotKey) []int {
	return []int{slices.Index(slices.Concat(n.Inputs, n.Outputs), k.axis.Value), k.axis.Axis, k.i}
}

// checkStays changes an input in one slot of an axis that the node does not sum over: outputs may only change in the slot's unit. Proofs
// that a channel is dead rest on it.
func checkStays(t *testing.T, n *onnxio.Node, nodes []*onnxio.Node, s *slotSets, in map[*onnxio.Value]*onnxio.Tensor, rng *rand.Rand, seed uint64) {
	before := maps.Clone(in)
	evalNodes(t, nodes, before)
	for v, x := range in {
		for _, a := range axesOf(v) {
			i := rng.IntN(max(a.Size(), 1))
			k := slotKey{a, i}
			if a.Size() == 0 || s.ends[a] || s.pinned[s.find(k)] {
				continue
			}
			other := randomTensor(rng, v, 0.3, 0.9)
			f, _ := x.Float64s()
			g, _ := other.Float64s()
			inner := product(v.Shape[a.Axis+1:])
			for e := range f {
				if e/inner%a.Size() == i {
					f[e] = g[e]
				}
			}
			after := maps.Clone(in)
			after[v] = pick(typed(x.DType, f, x.Shape), v, nil, true)
			evalNodes(t, nodes, after)
			for o, y := range n.Outputs {
				if y == nil || n.Op == "Shape" || n.Op == "Size" {
					continue
				}
				p, _ := before[y].Float64s()
				q, _ := after[y].Float64s()
				for e := range p {
					if p[e] == q[e] || p[e] != p[e] {
						continue
					}
					inside, at := false, e
					for d := len(y.Shape) - 1; d >= 0; d-- {
						inside = inside || s.find(slotKey{op.Axis{Value: y, Axis: d}, at % y.Shape[d]}) == s.find(k)
						at /= y.Shape[d]
					}
					if !inside {
						t.Fatalf("seed %d: slot %d of axis %d of an input changes element %d of output %d, which is not in its unit, and the face does not say that it sums", seed, i, a.Axis, e, o)
					}
				}
			}
		}
	}
}

// typed makes a tensor of a type from float64s.
func typed(d onnxio.DType, f []float64, shape []int) *onnxio.Tensor {
	t := onnxio.NewTensor(d, shape...)
	for i, x := range f {
		switch e := t.Data.(type) {
		case []float64:
			e[i] = x
		case []float32:
			e[i] = float32(x)
		case []int64:
			e[i] = int64(x)
		case []int32:
			e[i] = int32(x)
		case []int8:
			e[i] = int8(x)
		case []uint8:
			e[i] = uint8(x)
		case []bool:
			e[i] = x != 0
		}
	}
	return t
}
