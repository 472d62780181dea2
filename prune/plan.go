package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/op"
	"github.com/shallow-waters/shoal/onnxio"
)

// Plan says which channels go. It can be stored as JSON and applied again to the same file.
type Plan struct {
	Model   string        `json:"model_sha256,omitempty"` // of the file that it was made for
	Choice  Choice        `json:"choice"`
	Absorb  bool          `json:"absorb_bias,omitempty"` // see Options.AbsorbBias
	Classes []ClassPlan   `json:"classes"`
	Pinned  []PinnedLayer `json:"pinned"`
}

// ClassPlan is what becomes of one class.
type ClassPlan struct {
	Layers  []LayerPlan `json:"layers"`
	Units   int         `json:"units"`
	Removed int         `json:"removed"`
	// Held says why the class stays as it is, where the choice left it out.
	Held string `json:"held,omitempty"`
	// Scores are the units' scores, in order of their first filter, and Gone tells which of them go.
	Scores []float64 `json:"scores,omitempty"`
	Gone   []bool    `json:"gone,omitempty"`
	// Proofs are the bounds that show the removed units dead, in their order (ProvenDead).
	Proofs []Proof `json:"proofs,omitempty"`
}

// LayerPlan lists the filters of a layer that go.
type LayerPlan struct {
	Name     string `json:"name"`    // of the node
	Weights  string `json:"weights"` // of the value that holds the filters
	Channels int    `json:"channels"`
	Remove   []int  `json:"remove"`
}

// Removed is the number of filters that a plan removes.
func (p *Plan) Removed() int {
	n := 0
	for _, c := range p.Classes {
		for _, l := range c.Layers {
			n += len(l.Remove)
		}
	}
	return n
}

// plan writes down a choice that was made.
func (c *Coupling) plan(ch Choice, all []*ranked) *Plan {
	p := &Plan{Choice: ch, Pinned: c.Pinned, Classes: []ClassPlan{}}
	if p.Pinned == nil {
		p.Pinned = []PinnedLayer{}
	}
	for _, r := range all {
		cp := ClassPlan{Units: len(r.class.units), Held: r.why, Scores: r.score, Gone: r.gone}
		for i := range r.class.units {
			if r.gone[i] {
				cp.Removed++
				if r.proofs != nil {
					cp.Proofs = append(cp.Proofs, r.proofs[i])
				}
			}
		}
		for _, l := range r.class.Layers {
			lp := LayerPlan{Name: l.Name, Weights: l.Weights, Channels: l.Channels, Remove: []int{}}
			for i, u := range r.class.units {
				for _, s := range u.slots {
					if r.gone[i] && c.axes[s.axis] == l.axis {
						lp.Remove = append(lp.Remove, int(s.index))
					}
				}
			}
			slices.Sort(lp.Remove)
			cp.Layers = append(cp.Layers, lp)
		}
		p.Classes = append(p.Classes, cp)
	}
	return p
}

// without is a plan of which only what is left in a removal goes; held says why other layers keep filters.
func (c *Coupling) without(p *Plan, left removal, held map[string]string) *Plan {
	axis := map[[2]string]op.Axis{}
	for _, cl := range c.Classes {
		for _, l := range cl.Layers {
			axis[[2]string{l.Name, l.Weights}] = l.axis
		}
	}
	out := *p
	out.Classes = slices.Clone(p.Classes)
	for k := range out.Classes {
		cl := &out.Classes[k]
		cl.Layers = slices.Clone(cl.Layers)
		for i := range cl.Layers {
			l := &cl.Layers[i]
			was := len(l.Remove)
			stay := left[axis[[2]string{l.Name, l.Weights}]]
			l.Remove = slices.DeleteFunc(slices.Clone(l.Remove), func(f int) bool { return !slices.Contains(stay, f) })
			if i == 0 && was > 0 {
				cl.Removed = cl.Removed * len(l.Remove) / was
			}
			if why := held[l.Name]; why != "" && len(l.Remove) < was {
				cl.Held = fmt.Sprintf("%d of its filters: %s", was-len(l.Remove), why)
			}
		}
	}
	return &out
}

// removal is the set of slots that go, by axis, in order.
type removal map[op.Axis][]int

