package study

import (
	"context"
	"fmt"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
)

// attacked is how a model stood an attack: how many images it classifies rightly that nothing adversarial was found for; of numbers, for how many no
// output was driven farther from its value than the study's tolerance.
type attacked struct {
	Samples     int           `json:"samples"`
	Correct     int           `json:"correct"` // unchanged; all of numbers
	Eps         []float64     `json:"eps"`
	Robust      []int         `json:"robust"` // at each eps
	Stands      [][]byte      `json:"stands"` // which images at each eps, one bit each, the first in the lowest
	Evaluations int64         `json:"evaluations"`
	Engine      string        `json:"engine"`
	Flags       []report.Flag `json:"flags,omitempty"`
}

func (a *attacked) words() string {
	return fmt.Sprintf("%d of %d stand at the largest eps", a.Robust[len(a.Robust)-1], a.Samples)
}

// attackBatch is how many images are attacked together.
const attackBatch = 64

// together is how many of n images are attacked together: where a study may be cut into shards fewer of few images, so that there are blocks to be
// dealt out.
func (l *lab) together(n int) int {
	const least = 16 // blocks
	k := attackBatch
	for l.o.Records != nil && k > 1 && k*least > n {
		k /= 2
	}
	return k
}

// attackStep attacks a model at every eps; see trial.Attack.
func (l *lab) attackStep(of *model, a *Attack) *step {
	n := a.Images
	method, err := l.spec.method(a)
	settings := map[string]any{"data": l.test.identity(), "engine": l.o.Engine.Engine, "method": a.Method, "settings": method, "eps": a.Eps,
		"images": n, "seed": a.Seed}
	l.rangeInto(settings)
	of.spec.into(settings)
	l.decisionInto(settings, true)
	var keys []string
	for _, eps := range a.Eps {
		keys = append(keys, trial.Eps{Value: eps}.Key())
	}
	return &step{kind: "attack", version: 2, name: fmt.Sprintf("attacking %s by %s%s", of, a.Name, seedText(of.seed)), settings: settings,
		inputs: []*step{of.made},
		fresh:  func() any { return &attacked{} },
		asks:   l.asks(n, l.together(l.firstTest(n)), keys...),
		run: func(ctx context.Context, s *step) (any, *onnxio.Model, error) {
			ctx = infer.Once(ctx)
			if err != nil {
				return nil, nil, err
			}
			sub, err := l.spec.asked(ctx, of.made, of.spec, trial.Searched)
			if err != nil {
				return nil, nil, err
			}
			t, err := trial.OpenTarget(ctx, sub, attack.Options{Engine: l.o.Engine})
			if err != nil {
				return nil, nil, err
			}
			defer t.Close()
			v, err := of.view(ctx, l, t.InputShape(), n)
			if err == nil && !sub.Numbers() {
				err = trial.CheckLabels(&v.Source, sub.Classes())
			}
			if err != nil {
				return nil, nil, err
			}
			q := &trial.Attack{Target: t, Samples: v, Method: method, Norm: attack.Linf, Seed: a.Seed, Batch: l.together(v.Len()), Tolerance: sub.Tolerance,
				Whole: l.records != nil, Undecided: sub.Undecided}
			for _, eps := range a.Eps {
				q.Eps = append(q.Eps, trial.Eps{Value: eps, Text: fmt.Sprint(eps)})
			}
			var rows []report.Row
			err = l.kept(s, func(f *record.File) error {
				q.Records = f
				from, to := l.shard.Blocks(v.Len(), q.Batch)
				cut, err := q.Run(ctx, from, to, func(of []report.Row) error {
					rows = append(rows, of...)
					return nil
				})
				if cut {
					return ctx.Err()
				}
				return err
			})
			if err != nil || l.shard.N > 0 { // a shard has its answers, and no sums
				return nil, nil, err
			}
			out := &attacked{Samples: v.Len(), Eps: a.Eps, Engine: t.Engine(), Flags: q.Flags()}
			for k, sum := range q.Sums(rows) {
				stands := make([]byte, (v.Len()+7)/8)
				for i := range v.Len() { // rows are image by image, each at every eps
					if !rows[i*len(a.Eps)+k].Adversarial {
						stands[i/8] |= 1 << (i % 8)
					}
				}
				out.Stands = append(out.Stands, stands)
				if out.Correct = sum.Correct; sub.Numbers() { // where nothing moves, all are where they are
					out.Correct = sum.Samples
				}
				out.Robust = append(out.Robust, sum.Robust)
				out.Evaluations += sum.Evaluations
			}
			return out, nil, nil
		}}
}

func (m *model) view(ctx context.Context, l *lab, shape []int, n int) (*trial.Samples, error) {
	if m.spec == nil {
		return l.viewOf(ctx, shape, nil, nil, n)
	}
	return l.viewOf(ctx, shape, m.spec.Mean, m.spec.Std, n)
}
