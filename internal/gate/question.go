package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/shallow-waters/shoal/internal/report"
)

// question is a requirement made ready to be asked.
type question interface {
	// units is how many answers there are.
	units() int
	// grain is how many of them are asked together, always the same ones: shards are cut between them.
	grain() int
	// ask answers units [from, to), which begin and, but for the last ones, end at a multiple of the grain.
	ask(ctx context.Context, from, to int) ([]answer, error)
	close()
}

// blank is an answer of which nothing is known.
func blank(sample int) answer {
	return answer{Sample: sample, Label: -1, Predicted: -1, Class: -1, Value: report.None(), Upper: report.None()}
}

// open makes a requirement ready.
func (l *lab) open(ctx context.Context, r *Requirement) (question, error) {
	switch {
	case r.Change != nil && r.Size == nil:
		return l.openBoth(ctx, r)
	case r.sampled():
		return l.openSampled(ctx, r, r.Model)
	case r.Equivalent != nil:
		return single{func(ctx context.Context) (answer, error) { return l.equivalent(ctx, r) }}, nil
	case r.VNNLIB != nil:
		return l.openProperties(ctx, r)
	case r.Size != nil:
		return single{func(ctx context.Context) (answer, error) { return l.size(ctx, r) }}, nil
	case r.Latency != nil:
		return single{func(ctx context.Context) (answer, error) { return l.latency(ctx, r) }}, nil
	case r.File != nil:
		return single{func(ctx context.Context) (answer, error) { return l.looked(ctx, r) }}, nil
	}
	panic("a requirement without a question")
}

func (l *lab) openSampled(ctx context.Context, r *Requirement, model string) (question, error) {
	switch {
	case r.Clean != nil:
		return l.openClean(ctx, r, model)
	case r.Robust != nil:
		return l.openRobust(ctx, r, model)
	default:
		return l.openProofs(ctx, r, model)
	}
}

// single is a question of one unit.
type single struct {
	answer func(context.Context) (answer, error)
}

func (s single) units() int { return 1 }
func (s single) grain() int { return 1 }
func (s single) close()     {}
func (s single) ask(ctx context.Context, _, _ int) ([]answer, error) {
	start := time.Now()
	a, err := s.answer(ctx)
	a.Seconds = time.Since(start).Seconds()
	return []answer{a}, err
}

// both asks two models the same of the same samples.
type both struct{ now, before question }

func (l *lab) openBoth(ctx context.Context, r *Requirement) (question, error) {
	now, err := l.openSampled(ctx, r, r.Model)
	if err != nil {
		return nil, err
	}
	before, err := l.openSampled(ctx, r, r.Change.Against)
	if err != nil {
		now.close()
		return nil, fmt.Errorf("model %s: %w", r.Change.Against, err)
	}
	return both{now, before}, nil
}

func (b both) units() int { return b.now.units() }
func (b both) grain() int { return b.now.grain() }

func (b both) close() {
	b.now.close()
	b.before.close()
}

func (b both) ask(ctx context.Context, from, to int) ([]answer, error) {
	now, err := b.now.ask(ctx, from, to)
	if err != nil {
		return nil, err
	}
	before, err := b.before.ask(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for i := range now {
		now[i].Before = &before[i].Holds
		now[i].Seconds += before[i].Seconds
	}
	return now, nil
}
