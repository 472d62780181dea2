package main

import (
	"math/big"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/numeral"
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
	var limit *big.Rat
	if c.IsSet("max-delta") {
		if limit, err = numeral.Parse(givenText(c, "max-delta")); err != nil {
			return nil, err
		}
	}
	defer busy(c.App.ErrWriter, "bounding the difference")()
	r, err := equal.CompareWithin(c.Context, models[0], models[1], c.String("match"), ranges, limit, c.Duration("search-time"), o)
	if err != nil {
		return nil, err
	}
	return &report.Certificate{Within: withinOf(r.Within, c), Equal: r.Equal, Delta: number(r.Delta), Reason: r.Reason, Lower: numbers(r.Lower),
		Upper: numbers(r.Upper), Removed: r.Removed,
		Matched: report.Matched{Inputs: r.InputsBy, Outputs: r.OutputsBy}, Box: c.String("box"), Held: held, Method: c.String("method"),
		Semantics: c.String("semantics")}, nil
}

// withinOf is what the search for --max-delta said.
func withinOf(r *verify.Result, c *cli.Context) *report.Within {
	if r == nil {
		return nil
	}
	w := &report.Within{Limit: givenText(c, "max-delta"), Verdict: string(r.Verdict), Method: string(r.Method), Reason: r.Reason, Seconds: r.Seconds}
	if x := r.Counterexample; x != nil && r.Refutes(verify.Semantics(c.String("semantics"))) {
		for _, v := range x.Inputs {
			w.Inputs = append(w.Inputs, number(float64(v)))
		}
		w.Outputs = numbers(x.Outputs)
	}
	return w
}
