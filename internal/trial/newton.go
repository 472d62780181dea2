package trial

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/verify"
)

// The thesis' root finding, from its notebooks.
const (
	newtonStart    = 0.01
	newtonMost     = 20   // steps
	newtonClose    = 1e-4 // |F| at which it stops
	newtonLeast    = 1e-3 // of the step size: it gives up below
	newtonQuotient = 1e-4 // relative width of the difference quotient
)

// newton is the root of F, the largest of the negated margins, that the thesis' iteration finds: eps -= alpha F/F', with alpha halved while |F| does
// not drop, and never set back. It departs from the thesis in two points: the derivative is a difference quotient, and every sample is on its own
// instead of twenty together. The root is no proof: |F| <= 1e-4 may lie on either side. ok tells that it converged.
func newton(f func(eps float64) (float64, error)) (eps float64, ok bool, err error) {
	eps, alpha := newtonStart, 1.0
	at, err := f(eps)
	for k := 0; err == nil && k < newtonMost; k++ {
		if math.Abs(at) <= newtonClose {
			return eps, true, nil
		}
		h := newtonQuotient * math.Max(math.Abs(eps), newtonQuotient)
		var above, below float64
		if above, err = f(eps + h); err != nil {
			break
		}
		if below, err = f(math.Max(0, eps-h)); err != nil {
			break
		}
		slope := (above - below) / (eps + h - math.Max(0, eps-h))
		if slope == 0 || math.IsNaN(slope) || math.IsInf(slope, 0) {
			return eps, false, nil
		}
		for {
			next := eps - alpha*at/slope
			value := math.Inf(1)
			if next >= 0 {
				if value, err = f(next); err != nil {
					return eps, false, err
				}
			}
			if math.Abs(value) < math.Abs(at) {
				eps, at = next, value
				break
			}
			if alpha /= 2; alpha <= newtonLeast {
				return eps, false, nil
			}
		}
	}
	return eps, err == nil && math.Abs(at) <= newtonClose, err
}

// newton asks for the thesis' root beside the bracket.
func (q *Radius) newton(ctx context.Context, v *verify.Verifier, property func(eps float64) verify.Property) (*report.Newton, error) {
	root, ok, err := newton(func(eps float64) (float64, error) { return negatedMargin(ctx, v, property(eps)) })
	if err != nil {
		return nil, err
	}
	return &report.Newton{Root: root, Converged: ok}, nil
}

// negatedMargin is the thesis' F of a property of one box: above 0 where some case is not disproved by the verifier's domain.
func negatedMargin(ctx context.Context, v *verify.Verifier, p verify.Property) (float64, error) {
	var rows [][]float64
	var least []float64
	for _, c := range p.Cases {
		if len(c.Constraints) != 1 {
			return 0, fmt.Errorf("a case of %d constraints has no margin", len(c.Constraints))
		}
		row := make([]float64, v.Info().Outputs)
		for i, k := range c.Constraints[0].Index {
			row[k], _ = c.Constraints[0].Coef[i].Float64()
		}
		at, _ := c.Constraints[0].Bound.Float64()
		rows, least = append(rows, row), append(least, at)
	}
	if len(rows) == 0 {
		return math.Inf(-1), nil
	}
	b, err := v.Bounds(ctx, p.Cases[0].Box, rows, false)
	if err != nil {
		return 0, err
	}
	most := math.Inf(-1)
	for i, low := range b.Lower {
		most = max(most, least[i]-low)
	}
	return most, nil
}
