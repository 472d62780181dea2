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
		g.wide = nil
		boxes[i] = g.box
	}
	b, err := v.bound(ctx, o, m, boxes...)
	if err != nil {
		var wide *bound.TooWideError
		if errors.As(err, &wide) {
			batch[0].used, batch[0].wide = m, wide
			return nil
		}
		return err
	}
	defer b.Close()
	return v.weigh(ctx, b, m, batch, d)
}

// weigh settles what a domain's bounds settle of a batch: proofs, and counterexamples where bounds are least.
func (v *Verifier) weigh(ctx context.Context, b bounds, m Method, batch []*group, d *decision) error {
	if err := v.prove(b, m, batch); err != nil {
		return err
	}
	for i, g := range batch {
		if g.open() == 0 {
			d.settle(g, Result{Verdict: Verified, Margin: g.worst(), Method: m, Reason: g.proof() + g.rounded()})
			continue
		}
		g.beyond = b.Beyond(i)
		r, ok, err := v.tryCorners(ctx, g, m)
		if err := g.spare(ctx, err); err != nil {
			return err
		}
		if ok {
			d.settle(g, r)
		}
	}
	return nil
}

// prove bounds the rows of all open cases of a batch. Of a domain that substitutes rows, cases keep the corner where their best row is least.
func (v *Verifier) prove(b bounds, m Method, batch []*group) error {
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
	var t *bound.Trace
	if m != Interval {
		t = &bound.Trace{}
	}
	low, err := b.Lower(rows, owner, t)
	if err != nil {
		return err
	}
	for _, g := range batch {
		g.used = m
	}
	at := 0
	for i, g := range batch {
		for _, c := range g.cases {
			if c.proven {
				continue
			}
			c.margin, c.by = math.Inf(-1), m
			best := -1
			for k := range c.rows {
				x := low[at]
				at++
				if len(c.loss[k]) > 0 {
					x = sound.Down(x - coefError(b.Outputs(i), c.loss[k]))
				}
				margin := x - c.bound[k]
				if margin > c.margin || math.IsInf(c.margin, -1) {
					c.margin, best = margin, at-1
				}
				if x > c.bound[k] || c.c.Constraints[k].Strict && x >= c.bound[k] {
					c.proven = true
				}
			}
			if c.corner = nil; t != nil && best >= 0 && !c.proven {
				c.corner = t.Corner(best, g.box)
			}
		}
	}
	return nil
}

// maxCorners limits how many open cases are tried for a counterexample at their bound's corner.
const maxCorners = 16

func (v *Verifier) tryCorners(ctx context.Context, g *group, m Method) (Result, bool, error) {
	tried := 0
	for _, c := range g.cases {
		if c.proven || c.corner == nil || tried == maxCorners {
			continue
		}
		tried++
		if r, ok, err := v.tryPoint(ctx, g, c.corner, fmt.Sprintf("the corner where the %s bound is least", m)); ok || err != nil {
			return r, ok, err
		}
	}
	return Result{}, false, nil
}
