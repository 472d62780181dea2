package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// scratch is a file for the tree of a search that a certificate is made of.
func scratch() (verify.Scratch, error) { return output.Scratch() }

// counted counts what is written through it.
type counted struct {
	write func([]byte) error
	n     int
}

func (w *counted) Write(b []byte) (int, error) {
	if err := w.write(b); err != nil {
		return 0, err
	}
	w.n += len(b)
	return len(b), nil
}

// writeCertificate writes a verdict down, within the time of the property. Where it cannot, no file is left, and the fault says why.
func writeCertificate(ctx context.Context, c *cli.Context, v *verify.Verifier, q *vnnlib.Query, r verify.Result) *report.Evidence {
	idle := busy(c.App.ErrWriter, "writing the certificate")
	defer idle()
	claim, err := verify.ClaimVNNLIB(q)
	if err != nil {
		return &report.Evidence{Fault: foreign.Error(err)}
	}
	return evidence(ctx, c.String("certificate"), v, claim, r)
}

// evidence writes a verdict of a claim to a file.
func evidence(ctx context.Context, path string, v *verify.Verifier, claim certificate.Property, r verify.Result) *report.Evidence {
	start := time.Now()
	doc := &report.Evidence{File: path}
	var why error
	err := output.Stream(output.OS{}, path, func(write func([]byte) error) error {
		w := &counted{write: write}
		doc.Parts, why = v.Certificate(ctx, claim, r, w)
		doc.Bytes = w.n
		return why
	})
	if errors.Is(why, verify.ErrNoCertificate) { // it is not the file's fault
		err = why
	}
	doc.Seconds = time.Since(start).Seconds()
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("the time ran out before it was written")
	}
	if err != nil {
		doc.File, doc.Bytes, doc.Fault = "", 0, foreign.Error(err)
	}
	return doc
}

// certificates are a folder with one for each sample and radius.
type certificates struct{ dir string }

// certificateName is the form of their names, and of those of a property's parts.
var certificateName = regexp.MustCompile(`^(\d{5,}-eps[0-9.e+-]+|part-\d{5,})\.cert$`)

func certificateOf(index int, eps float64) string {
	return fmt.Sprintf("%05d-eps%s.cert", index, strconv.FormatFloat(eps, 'g', -1, 64))
}

// openCertificates makes ready what --certificate names, for a subject of a model; nil where it does not stand in the line.
func openCertificates(c *cli.Context, m *onnxio.Model, sub *trial.Subject) (trial.Certificates, error) {
	dir := c.String("certificate")
	if dir == "" {
		return nil, nil
	}
	if err := wholeFile(m, sub); err != nil {
		return nil, err
	}
	return certificates{dir}, os.MkdirAll(dir, 0o755)
}

// wholeFile is an error where a subject is not the network that the file is: certificates name it by the file's bytes.
func wholeFile(m *onnxio.Model, sub *trial.Subject) error {
	if sub.Model.Graph == m.Graph && len(sub.Inputs.Held()) == 0 {
		return nil
	}
	return usageError("write a file of that part: shoal convert, shoal simplify", "certificates are of networks as their files have them; "+
		"here one output of several is asked about, inputs are held, or samples lie along another axis")
}

// Write implements trial.Certificates.
func (f certificates) Write(ctx context.Context, v *verify.Verifier, p verify.Property, r verify.Result, index int, eps float64) *report.Evidence {
	info := v.Info()
	claim, err := verify.Claim(p, info.Inputs, info.Outputs)
	if err != nil {
		return &report.Evidence{Fault: foreign.Error(err)}
	}
	name := certificateOf(index, eps)
	out := evidence(ctx, filepath.Join(f.dir, name), v, claim, r)
	if out.Fault == "" {
		out.File = name
	}
	return out
}

// Holds implements trial.Certificates.
func (f certificates) Holds(e *report.Evidence) bool {
	if e.File == "" {
		return true // there is none
	}
	_, err := os.Stat(filepath.Join(f.dir, filepath.Base(e.File)))
	return err == nil
}

// sayCertificates tells how many answers are written down, and how many are not.
func sayCertificates(c *cli.Context, rows []report.Row) {
	if c.String("certificate") == "" {
		return
	}
	held, lacking := 0, 0
	for _, row := range rows {
		switch {
		case row.Evidence == nil:
		case row.Evidence.File != "":
			held++
		default:
			lacking++
		}
	}
	foreign.Fprintf(c.App.ErrWriter, "%d certificates are in %s; %d verdicts have none (their reasons are in --json, certificate.fault)\n", held, c.String("certificate"), lacking)
}
