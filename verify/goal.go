package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/shallow-waters/shoal/internal/sound"
)

// group is a box with all cases that share it: they are bounded together.
type group struct {
	box   Box
	inner *Box
	cases []*openCase

	property int // number of the property that it belongs to
	used     Method
	wide     error // the domain does not fit this network
	result   Result
	tree     *tree     // that the search kept; nil for none
	sides    *sideTree // what it found instead
	settled  bool      // the result is final

	// float32 is a falsification by an execution at a point where nothing is proven of the real network; only under Real.
	float32 *Result
	beyond  string // why nothing is known of float32 executions, see bound.Bounds.Beyond

	searched string // what a search that did not end says

	faults sync.Mutex
	fault  error // of what looked for counterexamples, see spare; nil for none
}

// openCase is a case on its way to a proof.
type openCase struct {
	c      *Case
	number int         // in the property
	rows   [][]float64 // one per constraint, over the flat outputs
	bound  []float64   // rounded up
	loss   []loss      // what a row's coefficients lost when they became float64s
	margin float64     // best proven lower bound of a row minus its bound, by one method
	by     Method      // that method: the last one that the case was left to
	corner []float64   // of the box, where that method's bound of the best row is least; nil where that is not known
	proven bool
}

// groups checks the property and sorts its cases by box.
func (v *Verifier) groups(p Property, s Semantics) ([]*group, error) {
	var out []*group
	byBox := map[[2]*float64]*group{}
	for i := range p.Cases {
		c := &p.Cases[i]
		if c.fault != nil {
			return nil, c.fault
		}
		if len(c.Box.Lower) == 0 || len(c.Box.Upper) == 0 {
			return nil, fmt.Errorf("%w: case %d has no box", ErrInput, i)
		}
		key := [2]*float64{&c.Box.Lower[0], &c.Box.Upper[0]}
		g := byBox[key]
		if g == nil {
			if err := v.checkBox(c.Box); err != nil {
				return nil, fmt.Errorf("case %d: %w", i, err)
			}
		}
		oc, err := v.open(c, s)
		if err != nil {
			return nil, fmt.Errorf("case %d: %w", i, err)
		}
		if oc == nil {
			continue
		}
		if g == nil {
			g = &group{box: c.Box, inner: c.Inner}
			if g.inner == nil {
				g.inner = &g.box
			}
			byBox[key] = g
			out = append(out, g)
		}
		oc.number = i
		g.cases = append(g.cases, oc)
	}
	if s == Float32 && v.net.SoftmaxDropped() {
		for _, g := range out {
			if err := g.aboveAll(v.net.Outputs()); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// open is a case with its rows; nil where it can hold nowhere, since a constraint compares values with themselves.
func (v *Verifier) open(c *Case, s Semantics) (*openCase, error) {
	if c.all > 0 && c.all != v.net.Outputs() {
		return nil, fmt.Errorf("%w: a property of %d outputs for a model of %d", ErrInput, c.all, v.net.Outputs())
	}
	oc := &openCase{c: c, margin: math.Inf(-1)}
	for _, q := range c.Constraints {
		if len(q.Index) != len(q.Coef) || q.Bound == nil {
			return nil, fmt.Errorf("%w: a constraint of %d outputs and %d coefficients", ErrInput, len(q.Index), len(q.Coef))
		}
		less := v.reduced(q)
		row, lost, bound, _, err := v.row(less)
		if err != nil {
			return nil, err
		}
		if len(less.Index) == 0 && len(q.Index) > 0 {
			if sign := q.Bound.Sign(); sign < 0 || sign == 0 && q.Strict {
				return nil, nil
			}
		}
		if v.net.SoftmaxDropped() {
			if !q.order() {
				return nil, fmt.Errorf("%w: a last Softmax is left out, so only the order of two outputs can be asked", ErrInput)
			}
			if s == Float32 {
				bound = sound.Up(largest(row) * softmaxGap(v.net.Outputs()))
			}
		}
		oc.rows = append(oc.rows, row)
		oc.bound = append(oc.bound, bound)
		oc.loss = append(oc.loss, lost)
	}
	return oc, nil
}

// rounded adds to a proof over the real numbers that an execution violates what it proves, where one was seen.
func (g *group) rounded() string {
	if g.float32 == nil {
		return ""
	}
	return " over the real numbers; a float32 execution meets a case by its rounding"
}

func (g *group) open() int {
	n := 0
	for _, c := range g.cases {
		if !c.proven {
			n++
		}
	}
	return n
}

// worst is the least margin of the method that was used last, over the cases that were left to it. What cheaper ones proved before has margins of
// theirs, which say nothing beside it: a least number over both would rise where a larger box leaves more cases to the tighter method.
func (g *group) worst() float64 {
	worst := math.Inf(1)
	for _, c := range g.cases {
		if c.by == g.used {
			worst = min(worst, c.margin)
		}
	}
	return worst
}

// proof says which methods proved the cases.
func (g *group) proof() string {
	before := map[Method]int{}
	for _, c := range g.cases {
		if c.by != g.used {
			before[c.by]++
		}
	}
	text := fmt.Sprintf("proven by %s", g.used)
	for _, m := range slices.Sorted(maps.Keys(before)) {
		text += fmt.Sprintf(", %d of %d cases by %s", before[m], len(g.cases), m)
	}
	return text
}

func (g *group) reason() string {
	if g.wide != nil {
		return g.wide.Error()
	}
	if g.beyond != "" {
		return g.beyond
	}
	if g.searched != "" {
		return g.searched
	}
	return fmt.Sprintf("%s bounds leave %d of %d cases open (worst margin %.3g)", g.used, g.open(), len(g.cases), g.worst())
}

// late is the reason of a group that an end from outside left open.
func (g *group) late(end error) string {
	what := "the time ran out"
	if errors.Is(end, context.Canceled) {
		what = "interrupted"
	}
	switch {
	case g.searched != "":
		return what + ": " + g.searched
	case g.used != "":
		return fmt.Sprintf("%s: %s bounds leave %d of %d cases open (worst margin %.3g)", what, g.used, g.open(), len(g.cases), g.worst())
	}
	return what
}

func (g *group) centre() []float64 {
	x := make([]float64, len(g.inner.Lower))
	for i, l := range g.inner.Lower {
		x[i] = 0.5*l + 0.5*g.inner.Upper[i]
	}
	return x
}
