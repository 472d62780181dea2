package study

import (
	"context"
	"errors"
	"fmt"

	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/prune"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// prunedResult is what pruning took away.
type prunedResult struct {
	Removed int           `json:"removed"` // filters
	Before  prune.Cost    `json:"before"`
	After   prune.Cost    `json:"after"`
	Layers  []prunedLayer `json:"layers"`
	// Equal tells that both models are proven to compute the same over all valid inputs; only asked after proven-dead.
	Equal *bool `json:"equal,omitempty"`
}

type prunedLayer struct {
	Name    string `json:"name"`
	Filters int    `json:"filters"`
	Removed int    `json:"removed"`
}

func (r *prunedResult) words() string {
	return fmt.Sprintf("%d filters, %d of %d parameters left", r.Removed, r.After.Parameters, r.Before.Parameters)
}

// pruneStep removes filters from a model.
func (l *lab) pruneStep(name string, of *model, pr *Prune) *step {
	settings := map[string]any{"choice": pr.choice()}
	of.spec.into(settings)
	if pr.Score == prune.ProvenDead {
		l.rangeInto(settings)
	}
	if pr.Score == prune.Activation {
		settings["data"], settings["validation"] = l.train.identity(), l.spec.Data.Validation
	}
	return &step{kind: "prune", version: 1, name: name, settings: settings, inputs: []*step{of.made}, fresh: func() any { return &prunedResult{} },
		run: func(ctx context.Context, _ *step) (any, *onnxio.Model, error) {
			ctx = infer.Once(ctx)
			m, err := onnxio.LoadContext(ctx, of.made.file) // a model of its own: pruning puts another graph into it
			if err != nil {
				return nil, nil, err
			}
			var ranges equal.Ranges
			if pr.Score == prune.ProvenDead {
				if ranges, err = l.valid(of.spec); err != nil {
					return nil, nil, err
				}
			}
			o := prune.Options{Choice: pr.choice(), Bounds: equal.Bounds(ranges,
				verify.Options{Method: verify.Interval, Semantics: verify.Float32, Threads: l.o.Threads})}
			if pr.Score == prune.Activation {
				if o.Samples, o.Whole, err = l.activations(ctx, m, of.spec); err != nil {
					return nil, nil, err
				}
			}
			r, err := prune.Run(ctx, m.Graph, o)
			if err != nil {
				return nil, nil, err
			}
			out := &prunedResult{Removed: r.Plan.Removed()}
			if out.Before, _, err = r.Coupling.Costs(m.Graph); err != nil {
				return nil, nil, err
			}
			if out.After, _, err = r.Coupling.Costs(r.Graph); err != nil {
				return nil, nil, err
			}
			for _, c := range r.Plan.Classes {
				for _, y := range c.Layers {
					out.Layers = append(out.Layers, prunedLayer{Name: y.Name, Filters: y.Channels, Removed: len(y.Remove)})
				}
			}
			m.Graph = r.Graph
			if pr.Score == prune.ProvenDead {
				old, err := onnxio.LoadContext(ctx, of.made.file)
				if err != nil {
					return nil, nil, err
				}
				c, err := equal.Compare(ctx, old, m, ranges, verify.Options{Method: verify.Interval, Semantics: verify.Real, Threads: l.o.Threads})
				if err != nil {
					return nil, nil, fmt.Errorf("proving that nothing changed: %w", err)
				}
				out.Equal = &c.Equal
			}
			return out, m, nil
		}}
}

// valid are the ranges of a model's inputs: what is proven dead is so for every valid pixel.
func (l *lab) valid(spec *Teacher) (equal.Ranges, error) {
	var mean, std []float64
	var err error
	if spec != nil {
		if mean, std, err = trial.Spread(spec.Mean, spec.Std, l.test.shape[0]); err != nil {
			return nil, err
		}
	}
	r, err := trial.ValidInputs(l.test.set.Valid, mean, std)
	if err != nil {
		return nil, fmt.Errorf("data.test: %w; pixel_range: LO:HI gives one", err)
	}
	return r, nil
}

// activationImages is how many images the score of activations looks at, from the validation data.
const activationImages = 512

func (l *lab) activations(ctx context.Context, m *onnxio.Model, spec *Teacher) (data prune.Samples, alone bool, err error) {
	inputs, err := spec.inputs(ctx, m)
	if err != nil {
		return nil, false, err
	}
	ports, turned, err := inputs.AsFile(nil)
	if err != nil {
		return nil, false, err
	}
	asked, err := inputs.AskedPort(ports)
	if err != nil {
		return nil, false, err
	}
	shape := append([]int{}, asked.Shape...)
	if shape[0] > 1 {
		return nil, false, errors.New("the model fixes its batch: no activations")
	}
	var mean, std []float64
	if spec != nil {
		mean, std = spec.Mean, spec.Std
	}
	_, valid, err := l.lesson(ctx, false)
	if err != nil {
		return nil, false, err
	}
	v, err := trial.Join(sourceOf(l.train, valid, valid.Len()), shape[1:], mean, std)
	if err != nil {
		return nil, false, err
	}
	feed := inputs.Feed(v, ports, 1)
	if turned != nil {
		feed = turned(feed)
	}
	return feed.Activations(activationImages, 1, nil), turned != nil, nil
}
