package verify

import (
	"context"
	"math"
)

// Outputs bounds every output over a box: flat, in the model's order. Auto means Interval here. The domains with rows bound what enters
// activations by them, and outputs by intervals from there; Bounds is tighter for single forms.
func (v *Verifier) Outputs(ctx context.Context, box Box) (Box, error) {
	if err := v.checkBox(box); err != nil {
		return Box{}, err
	}
	m := v.o.Method
	if m == Auto {
		m = Interval
	}
	b, err := v.bound(ctx, v.o, m, []Box{box})
	if err != nil {
		return Box{}, err
	}
	defer b.p.close()
	return b.outputs(v), nil
}

// outputs are the boxes of all outputs over the first box.
func (b *bounded) outputs(v *Verifier) Box {
	out := Box{make([]float64, v.net.nOut), make([]float64, v.net.nOut)}
	at := 0
	for _, id := range v.net.outputs {
		x, s := v.net.values[id], b.p.at(id, 0)
		x.order.Load(out.Lower[at:at+x.n], s.lo)
		x.order.Load(out.Upper[at:at+x.n], s.up)
		if b.p.beyond[0] != nil {
			for i := at; i < at+x.n; i++ {
				out.Lower[i], out.Upper[i] = math.Inf(-1), math.Inf(1)
			}
		}
		at += x.n
	}
	return out
}
