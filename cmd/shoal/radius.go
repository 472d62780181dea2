package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/falsify"
)

func radiusCommand() *cli.Command {
	flags := append(dataFlags(), boundFlags()...)
	flags = append(append(flags, subjectFlags()...), dimFlag(), pixelRangeFlag(),
		radiusFlag("max-eps", "largest radius tried, in pixel units", "0.1", above0),
		radiusFlag("tol", "width of the final bracket", "0.0001", above0),
		falsifyFlag(),
		plotFlag("draw the sorted radii"),
		jsonLines())
	return &cli.Command{
		Name:        "radius",
		Usage:       "find the largest certified radius of every image",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal radius model.onnx --data fmnist:testdata/fmnist --range 0:50 --max-eps 0.2 --plot radii.svg",
		Flags:       flags,
		Action:      radiusAction,
	}
}

type radiusSample struct {
	Index     int     `json:"index"`
	Label     int     `json:"label"`
	Predicted int     `json:"predicted"`
	Radius    float64 `json:"radius"`
	Upper     number  `json:"upper"`   // smallest falsified radius; null if none is known
	Timeout   bool    `json:"timeout"` // the time ran out before the bracket was as narrow as --tol
	Seconds   float64 `json:"seconds"`
}

// radiusStats are null where there is no radius.
type radiusStats struct {
	Samples int    `json:"samples"`
	Mean    number `json:"mean"`
	Median  number `json:"median"`
	Max     number `json:"max"`
}

func statsOf(r []float64) radiusStats {
	s := radiusStats{Samples: len(r)}
	if len(r) == 0 {
		s.Mean, s.Median, s.Max = number(math.NaN()), number(math.NaN()), number(math.NaN())
		return s
	}
	r = append([]float64{}, r...)
	sort.Float64s(r)
	for _, x := range r {
		s.Mean += number(x / float64(len(r)))
	}
	s.Median = number(0.5 * (r[(len(r)-1)/2] + r[len(r)/2]))
	s.Max = number(r[len(r)-1])
	return s
}

func radiusAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	maxEps, tol := c.Float64("max-eps"), c.Float64("tol")
	sub, err := classified(c, m)
	if err != nil {
		return err
	}
	f, err := openFalsifier(c, sub.Model, attack.SearchOptions{Points: 1, Most: 4, Steps: 15, Random: 8}, false) // asked for several radii of each image
	if err != nil {
		return err
	}
	defer closeFalsifier(f)
	v, s, err := openSubject(c, sub, nil) // the attack has its turn when the radius is known
	if err != nil {
		return err
	}
	defer v.Close()
	var rows []radiusSample
	start := time.Now()
	p := newPrinter(c, "image\tlabel\tpredicted\tradius\tfalsified at\tseconds\t")
	ask := func(i int) (radiusSample, error) {
		return radiusOne(c, sub, v, f, s, i, verify.RadiusOptions{Max: maxEps, Tol: tol})
	}
	interrupted, err := eachSample(c, s, "radii", ask, func(row radiusSample) error {
		rows = append(rows, row)
		return p.sample(row, "%d\t%d\t%d\t%.5f\t%s\t%.2f\t", row.Index, row.Label, row.Predicted, row.Radius, upper(row.Upper), row.Seconds)
	})
	if err != nil {
		return err
	}
	var all, right []float64
	var points []report.Radius
	for _, r := range rows {
		all = append(all, r.Radius)
		if r.Label == r.Predicted {
			right = append(right, r.Radius)
		}
		points = append(points, report.Radius{Eps: r.Radius, Correct: r.Label == r.Predicted})
	}
	config := configOf(c, s, v)
	config.Eps, config.EpsText = maxEps, givenText(c, "max-eps")
	stats := statsOf(all)
	curve := append([]float64{}, all...)
	sort.Float64s(curve)
	correct, seconds := statsOf(right), time.Since(start).Seconds()
	summary := map[string]any{"samples": stats.Samples, "mean": stats.Mean, "median": stats.Median, "max": stats.Max, "correct": correct,
		"seconds": seconds, "interrupted": interrupted}
	words := foreign.Sprintf("%s\n", nothingFinished)
	if stats.Samples > 0 {
		words = foreign.Sprintf("radius over all %d images: mean %.5f, median %.5f, max %.5f; ", stats.Samples, float64(stats.Mean), float64(stats.Median), float64(stats.Max))
		if correct.Samples > 0 {
			words = foreign.Sprintf("%sover the %d correct ones: mean %.5f, median %.5f ", words, correct.Samples, float64(correct.Mean), float64(correct.Median))
		} else {
			words = foreign.Sprintf("%snone is classified correctly ", words)
		}
		words = foreign.Sprintf("%s(%.1f s)\n", words, seconds)
	}
	err = p.end(map[string]any{"model": modelOf(c, m), "subject": sub.Describe(s.Samples), "config": config, "summary": summary},
		map[string]any{"tol": tol, "curve": orEmpty(curve), "samples": orEmpty(rows)},
		words)
	if err != nil {
		return err
	}
	if p.mode == "" {
		sayReading(c.App.Writer, c, config.Departures)
	}
	if f := c.String("plot"); f != "" && len(points) > 0 {
		if err := report.PlotRadii(f, fmt.Sprintf("Certified radii, %d images, %s", len(points), c.String("method")), report.Ball("linf", s.Valid.Low, s.Valid.High), points); err != nil {
			return err
		}
		foreign.Fprintf(c.App.ErrWriter, "the picture is in %s\n", f)
	}
	if interrupted {
		return errCutShort()
	}
	return nil
}

func upper(n number) string {
	if math.IsInf(float64(n), 1) {
		return "-"
	}
	return margin(n)
}

// upperSteps limits how often the bracket between the certified radius and the smallest falsified one is halved.
const upperSteps = 8

// radiusOne searches for the predicted class, as the certification area is defined; correctness is reported beside it.
func radiusOne(c *cli.Context, sub *trial.Subject, v *verify.Verifier, f *falsify.Attack, s *samples, i int, o verify.RadiusOptions) (radiusSample, error) {
	start := time.Now()
	row := radiusSample{Index: s.set.Index[i], Label: s.set.Labels[i], Upper: number(math.Inf(1))}
	x, err := s.Center(i)
	if err != nil {
		return row, err
	}
	y, err := v.Predict(c.Context, s.Input(x))
	if err != nil {
		return row, err
	}
	row.Predicted = sub.Decision.Class(y)
	ctx, cancel := withTimeout(c)
	defer cancel()
	property := func(eps float64) verify.Property { return sub.Robust(s.Ball(x, eps), row.Predicted) }
	r, up, err := v.Radius(ctx, property, o)
	if err == nil && r < o.Max && f != nil {
		up, err = falsify.UpperRadius(ctx, v, f, falsify.Radii{Property: property, Centre: s.Input(x), Scale: s.Scale(),
			Proven: r, Known: up, Most: o.Max, Tol: o.Tol, Steps: upperSteps})
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return row, err
	}
	row.Radius, row.Upper, row.Timeout, row.Seconds = r, number(up), err != nil, time.Since(start).Seconds()
	return row, nil
}
