package study

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// radii are one number for each image: the largest radius proven for the predicted class, or the smallest at which an attack changes it.
type radii struct {
	Radius  []float64 `json:"radius"`
	Correct []bool    `json:"correct"`
	// Open tells, for attacks, where nothing was found up to the largest radius, which stands in Radius then.
	Open []bool `json:"open,omitempty"`
}

func (r *radii) words() string {
	sum := 0.0
	for _, x := range r.Radius {
		sum += x
	}
	return fmt.Sprintf("mean radius %.5f", sum/float64(len(r.Radius)))
}

func (l *lab) certifySettings(of *model, c *Certify) map[string]any {
	settings := map[string]any{"data": l.test.identity(), "images": c.Images, "max_eps": c.MaxEps, "tolerance": c.Tolerance}
	l.rangeInto(settings)
	if of.spec != nil {
		settings["mean"], settings["std"] = of.spec.Mean, of.spec.Std
	}
	return settings
}

// radiusStep certifies: for every image the largest radius that a domain proves for the predicted class, right or wrong, as the thesis has it.
func (l *lab) radiusStep(of *model, c *Certify, domain string) *step {
	settings := l.certifySettings(of, c)
	settings["domain"] = domain
	return &step{kind: "radius", version: 1, name: fmt.Sprintf("certifying %s by %s%s", of, domain, seedText(of.seed)), settings: settings, inputs: []*step{of.made},
		fresh: func() any { return &radii{} },
		run: func(ctx context.Context, _ *step) (any, *onnxio.Model, error) {
			name, bare := strings.CutSuffix(domain, plain)
			v, w, err := l.subject(ctx, of, c, verify.Options{Method: verify.Method(name), Plain: bare, Threads: l.o.Threads})
			if err != nil {
				return nil, nil, err
			}
			defer v.Close()
			out := &radii{}
			for i := range w.Len() {
				x, class, classes, err := predicted(ctx, v, w, i)
				if err != nil {
					return nil, nil, err
				}
				r, _, err := v.Radius(ctx, func(eps float64) verify.Property { return verify.Robust(w.Ball(x, eps), class, classes) },
					verify.RadiusOptions{Max: float64(c.MaxEps), Tol: float64(c.Tolerance)})
				if err != nil {
					return nil, nil, fmt.Errorf("image %d: %w", i, err)
				}
				out.Radius, out.Correct = append(out.Radius, r), append(out.Correct, class == w.Labels[i])
			}
			return out, nil, nil
		}}
}

func (l *lab) subject(ctx context.Context, of *model, c *Certify, o verify.Options) (*verify.Verifier, *trial.Samples, error) {
	m, err := of.made.load()
	if err != nil {
		return nil, nil, err
	}
	o.DropSoftmax = true
	v, err := verify.Open(ctx, m, o)
	if err != nil {
		return nil, nil, err
	}
	w, err := of.view(ctx, l, v.Info().InputShape, c.Images)
	if err != nil {
		v.Close()
		return nil, nil, err
	}
	return v, w, nil
}

func predicted(ctx context.Context, v *verify.Verifier, w *trial.Samples, i int) (x []float32, class, classes int, err error) {
	if x, err = w.Center(i); err != nil {
		return nil, 0, 0, err
	}
	y, err := v.Predict(ctx, w.Input(x))
	if err != nil {
		return nil, 0, 0, err
	}
	if err := trial.EnoughClasses(len(y)); err != nil {
		return nil, 0, 0, err
	}
	return x, argmax(y), len(y), nil
}

// upperSteps limits how often the bracket of the attack's radius is halved.
const upperSteps = 9

// upperSearch is the attack behind the upper curve.
var upperSearch = attack.SearchOptions{Points: 1, Most: 4, Steps: 15, Random: 8}

// upperStep looks for the smallest radius at which an attack changes the predicted class: no proof can go beyond it, in any domain.
func (l *lab) upperStep(of *model, c *Certify) *step {
	settings := l.certifySettings(of, c)
	settings["search"], settings["steps"] = upperSearch, upperSteps
	return &step{kind: "upper", version: 1, name: fmt.Sprintf("attacking %s for the upper curve%s", of, seedText(of.seed)), settings: settings, inputs: []*step{of.made},
		fresh: func() any { return &radii{} },
		run: func(ctx context.Context, _ *step) (any, *onnxio.Model, error) {
			m, err := of.made.load()
			if err != nil {
				return nil, nil, err
			}
			f, err := falsify.Open(ctx, m, falsify.Options{Search: upperSearch, Threads: l.o.Threads})
			if err != nil {
				return nil, nil, err
			}
			defer f.Close()
			v, w, err := l.subject(ctx, of, c, verify.Options{Method: verify.Interval, Threads: l.o.Threads})
			if err != nil {
				return nil, nil, err
			}
			defer v.Close()
			out := &radii{}
			for i := range w.Len() {
				x, class, classes, err := predicted(ctx, v, w, i)
				if err != nil {
					return nil, nil, err
				}
				property := func(eps float64) verify.Property { return verify.Robust(w.Ball(x, eps), class, classes) }
				r, err := falsify.UpperRadius(ctx, v, f, falsify.Radii{Property: property, Centre: w.Input(x), Scale: w.Scale(),
					Known: math.Inf(1), Most: float64(c.MaxEps), Tol: float64(c.Tolerance), Steps: upperSteps})
				if err != nil {
					return nil, nil, fmt.Errorf("image %d: %w", i, err)
				}
				open := math.IsInf(r, 1)
				out.Radius, out.Correct, out.Open = append(out.Radius, min(r, float64(c.MaxEps))), append(out.Correct, class == w.Labels[i]), append(out.Open, open)
			}
			return out, nil, nil
		}}
}