// removal finds the units of a plan. Every filter of a unit must be in it, or none.
func (c *Coupling) removal(p *Plan) (removal, error) {
	type place struct {
		layer, weights string
	}
	want := map[place]map[int]bool{}
	for _, cl := range p.Classes {
		for _, l := range cl.Layers {
			at := place{l.Name, l.Weights}
			if want[at] == nil {
				want[at] = map[int]bool{}
			}
			for _, i := range l.Remove {
				want[at][i] = false // until it is found
			}
		}
	}
	out := removal{}
	for _, cl := range c.Classes {
		left := len(cl.units)
		for _, u := range cl.units {
			in, miss := "", ""
			for _, s := range u.slots {
				for _, l := range cl.Layers {
					if c.axes[s.axis] != l.axis {
						continue
					}
					name := fmt.Sprintf("filter %d of layer %q", s.index, l.Name)
					if _, ok := want[place{l.Name, l.Weights}][int(s.index)]; ok {
						want[place{l.Name, l.Weights}][int(s.index)] = true
						in = name
					} else {
						miss = name
					}
				}
			}
			if in != "" && miss != "" {
				return nil, fmt.Errorf("the plan removes %s without %s, which is coupled to it", in, miss)
			}
			if in != "" {
				left--
				for _, s := range u.slots {
					out[c.axes[s.axis]] = append(out[c.axes[s.axis]], int(s.index))
				}
			}
		}
		if left == 0 {
			return nil, fmt.Errorf("the plan removes all of layer %q; one channel must stay", cl.Layers[0].Name)
		}
	}
	for at, filters := range want {
		for i, found := range filters {
			if !found {
				return nil, fmt.Errorf("the plan removes filter %d of layer %q (weights %q), which this model cannot spare: make the plan again for this file",
					i, at.layer, at.weights)
			}
		}
	}
	for a := range out {
		slices.Sort(out[a])
	}
	return out, nil
}

// Options says what to prune and how.
type Options struct {
	Choice
	// Dims gives sizes that the file leaves open, by name or as input:axis; others are tried. Scores on data and proofs hold for these.
	Dims map[string]int
	// Whole tells that Samples gives one sample at a time, along whatever axis the file has it: its first axis is not cut then.
	Whole bool
	// Samples are the data of the score Activation.
	Samples Samples
	// Bounds give the score ProvenDead its proofs: see Bounds.
	Bounds Bounds
	// AbsorbBias folds what a removed channel would still send on, once its filters were zero, into the layers behind it.
	AbsorbBias bool
}

// Result is a pruned graph.
type Result struct {
	Plan  *Plan
	Graph *onnxio.Graph // as the file has it, smaller; shares with the old one what did not change
	// Zeroed is the old graph with what was removed at zero (with AbsorbBias: with the removed filters at zero), which computes what Graph
	// computes. It is the check of every run.
	Zeroed *onnxio.Graph
	// Coupling is the analysis behind it.
	Coupling *Coupling
}

// maxRounds limits how often a plan is made again because nodes would not take the sizes.
const maxRounds = 20

// Run analyses a graph, chooses and removes. A node that does not take the smaller sizes pins the channels that reach it, with the reason
// in the plan, and the choice is made again.
func Run(ctx context.Context, g *onnxio.Graph, o Options) (*Result, error) {
	if o.Score == ProvenDead && o.AbsorbBias {
		return nil, fmt.Errorf("score %s removes channels that send nothing on: absorbing what their biases alone would send changes the function",
			ProvenDead)
	}
	if err := o.Choice.Validate(); err != nil {
		return nil, err
	}
	var extra []pin
	for round := 1; ; round++ {
		c, err := analyse(ctx, g, o.Dims, extra, o.AbsorbBias)
		if err != nil {
			return nil, err
		}
		r, err := c.run(ctx, o)
		var m *misfit
		if errors.As(err, &m) && round < maxRounds {
			extra = append(extra, m.pins...)
			continue
		}
		return r, err
	}
}

func (c *Coupling) run(ctx context.Context, o Options) (*Result, error) {
	all, err := c.rank(ctx, o)
	if err != nil {
		return nil, err
	}
	at := func(ratio float64) (*Result, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ch := o.Choice
		ch.Ratio = ratio
		p := c.plan(ch, c.choose(all, ch))
		p.Absorb = o.AbsorbBias
		return c.apply(ctx, p)
	}
	if !o.Budgeted() {
		return at(o.Ratio)
	}
	return c.fit(o.Choice, at)
}

// Replay applies a stored plan. Proofs in it are taken as they stand; package prune/equal proves equality anew.
func Replay(ctx context.Context, g *onnxio.Graph, p *Plan, dims map[string]int) (*Result, error) {
	if p == nil {
		return nil, errors.New("there is no plan")
	}
	c, err := analyse(ctx, g, dims, nil, p.Absorb)
	if err != nil {
		return nil, err
	}
	return c.apply(ctx, p)
}
