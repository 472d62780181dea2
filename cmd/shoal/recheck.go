package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/shallow-waters/shoal/internal/foreign"
	"github.com/shallow-waters/shoal/internal/input"
	"github.com/shallow-waters/shoal/onnxio"
	"github.com/shallow-waters/shoal/verify"
	"github.com/shallow-waters/shoal/verify/certificate"
	"github.com/shallow-waters/shoal/verify/recheck"
	"github.com/shallow-waters/shoal/verify/vnnlib"
)

func recheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "recheck",
		Usage:     "prove again what a certificate claims",
		ArgsUsage: "CERTIFICATE MODEL [PROPERTY]",
		Description: "Example: shoal recheck proof.cert model.onnx property.vnnlib\n\n" +
			"The exit code is 0 where the statement is proven, and 10 where the certificate is refused: it is of another model\nor property, or does not prove what it claims. Without PROPERTY it is of the property that it names.",
		Flags:  []cli.Flag{jsonOption()},
		Action: question(recheckAction),
	}
}

func recheckAction(c *cli.Context) error {
	args := c.Args().Slice()
	m, err := onnxio.LoadContext(c.Context, args[1])
	if err != nil {
		return err
	}
	var want *certificate.Property
	if len(args) > 2 {
		q, err := vnnlib.Load(args[2])
		if err != nil {
			return err
		}
		claim, err := verify.ClaimVNNLIB(q)
		if err != nil {
			return err
		}
		want = &claim
	}
	f, err := input.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := recheck.Check(c.Context, f, m, want)
	if err != nil {
		if errors.As(err, new(*certificate.FormatError)) {
			return &codeError{code: exitError, err: err}
		}
		return err
	}
	if jsonMode(c) != "" {
		err = printJSON(c.App.Writer, r)
	} else if r.Accepted {
		_, err = foreign.Fprintf(c.App.Writer, "proven: %s (%d parts, %.2f s)\n", r.Statement, r.Leaves, r.Seconds)
	} else {
		_, err = foreign.Fprintf(c.App.Writer, "refused: %s\n", r.Reason)
	}
	if err == nil && !r.Accepted {
		return &codeError{code: exitViolated}
	}
	return err
}
