package operators

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// TestZeroSlotsGiveZero: inputs are zero in the slots that a Couple face ties to one of the output, and random elsewhere; so must the output be zero
// there, as the operator's Zero says; of quantised numbers that is their zero point. Constants that have such a slot are left out, as they are not
// zero.
func TestZeroSlotsGiveZero(t *testing.T) {
	seen := map[string]int{}
	sums := []gradCase{{op: "Sum", in: vars([]int{2, 3}, []int{2, 3})}, {op: "Mean", in: vars([]int{2, 3}, []int{3}, []int{2, 3})}}
	for seed, c := range append(coupleCases(), sums...) {
		def := known[c.op]
		if def.Zero == op.ZeroUnknown || def.Couple == nil {
			continue
		}
		rng := rand.New(rand.NewPCG(uint64(seed), 17))
		opset := max(21, def.Since)
		if c.opsets != nil {
			opset = c.opsets[len(c.opsets)-1]
		}
		n := nodeWith(t, c.op, opset, c.attrs, max(c.outputs, 1), c.in()...)
		if n.Attrs == nil {
			n.Attrs = onnxio.Attrs{}
		}
		s := &slotSets{map[slotKey]slotKey{}, map[slotKey]bool{}, map[op.Axis]bool{}, rng, map[*onnxio.Value]func(int) float64{}}
		def.Couple(n, s)
		for o, v := range n.Outputs {
			rest := s.zeros[v]
			if rest == nil {
				rest = func(int) float64 { return 0 }
			}
			for _, a := range axesOf(v) {
				for i := range a.Size() {
					zero, complete, some := map[slotKey]bool{}, true, false
					for _, x := range n.Inputs {
						if x == nil {
							continue
						}
						has := false
						for _, b := range axesOf(x) {
							for j := range b.Size() {
								if k := (slotKey{b, j}); s.find(k) == s.find(slotKey{a, i}) {
									has = true
									if def.Zero != op.ZeroOfOne || !some || zero[k] {
										zero[k] = x.Const == nil
									}
								}
							}
						}
						some = some || has && x.Const == nil
						if x.Const != nil && has || !has && def.Zero == op.ZeroSummed {
							complete = false
						}
					}
					if !some || !complete {
						continue
					}
					in := map[*onnxio.Value]*onnxio.Tensor{}
					for _, x := range n.Inputs {
						if x != nil && x.Const == nil && in[x] == nil {
							in[x] = pickAt(randomTensor(rng, x, 0.5, 1.5), x, zero, true, s.zeros[x])
						}
					}
					evalNodes(t, []*onnxio.Node{n}, in)
					got, err := in[v].Float64s()
					if err != nil {
						t.Fatal(err)
					}
					for e, y := range got {
						if e/onnxio.NumElements(v.Shape[a.Axis+1:])%a.Size() == i && y != rest(e) {
							t.Fatalf("%s %v: slot %d of axis %d of output %d holds %v, and all that it is tied to is zero", c.op, c.attrs, i, a.Axis, o, y)
						}
					}
					seen[c.op]++
				}
			}
		}
	}
	for _, d := range All() {
		if d.Zero != op.ZeroUnknown && seen[d.Name] == 0 && !slices.Contains([]string{"Upsample"}, d.Name) { // which newer opsets call Resize
			t.Errorf("%s says when it is zero, and no case of coupleCases shows it", d.Name)
		}
	}
}

// TestRisingFunctionsRise runs what says that it does not decrease over growing numbers.
func TestRisingFunctionsRise(t *testing.T) {
	var x []float64
	for v := -40.0; v <= 40; v += 0.0625 {
		x = append(x, v)
	}
	attrs := map[string][]onnxio.Attrs{
		"LeakyRelu": {{}, {"alpha": float32(0)}, {"alpha": float32(0.5)}, {"alpha": float32(3)}, {"alpha": float32(-0.5)}},
	}
	inputs := map[string][]*onnxio.Value{"Clip": {floats([]float64{-1}), floats([]float64{2})}}
	falls := 0
	for _, d := range All() {
		if d.Rising == nil {
			continue
		}
		forms := attrs[d.Name]
		if forms == nil {
			forms = []onnxio.Attrs{{}}
		}
		for _, a := range forms {
			n := node(t, d.Name, max(13, d.Since), a, append([]*onnxio.Value{variable(len(x))}, inputs[d.Name]...)...)
			if !d.Rising(n) {
				falls++
				continue
			}
			if y := run(t, n, x)[0]; !slices.IsSorted(y) {
				t.Errorf("%s %v falls", d.Name, a)
			}
		}
	}
	if falls != 1 {
		t.Errorf("%d forms that do not rise, want LeakyRelu's with a negative slope", falls)
	}
}

// TestSameNumbersAndCopies: what says so gives the numbers of its first input in their order.
func TestSameNumbersAndCopies(t *testing.T) {
	seen := map[string]bool{}
	for seed, c := range coupleCases() {
		def := known[c.op]
		opset := max(21, def.Since)
		if c.opsets != nil {
			opset = c.opsets[len(c.opsets)-1]
		}
		n := nodeWith(t, c.op, opset, c.attrs, max(c.outputs, 1), c.in()...)
		if n.Attrs == nil {
			n.Attrs = onnxio.Attrs{}
		}
		copies := def.Copies != nil && def.Copies(n)
		if !copies && !def.SameNumbers {
			continue
		}
		seen[c.op] = true
		x := n.Inputs[0]
		in := map[*onnxio.Value]*onnxio.Tensor{}
		for _, v := range n.Inputs {
			if v != nil && v.Const == nil {
				in[v] = randomTensor(rand.New(rand.NewPCG(uint64(seed), 3)), v, -1, 1)
			}
		}
		evalNodes(t, []*onnxio.Node{n}, in)
		p, _ := in[x].Float64s()
		q, _ := in[n.Outputs[0]].Float64s()
		if !slices.Equal(p, q) || copies && !slices.Equal(x.Shape, n.Outputs[0].Shape) {
			t.Errorf("%s %v does not give its input", c.op, c.attrs)
		}
	}
	for _, d := range All() {
		if d.SameNumbers && !seen[d.Name] {
			t.Errorf("%s has no case in coupleCases", d.Name)
		}
	}
}
