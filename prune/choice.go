package prune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// Choice says which units go. The zero value removes nothing.
type Choice struct {
	Score Score  `json:"score"` // "" is L1
	Seed  uint64 `json:"seed"`  // of Random

	// Ratio is the part of every class's units that goes, in [0, 1): what stays, (1-Ratio) of them, is rounded down, as Li et al. 2017 have
	// it. With Global it is the part of all units: they are ranked by their score over their class's mean score, since layers differ in
	// the size of their filters.
	Ratio  float64 `json:"ratio"`
	Global bool    `json:"global"`
	// Ratios give layers that a pattern names a ratio of their own; the first that fits counts.
	Ratios []Threshold `json:"ratios,omitempty"`
	// Thresholds remove, in the layers that a pattern names, every unit whose score lies below an absolute value, and take these layers
	// out of Ratio.
	Thresholds []Threshold `json:"thresholds,omitempty"`
	// Exclude are patterns of layers that stay as they are, and of weights; * stands for any text.
	Exclude []string `json:"exclude,omitempty"`
	// Keep is the least number of channels of a layer; 0 means 1.
	Keep int `json:"keep"`
	// RoundTo makes the number of channels that stay a multiple, by keeping more; 0 means 1.
	RoundTo int `json:"round_to"`
	// MaxParameters and MaxMACs, where above 0, look for the least ratio at which the model has no more of them; Ratio must then be 0.
	MaxParameters int `json:"max_parameters,omitempty"`
	MaxMACs       int `json:"max_macs,omitempty"`
}

// Threshold is an absolute bound, or a ratio, for the layers that a pattern names.
type Threshold struct {
	Layer string  `json:"layer"`
	Value float64 `json:"value"`
}

// Validate reports all faults at once.
func (ch Choice) Validate() error {
	var all []error
	if ch.Score != "" && !slices.Contains(Scores(), ch.Score) {
		all = append(all, fmt.Errorf("score %q is none of %v", ch.Score, Scores()))
	}
	if !(ch.Ratio >= 0 && ch.Ratio < 1) {
		all = append(all, fmt.Errorf("a ratio of %v is not in [0, 1)", ch.Ratio))
	}
	if ch.Global && ch.Ratio == 0 && !ch.Budgeted() {
		all = append(all, errors.New("global needs a ratio"))
	}
	for _, t := range ch.Ratios {
		if t.Layer == "" || !(t.Value >= 0 && t.Value < 1) {
			all = append(all, fmt.Errorf("a ratio of %v for layer %q is not in [0, 1)", t.Value, t.Layer))
		}
	}
	for _, t := range ch.Thresholds {
		if t.Layer == "" || math.IsNaN(t.Value) {
			all = append(all, fmt.Errorf("threshold %v for layer %q", t.Value, t.Layer))
		}
	}
	if ch.MaxParameters < 0 || ch.MaxMACs < 0 || ch.Budgeted() && ch.Ratio != 0 {
		all = append(all, fmt.Errorf("targets of %d parameters and %d multiply-adds must be positive, and set the ratio themselves",
			ch.MaxParameters, ch.MaxMACs))
	}
	if ch.Score == ProvenDead && (ch.Ratio != 0 || ch.Budgeted() || len(ch.Thresholds)+len(ch.Ratios) > 0) {
		all = append(all, fmt.Errorf("score %s removes what is proven dead, all of it: it takes no ratio, threshold or target", ProvenDead))
	}
	if ch.Keep < 0 || ch.RoundTo < 0 {
		all = append(all, fmt.Errorf("keep %d and round to %d must not be negative", ch.Keep, ch.RoundTo))
	}
	return errors.Join(all...)
}

// Budgeted tells whether the choice has a target of size.
func (ch Choice) Budgeted() bool { return ch.MaxParameters > 0 || ch.MaxMACs > 0 }

