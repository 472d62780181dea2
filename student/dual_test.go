package student

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shallow-waters/shoal/student/tape"
)

// drawCascade draws an architecture for the rig's images [2,6,5] and four classes: convolutions, then dense layers, one relu behind each.
func drawCascade(rng *rand.Rand) string {
	var b strings.Builder
	b.WriteString("input: [2, 6, 5]\nlayers:\n")
	h, w := 6, 5
	for range rng.IntN(5) {
		kh, kw := 1+rng.IntN(min(h, 4)), 1+rng.IntN(min(w, 4))
		sh, sw := 1+rng.IntN(2), 1+rng.IntN(2)
		var pad [4]int
		for i := range pad {
			pad[i] = rng.IntN(min(2, [...]int{kh, kw}[i%2]))
		}
		h, w = (h+pad[0]+pad[2]-kh)/sh+1, (w+pad[1]+pad[3]-kw)/sw+1
		fmt.Fprintf(&b, "  - {conv: %d, kernel: [%d, %d], stride: [%d, %d], padding: [%d, %d, %d, %d], relu: true}\n",
			1+rng.IntN(5), kh, kw, sh, sw, pad[0], pad[1], pad[2], pad[3])
	}
	for range max(0, rng.IntN(5)-2) {
		fmt.Fprintf(&b, "  - {dense: %d, relu: true}\n", 1+rng.IntN(9))
	}
	b.WriteString("  - {dense: 4}\n")
	return b.String()
}

// dualRounding is float64's over rows of a few hundred numbers, summed in another order.
const dualRounding = 1e-9

// TestOpenRowsAreAllRows holds the bounds, the loss and every gradient of rows for open neurons against the form that has rows for all, on drawn
// networks.
func TestOpenRowsAreAllRows(t *testing.T) {
	windowed, whole, dense := 0, 0, 0
	for seed := range uint64(80) {
		rng := rand.New(rand.NewPCG(seed, 11))
		text := drawCascade(rng)
		if !strings.Contains(text, "relu") {
			continue
		}
		r := newRig(t, text, seed)
		c := r.net.cascade()
		if c == nil {
			t.Fatalf("seed %d: no cascade in\n%s", seed, text)
		}
		switch {
		case len(c) < 2:
		case r.net.windowed(len(r.net.Stages) - 2 - b2i(r.net.Stages[len(r.net.Stages)-2].Kind == KindFlatten)):
			windowed++
		case r.net.Stages[c[len(c)-1]].Kind == KindConv:
			whole++
		default:
			dense++
		}
		b := r.b
		x := ballAround(b, r.x, b.Knob(knobEps), rng.IntN(2) == 0)
		eps := []float64{0.003, 0.01, 0.05, 0.2}[rng.IntN(4)]
		tape.Elements[float64](b.Knob(knobEps))[0] = eps
		var outs []*tape.Node
		m := r.net.margins(r.y)
		for _, lower := range []*tape.Node{r.net.dualMargins(m, x, 0), r.net.dualMarginsFrom(r.net.unitBounds, m, x)} {
			loss := CrossEntropy(b, r.net.worst(m, lower), r.y)
			outs = append(append(outs, lower, loss), b.Gradient(loss, r.params...)...)
		}
		r.run(t, outs...)
		n := len(outs) / 2
		for k := range n {
			got, want := tape.Elements[float64](outs[k]), tape.Elements[float64](outs[n+k])
			largest := 0.0
			for _, w := range want {
				largest = max(largest, math.Abs(w))
			}
			for i, w := range want {
				if !(math.Abs(got[i]-w) <= dualRounding*max(1e-3, largest)) {
					t.Fatalf("seed %d, eps %v, %d numbers of %s: number %d is %v, with rows for all %v\n%s", seed, eps, len(want), nameOf(r, k), i, got[i], w, text)
				}
			}
		}
	}
	if windowed < 5 || whole < 5 || dense < 5 {
		t.Errorf("drawn were %d networks whose last rows are windows, %d of whole images, %d of dense layers", windowed, whole, dense)
	}
}

// nameOf is what the test above compares.
func nameOf(r *rig, k int) string {
	if k < 2 {
		return [...]string{"bounds", "loss"}[k]
	}
	return r.params[k-2].Name()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
