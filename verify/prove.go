package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/shallow-waters/shoal/internal/sound"
	"github.com/shallow-waters/shoal/verify/internal/bound"
)

// batchBoxes is how many boxes are bounded together: their rows fill the matrix kernels, and their states the memory.
const batchBoxes = 8

// try bounds a batch by one domain.
func (v *Verifier) try(ctx context.Context, o Options, m Method, batch []*group, d *decision) error {
	boxes := make([]Box, len(batch))
	for i, g := range batch {
		g.used, g.wide = m, nil
		boxes[i] = g.box
	}
	b, err := v.bound(ctx, o, m, boxes...)
	if err != nil {
		var wide *bound.TooWideError
		if errors.As(err, &wide) {
			batch[0].wide = wide
			return nil
		}
		return err
	}
	defer b.Close()
	if err := v.prove(b, batch); err != nil {
		return err
	}
	for i, g := range batch {
		if g.open() == 0 {
			d.settle(g, Result{Verdict: Verified, Margin: g.worst(), Method: m, Reason: g.proof() + g.rounded()})
			continue
		}
		g.beyond = b.Beyond(i)
		if m == Interval {
			continue
		}
		r, ok, err := v.tryCorners(ctx, b, int32(i), g, m)
		if err != nil {
			return err
		}
		if ok {
			d.settle(g, r)
		}
	}
	return nil
}

// prove bounds the rows of all open cases of a batch.
func (v *Verifier) prove(b *bound.Bounds, batch []*group) error {
	var rows [][]float64
	var owner []int32
	for i, g := range batch {
		for _, c := range g.cases {
			if !c.proven {
				rows = append(rows, c.rows...)
				owner = append(owner, slices.Repeat([]int32{int32(i)}, len(c.rows))...)
			}
		}
	}
	low, err := b.Lower(rows, owner, nil)
	if err != nil {
		return err
	}
	at := 0
	for i, g := range batch {
		for _, c := range g.cases {
			if c.proven {
				continue
			}
			c.margin, c.by = math.Inf(-1), g.used
			for k := range c.rows {
				x := low[at]
				at++
				if len(c.loss[k]) > 0 {
					x = sound.Down(x - coefError(b.Outputs(i), c.loss[k]))
				}
				margin := x - c.bound[k]
				if margin > c.margin || math.IsInf(c.margin, -1) {
					c.margin, c.best = margin, k
				}
				if x > c.bound[k] || c.c.Constraints[k].Strict && x >= c.bound[k] {
					c.proven = true
				}
			}
		}
	}
	return nil
}

// maxCorners limits how many open cases are tried for a counterexample at their bound's corner.
const maxCorners = 16

func (v *Verifier) tryCorners(ctx context.Context, b *bound.Bounds, box int32, g *group, m Method) (Result, bool, error) {
	var rows [][]float64
	for _, c := range g.cases {
		if !c.proven && len(c.rows) > 0 && len(rows) < maxCorners {
			rows = append(rows, c.rows[c.best])
		}
	}
	if len(rows) == 0 {
		return Result{}, false, nil
	}
	var t bound.Trace
	if _, err := b.Lower(rows, slices.Repeat([]int32{box}, len(rows)), &t); err != nil {
		return Result{}, false, err
	}
	for i := range rows {
		x := t.Corner(i, g.box)
		if r, ok, err := v.tryPoint(ctx, g, x, fmt.Sprintf("the corner where the %s bound is least", m)); ok || err != nil {
			return r, ok, err
		}
	}
	return Result{}, false, nil
}
