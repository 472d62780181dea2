package main

import (
	"errors"
	"os"

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
		Usage:     "prove again what certificates claim",
		ArgsUsage: "CERTIFICATE|FOLDER MODEL [PROPERTY]",
		Description: "Example: shoal recheck proof.cert model.onnx property.vnnlib\n\n" +
			"The exit code is 0 where the statement is proven, and 10 where the certificate is refused: it is of another model\nor property, or does not prove what it claims. Without PROPERTY it is of the property that it names.\n" +
			"Of the folder that shoal certify --data --certificate has filled every certificate is proven again; with --data and --eps\nthose of these samples, which must be about them.",
		Flags: append(dataFlags(),
			&cli.GenericFlag{Name: "eps", Usage: "radius in pixel units that certificates are of, as shoal certify had it; several with commas", Value: &epsilons{}},
			decisionFlag("decision", "what scores say, as shoal certify had it: argmax or threshold:`T`"), pixelRangeFlag(), dimFlag(),
			shardFlag(), jsonOption()),
		Action: question(recheckAction),
	}
}

func recheckAction(c *cli.Context) error {
	args := c.Args().Slice()
	sizes, err := parseDims(c.StringSlice("dim"))
	if err != nil {
		return err
	}
	m, err := onnxio.LoadContext(c.Context, args[1])
	if err == nil {
		err = bindDims(m, sizes)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(args[0])
	folder := err == nil && info.IsDir()
	switch {
	case c.IsSet("data"):
		return recheckSamples(c, m, args[0], folder)
	case folder && len(args) > 2:
		return usageError("--data and --eps say what a folder must be about", "%s is a folder, and %s one property", args[0], args[2])
	case folder:
		return recheckFolder(c, m, args[0])
	case c.IsSet("shard"):
		return usageError("", "--shard goes with a folder")
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
	r, err := recheckFile(c, m, args[0], want)
	if err != nil {
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

// recheckFile proves one certificate again.
func recheckFile(c *cli.Context, m *onnxio.Model, path string, want *certificate.Property) (recheck.Result, error) {
	f, err := input.Open(path)
	if err != nil {
		return recheck.Result{}, err
	}
	defer f.Close()
	r, err := recheck.Check(c.Context, f, m, want)
	if errors.As(err, new(*certificate.FormatError)) {
		err = &codeError{code: exitError, err: err}
	}
	return r, err
}
