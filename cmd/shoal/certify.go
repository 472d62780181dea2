package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

func certifyCommand() *cli.Command {
	flags := append(dataFlags(), boundFlags()...)
	flags = append(append(flags, subjectFlags()...), dimFlag(), pixelRangeFlag(),
		&cli.GenericFlag{Name: "eps", Usage: "radius in pixel units, before normalisation: 0.01 or 2/255; several with commas: 1/255,2/255", Value: &epsilons{}},
		wordFlag("norm", "linf, the only one that bounds are for", "linf", "linf"),
		&cli.StringFlag{Name: "vnnlib", Usage: "certify a VNN-LIB property `FILE` instead of images"},
		falsifyFlag(),
		realFlag("min-certified", "exit with code 12 if the certified accuracy is below this share, at any eps", "", share),
		jsonLines())
	return &cli.Command{
		Name:      "certify",
		Usage:     "prove robustness around images, or a VNN-LIB property",
		ArgsUsage: "MODEL",
		Description: "Example: shoal certify model.onnx --data fmnist:testdata/fmnist --range 0:100 --eps 2/255\n\n" +
			"Over images the exit code is 0 unless --min-certified is missed (12). With --vnnlib it is 0 verified,\n10 falsified, 11 unknown or timeout.",
		Flags: flags,
		Action: func(c *cli.Context) error {
			m, err := modelArg(c)
			if errors.Is(err, context.DeadlineExceeded) && c.String("vnnlib") != "" {
				return &codeError{code: exitInconclusive, err: err}
			}
			if err != nil {
				return err
			}
			if c.String("vnnlib") != "" {
				return certifyProperty(c, m)
			}
			return certifyImages(c, m)
		},
	}
}

type certifySample struct {
	Index     int      `json:"index"`
	Label     int      `json:"label"`
	Predicted int      `json:"predicted"`
	Eps       *float64 `json:"eps,omitempty"` // with several only
	Verdict   string   `json:"verdict"`
	In        string   `json:"falsified_in,omitempty"` // real or float32: what a falsified verdict refutes
	Margin    number   `json:"margin"`
	Seconds   float64  `json:"seconds"`
	Reason    string   `json:"reason"`
}

type certifySummary struct {
	Samples           int     `json:"samples"`
	Correct           int     `json:"correct"`
	Verified          int     `json:"verified"`
	Falsified         int     `json:"falsified"`
	Unknown           int     `json:"unknown"`
	CleanAccuracy     number  `json:"clean_accuracy"` // this and the next two are null where no sample is finished
	CertifiedAccuracy number  `json:"certified_accuracy"`
	UpperAccuracy     number  `json:"upper_accuracy"` // what no counterexample excludes: the robust accuracy lies between the two
	Seconds           float64 `json:"seconds"`
	Interrupted       bool    `json:"interrupted,omitempty"`
}

// epsSummary is the summary of one eps of several.
type epsSummary struct {
	Eps     float64 `json:"eps"`
	EpsText string  `json:"eps_text"`
	certifySummary
}

type certifyConfig struct {
	Data       string             `json:"data"`
	DataHash   string             `json:"data_sha256"`
	Split      string             `json:"split"`
	Range      string             `json:"range,omitempty"`
	Resize     string             `json:"resize,omitempty"`
	EXIF       bool               `json:"exif,omitempty"`
	Eps        float64            `json:"eps"`
	EpsText    string             `json:"eps_text"`
	Norm       string             `json:"norm"`
	PixelRange dataset.PixelRange `json:"pixel_range"`
	Mean       []float64          `json:"mean,omitempty"`
	Std        []float64          `json:"std,omitempty"`
	Method     string             `json:"method"`
	Semantics  string             `json:"semantics"`
	Reading    string             `json:"reading"`
	Departures []verify.Departure `json:"departures"`
	Timeout    string             `json:"timeout,omitempty"` // none where it is not there
	Falsify    string             `json:"falsify"`
	Softmax    bool               `json:"softmax_dropped"`
	Engine     string             `json:"engine"`
	Version    string             `json:"shoal_version"`
}

