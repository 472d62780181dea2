package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial/record"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

const (
	// propertyQuestion is the plan's question, and partKey the key of its answers.
	propertyQuestion = "property"
	partKey          = "parts"
	// partsAbout is into how many parts a property is cut, whatever the number of shards: what they answer can be put together however many there were.
	partsAbout = 64
)

// partPlan is what answers about parts depend on: the claim, how it is cut, and how parts are decided.
type partPlan struct {
	Claim     certificate.Property `json:"claim"`
	Parts     []certificate.Part   `json:"parts"`
	Method    string               `json:"method"`
	Semantics string               `json:"semantics"`
	Reading   string               `json:"reading"`
	// Departures and Widened say what the verdict is about, beside the reading.
	Departures []verify.Departure `json:"departures"`
	Widened    []string           `json:"widened,omitempty"`
	Timeout    string             `json:"timeout,omitempty"` // of each part
	Falsify    string             `json:"falsify"`
}

// partAnswer is what became of a part.
type partAnswer struct {
	Verdict        string                 `json:"verdict"`
	FalsifiedIn    string                 `json:"falsified_in,omitempty"`
	Counterexample *verify.Counterexample `json:"counterexample,omitempty"`
	Seconds        float64                `json:"seconds"`
	Method         string                 `json:"method"`
	Reason         string                 `json:"reason"`
	Margin         number                 `json:"margin"`
	Certificate    *report.Evidence       `json:"certificate,omitempty"`
}

