package operators

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shallow-waters/shoal/onnxio"
)

// TestDirectionsOfCells: the standard's node tests check one direction forward; the reverse one sees the steps in the other order, and both
// together are the two side by side.
func TestDirectionsOfCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	const steps, batch, in, hidden = 4, 2, 3, 5
	x := randoms(rng, steps*batch*in)
	back := make([]float64, len(x))
	for i := range steps {
		copy(back[i*batch*in:(i+1)*batch*in], x[(steps-1-i)*batch*in:])
	}
	for _, c := range []struct {
		op    string
		gates int
		attrs onnxio.Attrs
	}{{"LSTM", 4, nil}, {"GRU", 3, nil}, {"GRU", 3, onnxio.Attrs{"linear_before_reset": int64(1)}}, {"RNN", 1, nil}} {
		wide := c.gates * hidden
		w, r, b := randoms(rng, 2*wide*in), randoms(rng, 2*wide*hidden), randoms(rng, 4*wide)
		cell := func(direction string, d, dirs int, data []float64) [][]float64 {
			a := onnxio.Attrs{"direction": direction, "hidden_size": int64(hidden)}
			for k, v := range c.attrs {
				a[k] = v
			}
			return run(t, nodeWith(t, c.op, 14, a, 2, variable(steps, batch, in), floats(w[d*wide*in:(d+dirs)*wide*in], dirs, wide, in),
				floats(r[d*wide*hidden:(d+dirs)*wide*hidden], dirs, wide, hidden), floats(b[d*2*wide:(d+dirs)*2*wide], dirs, 2*wide)), data)
		}
		first, second := cell("forward", 0, 1, x), cell("reverse", 1, 1, x)
		mirrored := cell("forward", 1, 1, back)
		both := cell("bidirectional", 0, 2, x)
		const state = batch * hidden
		for s := range steps {
			for i := range state {
				if second[0][s*state+i] != mirrored[0][(steps-1-s)*state+i] {
					t.Fatalf("%s: reverse, step %d: %v, want %v", c.op, s, second[0][s*state+i], mirrored[0][(steps-1-s)*state+i])
				}
				if both[0][2*s*state+i] != first[0][s*state+i] || both[0][(2*s+1)*state+i] != second[0][s*state+i] {
					t.Fatalf("%s: both directions, step %d", c.op, s)
				}
			}
		}
		for i := range state {
			if first[1][i] != first[0][(steps-1)*state+i] || second[1][i] != second[0][i] {
				t.Fatalf("%s: the last state", c.op)
			}
		}
	}
}

// TestStepsAreTheWhole: what recurrent operators are bounded and differentiated by computes what they compute, in all forms.
func TestStepsAreTheWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const steps, batch, in, hidden = 3, 2, 4, 3
	for _, c := range []struct {
		op    string
		gates int
		reset bool
	}{{"LSTM", 4, false}, {"GRU", 3, false}, {"GRU", 3, true}, {"RNN", 1, false}} {
		for form := range 16 {
			biased, carried, peeping, zero := form&1 != 0, form&2 != 0, form&4 != 0 && c.op == "LSTM", form&8 != 0
			for _, direction := range []string{"forward", "reverse", "bidirectional"} {
				dirs := 1
				if direction == "bidirectional" {
					dirs = 2
				}
				wide := c.gates * hidden
				n := &onnxio.Node{Name: "n", Op: c.op, Opset: 14, Attrs: onnxio.Attrs{"direction": direction, "hidden_size": int64(hidden)}}
				if c.reset {
					n.Attrs["linear_before_reset"] = int64(1)
				}
				if form%3 == 2 {
					var names []string
					for range dirs * map[string]int{"LSTM": 3, "GRU": 2, "RNN": 1}[c.op] {
						names = append(names, []string{"relu", "Tanh", "Sigmoid", "Softsign"}[rng.IntN(4)])
					}
					n.Attrs["activations"] = names
				}
				n.Inputs = []*onnxio.Value{variable(steps, batch, in), weightsOf(dirs, wide, in), weightsOf(dirs, wide, hidden), nil, nil, nil, nil, nil}
				values := map[*onnxio.Value]*onnxio.Tensor{}
				vary := func(i int, shape ...int) {
					n.Inputs[i] = variable(shape...)
				}
				if biased {
					n.Inputs[3] = weightsOf(dirs, 2*wide)
				}
				states := 1
				if c.op == "LSTM" {
					states = 2
				}
				for k := range states {
					switch {
					case zero:
						n.Inputs[5+k] = floats(make([]float64, dirs*batch*hidden), dirs, batch, hidden)
					case carried:
						vary(5+k, dirs, batch, hidden)
					}
				}
				if peeping {
					n.Inputs[7] = weightsOf(dirs, 3*hidden)
				}
				if c.op != "LSTM" {
					n.Inputs = n.Inputs[:6]
				}
				for _, v := range n.Inputs {
					if v != nil && v.Const == nil {
						values[v] = onnxio.FromFloat64(randoms(rng, product(v.Shape)), v.Shape...)
					}
				}
				whole := *n
				d, err := Lookup(n)
				if err != nil {
					t.Fatal(err)
				}
				types, err := d.Shape(n)
				if err != nil {
					t.Fatal(err)
				}
				for k := range states + 1 {
					whole.Outputs = append(whole.Outputs, &onnxio.Value{Name: "w", DType: types[k].DType, Shape: types[k].Shape, Producer: &whole})
				}
				evalNodes(t, []*onnxio.Node{&whole}, values)
				evalNodes(t, made(t, n, states+1, 14), values)
				for k, v := range n.Outputs {
					want, _ := values[whole.Outputs[k]].Float64s()
					got, _ := values[v].Float64s()
					if len(got) != len(want) {
						t.Fatalf("%s %s: output %d of %d numbers, want %d", c.op, direction, k, len(got), len(want))
					}
					for i := range want {
						if !(math.Abs(got[i]-want[i]) <= 1e-12) {
							t.Fatalf("%s %s, form %b: element %d of output %d is %v, and %v as a whole", c.op, direction, form, i, k, got[i], want[i])
						}
					}
				}
			}
		}
	}
}

