package student

import (
	"testing"

	"github.com/shallow-waters/shoal/student/tape"
)

// LowerMargins bounds the margins [N*K] of data by a method, in float32, for tests outside of the package.
func LowerMargins(t *testing.T, tr *Trainer, d *Data, method string, eps float64, unbounded bool) []float32 {
	t.Helper()
	b := tape.NewBuilder[float32](tape.NewPool(1))
	n, k := d.Len(), d.Classes
	x, y := b.Input("x", n, d.Shape[1], d.Shape[2], d.Shape[0]), b.Input("y", n, k)
	all := make([]float32, n*d.Size())
	for i := range n {
		d.Sample(all[i*d.Size():(i+1)*d.Size()], i)
		tape.Elements[float32](y)[i*k+d.Labels[i]] = 1
	}
	channelsLast(b.Pool, tape.Elements[float32](x), all, n, d.Shape)
	net := newNetwork(b, tr.weights)
	c := Config{Robust: &Robust{Method: method, Unbounded: unbounded}}
	lower := c.lowerMargins(net, net.margins(y), x, partWhole)
	tape.Elements[float32](b.Knob(knobEps))[0], tape.Elements[float32](b.Knob(knobBeta))[0] = float32(eps), 1
	m, err := tape.NewMachine(b, lower)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	return tape.Elements[float32](lower)
}
