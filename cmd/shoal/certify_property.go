package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/attack"
	"github.com/shallow-waters/shoal/internal/budget"
	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

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
	Widened        []string               `json:"widened,omitempty"`
	Model          modelDoc               `json:"model"`
	Property       string                 `json:"property"`
	Rungs          []verify.Rung          `json:"rungs,omitempty"`
	Certificate    *report.Evidence       `json:"certificate,omitempty"`
}

// propertyTime is what auto spends on a property that deeppoly has left open, where there is no --timeout: there is but this one.
const propertyTime = 10 * time.Second

func certifyProperty(c *cli.Context, m *onnxio.Model) error {
	start := time.Now()
	path := c.String("vnnlib")
	q, err := loadQuery(path)
	if err != nil {
		return err
	}
	semantics := verify.Semantics(c.String("semantics"))
	if !c.IsSet("semantics") {
		if semantics, err = semanticsOf(path, q); err != nil {
			return err
		}
	}
	p := verify.FromVNNLIB(q)
	ready, done := beforeDeadline(c) // the whole command has the time of one property
	defer done()
	file := m
	if m, err = networkOfOne(ready, c, q, m, semantics); err != nil {
		return err
	}
	ordered := semantics == verify.Real && p.Ordered() // a last Softmax changes nothing of what is asked
	f, err := falsifierOf(c, m, attack.SearchOptions{}, !ordered)
	if err != nil {
		return err
	}
	defer closeFalsifier(f)
	w := newProofWatch(c)
	o := withFalsifier(c, f)
	o.Watch, o.Within, o.Semantics, o.DropSoftmax = w.tell, propertyTime, semantics, ordered
	v, err := verify.Open(ready, m, o)
	verdict := ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		verdict = "timeout"
	case errors.As(err, new(*budget.Error)):
		verdict = string(verify.Unknown)
	}
	if verdict != "" {
		return printProperty(c, propertyDoc{Verdict: verdict, Seconds: time.Since(start).Seconds(), Reason: notReady(c, err).Error(),
			Margin:    number(math.NaN()),
			Semantics: string(semantics), Model: modelOf(c, file), Property: path}, verify.Unknown, false)
	}
	if err != nil {
		return err
	}
	defer v.Close()
	if n := v.Info(); n.Inputs != len(q.Free()) || n.Outputs != q.Outputs+len(q.Copies) {
		return fmt.Errorf("%s: %d inputs and %d outputs; the model has %d and %d", path, q.Inputs, q.Outputs, n.Inputs, n.Outputs)
	}
	if c.IsSet("records") {
		return certifyParts(c, v, q, file, propertyDoc{Semantics: string(semantics), Model: modelOf(c, file), Property: path,
			Reading: readingOf(c).String(), Departures: v.Info().Departures, Widened: v.Info().Widened})
	}
	ctx, cancel := untilTimeout(c)
	defer cancel()
	bar := newProgress(c.App.ErrWriter, -1, "certifying")
	idle := bar.watch(func() foreign.Text {
		return foreign.Sprintf("certifying, %s so far%s", time.Since(start).Round(time.Second), w.words())
	})
	r, err := v.Verify(ctx, p)
	idle()
	bar.finish()
	if err != nil {
		return err
	}
	interrupted := c.Context.Err() != nil && r.Verdict == verify.Unknown
	doc := propertyDoc{Verdict: string(r.Verdict), FalsifiedIn: string(r.FalsifiedIn), Counterexample: r.Counterexample,
		Seconds: time.Since(start).Seconds(), Method: string(r.Method),
		Reason: r.Reason, Margin: number(r.Margin), Semantics: string(semantics), Model: modelOf(c, file), Property: path,
		Reading: readingOf(c).String(), Departures: v.Info().Departures, Widened: v.Info().Widened, Rungs: r.Rungs}
	if r.Timeout && !interrupted {
		doc.Verdict = "timeout"
	}
	if c.String("certificate") != "" && r.Verdict != verify.Unknown {
		doc.Certificate = writeCertificate(ctx, c, v, q, r)
	}
	err = printProperty(c, doc, r.Verdict, interrupted)
	if doc.Certificate != nil && doc.Certificate.Fault != "" {
		return fmt.Errorf("--certificate: %s", doc.Certificate.Fault)
	}
	return err
}

// networkOfOne is the network of a query to which one model is given.
func networkOfOne(ctx context.Context, c *cli.Context, q *vnnlib.Query, m *onnxio.Model, s verify.Semantics) (*onnxio.Model, error) {
	models := make([]*onnxio.Model, max(1, len(q.Networks)))
	models[0] = m
	for i, n := range q.Networks {
		if i > 0 && n.EqualTo == "" {
			return nil, usageError("shoal vnnlib verify takes a model for each: --network NAME=FILE", "%s is about several models, %s and %s", c.String("vnnlib"),
				q.Networks[0].Name, n.Name)
		}
	}
	return joinedOf(ctx, c.String("vnnlib"), q, models, verify.Options{Semantics: s, Reading: readingOf(c)})
}

// printProperty prints the answer to a property; the exit code tells it too.
func printProperty(c *cli.Context, doc propertyDoc, v verify.Verdict, interrupted bool) (err error) {
	switch jsonMode(c) {
	case "lines":
		err = jsonLine(c.App.Writer, struct {
			Type string `json:"type"`
			propertyDoc
		}{"summary", doc})
	case "document":
		err = printJSON(c.App.Writer, doc)
	default:
		_, err = foreign.Fprintf(c.App.Writer, "%s: %s (%.2f s)\n", doc.Verdict, doc.Reason, doc.Seconds)
		sayRungs(c, doc.Rungs)
		sayReading(c.App.Writer, readingOf(c), doc.Widened, doc.Departures)
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

// sayRungs tells which stages a verdict took, and how long each, where that is more than a moment.
func sayRungs(c *cli.Context, rungs []verify.Rung) {
	const moment = 0.1
	all, words := 0.0, &foreign.Builder{}
	for i, r := range rungs {
		all += r.Seconds
		if i > 0 {
			words.Printf(", ")
		}
		words.Printf("%s %.3f s", r.Name, r.Seconds)
		if r.Open > 0 {
			words.Printf(" (%d open)", r.Open)
		}
	}
	if all > moment {
		foreign.Fprintf(c.App.ErrWriter, "%s\n", words.Text())
	}
}
