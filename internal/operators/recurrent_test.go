package operators

import (
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
