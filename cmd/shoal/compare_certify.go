package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/report"
	"github.com/shallow-waters/shoal/internal/trial"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/prune/equal"
	"github.com/shallow-waters/shoal/verify"
)

// certifyEqual proves how far the outputs of two models can differ.
func certifyEqual(c *cli.Context, in *trial.Inputs, models [2]*onnxio.Model) (*report.Certificate, error) {
	ranges, err := equal.ParseRanges(c.String("box"))
	if err != nil {
		return nil, usageError("for example --box 0:1", "--box: %v", err)
	}
	if in.Varies(trial.Searched) {
		return nil, usageError("--hold NAME=VALUE holds it at one value", "--certify is about all valid inputs, and %s are held at values of the data", strings.Join(in.Held(), ", "))
	}
	held := in.HeldAt()
	o := verify.Options{Method: verify.Method(c.String("method")), Semantics: verify.Semantics(c.String("semantics")), Threads: c.Int("threads")}
	defer busy(c.App.ErrWriter, "bounding the difference")()
	r, err := equal.CompareBy(c.Context, models[0], models[1], c.String("match"), ranges, o)
	if err != nil {
		return nil, err
	}
	return &report.Certificate{Equal: r.Equal, Delta: number(r.Delta), Reason: r.Reason, Lower: numbers(r.Lower), Upper: numbers(r.Upper), Removed: r.Removed,
		Matched: report.Matched{Inputs: r.InputsBy, Outputs: r.OutputsBy}, Box: c.String("box"), Held: held, Method: c.String("method"), Semantics: c.String("semantics")}, nil
}