func configOf(c *cli.Context, s *samples, v *verify.Verifier) certifyConfig {
	return certifyConfig{Data: c.String("data"), DataHash: s.set.SHA256, Split: c.String("split"), Range: c.String("range"), Resize: c.String("resize"), EXIF: c.Bool("exif"),
		Norm: "linf", Mean: s.Mean, Std: s.Std, Method: c.String("method"), Semantics: c.String("semantics"),
		Timeout: timeoutText(c), Falsify: c.String("falsify"), Softmax: v.Info().SoftmaxDropped, Engine: "go float32", Version: version(),
		PixelRange: s.Valid, Reading: readingOf(c).String(), Departures: v.Info().Departures}
}

func timeoutText(c *cli.Context) string {
	if d := c.Duration("timeout"); d > 0 {
		return d.String()
	}
	return ""
}

// certifyImages answers for every image and every eps. With one eps the report has a summary; with several it has one for each, in the
// order in which they were given, and the first stands in the place of the only one too.
func certifyImages(c *cli.Context, m *onnxio.Model) error {
	eps := epsilonsOf(c)
	sub, err := classified(c, m)
	if err != nil {
		return err
	}
	f, err := openFalsifier(c, sub.Model, attack.SearchOptions{}, false)
	if err != nil {
		return err
	}
	defer closeFalsifier(f)
	v, s, err := openSubject(c, sub, f)
	if err != nil {
		return err
	}
	defer v.Close()
	config := configOf(c, s, v)
	config.Eps, config.EpsText = eps[0].value, c.String("eps")
	several := len(eps) > 1
	header, format := foreign.Constant("image\tlabel\tpredicted\tverdict\tmargin\tseconds\t"), foreign.Constant("%d\t%d\t%d\t%s\t%s\t%.3f\t")
	if several {
		header, format = "image\tlabel\tpredicted\teps\tverdict\tmargin\tseconds\t", "%d\t%d\t%d\t%s\t%s\t%s\t%.3f\t"
	}
	var rows []certifySample
	sums := make([]epsSummary, len(eps))
	start := time.Now()
	p := newPrinter(c, header)
	if p.mode == "" && v.Info().SoftmaxDropped {
		foreign.Fprintln(c.App.ErrWriter, "the last Softmax is left out: margins are of logits")
	}
	ask := func(i int) ([]certifySample, error) { return certifyOne(c, sub, v, s, i, eps) }
	interrupted, err := eachSample(c, s, "certifying", ask, func(answers []certifySample) error {
		for k, row := range answers {
			cells := []any{row.Index, row.Label, row.Predicted}
			if several {
				row.Eps = &eps[k].value
				cells = append(cells, eps[k].text)
			}
			sums[k].add(row)
			rows = append(rows, row)
			if err := p.sample(row, format, append(cells, row.Verdict, margin(row.Margin), row.Seconds)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !several { // what the run took, and not only the samples
		sums[0].Seconds = time.Since(start).Seconds()
	}
	var words foreign.Builder
	for k := range sums {
		sum := &sums[k]
		sum.Eps, sum.EpsText, sum.Interrupted = eps[k].value, eps[k].text, interrupted
		sum.shares()
		if sum.Samples == 0 {
			words.Printf("eps %s: %s\n", sum.EpsText, nothingFinished)
			continue
		}
		words.Printf("eps %s: %d images, clean accuracy %.1f %%, certified accuracy %.1f %% (%d verified, %d falsified, %d unknown), robust accuracy at most %.1f %%, %.2f s\n",
			sum.EpsText, sum.Samples, 100*float64(sum.CleanAccuracy), 100*float64(sum.CertifiedAccuracy), sum.Verified, sum.Falsified, sum.Unknown, 100*float64(sum.UpperAccuracy), sum.Seconds)
	}
	doc := map[string]any{"model": modelOf(c, m), "subject": sub.Describe(s.Samples), "config": config, "summary": sums[0].certifySummary}
	if several {
		doc["summaries"] = sums
	}
	if err := p.end(doc, map[string]any{"samples": orEmpty(rows)}, words.Text()); err != nil {
		return err
	}
	if p.mode == "" {
		sayReading(c.App.Writer, c, config.Departures)
	}
	if interrupted {
		return errCutShort()
	}
	return missed(given(c, "min-certified"), sums)
}

// missed is the error where a certified accuracy is below the threshold.
func missed(least *float64, sums []epsSummary) error {
	for _, sum := range sums {
		if least == nil || float64(sum.CertifiedAccuracy) >= *least {
			continue
		}
		at := ""
		if len(sums) > 1 {
			at = fmt.Sprintf(" at eps %s", sum.EpsText)
		}
		return &codeError{code: exitThreshold, err: fmt.Errorf("certified accuracy %.4f%s is below --min-certified %v", float64(sum.CertifiedAccuracy), at, *least)}
	}
	return nil
}

func orEmpty[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}

func margin(n number) string {
	if f := float64(n); !math.IsNaN(f) {
		return fmt.Sprintf("%.4g", f)
	}
	return "-"
}

func (s *certifySummary) add(r certifySample) {
	s.Samples++
	if r.Label == r.Predicted {
		s.Correct++
	}
	switch verify.Verdict(r.Verdict) {
	case verify.Verified:
		s.Verified++
	case verify.Falsified:
		s.Falsified++
	default:
		s.Unknown++
	}
	s.Seconds += r.Seconds
}

// shares are of all samples.
func (s *certifySummary) shares() {
	s.CleanAccuracy, s.CertifiedAccuracy, s.UpperAccuracy = ratio(s.Correct, s.Samples), ratio(s.Verified, s.Samples), ratio(s.Samples-s.Falsified, s.Samples)
}

// withTimeout is the context of one sample or property.
func withTimeout(c *cli.Context) (context.Context, context.CancelFunc) {
	if d := c.Duration("timeout"); d > 0 {
		return context.WithTimeout(c.Context, d)
	}
	return context.WithCancel(c.Context)
}

// certifyOne answers for one image at every eps. A misclassified one is falsified at the clean point.
func certifyOne(c *cli.Context, sub *trial.Subject, v *verify.Verifier, s *samples, i int, eps []epsilon) ([]certifySample, error) {
	start := time.Now()
	x, err := s.Center(i)
	if err != nil {
		return nil, err
	}
	y, err := v.Predict(c.Context, s.Input(x))
	if err != nil {
		return nil, err
	}
	clean := certifySample{Index: s.set.Index[i], Label: s.set.Labels[i], Predicted: sub.Decision.Class(y), Margin: number(math.NaN())}
	if clean.Predicted != clean.Label {
		clean.Verdict, clean.In, clean.Reason = string(verify.Falsified), string(verify.Float32), "misclassified without any change"
	}
	rows := make([]certifySample, len(eps))
	least := -1 // the smallest eps with a counterexample
	for _, k := range ascending(eps) {
		rows[k] = clean
		row := &rows[k]
		switch {
		case clean.Verdict != "":
		case least >= 0:
			row.Verdict, row.In, row.Reason = string(verify.Falsified), rows[least].In, fmt.Sprintf("the counterexample of eps %s is in this ball too", eps[least].text)
		default:
			ctx, cancel := withTimeout(c)
			r, err := v.Verify(ctx, sub.Robust(s.Ball(x, eps[k].value), clean.Label))
			cancel()
			if err != nil {
				return nil, err
			}
			row.Verdict, row.In, row.Margin, row.Reason = string(r.Verdict), string(r.FalsifiedIn), number(r.Margin), r.Reason
			if r.Refutes(verify.Semantics(c.String("semantics"))) {
				least = k
			}
		}
		row.Seconds = time.Since(start).Seconds()
		start = time.Now()
	}
	return rows, nil
}

// ascending gives the numbers of a list from the smallest eps on.
func ascending(eps []epsilon) []int {
	order := make([]int, len(eps))
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(eps[a].value, eps[b].value) })
	return order
}

type propertyDoc struct {
	Verdict        string                 `json:"verdict"`
	FalsifiedIn    string                 `json:"falsified_in,omitempty"` // real or float32
	Counterexample *verify.Counterexample `json:"counterexample,omitempty"`
	Seconds        float64                `json:"seconds"`
	Method         string                 `json:"method"`
	Reason         string                 `json:"reason"`
	Margin         number                 `json:"margin"`
	Semantics      string                 `json:"semantics"`
	Reading        string                 `json:"reading"`
	Departures     []verify.Departure     `json:"departures"`
	Model          modelDoc               `json:"model"`
	Property       string                 `json:"property"`
}

func certifyProperty(c *cli.Context, m *onnxio.Model) error {
	start := time.Now()
	path := c.String("vnnlib")
	q, err := vnnlib.Load(path)
	if err != nil {
		var ve *vnnlib.Error
		if errors.As(err, &ve) && ve.Unsupported {
			return &codeError{code: exitUnsupported, err: err}
		}
		return err
	}
	p := verify.FromVNNLIB(q)
	ready, done := beforeDeadline(c) // the whole command has the time of one property
	defer done()
	f, err := openFalsifier(c, m, attack.SearchOptions{}, true)
	if err != nil {
		return err
	}
	defer closeFalsifier(f)
	v, err := verify.Open(ready, m, withFalsifier(c, f))
	if err != nil && errors.Is(err, context.DeadlineExceeded) {
		return printProperty(c, propertyDoc{Verdict: "timeout", Seconds: time.Since(start).Seconds(), Reason: notReady(c, err).Error(), Margin: number(math.NaN()),
			Semantics: c.String("semantics"), Model: modelOf(c, m), Property: path}, verify.Unknown, false)
	}
	if err != nil {
		return err
	}
	defer v.Close()
	if n := v.Info(); n.Inputs != q.Inputs || n.Outputs != q.Outputs {
		return fmt.Errorf("%s: %d inputs and %d outputs; the model has %d and %d", path, q.Inputs, q.Outputs, n.Inputs, n.Outputs)
	}
	ctx, cancel := untilTimeout(c)
	defer cancel()
	idle := busy(c.App.ErrWriter, "certifying")
	r, err := v.Verify(ctx, p)
	idle()
	if err != nil {
		return err
	}
	interrupted := c.Context.Err() != nil && r.Verdict == verify.Unknown
	doc := propertyDoc{Verdict: string(r.Verdict), FalsifiedIn: string(r.FalsifiedIn), Counterexample: r.Counterexample, Seconds: time.Since(start).Seconds(), Method: string(r.Method),
		Reason: r.Reason, Margin: number(r.Margin), Semantics: c.String("semantics"), Model: modelOf(c, m), Property: path,
		Reading: readingOf(c).String(), Departures: v.Info().Departures}
	switch {
	case interrupted:
		doc.Reason = "interrupted"
	case r.Timeout:
		doc.Verdict = "timeout"
	}
	return printProperty(c, doc, r.Verdict, interrupted)
}

// printProperty prints the answer to a property; the exit code tells it too.
func printProperty(c *cli.Context, doc propertyDoc, v verify.Verdict, interrupted bool) (err error) {
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, doc)
	} else {
		_, err = foreign.Fprintf(c.App.Writer, "%s: %s (%.2f s)\n", doc.Verdict, doc.Reason, doc.Seconds)
		sayReading(c.App.Writer, c, doc.Departures)
	}
	if err != nil {
		return err
	}
	if interrupted {
		return errCutShort()
	}
	switch v {
	case verify.Falsified:
		return &codeError{code: exitViolated}
	case verify.Unknown:
		return &codeError{code: exitInconclusive}
	}
	return nil
}
