package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/output"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

// certificateDoc says where a verdict is written down, or why it is not.
type certificateDoc struct {
	File    string  `json:"file,omitempty"`
	Parts   int     `json:"parts"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Fault   string  `json:"fault,omitempty"`
}

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
func writeCertificate(ctx context.Context, c *cli.Context, v *verify.Verifier, q *vnnlib.Query, r verify.Result) *certificateDoc {
	start := time.Now()
	doc := &certificateDoc{File: c.String("certificate")}
	idle := busy(c.App.ErrWriter, "writing the certificate")
	defer idle()
	err := output.Stream(output.OS{}, doc.File, func(write func([]byte) error) error {
		claim, err := verify.ClaimVNNLIB(q)
		if err != nil {
			return err
		}
		w := &counted{write: write}
		doc.Parts, err = v.Certificate(ctx, claim, r, w)
		doc.Bytes = w.n
		return err
	})
	doc.Seconds = time.Since(start).Seconds()
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("the time ran out before it was written")
	}
	if err != nil {
		doc.File, doc.Bytes, doc.Fault = "", 0, foreign.Error(err)
	}
	return doc
}
