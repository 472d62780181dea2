package study

import (
	"errors"
	"fmt"
	"math"
)

func ordered(r *Results, c *Claim) ([]Check, error) {
	list := c.students(r)
	if len(list) < 2 {
		return nil, errors.New("the claim needs at least two students")
	}
	var out []Check
	for i := 1; i < len(list); i++ {
		a, b := c.distilled(r, list[i], c.technique(r)), c.distilled(r, list[i-1], c.technique(r))
		out = append(out, Check{}.accuracies(r, a, b))
	}
	return out, nil
}

func better(r *Results, c *Claim) ([]Check, error) {
	if len(c.Techniques) < 2 {
		return nil, errors.New("the claim needs techniques, the better one first")
	}
	var out []Check
	for _, s := range c.students(r) {
		for _, other := range c.Techniques[1:] {
			a, b := c.distilled(r, s, c.Techniques[0]), c.distilled(r, s, other)
			out = append(out, Check{}.accuracies(r, a, b))
		}
	}
	return out, nil
}

func (c *Claim) margin() float64 {
	if c.Margin != nil {
		return float64(*c.Margin)
	}
	return marginDefault
}

func lossless(r *Results, c *Claim) ([]Check, error) {
	var out []Check
	for _, p := range r.Spec.Prune {
		if c.Prune != "" && c.Prune != p.Name {
			continue
		}
		for _, s := range r.subjects() {
			if s.Prune != p.Name || !c.prunedBy(s) {
				continue
			}
			before := s
			before.Prune = ""
			if p.Score == "proven-dead" {
				out = append(out, r.equal(s, before))
				continue
			}
			out = append(out, Check{Limit: -c.margin()}.accuracies(r, s, before))
		}
	}
	if len(out) == 0 {
		return nil, errNothing
	}
	return out, nil
}

// equal checks that pruning what is dead changed no class of any image, with any seed.
func (r *Results) equal(s, before Subject) Check {
	c := Check{What: "images with the same class", A: s.String(), B: before.String(), Kind: "equal", Limit: 100, Verdict: Pass, Effect: tInterval(nil)}
	least, removed, proven := math.Inf(1), 0, true
	var va, vb []float64
	for _, seed := range r.seedsOf(s) {
		m := r.model(s, seed)
		if m.Pruned == nil {
			continue
		}
		least = min(least, 100*float64(m.Pruned.Same)/float64(m.Samples))
		removed += m.Pruned.Removed
		proven = proven && m.Pruned.Equal != nil && *m.Pruned.Equal
		va, vb = append(va, m.Accuracy()), append(vb, float64(m.Pruned.CorrectBefore)/float64(m.Samples))
	}
	switch {
	case len(va) == 0:
		c.Verdict, c.Why = NotRun, r.missing(s).Error()
		return c
	case removed == 0:
		c.Verdict, c.Why = NotRun, "no filter is proven dead"
	case least < 100:
		c.Verdict = Fail
	}
	c.ValueA, c.ValueB = mean(va), mean(vb)
	c.Effect = Interval{Mean: least, Low: least, High: least, N: len(va)}
	if removed > 0 {
		c.Why = fmt.Sprintf("%d filters removed", removed)
		if proven {
			c.Why += "; proven to compute the same"
		}
	}
	return c
}

func reaching(r *Results, c *Claim) ([]Check, error) {
	var out []Check
	teacher := Subject{Teacher: c.teacher(r)}
	for _, s := range r.subjects() {
		if !c.prunedBy(s) || s.Student == "" || s.Retrain != "" || s.Teacher != teacher.Teacher {
			continue
		}
		out = append(out, Check{Limit: -c.margin()}.accuracies(r, s, teacher))
	}
	if len(out) == 0 {
		return nil, errNothing
	}
	return out, nil
}

func standing(r *Results, c *Claim) ([]Check, error) {
	if len(r.Spec.Attacks) == 0 {
		return nil, errors.New("the study has no attacks")
	}
	a := r.Spec.Attacks[0]
	for _, x := range r.Spec.Attacks {
		if x.Name == c.Attack {
			a = x
		}
	}
	list := c.Eps
	if len(list) == 0 {
		list = a.Eps
	}
	var out []Check
	teacher := Subject{Teacher: c.teacher(r)}
	for _, s := range c.students(r) {
		one := c.measured(r, s)
		for _, eps := range list {
			out = append(out, Check{What: fmt.Sprintf("accuracy under %s at eps %v", a.Name, eps), A: one.String(), B: teacher.String()}.
				shares(r, r.standing(one, a.Name, eps), r.standing(teacher, a.Name, eps)))
		}
	}
	return out, nil
}

// measured is the claim's student of its technique, pruned where it says so.
func (c *Claim) measured(r *Results, name string) Subject {
	s := c.distilled(r, name, c.technique(r))
	s.Prune = c.Prune
	return s
}

func enlarging(r *Results, c *Claim) ([]Check, error) {
	var out []Check
	for _, s := range c.students(r) {
		out = append(out, r.areas(c.measured(r, s), Subject{Teacher: c.teacher(r)}, false, 1)...)
	}
	return certifiedOnly(r, out)
}

func certifiedOnly(r *Results, out []Check) ([]Check, error) {
	if r.Spec.Certify == nil {
		return nil, errors.New("the study certifies nothing")
	}
	return out, nil
}

func shrinking(r *Results, c *Claim) ([]Check, error) {
	list := c.students(r)
	if len(list) < 2 {
		return nil, errors.New("the claim needs at least two students, the smaller first")
	}
	var out []Check
	for i := 1; i < len(list); i++ {
		out = append(out, r.areas(c.measured(r, list[i-1]), c.measured(r, list[i]), false, 1)...)
	}
	return certifiedOnly(r, out)
}

// The acceptance limits of claims 12 and 13: the thesis has 0.34 and 3.2.
const (
	lostLimit     = 0.6
	restoredLimit = 1.5
)

func losing(r *Results, c *Claim) ([]Check, error) {
	var out []Check
	for _, s := range c.students(r) {
		out = append(out, r.areas(c.measured(r, s), Subject{Teacher: c.teacher(r)}, true, lostLimit)...)
	}
	return certifiedOnly(r, out)
}

func (c *Claim) retrain(r *Results) (string, error) {
	if c.Retrain != "" {
		return c.Retrain, nil
	}
	if len(r.Spec.Retrain) == 0 {
		return "", errors.New("the study trains no student robustly again")
	}
	return r.Spec.Retrain[0].Name, nil
}

func restoring(r *Results, c *Claim) ([]Check, error) {
	name, err := c.retrain(r)
	if err != nil {
		return nil, err
	}
	var out []Check
	for _, s := range c.students(r) {
		before := c.measured(r, s)
		after := before
		after.Retrain, after.PrunedFirst = name, c.Prune != ""
		out = append(out, r.areas(after, before, false, restoredLimit)...)
		out = append(out, r.areas(after, Subject{Teacher: c.teacher(r)}, false, 1)...)
	}
	return certifiedOnly(r, out)
}

func mattering(r *Results, c *Claim) ([]Check, error) {
	name, err := c.retrain(r)
	if err != nil {
		return nil, err
	}
	var out []Check
	for _, s := range c.students(r) {
		a := c.distilled(r, s, c.technique(r))
		a.Retrain = name
		straight := Subject{Student: s, Retrain: name}
		out = append(out, r.areas(a, straight, false, 1)...)
		out = append(out, Check{Secondary: true}.accuracies(r, a, straight))
	}
	return certifiedOnly(r, out)
}