// matches tells whether a pattern with * for any text is the whole of s.
func matches(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

// ranked is a class on its way through the choice.
type ranked struct {
	class  *Class
	score  []float64
	gone   []bool
	why    string // where it stays as it is
	fixed  bool   // by a threshold or a proof
	proofs []Proof
}

// rank scores all units and marks those that thresholds and proofs take.
func (c *Coupling) rank(ctx context.Context, o Options) ([]*ranked, error) {
	ch := o.Choice
	if err := ch.Validate(); err != nil {
		return nil, err
	}
	if ch.Score == "" {
		ch.Score = L1
	}
	var all []*ranked
	for _, cl := range c.Classes {
		r := &ranked{class: cl, gone: make([]bool, len(cl.units))}
		for _, l := range cl.Layers {
			for _, p := range ch.Exclude {
				if matches(p, l.Name) || matches(p, l.Weights) {
					r.why = "it is excluded by " + p
				}
			}
		}
		all = append(all, r)
	}
	if err := c.scoreAll(ctx, o, ch.Score, all); err != nil {
		return nil, err
	}
	err := each("threshold", ch.Thresholds, all, func(r *ranked, value float64) {
		for i, s := range r.score {
			r.gone[i] = r.gone[i] || s <= value
		}
	})
	if err != nil {
		return nil, err
	}
	return all, each("ratio", ch.Ratios, all, func(r *ranked, value float64) {
		for _, i := range byScore(r.score)[:count(value, len(r.score))] {
			r.gone[i] = true
		}
	})
}

// each settles the classes that patterns name; one that names none is an error. what is named twice is settled by the first.
func each(what string, list []Threshold, all []*ranked, settle func(r *ranked, value float64)) error {
	done := map[*ranked]bool{}
	for _, t := range list {
		used := false
		for _, r := range all {
			if !slices.ContainsFunc(r.class.Layers, func(l Layer) bool { return matches(t.Layer, l.Name) || matches(t.Layer, l.Weights) }) {
				continue
			}
			used = true
			if r.why == "" && !done[r] {
				done[r], r.fixed = true, true
				settle(r, t.Value)
			}
		}
		if !used {
			return fmt.Errorf("the %s for %q meets no layer that can be pruned", what, t.Layer)
		}
	}
	return nil
}

// scoreAll fills in the scores of all classes.
func (c *Coupling) scoreAll(ctx context.Context, o Options, s Score, all []*ranked) (err error) {
	var proofs map[*Class][]Proof
	var dead map[*Class][]bool
	var active map[*Class][]float64
	switch s {
	case ProvenDead:
		if proofs, dead, err = c.prove(ctx, o.Bounds); err != nil {
			return err
		}
	case Activation:
		if active, err = c.activations(ctx, o.Samples, o.Whole); err != nil {
			return err
		}
	}
	for _, r := range all {
		switch s {
		case ProvenDead:
			r.fixed, r.proofs = true, proofs[r.class]
			r.score = make([]float64, len(r.gone))
			for i, d := range dead[r.class] {
				r.gone[i] = d
				if !d {
					r.score[i] = 1
				}
			}
		case Activation:
			r.score = active[r.class]
		default:
			if r.score, err = c.score(r.class, s, o.Seed); err != nil {
				return err
			}
		}
		if r.score == nil && r.why == "" {
			r.why = fmt.Sprintf("score %s says nothing of it", s)
		}
	}
	return nil
}

// choose marks the units that go, for a ratio. all is what rank gave, and is not changed.
func (c *Coupling) choose(all []*ranked, ch Choice) []*ranked {
	out := make([]*ranked, len(all))
	for k, r := range all {
		n := *r
		n.gone = slices.Clone(r.gone)
		out[k] = &n
	}
	if ch.Global {
		chooseGlobal(out, ch.Ratio)
	} else {
		for _, r := range out {
			if r.why == "" && !r.fixed {
				for _, i := range byScore(r.score)[:count(ch.Ratio, len(r.score))] {
					r.gone[i] = true
				}
			}
		}
	}
	for _, r := range out {
		c.spare(r, ch)
	}
	return out
}

// count is how many of n go: those that stay are rounded down, and decimal fractions are what the user wrote, so that of 10 at 0.3 go 3.
func count(ratio float64, n int) int { return n - int(math.Floor((1-ratio)*float64(n)+1e-9)) }

// byScore lists units from the least score to the largest; equal ones in order.
func byScore(score []float64) []int {
	out := make([]int, len(score))
	for i := range out {
		out[i] = i
	}
	sort.SliceStable(out, func(a, b int) bool { return score[out[a]] < score[out[b]] })
	return out
}

func chooseGlobal(all []*ranked, ratio float64) {
	type one struct {
		r    *ranked
		i    int
		rank float64
	}
	var list []one
	for _, r := range all {
		if r.why != "" || r.fixed {
			continue
		}
		mean := 0.0
		for _, s := range r.score {
			mean += s / float64(len(r.score))
		}
		for i, s := range r.score {
			if mean > 0 {
				s /= mean
			}
			list = append(list, one{r, i, s})
		}
	}
	sort.SliceStable(list, func(a, b int) bool { return list[a].rank < list[b].rank })
	for _, o := range list[:count(ratio, len(list))] {
		o.r.gone[o.i] = true
	}
}

// spare takes units back, the best first, until as many channels stay as the choice asks for.
func (c *Coupling) spare(r *ranked, ch Choice) {
	if r.why != "" {
		clear(r.gone)
		return
	}
	keep, round := max(ch.Keep, 1), max(ch.RoundTo, 1)
	layers := r.class.Layers
	left := make([]int, len(layers)) // channels that stay, those outside the class included
	for k, l := range layers {
		left[k] = l.Channels
		for i, u := range r.class.units {
			if r.gone[i] {
				left[k] -= c.filtersOf(u, l)
			}
		}
	}
	enough := func() bool {
		if !slices.Contains(r.gone, false) {
			return false
		}
		for k, l := range layers {
			if left[k] < l.Channels && (left[k] < keep || left[k]%round != 0) {
				return false
			}
		}
		return true
	}
	order := byScore(r.score)
	for at := len(order) - 1; at >= 0 && !enough(); at-- {
		i := order[at]
		if !r.gone[i] {
			continue
		}
		r.gone[i] = false
		for k, l := range layers {
			left[k] += c.filtersOf(r.class.units[i], l)
		}
	}
}
