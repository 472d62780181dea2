package study

import (
	"context"
	"fmt"
	"slices"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
)

// attacked is how a model stood an attack: how many images it classifies rightly that nothing adversarial was found for.
type attacked struct {
	Samples     int           `json:"samples"`
	Correct     int           `json:"correct"` // unchanged
	Eps         []float64     `json:"eps"`
	Robust      []int         `json:"robust"` // at each eps
	Evaluations int64         `json:"evaluations"`
	Engine      string        `json:"engine"`
	Flags       []attack.Flag `json:"flags,omitempty"`
}

func (a *attacked) words() string {
	return fmt.Sprintf("%d of %d stand at the largest eps", a.Robust[len(a.Robust)-1], a.Samples)
}

// attackBatch is how many images are attacked together.
const attackBatch = 64

// attackStep attacks a model at every eps, the smallest first: what is broken there is broken in larger balls too. The thesis' protocol asks
// something else of every ball, so that each has its own run.
func (l *lab) attackStep(of *model, a *Attack) *step {
	n := a.Images
	method, err := a.method()
	settings := map[string]any{"data": l.test.identity(), "engine": l.o.Engine.Engine, "method": a.Method, "settings": method, "eps": a.Eps, "images": n, "seed": a.Seed}
	l.rangeInto(settings)
	if of.spec != nil {
		settings["mean"], settings["std"] = of.spec.Mean, of.spec.Std
	}
	return &step{kind: "attack", version: 1, name: fmt.Sprintf("attacking %s by %s%s", of, a.Name, seedText(of.seed)), settings: settings, inputs: []*step{of.made},
		fresh: func() any { return &attacked{} },
		run: func(ctx context.Context, _ *step) (any, *onnxio.Model, error) {
			if err != nil {
				return nil, nil, err
			}
			m, err := of.made.load()
			if err != nil {
				return nil, nil, err
			}
			t, err := attack.Open(ctx, m, attack.Options{Engine: l.o.Engine})
			if err != nil {
				return nil, nil, err
			}
			defer t.Close()
			v, err := of.view(ctx, l, t.InputShape(), n)
			if err != nil {
				return nil, nil, err
			}
			out := &attacked{Samples: v.Len(), Eps: a.Eps, Robust: make([]int, len(a.Eps)), Engine: t.Engine()}
			for from := 0; from < v.Len(); from += attackBatch {
				batch, err := v.Batch(from, min(v.Len(), from+attackBatch))
				if err != nil {
					return nil, nil, err
				}
				if err := attackPortion(ctx, t, batch, method, a, out); err != nil {
					return nil, nil, err
				}
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

func attackPortion(ctx context.Context, t *attack.Target, all *attack.Samples, method attack.Attack, a *Attack, out *attacked) error {
	alone := !attack.Nested(method)
	todo := make([]int, all.Len())
	for i := range todo {
		todo[i] = i
	}
	for k, eps := range a.Eps {
		if len(todo) == 0 {
			break
		}
		some := *all
		some.X, some.Labels, some.Index = nil, nil, nil
		for _, i := range todo {
			some.X = append(some.X, all.X[i*all.Size:(i+1)*all.Size]...)
			some.Labels, some.Index = append(some.Labels, all.Labels[i]), append(some.Index, all.Index[i])
		}
		now := todo
		some.Ball = func(i int, eps float64) (lower, upper []float32) { return all.Ball(now[i], eps) }
		r, err := attack.Run(ctx, t, &some, attack.Threat{Norm: attack.Linf, Eps: eps}, method, attack.RunOptions{Seed: a.Seed})
		if err != nil {
			return err
		}
		out.Evaluations += r.Evaluations
		for _, f := range r.Flags {
			if !slices.ContainsFunc(out.Flags, func(g attack.Flag) bool { return g.Code == f.Code }) {
				out.Flags = append(out.Flags, f)
			}
		}
		var left []int
		for j, i := range todo {
			o := r.Outcomes[j]
			if k == 0 && o.Predicted == o.Label {
				out.Correct++
			}
			if !o.Adversarial {
				out.Robust[k]++
				left = append(left, i)
			}
		}
		if !alone {
			todo = left
		}
	}
	return nil
}
