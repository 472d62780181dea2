package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
)

// Part is what a shard of a study has done.
type Part struct {
	Answers int // that its records hold
	Whole   int // that a whole run has
	// Cut tells that the context ended it. Failures are steps that did not come to an end: answers are missing then.
	Cut      bool
	Failures []Failure
}

// Ask puts a shard's images to every attack and certification of a study, and keeps the answers in Options.Records, which must be set. Models that
// are not in the folder's cache are made first, as a whole run makes them: attacks are of the same bits everywhere, or the records are of another
// plan.
func Ask(ctx context.Context, spec *Spec, o Options, s trial.Shard) (*Part, error) {
	p, w, err := begin(ctx, spec, o)
	if err != nil {
		return nil, err
	}
	making, _ := p.parted()
	w.expect(making)
	out := &Part{}
	if err := w.work(ctx, making); err != nil {
		return cutOr(ctx, out, err)
	}
	if out.Failures = failed(making); len(out.Failures) > 0 { // which answers there are to be is not known
		return out, nil
	}
	f, once, err := p.openAnswers()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.lab.records, p.lab.shard = f, s
	for _, a := range once {
		for _, one := range a.asks {
			out.Whole += one.N
		}
		if _, _, err := a.run(ctx, a); ctx.Err() != nil {
			out.Cut = true
			return out, nil
		} else if err != nil {
			out.Failures = append(out.Failures, Failure{a.name, err.Error()})
		}
	}
	out.Answers = f.Len()
	return out, nil
}

// cutOr is a part that was cut, where the context ended.
func cutOr(ctx context.Context, out *Part, err error) (*Part, error) {
	if ctx.Err() != nil {
		out.Cut = true
		return out, nil
	}
	return nil, err
}

// failed lists the steps that failed, or did not run.
func failed(steps []*step) (out []Failure) {
	for _, s := range steps {
		if s.err != nil {
			out = append(out, Failure{s.name, s.err.Error()})
		}
	}
	return out
}

// parted are the steps that make and test models, and those that ask about single images, which nothing else needs.
func (p *plan) parted() (making, asking []*step) {
	for _, s := range p.steps {
		if s.asks == nil {
			making = append(making, s)
		} else {
			asking = append(asking, s)
		}
	}
	return making, asking
}

// asks are the answers about the first n test images that a step is made of, at every key; grain of them are asked together.
func (l *lab) asks(n, grain int, keys ...string) []record.Part {
	out := []record.Part{}
	for _, key := range keys {
		if !slices.ContainsFunc(out, func(p record.Part) bool { return p.Key == key }) {
			out = append(out, record.Part{Key: key, N: l.firstTest(n), Grain: grain})
		}
	}
	return out
}

// place is a step's in records of many; it has its key.
func (s *step) place() string { return fmt.Sprintf("%s (%s):", s.name, s.key[:24]) }

// openAnswers opens the records of all answers about images, and lists the steps that ask for them; models are made. Keys stand for settings, data
// and the bits of models.
func (p *plan) openAnswers() (f *record.File, once []*step, err error) {
	_, asking := p.parted()
	var parts []record.Part
	seen := map[string]bool{}
	for _, s := range asking {
		if slices.ContainsFunc(s.inputs, func(i *step) bool { return i.err != nil }) {
			continue
		}
		key, err := keyOf(s)
		if err != nil {
			return nil, nil, err
		}
		if s.key = key; seen[key] {
			continue
		}
		seen[key], once = true, append(once, s)
		for _, one := range s.asks {
			one.Key = s.place() + " " + one.Key
			parts = append(parts, one)
		}
	}
	f, err = p.lab.o.Records(p.lab.recordPlan("study", nil), parts)
	return f, once, err
}

// recordPlan is what a study's records are of, beside their parts.
func (l *lab) recordPlan(question string, settings any) record.Plan {
	out := record.Plan{Question: question, Data: l.test.set.SHA256, Settings: settings}
	for _, t := range l.spec.Teachers {
		if m := l.teachers[t.Name]; m != nil {
			out.Model += m.SHA256
		}
	}
	return out
}
