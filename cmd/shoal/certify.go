package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/onnxio/dataset"
	"github.com/shallow-waters/shoal/verify"
)

func certifyCommand() *cli.Command {
	flags := append(dataFlags(), boundFlags()...)
	flags = append(append(append(flags, subjectFlags()...), inputFlags()...), dimFlag(), pixelRangeFlag(), unboundedFlag(), toleranceFlag(farFromSample),
		&cli.GenericFlag{Name: "eps", Usage: "radius in pixel units, before normalisation: 0.01 or 2/255; several with commas: 1/255,2/255", Value: &epsilons{}},
		wordFlag("norm", "linf, the only one that bounds are for", "linf", "linf"),
		&cli.StringFlag{Name: "vnnlib", Usage: "certify a VNN-LIB property `FILE` instead of images"},
		falsifyFlag(), resumeFlag(), recordsFlag(), shardFlag(),
		&cli.StringFlag{Name: "certificate", Usage: "write the verdict down as a `FILE` that shoal recheck proves again; with --data a folder, with a file for each sample and radius, with --vnnlib and --records one with a file for each part"},
		realFlag("min-certified", "exit with code 12 if the certified accuracy is below this share, at any eps", "", share),
		jsonLines())
	return &cli.Command{
		Name:      "certify",
		Usage:     "prove robustness around images, or a VNN-LIB property",
		ArgsUsage: "MODEL",
		Description: "Example: shoal certify model.onnx --data fmnist:testdata/fmnist --range 0:100 --eps 2/255\n\n" +
			"Over images the exit code is 0 unless --min-certified is missed (12). With --vnnlib it is 0 verified,\n10 falsified, 11 unknown or timeout.",
		Flags:  flags,
		Action: question(certifyAction),
	}
}

func certifyAction(c *cli.Context) error {
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
	Widened    []string           `json:"widened,omitempty"`
	Timeout    string             `json:"timeout,omitempty"` // none where it is not there
	Falsify    string             `json:"falsify"`
	Softmax    bool               `json:"softmax_dropped"`
	Engine     string             `json:"engine"`
	Version    string             `json:"shoal_version"`
}

func configOf(c *cli.Context, s *samples, info verify.Info) certifyConfig {
	return certifyConfig{Data: c.String("data"), DataHash: s.set.SHA256, Split: c.String("split"), Range: c.String("range"),
		Resize: c.String("resize"), EXIF: c.Bool("exif"),
		Norm: "linf", Mean: s.Mean, Std: s.Std, Method: c.String("method"), Semantics: c.String("semantics"),
		Timeout: timeoutText(c), Falsify: c.String("falsify"), Softmax: info.SoftmaxDropped, Engine: "go float32", Version: version(),
		PixelRange: s.Valid, Reading: readingOf(c).String(), Departures: info.Departures, Widened: info.Widened}
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
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	sub, set, err := answering(c, m, trial.Proven)
	if err != nil {
		return err
	}
	q := &trial.Certify{Eps: epsilonsOf(c), Semantics: verify.Semantics(c.String("semantics"))}
	written, err := openCertificates(c, m, sub)
	if err != nil {
		return err
	}
	f, err := openFalsifier(c, sub, attack.SearchOptions{})
	if err != nil {
		return err
	}
	defer closeFalsifier(f)
	var s *samples
	w := newProofWatch(c)
	if q.Proofs, s, err = openProofs(c, sub, set, f, attack.SearchOptions{}, w); err != nil {
		return err
	}
	info, done, err := restOn(&q.Proofs, shard)
	if err != nil {
		return err
	}
	defer done()
	q.Certificates = written
	config := configOf(c, s, info)
	config.Eps, config.EpsText = q.Eps[0].Value, c.String("eps")
	r := &report.Result{Question: report.Certify, Model: modelOf(c, m), Subject: sub.Describe(s.Samples), Config: config}
	kept := config
	kept.Data, kept.Eps, kept.EpsText, kept.Range = "", 0, "", "" // which samples and radii, and where the data lies, may differ from run to run
	parts, err := wholeOf(c, s.Index, 1, epsKeys(q.Eps)...)
	if err != nil {
		return err
	}
	if q.Records, err = openRecords(c, r, s, kept, parts); err != nil {
		return err
	}
	defer q.Records.Close()
	start := time.Now()
	several := len(q.Eps) > 1
	p := newPrinter(c, columns(r.Question, sub, several))
	if p.mode == "" && info.SoftmaxDropped {
		foreign.Fprintln(c.App.ErrWriter, "the last Softmax is left out: margins are of logits")
	}
	if r.Interrupted, err = eachSample(c, q.Samples, shard, "certifying", w, q.Ask, p.rowsOf(shard, r)); err != nil {
		return err
	}
	if shard.N > 0 {
		return saidPart(c, shard, q.Records, parts, r.Interrupted)
	}
	r.Proofs = q.Sums(r.Rows, r.Interrupted)
	if !several { // what the run took, and not only the samples
		r.Proofs[0].Seconds = time.Since(start).Seconds()
	}
	r.Checks = certifiedChecks(c, r.Proofs)
	if err := p.end(r); err != nil {
		return err
	}
	sayCertificates(c, r.Rows)
	if p.mode == "" {
		sayReading(c.App.Writer, readingOf(c), config.Widened, config.Departures)
	}
	if r.Interrupted {
		return errCutShort()
	}
	return missed(r)
}

// certifiedChecks are those of --min-certified, one at each radius.
func certifiedChecks(c *cli.Context, sums []report.ProofSum) (out []report.Check) {
	least := given(c, "min-certified")
	for i, sum := range sums {
		if least == nil {
			break
		}
		at := ""
		if len(sums) > 1 {
			at = fmt.Sprintf(" at eps %s", sum.EpsText)
		}
		out = append(out, report.AtLeast("certified_accuracy", sum.CertifiedAccuracy, *least,
			"certified accuracy %s%s is below --min-certified %v", report.Share(sum.CertifiedAccuracy, 4), at, *least))
		out[i].Eps = &sums[i].Eps
	}
	return out
}

// missed is the error where a result does not pass its checks.
func missed(r *report.Result) error {
	if failed := r.Failed(); failed != nil {
		return &codeError{code: exitThreshold, err: errors.New(failed.Reason)}
	}
	return nil
}

func orEmpty[T any](x []T) []T {
	if x == nil {
		return []T{}
	}
	return x
}

// withTimeout is the context of one sample or property.
func withTimeout(c *cli.Context) (context.Context, context.CancelFunc) {
	if d := c.Duration("timeout"); d > 0 {
		return context.WithTimeout(c.Context, d)
	}
	return context.WithCancel(c.Context)
}
