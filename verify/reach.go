package verify

import (
	"context"
	"errors"
	"math"

	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// Reach is what outputs can be over a box.
type Reach struct {
	// Lower and Upper bound every output, flat in the model's order; infinite where nothing is known.
	Lower, Upper []float64
	Methods      []Method // the domains that they come from, each bound the tightest of theirs
	Reason       string   // why nothing is known, or not what all domains would know; "" where neither is so
	Timeout      bool     // the context ended before the last domain
}

// reachRows is how many numbers the rows of a batch have together, at most: 32 MB of them.
const reachRows = 4 << 20

// Reach bounds every output over a box as tightly as the method does in one pass over it: Auto and Complete take intervals, equations in the inputs
// where these are few, and deeppoly, and keep the tightest bound of each output; any other method takes its own domain. The box is not split. A
// context that ends is no error: what is known by then is the answer.
func (v *Verifier) Reach(ctx context.Context, box Box) (*Reach, error) {
	if err := v.checkBox(box); err != nil {
		return nil, err
	}
	r := &Reach{Lower: make([]float64, v.net.Outputs()), Upper: make([]float64, v.net.Outputs())}
	for i := range r.Lower {
		r.Lower[i], r.Upper[i] = math.Inf(-1), math.Inf(1)
	}
	methods := []Method{v.o.Method}
	if v.o.Method == Auto || v.o.Method == Complete {
		if methods = []Method{Interval, DeepPoly}; v.net.Inputs() <= fewInputs {
			methods = []Method{Interval, Symbolic, DeepPoly}
		}
	}
	for _, m := range methods {
		err := v.reach(ctx, m, box, r)
		var wide *bound.TooWideError
		switch {
		case isDeadline(err):
			r.Timeout, r.Reason = true, "the time ran out"
			return r, nil
		case errors.As(err, &wide):
			if len(methods) == 1 {
				r.Reason = wide.Error()
			}
		case err != nil:
			return nil, err
		default:
			r.Methods = append(r.Methods, m)
		}
	}
	return r, nil
}

// reach takes what one domain knows into r.
func (v *Verifier) reach(ctx context.Context, m Method, box Box, r *Reach) error {
	b, err := v.bound(ctx, v.o, m, box)
	if err != nil {
		return err
	}
	defer b.Close()
	r.Reason = b.Beyond(0)
	low, up := b.Outputs(0).Lower, b.Outputs(0).Upper
	if m != Interval {
		n := len(low)
		most := max(1, reachRows/(2*n))
		for from := 0; from < n; from += most {
			to := min(n, from+most)
			rows := make([][]float64, 0, 2*(to-from))
			for i := from; i < to; i++ {
				plus, minus := make([]float64, n), make([]float64, n)
				plus[i], minus[i] = 1, -1
				rows = append(rows, plus, minus)
			}
			found, err := b.Lower(rows, make([]int32, len(rows)), nil)
			if err != nil {
				return err
			}
			for i := from; i < to; i++ {
				k := 2 * (i - from)
				tighten(low, up, i, found[k], -found[k+1])
			}
		}
	}
	for i := range low {
		tighten(r.Lower, r.Upper, i, low[i], up[i])
	}
	return nil
}

// tighten takes bounds of a number where they say more than those that are there; what is no number says nothing.
func tighten(lower, upper []float64, i int, low, up float64) {
	if low > lower[i] {
		lower[i] = low
	}
	if up < upper[i] {
		upper[i] = up
	}
}