// TestSequencesOfLengths: a sequence that ends before the others has the outputs and states that it has alone, without what stands behind its end,
// forward and backward, whole and step by step, with lengths that are constant and that are an input. What is behind is outputs of 0.
func TestSequencesOfLengths(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	const steps, batch, in, hidden = 5, 3, 2, 4
	lens := []int32{3, 5, 1}
	for _, c := range []struct {
		op    string
		gates int
		reset bool
	}{{"LSTM", 4, false}, {"GRU", 3, false}, {"GRU", 3, true}, {"RNN", 1, false}} {
		wide, states := c.gates*hidden, 1
		if c.op == "LSTM" {
			states = 2
		}
		x, h := randoms(rng, steps*batch*in), randoms(rng, 2*batch*hidden)
		w, r, b := weightsOf(2, wide, in), weightsOf(2, wide, hidden), weightsOf(2, 2*wide)
		// cell runs some sequences together, of so many steps, and gives all outputs.
		cell := func(of []int, steps int, lengths *onnxio.Value, values map[*onnxio.Value]*onnxio.Tensor, parts bool) [][]float64 {
			var own, first []float64
			for s := range steps {
				for _, k := range of {
					own = append(own, x[(s*batch+k)*in:][:in]...)
				}
			}
			for d := range 2 {
				for _, k := range of {
					first = append(first, h[(d*batch+k)*hidden:][:hidden]...)
				}
			}
			n := &onnxio.Node{Name: "n", Op: c.op, Opset: 14, Attrs: onnxio.Attrs{"direction": "bidirectional", "hidden_size": int64(hidden)}}
			if c.reset {
				n.Attrs["linear_before_reset"] = int64(1)
			}
			n.Inputs = []*onnxio.Value{variable(steps, len(of), in), w, r, b, lengths, variable(2, len(of), hidden)}
			values[n.Inputs[0]], values[n.Inputs[5]] = onnxio.FromFloat64(own, steps, len(of), in), onnxio.FromFloat64(first, 2, len(of), hidden)
			d, err := Lookup(n)
			if err != nil {
				t.Fatal(err)
			}
			types, err := d.Shape(n)
			if err != nil {
				t.Fatal(err)
			}
			if parts {
				evalNodes(t, made(t, n, states+1, 14), values)
			} else {
				for k := range states + 1 {
					n.Outputs = append(n.Outputs, &onnxio.Value{Name: "w", DType: types[k].DType, Shape: types[k].Shape, Producer: n})
				}
				evalNodes(t, []*onnxio.Node{n}, values)
			}
			var out [][]float64
			for _, v := range n.Outputs {
				f, err := values[v].Float64s()
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, f)
			}
			return out
		}
		given := &onnxio.Tensor{DType: onnxio.Int32, Shape: []int{batch}, Data: lens}
		constant := &onnxio.Value{Name: "lens", DType: onnxio.Int32, Shape: []int{batch}, Const: given}
		open := &onnxio.Value{Name: "lens", DType: onnxio.Int32, Shape: []int{batch}}
		for _, lengths := range []*onnxio.Value{constant, open} {
			for _, parts := range []bool{false, true} {
				together := cell([]int{0, 1, 2}, steps, lengths, map[*onnxio.Value]*onnxio.Tensor{lengths: given}, parts)
				for k, l := range lens {
					alone := cell([]int{k}, int(l), nil, map[*onnxio.Value]*onnxio.Tensor{}, false)
					for d := range 2 {
						for j := range hidden {
							for s := range steps {
								want := 0.0
								if s < int(l) {
									want = alone[0][(s*2+d)*hidden+j]
								}
								if got := together[0][((s*2+d)*batch+k)*hidden+j]; !(math.Abs(got-want) <= 1e-12) {
									t.Fatalf("%s, parts %v: sequence %d of %d steps is %v in step %d, want %v", c.op, parts, k, l, got, s, want)
								}
							}
							for o := 1; o <= states; o++ {
								if got, want := together[o][(d*batch+k)*hidden+j], alone[o][d*hidden+j]; !(math.Abs(got-want) <= 1e-12) {
									t.Fatalf("%s, parts %v: state %d of sequence %d is %v, want %v", c.op, parts, o, k, got, want)
								}
							}
						}
					}
				}
			}
		}
		for _, l := range []int32{0, steps + 1} {
			bad := &onnxio.Tensor{DType: onnxio.Int32, Shape: []int{batch}, Data: []int32{1, l, 2}}
			n := &onnxio.Node{Name: "n", Op: c.op, Opset: 14, Attrs: onnxio.Attrs{"direction": "bidirectional", "hidden_size": int64(hidden)}}
			n.Inputs = []*onnxio.Value{variable(steps, batch, in), w, r, b, {Name: "lens", DType: onnxio.Int32, Shape: []int{batch}, Const: bad}}
			d, err := Lookup(n)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Shape(n); err == nil {
				t.Errorf("%s: a sequence of %d of %d steps", c.op, l, steps)
			}
		}
	}
}
