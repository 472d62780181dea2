package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
)

func radiusCommand() *cli.Command {
	flags := append(dataFlags(), boundFlags()...)
	flags = append(append(append(flags, subjectFlags()...), inputFlags()...), dimFlag(), pixelRangeFlag(), unboundedFlag(), toleranceFlag(farFromSample),
		radiusFlag("max-eps", "largest radius tried, in pixel units", "0.1", above0),
		radiusFlag("tol", "width of the final bracket", "0.0001", above0),
		&cli.BoolFlag{Name: "newton", Usage: "with --method fastlin-plain: the thesis' root beside the bracket, for the record; it is no proof"},
		falsifyFlag(), resumeFlag(), recordsFlag(), shardFlag(),
		&cli.StringFlag{Name: "certificate", Usage: "write the proof of every radius into a `FOLDER`, so that shoal recheck proves it again"},
		plotFlag("draw the sorted radii"),
		jsonLines())
	return &cli.Command{
		Name:        "radius",
		Usage:       "find the largest certified radius of every image",
		ArgsUsage:   "MODEL",
		Description: "Example: shoal radius model.onnx --data fmnist:testdata/fmnist --range 0:50 --max-eps 0.2 --plot radii.svg",
		Flags:       flags,
		Action:      question(radiusAction),
	}
}

func radiusAction(c *cli.Context) error {
	m, err := modelArg(c)
	if err != nil {
		return err
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	sub, set, err := answering(c, m, trial.Proven)
	if err != nil {
		return err
	}
	q := &trial.Radius{Max: c.Float64("max-eps"), Tol: c.Float64("tol"), Newton: c.Bool("newton")}
	written, err := openCertificates(c, m, sub)
	if err != nil {
		return err
	}
	if q.Search, err = openFalsifier(c, sub, trial.UpperSearch); err != nil {
		return err
	}
	defer closeFalsifier(q.Search)
	var s *samples
	w := newProofWatch(c)
	if q.Proofs, s, err = openProofs(c, sub, set, nil, trial.UpperSearch, w); err != nil { // the attack has its turn when the radius is known
		return err
	}
	info, done, err := restOn(&q.Proofs, shard)
	if err != nil {
		return err
	}
	defer done()
	q.Certificates = written
	config := configOf(c, s, info)
	config.Eps, config.EpsText = q.Max, givenText(c, "max-eps")
	r := &report.Result{Question: report.Radii, Model: modelOf(c, m), Subject: sub.Describe(s.Samples), Config: config}
	kept := config
	kept.Data, kept.EpsText, kept.Range = "", "", "" // which samples, and where the data lies, may differ from run to run
	settings := map[string]any{"config": kept, "tol": q.Tol}
	if q.Newton {
		settings["newton"] = true
	}
	parts, err := wholeOf(c, s.Index, 1, trial.RadiusKey)
	if err != nil {
		return err
	}
	if q.Records, err = openRecords(c, r, s, settings, parts); err != nil {
		return err
	}
	defer q.Records.Close()
	start := time.Now()
	p := newPrinter(c, columns(r.Question, sub, false))
	show := p.rowsOf(shard, r)
	if r.Interrupted, err = eachSample(c, q.Samples, shard, "radii", w, q.AskOrUnknown,
		func(row report.Row) error { return show([]report.Row{row}) }); err != nil {
		return err
	}
	if shard.N > 0 {
		return saidPart(c, shard, q.Records, parts, r.Interrupted)
	}
	r.Radii = q.Sum(r.Rows)
	r.Radii.Seconds = time.Since(start).Seconds()
	if err := p.end(r); err != nil {
		return err
	}
	sayCertificates(c, r.Rows)
	if p.mode == "" {
		sayReading(c.App.Writer, readingOf(c), config.Widened, config.Departures)
	}
	if err := plotRadii(c, s, sub, r.Rows); err != nil {
		return err
	}
	if r.Interrupted {
		return errCutShort()
	}
	return nil
}

// plotRadii draws what --plot asks for, if there is anything to draw.
func plotRadii(c *cli.Context, s *samples, sub *trial.Subject, rows []report.Row) error {
	f := c.String("plot")
	if f == "" || len(rows) == 0 {
		return nil
	}
	var points []report.Radius
	for _, row := range rows {
		points = append(points, report.Radius{Eps: row.Radius, Correct: row.Label == row.Predicted})
	}
	title, within := fmt.Sprintf("Certified radii, %d images, %s", len(points), c.String("method")), ""
	if sub.Tolerance != nil {
		within = sub.Tolerance.Text
	}
	if err := report.PlotRadii(f, title, report.Ball("linf", s.Valid.Low, s.Valid.High), within, points); err != nil {
		return err
	}
	foreign.Fprintf(c.App.ErrWriter, "the picture is in %s\n", f)
	return nil
}
