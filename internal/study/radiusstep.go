package study

import (
	"context"
	"fmt"
	"math"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/onnxio/infer"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

// radii are one number for each image: the largest radius proven for the predicted class, or the smallest at which an attack changes it; of numbers,
// those within which outputs stay near their values.
type radii struct {
	Radius  []float64 `json:"radius"`
	Correct []bool    `json:"correct"` // all of numbers
	// Open tells, for attacks, where nothing was found up to the largest radius, which stands in Radius then.
	Open []bool `json:"open,omitempty"`
	// Upper are the smallest radii at which the class is known to change, at most the largest that was asked for: of domains that search, whose
	// time may end before the two meet.
	Upper []float64 `json:"upper,omitempty"`
	// Newton are the thesis' own roots, by fastlin-plain, for the record; null where its iteration did not converge.
	Newton []*float64 `json:"newton,omitempty"`
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
	if c.Unbounded {
		settings["unbounded"] = true
	}
	of.spec.into(settings)
	l.decisionInto(settings, true)
	return settings
}

// radiusStep certifies: for every image the largest radius that a domain proves for the predicted class, right or wrong, as the thesis has it.
func (l *lab) radiusStep(of *model, c *Certify, domain string) *step {
	settings := l.certifySettings(of, c)
	settings["domain"] = domain
	if domain == string(verify.FastLinPlain) {
		settings["recursion"] = "published" // the same name was fastlin without intersections, before
	}
	search := searches(domain)
	if search {
		settings["search"], settings["timeout"] = trial.UpperSearch, c.Timeout.String()
	}
	return &step{kind: "radius", version: 1, name: fmt.Sprintf("certifying %s by %s%s", of, domain, seedText(of.seed)), settings: settings,
		inputs: []*step{of.made},
		fresh:  func() any { return &radii{} },
		asks:   l.asks(c.Images, 1, trial.RadiusKey),
		run: func(ctx context.Context, s *step) (any, *onnxio.Model, error) {
			ctx = infer.Once(ctx)
			name, bare := domainOf(domain)
			o := verify.Options{Method: name, Plain: bare, Threads: l.o.Threads, Within: -1}
			if search {
				o.Within = 0
			}
			q, err := l.radius(ctx, of, c, o)
			if err != nil {
				return nil, nil, err
			}
			defer q.Verifier.Close()
			if search {
				q.Timeout = c.Timeout.Duration
				if err := l.upper(ctx, q); err != nil {
					return nil, nil, err
				}
				defer q.Search.Close()
			}
			q.Newton = name == verify.FastLinPlain
			out := &radii{}
			return out, nil, l.askRadii(ctx, s, q, func(row report.Row) {
				if q.Newton && row.Bracket.Newton != nil {
					root := &row.Bracket.Newton.Root
					if !row.Bracket.Newton.Converged {
						root = nil
					}
					out.Newton = append(out.Newton, root)
				}
				if search {
					upper, _ := changes(row, q.Max)
					out.Upper = append(out.Upper, upper)
				}
				out.Radius, out.Correct = append(out.Radius, row.Radius), append(out.Correct, row.Label == row.Predicted)
			})
		}}
}

// radius opens the question of a model's radii.
func (l *lab) radius(ctx context.Context, of *model, c *Certify, o verify.Options) (*trial.Radius, error) {
	sub, err := l.spec.asked(ctx, of.made, of.spec, trial.Proven)
	if err != nil {
		return nil, err
	}
	q := &trial.Radius{Proofs: trial.Proofs{Subject: sub}, Max: float64(c.MaxEps), Tol: float64(c.Tolerance)}
	if q.Verifier, err = trial.OpenVerifier(ctx, sub, o); err != nil {
		return nil, err
	}
	if q.Samples, err = of.view(ctx, l, q.Verifier.Info().InputShape, c.Images); err == nil {
		if c.Unbounded {
			q.Samples.Valid = dataset.PixelRange{Low: math.Inf(-1), High: math.Inf(1), From: "study", Why: "certify.unbounded"}
		}
		if !sub.Numbers() {
			err = trial.CheckLabels(&q.Samples.Source, sub.Classes())
		}
	}
	if err != nil {
		q.Verifier.Close()
	}
	return q, err
}

// askRadii gives the answer for every image to take.
func (l *lab) askRadii(ctx context.Context, s *step, q *trial.Radius, take func(report.Row)) error {
	return l.kept(s, func(f *record.File) error {
		q.Records = f
		cut, err := trial.Each(ctx, q.Samples, l.shard, nil, q.Ask, func(row report.Row) error {
			take(row)
			return nil
		})
		if cut {
			return ctx.Err()
		}
		return err
	})
}

// upper opens the search for radii at which an attack changes the class.
func (l *lab) upper(ctx context.Context, q *trial.Radius) (err error) {
	q.Search, err = falsify.Open(ctx, q.Subject.Model, falsify.Options{Search: trial.UpperSearch, Threads: l.o.Threads})
	return err
}

// changes is the smallest radius at which the class is known to change; where nothing was found up to the largest radius that one, and open.
func changes(row report.Row, most float64) (radius float64, open bool) {
	if r := float64(row.Upper); r <= most {
		return r, false
	}
	return most, true // also from records, which have no infinity
}

// upperStep looks for the smallest radius at which an attack changes the predicted class: no proof can go beyond it, in any domain.
func (l *lab) upperStep(of *model, c *Certify) *step {
	settings := l.certifySettings(of, c)
	settings["search"], settings["steps"] = trial.UpperSearch, trial.UpperSteps(float64(c.MaxEps), float64(c.Tolerance))
	return &step{kind: "upper", version: 1, name: fmt.Sprintf("attacking %s for the upper curve%s", of, seedText(of.seed)), settings: settings,
		inputs: []*step{of.made},
		fresh:  func() any { return &radii{} },
		asks:   l.asks(c.Images, 1, trial.RadiusKey),
		run: func(ctx context.Context, s *step) (any, *onnxio.Model, error) {
			ctx = infer.Once(ctx)
			q, err := l.radius(ctx, of, c, verify.Options{Method: verify.Interval, Threads: l.o.Threads})
			if err != nil {
				return nil, nil, err
			}
			defer q.Verifier.Close()
			q.OnlyUpper = true
			if err := l.upper(ctx, q); err != nil {
				return nil, nil, err
			}
			defer q.Search.Close()
			out := &radii{}
			return out, nil, l.askRadii(ctx, s, q, func(row report.Row) {
				r, open := changes(row, q.Max)
				out.Radius, out.Correct, out.Open = append(out.Radius, r), append(out.Correct, row.Label == row.Predicted), append(out.Open, open)
			})
		}}
}
