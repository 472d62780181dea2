package verify

import "context"

// Outputs bounds every output over a box: flat, in the model's order. Auto means Interval here. The domains with rows bound what enters
// activations by them, and outputs by intervals from there; Bounds is tighter for single forms.
func (v *Verifier) Outputs(ctx context.Context, box Box) (Box, error) {
	if err := v.checkBox(box); err != nil {
		return Box{}, err
	}
	m := v.o.Method
	if m == Auto || m == Complete {
		m = Interval
	}
	b, err := v.bound(ctx, v.o, m, box)
	if err != nil {
		return Box{}, err
	}
	defer b.Close()
	return b.Outputs(0), nil
}