// certifyParts decides a property part by part, or those of a shard, and keeps what it answers in --records.
func certifyParts(c *cli.Context, v *verify.Verifier, q *vnnlib.Query, m *onnxio.Model, doc propertyDoc) error {
	start := time.Now()
	claim, err := verify.ClaimVNNLIB(q)
	if err != nil {
		return usageError("without --records a property is decided as a whole", "--records: %v", err)
	}
	shard, err := shardOf(c.String("shard"), os.Getenv)
	if err != nil {
		return err
	}
	parts, err := v.Parts(c.Context, claim, partsAbout)
	if err != nil {
		return err
	}
	plan := partPlan{claim, parts, c.String("method"), doc.Semantics, doc.Reading, doc.Departures, doc.Widened, timeoutText(c), c.String("falsify")}
	kept, err := openPlan(c, record.Plan{Question: propertyQuestion, Model: m.SHA256, Settings: plan}, []record.Part{{Key: partKey, N: len(parts)}})
	if err != nil {
		return err
	}
	defer kept.Close()
	if dir := c.String("certificate"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	bar := newProgress(c.App.ErrWriter, len(parts), "deciding parts")
	defer bar.finish()
	answers := make([]partAnswer, 0, len(parts))
	mine := 0
	for k, part := range parts {
		if shard.N > 0 && k%shard.N != shard.I {
			continue
		}
		mine++
		var a partAnswer
		if !kept.Find(partKey, k, &a) || lost(c, a) {
			if a, err = decidePart(c, v, claim, part, k); err != nil {
				return err
			}
			if c.Context.Err() != nil && a.Verdict != string(verify.Verified) && a.Verdict != string(verify.Falsified) {
				return errCutShort()
			}
			if err := kept.Add(record.Answer{Key: partKey, Index: k, Result: a}); err != nil {
				return err
			}
		}
		answers = append(answers, a)
		bar.add()
	}
	if shard.N > 0 {
		return saidShard(c, shard, kept.Len(), mine, false)
	}
	verdict := doc.put(answers)
	doc.Seconds = time.Since(start).Seconds()
	return printProperty(c, doc, verdict, false)
}

// lost tells whether the certificate of an answer is asked for and not there.
func lost(c *cli.Context, a partAnswer) bool {
	if c.String("certificate") == "" || a.Verdict == string(verify.Unknown) {
		return false
	}
	if a.Certificate == nil || a.Certificate.File == "" {
		return a.Certificate == nil
	}
	_, err := os.Stat(a.Certificate.File)
	return err != nil
}

// decidePart decides one part, and writes its certificate where one is asked for.
func decidePart(c *cli.Context, v *verify.Verifier, claim certificate.Property, part certificate.Part, k int) (a partAnswer, err error) {
	start := time.Now()
	own, err := claim.Part(part)
	if err != nil {
		return a, err
	}
	ctx, cancel := withTimeout(c)
	defer cancel()
	r, err := v.Verify(ctx, verify.FromClaim(own))
	if err != nil {
		return a, err
	}
	a = partAnswer{Verdict: string(r.Verdict), FalsifiedIn: string(r.FalsifiedIn), Counterexample: r.Counterexample,
		Method: string(r.Method), Reason: r.Reason, Margin: number(r.Margin)}
	if dir := c.String("certificate"); dir != "" && r.Verdict != verify.Unknown {
		a.Certificate = evidence(ctx, filepath.Join(dir, fmt.Sprintf("part-%05d.cert", k)), v, own, r)
	}
	a.Seconds = time.Since(start).Seconds()
	return a, nil
}

// put makes one verdict of what became of all parts: falsified where one is, verified where all are. A property without a case has no parts.
func (d *propertyDoc) put(answers []partAnswer) verify.Verdict {
	verified, margin := 0, math.Inf(1)
	for _, a := range answers {
		if a.Verdict == string(verify.Falsified) {
			d.Verdict, d.FalsifiedIn, d.Counterexample, d.Method, d.Margin = a.Verdict, a.FalsifiedIn, a.Counterexample, a.Method, a.Margin
			d.Reason = "of a part: " + a.Reason
			return verify.Falsified
		}
		if a.Verdict == string(verify.Verified) {
			verified++
			margin = min(margin, float64(a.Margin))
		}
	}
	d.Reason = fmt.Sprintf("%d of %d parts are verified", verified, len(answers))
	if len(answers) == 0 {
		d.Reason = "no input meets the property's conditions"
	}
	d.Verdict, d.Margin = string(verify.Unknown), number(math.NaN())
	if verified < len(answers) {
		return verify.Unknown
	}
	d.Verdict, d.Margin = string(verify.Verified), number(margin)
	return verify.Verified
}

// mergedProperty is what merged records of a property's parts say; nil where they are of something else. --certificate writes one certificate
// of the parts'.
func mergedProperty(c *cli.Context, path string) (*propertyDoc, error) {
	head, lines, err := record.Read(path)
	if err != nil {
		return nil, err
	}
	if head.Plan.Question != propertyQuestion {
		if c.IsSet("certificate") {
			return nil, usageError("certificates of samples stand beside each other", "--certificate goes with records of a property's parts")
		}
		return nil, nil
	}
	var plan partPlan
	if err := head.Plan.Details(&struct{}{}, &record.Whole{Settings: &plan}); err != nil {
		return nil, err
	}
	if err := certificate.Covered(plan.Claim, plan.Parts); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	answers := make([]partAnswer, len(plan.Parts))
	for _, l := range lines {
		if l.Key != partKey || l.Index < 0 || l.Index >= len(answers) {
			return nil, fmt.Errorf("%s: an answer about part %d of %d", path, l.Index, len(answers))
		}
		if err := l.Decode(&answers[l.Index]); err != nil {
			return nil, fmt.Errorf("%s: the answer about part %d: %w", path, l.Index, err)
		}
	}
	doc := &propertyDoc{Semantics: plan.Semantics, Reading: plan.Reading, Departures: plan.Departures, Widened: plan.Widened}
	verdict := doc.put(answers)
	if to := c.String("certificate"); to != "" {
		if err := joinParts(to, plan, answers, verdict); err != nil {
			return nil, fmt.Errorf("--certificate: %w", err)
		}
		doc.Certificate = &report.Evidence{File: to}
	}
	return doc, nil
}

// joinParts writes the certificate of the whole.
func joinParts(to string, plan partPlan, answers []partAnswer, verdict verify.Verdict) error {
	open := func(k int) (io.ReadCloser, error) {
		e := answers[k].Certificate
		if e == nil || e.File == "" {
			return nil, fmt.Errorf("part %d has no certificate: its shard was to have --certificate FOLDER", k)
		}
		return input.Open(e.File)
	}
	return output.Stream(output.OS{}, to, func(write func([]byte) error) error {
		w := &counted{write: write}
		switch verdict {
		case verify.Verified:
			return certificate.Join(w, plan.Claim, plan.Parts, open)
		case verify.Falsified:
			for k, a := range answers {
				if a.Verdict != string(verify.Falsified) || a.Certificate == nil || a.Certificate.File == "" {
					continue
				}
				r, err := open(k)
				if err != nil {
					return err
				}
				defer r.Close()
				return certificate.CounterexampleOf(w, plan.Claim, plan.Parts[k], r)
			}
		}
		return fmt.Errorf("no part has one of the verdict, which is %s", verdict)
	})
}
